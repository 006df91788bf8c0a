"""The acceptance of the whole: one command makes stitched volumes of all channels, and they show what was looked at."""

import json
import os
import sys
import unittest

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import Case, read_json, read_zarr, run

CHANNELS = ("Ex_488_Em_1", "Ex_561_Em_2")
# Content everywhere, shot noise, and light that fades to the corners.
SCENE = ("--overlap", "0.25,0.25,0", "--organ-size", "0", "--illumination", "0.3", "--silent")
# Nothing is taken out that belongs to the specimen. Sizes of voxels come from metadata.txt.
PLAIN = ("--silent", "--destripe", "none")
ALIGNED = (*PLAIN, "--levels", "3", "--align-xz", "--set", "aligner.sample-count=6", "--set",
           "aligner.blob-detection-window-size=24,24,24")


class Acceptance(Case):
    def simulate(self, *options, channels=CHANNELS):
        self.succeed("simulate", "--output", self.path("scan"), *SCENE, "--channels", ",".join(channels), *options)

    def volume(self, channel):
        return self.path("scan", channel + "_stitched.ngff")

    def check(self, channel, *options):
        done = run("truth-check", self.path("scan"), self.volume(channel), "--channel", channel, "--json", "--silent",
                   "--search", "4", "--blocks", "40", *options)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def assert_in_place(self, report):
        """Every tile is where it was, to the half voxel that whole voxels cost, and no voxel is missing or invented."""
        self.assertEqual((report["covered_missing"], report["uncovered_nonzero"]), (0, 0))
        self.assertTrue(all(tile["misplacement_voxels"] for tile in report["tiles"]), report["tiles"])
        self.assertLess(report["worst_relative_misplacement_voxels"], 0.75, report["tiles"])

    def assert_one_placement(self):
        """The alignment was measured once, and both channels lie voxel on voxel."""
        alignment = self.path("scan", CHANNELS[0] + "-align.json")
        found = [name for name in os.listdir(self.path("scan")) if name.endswith("-align.json")]
        self.assertEqual(found, [os.path.basename(alignment)])
        self.assertEqual(read_json(alignment)["spimstitch"]["verdict"], "good")
        places = []
        for channel in CHANNELS:
            used = read_json(self.volume(channel) + ".config.json")["options"]["alignment"]
            self.assertEqual(os.path.basename(used), os.path.basename(alignment))
            levels = read_json(os.path.join(self.volume(channel), ".zattrs"))["multiscales"][0]["datasets"]
            places.append((levels, [read_zarr(self.volume(channel), level).shape for level in range(3)]))
        self.assertEqual(*places)
        return alignment

    def test_one_command_for_six_tiles_in_two_channels(self):
        self.simulate("--tiles", "3,2,1", "--stage-error", "3,4,3", "--frames", "150", "--frame-width", "120", "--frame-height", "72",
                      "--seed", "11")
        done = self.succeed("run", *CHANNELS, *ALIGNED, cwd=self.path("scan"), timeout=400)
        self.assertNotIn("warning", done.stderr)
        alignment = self.assert_one_placement()
        for channel in CHANNELS:
            report = self.check(channel, "--alignment", alignment, "--corrected", "dark,illumination")
            self.assert_in_place(report)
            self.assertGreater(report["positions"]["worst_before_voxels"], 2)
            self.assertLess(report["positions"]["worst_after_voxels"], 0.1)
            # The profile was measured on 900 small frames, which tell it to some hundredths.
            self.assertLess(report["moved_error_in_sigmas"], 1.7)
            self.assertGreater(report["moved_correlation"], 0.98)
            self.assertTrue(os.path.exists(self.path("scan", channel + "-illuc.tiff")))
        one, other = (read_zarr(self.volume(channel)) for channel in CHANNELS)
        self.assertFalse(np.array_equal(one, other))

    def test_odd_sizes_another_specimen_and_a_known_profile(self):
        self.simulate("--tiles", "3,2,1", "--stage-error", "4,3,3", "--frames", "151", "--frame-width", "131", "--frame-height", "61",
                      "--seed", "23", "--x-step-size", "1.4", "--y-voxel-size", "1.7")
        self.succeed("run", *CHANNELS, *ALIGNED, "--flat", self.path("scan", "truth", "illumination.tif"), cwd=self.path("scan"),
                     timeout=400)
        alignment = self.assert_one_placement()
        for channel in CHANNELS:
            report = self.check(channel, "--alignment", alignment, "--corrected", "dark,illumination")
            self.assert_in_place(report)
            self.assertTrue(report["good"], report["complaints"])
            self.assertLess(report["moved_error_in_sigmas"], 1.1)
            self.assertLess(abs(report["bias"]), 1)
            self.assertLess(abs(report["worst_seam"]["relative_error"]), 0.02)

    def test_few_tiles_and_few_frames(self):
        for tiles, frames, seed in (("1,1,1", "40", "3"), ("1,3,1", "40", "4"), ("1,1,1", "1", "5")):
            with self.subTest(tiles=tiles, frames=frames):
                self.simulate("--tiles", tiles, "--frames", frames, "--frame-width", "100", "--frame-height", "44", "--seed", seed,
                              "--overwrite", channels=CHANNELS[:1])
                self.succeed("run", CHANNELS[0], *PLAIN, "--flat", self.path("scan", "truth", "illumination.tif"), "--align=false",
                             cwd=self.path("scan"))
                report = self.check(CHANNELS[0], "--full", "--corrected", "dark,illumination")
                self.assertEqual((report["covered_missing"], report["uncovered_nonzero"]), (0, 0))
                self.assertLess(report["error_in_sigmas"], 1.2)
                self.assertLess(abs(report["bias"]), 2)


if __name__ == "__main__":
    unittest.main()
