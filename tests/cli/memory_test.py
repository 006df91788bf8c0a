"""Peak memory obeys --memory and does not grow with the number of frames.

Not for builds with sanitizers, whose own memory is many times the program's.
"""

import os
import subprocess
import sys
import unittest

import numpy as np

from cli_support import BIN, Case, scene, write_dcimg

# A process inherits the peak of the one that started it, so a small one stands between.
LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Memory(Case):
    def peak(self, frames, *options):
        """Peak resident bytes of converting so many frames."""
        path = self.path(f"{frames}.dcimg")
        if not os.path.exists(path):
            write_dcimg(path, np.tile(scene(100, 256, 256), (frames // 100, 1, 1)))
        call = [os.path.join(BIN, "spimstitch"), "dcimg2oblique", "--input", path, "--output", self.path("out"),
                "--silent", "--overwrite", "--n-workers", "2", *options]
        done = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCHER, *call], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(done.stdout)

    def test_peak_does_not_grow_with_the_number_of_frames(self):
        short, long = self.peak(400, "--writer", "null"), self.peak(1200, "--writer", "null")
        self.assertLess(long, short * 1.1 + 2e6)

    def test_peak_obeys_the_option(self):
        for writer in ("null", "blockfs", "zarr"):
            with self.subTest(writer):
                self.assertLess(self.peak(400, "--writer", writer, "--memory", "64M"), 1.1 * 64 * 2**20)

    def test_planes_of_jpeg_2000_obey_the_option_whatever_their_number(self):
        def peak(frames, *options):
            path = self.path(f"{frames}.dcimg")
            write_dcimg(path, np.tile(scene(2, 700, 700), (frames // 2, 1, 1)))
            call = [os.path.join(BIN, "dcimg2jp2"), "--input", path, "--output-pattern", self.path("o", "%d.jp2"),
                    "--silent", "--overwrite", "--n-workers", "2", *options]
            done = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCHER, *call], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return int(done.stdout)

        self.assertLess(peak(12), peak(4) * 1.1 + 2e6)
        self.assertLess(peak(4, "--memory", "24M"), 1.1 * 24 * 2**20)
        self.fail_with(1, "dcimg2jp2", "--input", self.path("4.dcimg"), "--output-pattern", self.path("p", "%d.jp2"),
                       "--memory", "4M", says=["need at least", "--memory"])

    def test_illumination_obeys_the_option_far_below_a_histogram_of_every_pixel(self):
        path = self.path("scan.dcimg")
        write_dcimg(path, np.tile(scene(20, 256, 256), (20, 1, 1)))

        def peak(*options):
            call = [os.path.join(BIN, "oblique-illum-corr"), "--output", self.path("flat.tif"), "--silent",
                    "--overwrite", "--workers", "2", "--values-per-bin", "8", *options, path]
            done = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCHER, *call], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return int(done.stdout)

        self.assertLess(peak(), 4 * 256 * 256 * 1024 / 3)
        for options in ((), ("--n-bins", "100", "--values-per-bin", "40")):
            self.assertLess(peak("--memory", "32M", *options), 1.1 * 32 * 2**20)
        self.fail_with(1, "oblique-illum-corr", "--output", self.path("none.tif"), "--memory", "1M", path,
                       says=("--memory", "MiB"))

    def test_planes_of_a_sparse_volume_far_larger_than_the_memory(self):
        """4.4 GB of voxels, of which three chunks exist; a slab of planes is 2.1 GB."""
        import tifffile
        import zarr

        array = zarr.open_array(self.path("in.zarr"), "w", shape=(130, 4100, 4100), chunks=(64, 64, 64), dtype="<u2",
                                fill_value=0, dimension_separator="/")
        spots = [(0, 0, 0), (63, 4099, 70), (129, 2000, 4099)]
        for i, spot in enumerate(spots):
            array[spot] = i + 1

        def peak(out, *options):
            call = [os.path.join(BIN, "spimstitch"), "convert", self.path("in.zarr"), out, "--silent", "--memory", "128M",
                    "--n-workers", "2", *options]
            done = subprocess.run([sys.executable, "-S", "-E", "-c", LAUNCHER, *call], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return int(done.stdout)

        pattern = self.path("planes", "%d.tif")
        self.assertLess(peak(pattern, "--box", ":,:,60:68"), 1.1 * 128 * 2**20)
        self.assertLess(peak(self.path("all.tif")), 1.1 * 128 * 2**20)
        self.assertEqual(len(os.listdir(self.path("planes"))), 9)
        plane = tifffile.imread(pattern % 63)
        self.assertEqual((plane.sum(), plane[4099, 70]), (2, 2))
        with tifffile.TiffFile(self.path("all.tif")) as file:
            self.assertEqual(len(file.pages), 130)
            for i, (z, y, x) in enumerate(spots):
                plane = file.pages[z].asarray()
                self.assertEqual((plane.sum(), plane[y, x]), (i + 1, i + 1))


if __name__ == "__main__":
    unittest.main()
