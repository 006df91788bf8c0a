"""seam-check measures how far tiles are from each other, whatever an aligner says."""

import json
import os
import shutil
import tempfile
import unittest

import numpy as np

from cli.cli_support import Case, read_json, run

VOXEL = np.array([1.28, 1.8, 1.8 / np.sqrt(2)])


class SeamCheck(Case):
    """Two by two simulated tiles with stage errors of a few voxels, and a perfect alignment of them."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="spim_seam_")
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        made = run("simulate", "--output", cls.root + "/scan", "--channels", "C", "--tiles", "2,2,1", "--frames", 70,
                   "--frame-width", 80, "--frame-height", 80, "--overlap", 0.35, "--stage-error", 4, "--organ-size", 0,
                   "--illumination", 0.2, "--seed", 5, "--oriented")
        assert made.returncode == 0, made.stderr
        cls.scan = cls.root + "/scan/C"
        cls.stage, cls.true = {}, {}
        for stack in read_json(cls.root + "/scan/truth/truth.json")["stacks"]:
            path = os.path.join(cls.root, "scan", stack["file"])
            cls.stage[path], cls.true[path] = np.array(stack["stage_um"]), np.array(stack["true_um"])
        cls.errors = {path: cls.true[path] - cls.stage[path] for path in cls.stage}

    def alignment(self, errors):
        """A file in the format of the original programs that puts tiles at stage + errors (um)."""
        text = json.dumps({"voxel_size": 1.8, "align-z": True, "alignments": {
            json.dumps(list(self.stage[path])): list(self.stage[path] + error) for path, error in errors.items()}})
        with open(self.path("align.json"), "w") as file:
            file.write(text)
        return self.path("align.json")

    def measure(self, *arguments, code=0):
        done = run("seam-check", self.scan, *arguments, "--json", "--blocks", 2, "--search", 6)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def assert_displacements(self, found, which, used):
        """What is measured is true minus used distance of the tiles, in voxels."""
        for overlap in found["overlaps"]:
            first, second = overlap["tiles"]
            wanted = (self.errors[second] - self.errors[first] - used[second] + used[first]) / VOXEL
            measured = np.array(overlap[which]["displacement_voxels"])
            self.assertLess(np.abs(measured - wanted).max(), 0.3, (overlap, wanted))

    def test_stage_errors_are_measured_and_a_perfect_alignment_has_none(self):
        found = self.measure(self.alignment(self.errors))
        self.assertEqual(len(found["overlaps"]), 4)
        self.assertTrue(found["good"])
        self.assert_displacements(found, "stage", {path: np.zeros(3) for path in self.stage})
        self.assert_displacements(found, "alignment", self.errors)
        for overlap in found["overlaps"]:
            self.assertLess(np.abs(overlap["alignment"]["displacement_voxels"]).max(), 0.15)
            self.assertGreater(overlap["alignment"]["correlation"], 0.9)
            self.assertGreater(overlap["alignment"]["correlation"], overlap["stage"]["correlation"])

    def test_a_wrong_alignment_is_found_out_however_sure_it_is(self):
        wrong = dict(self.errors)
        moved = sorted(wrong)[-1]
        wrong[moved] = wrong[moved] + np.array([2.5, -1.2, 3.3]) * VOXEL
        found = self.measure(self.alignment(wrong))
        self.assert_displacements(found, "alignment", wrong)
        far = [max(np.abs(o["alignment"]["displacement_voxels"])) > 3 for o in found["overlaps"]]
        self.assertEqual(far, [moved in o["tiles"] for o in found["overlaps"]])

    def test_displacements_beyond_the_search_fit_nowhere(self):
        wrong = dict(self.errors)
        moved = sorted(wrong)[0]
        wrong[moved] = wrong[moved] + np.array([0, 13.0, 0]) * VOXEL
        done = run("seam-check", self.scan, self.alignment(wrong), "--max-displacement", 2, "--search", 4)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count("fit nowhere within 4 voxels"), 2, done.stdout)

    def test_limits_decide_the_exit_code(self):
        self.measure("--max-displacement", 0.5, code=1)
        self.measure("--min-correlation", 0.9, code=1)
        true = self.alignment(self.errors)
        found = self.measure(true, "--max-displacement", 0.5, "--min-correlation", 0.8)
        self.assertEqual(found["complaints"], [])

    def test_the_result_does_not_depend_on_the_number_of_workers(self):
        self.assertEqual(self.measure("--workers", 1), self.measure("--workers", 3))

    def test_overlaps_without_content_are_said_to_have_none(self):
        done = self.succeed("simulate", "--output", self.path("dark"), "--channels", "C", "--tiles", "2,1,1", "--frames",
                            60, "--frame-width", 64, "--frame-height", 64, "--overlap", 0.4, "--brightness", 0,
                            "--oriented")
        done = self.succeed("seam-check", self.path("dark", "C"))
        self.assertIn("no content to compare", done.stdout)
        self.fail_limit("dark")

    def fail_limit(self, name):
        done = run("seam-check", self.path(name, "C"), "--min-correlation", 0.1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no overlap has content", done.stdout)

    def test_a_face_that_shows_in_the_volume_is_found(self):
        true = self.alignment(self.errors)
        self.succeed("oblique2stitched", "--input", self.scan, "--output", self.path("volume"), "--ngff", "--levels", 1,
                     "--alignment", true)
        done = self.succeed("seam-check", self.path("volume"), true, "--max-contrast", 1.3, "--json")
        before = json.loads(done.stdout)["seams"]
        self.assertEqual(len(before), 8)
        self.assertTrue(all(seam["voxels"] > 500 for seam in before), before)
        self.assertAlmostEqual(np.median([seam["contrast"] for seam in before]), 1, delta=0.1)
        self.assertEqual([seam for seam in before if seam["shows"]], [])
        # Everything from where the tiles of larger y begin is made brighter, as by a tile that is not blended.
        import zarr
        voxels = zarr.open(self.path("volume"), mode="r+")["0"]
        values = voxels[0, 0].astype(float)
        values[:, values.shape[1] - 80:] *= 1.3
        voxels[0, 0] = values.astype(np.uint16)
        done = run("seam-check", self.path("volume"), true, "--max-contrast", 1.3, "--json")
        self.assertEqual(done.returncode, 1)
        worst = max(json.loads(done.stdout)["seams"], key=lambda seam: seam["contrast"])
        self.assertTrue(worst["shows"])
        self.assertEqual(worst["axis"], "y")
        self.assertGreater(worst["tile"][1], worst["inside"][1])
        self.assertGreater(worst["step"], 0.1)

    def test_options_of_the_other_kind_are_refused(self):
        self.fail_with(2, "seam-check", self.scan, "--max-contrast", 2, says="is for stitched volumes")
        self.succeed("oblique2stitched", "--input", self.scan, "--output", self.path("volume"), "--levels", 1)
        self.fail_with(2, "seam-check", self.path("volume"), says="give the alignment")
        self.fail_with(2, "seam-check", self.path("volume"), self.alignment(self.errors), "--search", 4,
                       says="--search is for tiles")

    def test_bad_input_is_one_sentence(self):
        self.fail_with(1, "seam-check", self.path("nowhere"), says="nowhere")
        self.fail_with(1, "seam-check", self.scan, self.path("none.json"), says=["none.json", "does not exist"])
        path = sorted(self.errors)[0]
        partial = self.alignment({p: e for p, e in self.errors.items() if p != path})
        self.fail_with(1, "seam-check", self.scan, partial, says=["has no position for", path])
        self.fail_with(1, "seam-check", self.scan, "--pattern", "0/0_0/*", says="no tiles overlap")
        self.fail_with(2, "seam-check", says="")


if __name__ == "__main__":
    unittest.main()
