"""oblique-align and what uses its file: options, inputs, the pipeline, other channels, and files that do not fit."""

import json
import os
import subprocess
import sys
import unittest

import numpy as np

from cli_support import Case, read_json, read_zarr, run

LAB = ("--rotate-90", "3", "--flip-ud")
QUICK = ("--sample-count", "6", "--blob-detection-window-size", "24,24,24")


class Align(Case):
    """Two tiles beside each other in y whose stage is 5 um off."""

    def simulate(self, *options):
        self.succeed("simulate", "--output", self.path("scan"), "--silent", "--tiles", "1,2,1", "--frames", "90",
                     "--frame-width", "96", "--frame-height", "64", "--overlap", "0.4", "--organ-size", "0", "--seed", "5",
                     "--displace-tile", "0,1,0:0,-7.2,0", *options)
        return self.path("scan", "Ex_488_Em_1")

    def align(self, root, name, *options, **more):
        done = self.succeed("oblique-align", "--input", root, "--output", self.path(name), *QUICK, *options, **more)
        return read_json(self.path(name)), done

    def distance(self, alignment):
        (a, b) = sorted(alignment["alignments"].items(), key=lambda item: json.loads(item[0])[1])
        return np.subtract(b[1], a[1]), np.subtract(json.loads(b[0]), json.loads(a[0]))

    def test_camera_files_and_converted_volumes_give_the_true_distance(self):
        root = self.simulate()
        alignment, done = self.align(root, "a.json", *LAB)
        found, nominal = self.distance(alignment)
        self.assertAlmostEqual(found[1], nominal[1] - 7.2, delta=0.4)
        self.assertEqual((found[0], found[2]), (nominal[0], nominal[2]))
        self.assertIn("verdict: ", done.stdout)
        self.assertFalse(alignment["align-z"])
        for folder, _, files in os.walk(root):
            for file in files:
                out = os.path.join(self.path("tiles"), os.path.relpath(folder, root), file.split(".")[0])
                self.succeed("dcimg2oblique", "--input", os.path.join(folder, file), "--output", out, "--levels", "2",
                             *LAB, "--silent")
        whole, _ = self.align(self.path("tiles"), "b.json")
        self.assertAlmostEqual(self.distance(whole)[0][1], found[1], delta=0.1)
        half, _ = self.align(self.path("tiles"), "c.json", "--level", "2")
        self.assertAlmostEqual(self.distance(half)[0][1], found[1], delta=1.0)
        self.assertEqual(half["voxel_sizes"], whole["voxel_sizes"])
        self.fail_with(2, "oblique-align", "--input", self.path("tiles"), "--output", self.path("d.json"), "--level", "3",
                       says="no level 3")
        self.fail_with(2, "oblique-align", "--input", root, "--output", self.path("d.json"), "--level", "2",
                       says="camera files")

    def test_the_file_is_read_by_scripts_for_the_original_and_does_not_depend_on_the_workers(self):
        root = self.simulate()
        one, _ = self.align(root, "one.json", *LAB, "--n-cores", "1")
        three, _ = self.align(root, "three.json", *LAB, "--n-cores", "3")
        self.assertEqual(one["alignments"], three["alignments"])
        script = "import json;print(json.load(open('one.json'))['voxel_size'])"
        printed = subprocess.run([sys.executable, "-c", script], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(float(printed.stdout), one["voxel_size"])
        pair = next(value for key, value in one.items() if key.startswith("[["))
        self.assertEqual(set(pair[0]), {"key_a", "key_b", "xa", "ya", "za", "xb", "yb", "zb", "corr"})
        self.assertAlmostEqual(np.median([s["yb"] - s["ya"] for s in pair]), 4, delta=0.3)
        self.assertEqual(one["spimstitch"]["configuration"]["aligner"]["options"]["sample-count"], 6)

    def test_the_pipeline_aligns_and_another_channel_reuses_it(self):
        self.simulate("--channels", "Ex_488_Em_1,Ex_561_Em_2")
        scan = self.path("scan")
        common = ("--ngff", "--levels", "1", "--silent", "--flat", "none", "--dark", "0", "--destripe", "none")
        self.succeed("pipeline", "Ex_488_Em_1", *common, "--set", "aligner.sample-count=6", cwd=scan)
        alignment = read_json(os.path.join(scan, "Ex_488_Em_1-align.json"))
        self.assertAlmostEqual(self.distance(alignment)[0][1], self.distance(alignment)[1][1] - 7.2, delta=0.4)
        self.succeed("pipeline", "Ex_561_Em_2", *common, cwd=scan, env={"ALIGN_FILE": "Ex_488_Em_1-align.json"})
        self.succeed("pipeline", "Ex_561_Em_2", *common, "-o", "stage", "--align=false", cwd=scan)
        shapes = [read_zarr(os.path.join(scan, name)).shape for name in ("Ex_488_Em_1_stitched.ngff",
                                                                         "Ex_561_Em_2_stitched.ngff", "stage")]
        self.assertEqual(shapes[0], shapes[1])
        self.assertEqual(shapes[2][1] - shapes[1][1], 4)
        done = run("truth-check", scan, os.path.join(scan, "Ex_561_Em_2_stitched.ngff"), "--channel", "Ex_561_Em_2",
                   "--alignment", os.path.join(scan, "Ex_488_Em_1-align.json"), "--json", "--full", "--search", "4")
        report = json.loads(done.stdout)
        self.assertLess(report["positions"]["worst_after_voxels"], 0.25)
        self.assertGreater(report["positions"]["worst_before_voxels"], 1.9)
        self.assertTrue(report["good"], report["complaints"])
        # The saved configuration repeats the run with the alignment that it used.
        self.succeed("pipeline", "--config", "Ex_488_Em_1_stitched.ngff.config.json", "-o", "again", "--silent", cwd=scan)
        np.testing.assert_array_equal(read_zarr(os.path.join(scan, "again")),
                                      read_zarr(os.path.join(scan, "Ex_488_Em_1_stitched.ngff")))
        self.fail_with(1, "pipeline", "Ex_488_Em_1", "-o", "more", *common, cwd=scan, says=["align.json", "--overwrite"])
        self.assertFalse(os.path.exists(os.path.join(scan, "more")))

    def test_a_file_that_does_not_fit_names_the_tiles(self):
        root = self.simulate()
        other = {"alignments": {"[0.0, 0.0, 0.0]": [0, 0, 0]}, "align-z": True}
        with open(self.path("other.json"), "w") as file:
            json.dump(other, file)
        self.fail_with(1, "oblique2stitched", "--input", root, "--output", self.path("out"), *LAB, "--alignment",
                       self.path("other.json"), says=["other.json", "0_1037/0.dcimg"])
        other["alignments"]["[0.0, 103.7, 0.0]"] = [0, 100, 0]
        other.update({"voxel_sizes": [1, 3, 2], "spimstitch": {"origin": [0, 0, 0]}})
        with open(self.path("other.json"), "w") as file:
            json.dump(other, file)
        self.fail_with(1, "oblique2stitched", "--input", root, "--output", self.path("out"), *LAB, "--alignment",
                       self.path("other.json"), says="was made with voxels of 1 x 3 x 2")

    def test_wrong_requests_are_refused_in_one_sentence(self):
        root = self.simulate()
        to = ("--output", self.path("a.json"))
        self.fail_with(2, "oblique-align", *to, says="--input")
        self.fail_with(2, "oblique-align", "--input", root, says="--output")
        self.fail_with(2, "oblique-align", "--input", root, *to, "--aligner", "guess", says="guess")
        self.fail_with(2, "oblique-align", "--input", root, *to, "--ngff", "--reader", "dcimg", says="--ngff")
        self.fail_with(2, "oblique-align", "--input", root, *to, "--tolerance", "0", says="tolerance")
        self.fail_with(2, "oblique-align", "--input", root, *to, "--report", self.path("a.json"), says="two files")
        self.fail_with(1, "oblique-align", "--input", root, "--output", self.path("absent", "a.json"), says="is no folder")
        self.fail_with(1, "oblique-align", "--input", root, *to, *LAB, "--ngff", says="Ex_488_Em_1")
        self.fail_with(1, "oblique-align", "--input", root, *to, "--pattern", "9*", says="pattern")
        self.fail_with(1, "oblique-align", "--input", self.path("absent"), *to, says="does not exist")
        self.assert_nothing_left("scan")
        with open(self.path("a.json"), "w") as file:
            file.write("mine")
        self.fail_with(1, "oblique-align", "--input", root, *to, says=["a.json", "--overwrite"])

    def test_a_pattern_chooses_tiles(self):
        root = self.simulate()
        alignment, _ = self.align(root, "a.json", *LAB, "--pattern", "*/0_0/*")
        self.assertEqual(list(alignment["alignments"]), ["[0.0, 0.0, 0.0]"])


if __name__ == "__main__":
    unittest.main()
