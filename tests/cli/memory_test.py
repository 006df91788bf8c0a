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


if __name__ == "__main__":
    unittest.main()
