"""truth-check compares a volume with the truth as it was stitched: with an alignment, interpolated, with a mirrored stage."""

import json
import unittest

import numpy as np

from cli.cli_support import Case, read_json, run

SCENE = ("--tiles", "2,2,1", "--frames", 60, "--frame-width", 64, "--frame-height", 48, "--overlap", 0.3, "--organ-size", 0,
         "--stage-error", 5, "--oriented", "--channels", "C")


class Truth(Case):
    def stitch(self, *options):
        self.succeed("oblique2stitched", "--input", self.path("scan", "C"), "--output", self.path("volume"), "--ngff",
                     "--levels", 1, "--overwrite", *options)

    def check(self, *options):
        done = run("truth-check", self.path("scan"), self.path("volume"), "--json", "--full", "--search", 4, *options)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def perfect_alignment(self, everything):
        """Puts every tile where it was, and then all of them elsewhere."""
        found = {}
        for stack in read_json(self.path("scan", "truth", "truth.json"))["stacks"]:
            found[json.dumps(stack["stage_um"])] = list(np.add(stack["true_um"], everything))
        with open(self.path("a.json"), "w") as file:
            json.dump({"voxel_size": 1.8, "align-z": True, "alignments": found}, file)
        return self.path("a.json")

    def test_where_everything_is_does_not_count_with_an_alignment(self):
        self.succeed("simulate", "--output", self.path("scan"), *SCENE)
        alignment = self.perfect_alignment((7.3, -4.1, 3.3))
        self.stitch("--alignment", alignment, "--interpolate", "linear")
        report = self.check("--alignment", alignment, "--interpolate", "linear")
        self.assertTrue(report["good"], report["complaints"])
        self.assertLess(report["error_in_sigmas"], 1.05)
        self.assertEqual(report["covered_missing"], 0)
        self.assertGreater(self.check()["error_in_sigmas"], 3)

    def test_whole_voxels_are_told_from_interpolated_ones(self):
        self.succeed("simulate", "--output", self.path("scan"), *SCENE)
        alignment = self.perfect_alignment((0, 0, 0))
        self.stitch("--alignment", alignment)
        report = self.check("--alignment", alignment)
        self.assertEqual(report["covered_missing"], 0)
        self.assertEqual(report["uncovered_nonzero"], 0)
        self.assertGreater(self.check("--alignment", alignment, "--interpolate", "linear")["uncovered_nonzero"], 0)

    def test_a_stage_whose_y_runs_against_the_rows(self):
        self.succeed("simulate", "--output", self.path("scan"), *SCENE, "--negative-y")
        alignment = self.perfect_alignment((0, 0, 0))
        self.stitch("--negative-y")
        report = self.check()
        self.assertEqual((report["covered_missing"], report["uncovered_nonzero"]), (0, 0))
        self.stitch("--negative-y", "--alignment", alignment, "--interpolate", "linear")
        report = self.check("--alignment", alignment, "--interpolate", "linear")
        self.assertTrue(report["good"], report["complaints"])
        self.assertLess(report["error_in_sigmas"], 1.05)
        self.stitch()
        self.assertFalse(self.check()["good"])


if __name__ == "__main__":
    unittest.main()
