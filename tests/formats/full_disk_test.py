"""What the writers do when the disk is full: one sentence, and nothing that opens as a volume."""
import os
import resource
import subprocess
import tempfile
import unittest

from support import volume_tool
from support.volume_tool import noise, pyramid

# Nothing is compressed, so that the size is known.
WRITERS = {
    "blockfs": ("blockfs", {"level": "0"}),
    "zarr": ("zarr", {"level": "0"}),
    "zarr_3": ("zarr", {"zarr-format": "3", "level": "0"}),
    "zarr_3_sharded": ("zarr", {"zarr-format": "3", "shard": "64,64,64", "level": "0"}),
    "zarr_3_sharded_without_memory": ("zarr", {"zarr-format": "3", "shard": "64,64,64", "level": "0",
                                               "shard-memory": "0"}),
    "precomputed": ("precomputed", {"compression": "none"}),
    "precomputed_sharded": ("precomputed", {"compression": "none", "shard": "64,64,64"}),
}


def write_all(writer, path, process=None):
    format, options = WRITERS[writer]
    return volume_tool.write(format, path, pyramid(noise((100, 100, 100)) + 1, 2), (32, 32, 32), check=False,
                             options=options, threads=2, process=process)


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def check(self, writer, path, message, reason):
        self.assertEqual(message.count("\n"), 1, message)
        self.assertIn(path, message)
        self.assertIn(reason, message)
        with self.assertRaises(RuntimeError):
            volume_tool.read(WRITERS[writer][0], path)

    def on_small_disk(self, settings):
        """Runs the check for all writers on a tmpfs with these settings."""
        disk = self.folder.name
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", settings, "tmpfs", disk], stderr=subprocess.DEVNULL)
        if mounted.returncode != 0:
            self.skipTest("mounting a tmpfs needs root")
        try:
            for writer in WRITERS:
                path = os.path.join(disk, writer)
                self.check(writer, path, write_all(writer, path), "no space left on device")
                subprocess.run(["rm", "-r", path], check=True)
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_no_room_for_the_voxels(self):
        self.on_small_disk("size=1m")

    def test_no_room_for_another_file(self):
        self.on_small_disk("size=64m,nr_inodes=9")

    def test_no_room_in_a_file(self):
        # Works without root: the system refuses to let a file grow beyond the limit.
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

        for writer in WRITERS:
            path = os.path.join(self.folder.name, writer)
            # restore_signals would undo that Python ignores SIGXFSZ.
            message = write_all(writer, path, dict(preexec_fn=limit, restore_signals=False))
            self.check(writer, path, message, "file too large")

    def test_a_folder_that_does_not_exist(self):
        for writer in WRITERS:
            path = os.path.join(self.folder.name, "missing", writer)
            self.check(writer, path, write_all(writer, path), "no such file or directory")

    def test_an_output_that_exists_is_not_touched(self):
        for writer in WRITERS:
            path = os.path.join(self.folder.name, writer)
            os.mkdir(path)
            self.check(writer, path, write_all(writer, path), "file exists")
            self.assertEqual(os.listdir(path), [])


if __name__ == "__main__":
    unittest.main()
