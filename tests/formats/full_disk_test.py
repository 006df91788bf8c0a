"""What the writers do when the disk is full: one sentence, and nothing that opens as a volume."""
import os
import resource
import subprocess
import tempfile
import unittest

from support import volume_tool
from support.volume_tool import noise, pyramid

STORED = {"level": "0"}  # nothing is compressed, so that the size is known


def write_all(format, path, process=None):
    return volume_tool.write(format, path, pyramid(noise((100, 100, 100)) + 1, 2), (32, 32, 32), check=False,
                             options=STORED, threads=2, process=process)


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.folder.cleanup()

    def check(self, format, path, message, reason):
        self.assertEqual(message.count("\n"), 1, message)
        self.assertIn(path, message)
        self.assertIn(reason, message)
        with self.assertRaises(RuntimeError):
            volume_tool.read(format, path)

    def on_small_disk(self, settings):
        """Runs the check for both formats on a tmpfs with these settings."""
        disk = self.folder.name
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", settings, "tmpfs", disk], stderr=subprocess.DEVNULL)
        if mounted.returncode != 0:
            self.skipTest("mounting a tmpfs needs root")
        try:
            for format in "blockfs", "zarr":
                path = os.path.join(disk, format)
                self.check(format, path, write_all(format, path), "no space left on device")
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

        for format in "blockfs", "zarr":
            path = os.path.join(self.folder.name, format)
            # restore_signals would undo that Python ignores SIGXFSZ.
            message = write_all(format, path, dict(preexec_fn=limit, restore_signals=False))
            self.check(format, path, message, "file too large")

    def test_a_folder_that_does_not_exist(self):
        for format in "blockfs", "zarr":
            path = os.path.join(self.folder.name, "missing", format)
            self.check(format, path, write_all(format, path), "no such file or directory")

    def test_an_output_that_exists_is_not_touched(self):
        for format in "blockfs", "zarr":
            path = os.path.join(self.folder.name, format)
            os.mkdir(path)
            self.check(format, path, write_all(format, path), "file exists")
            self.assertEqual(os.listdir(path), [])


if __name__ == "__main__":
    unittest.main()
