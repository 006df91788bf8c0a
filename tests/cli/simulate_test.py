"""spimstitch simulate and truth-check: what is written, and that the whole chain of programs shows the truth."""

import filecmp
import json
import os
import signal
import subprocess
import time
import unittest

from cli_support import BIN, Case, run

SMALL = ("--frames", "60", "--frame-width", "56", "--frame-height", "40", "--seed", "7")


def same_tree(a, b):
    names = sorted(os.path.relpath(os.path.join(d, f), a) for d, _, files in os.walk(a) for f in files)
    other = sorted(os.path.relpath(os.path.join(d, f), b) for d, _, files in os.walk(b) for f in files)
    return names == other and filecmp.cmpfiles(a, b, names, shallow=False)[1:] == ([], [])


class Simulate(Case):
    def simulate(self, name, *options):
        self.succeed("simulate", "--output", self.path(name), "--silent", *SMALL, *options)
        return self.path(name)

    def stitch(self, acquisition, channel, output, *options):
        self.succeed("pipeline", os.path.join(acquisition, channel), "--flat", "none", "--dark", "0", "--destripe", "none",
                     "--output", self.path(output), "--ngff", "--levels",
                     "1", "--silent", "--align=false", *options)
        return self.path(output)

    def check(self, acquisition, volume, *options):
        done = run("truth-check", acquisition, volume, "--json", "--full", "--silent", "--search", "4", *options)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["good"], done.returncode == 0, done.stdout)
        return report

    def test_the_same_options_give_the_same_files_on_any_number_of_threads(self):
        one = self.simulate("one", "--workers", "1", "--tiles", "2,1,1", "--stage-error", "2")
        three = self.simulate("three", "--workers", "3", "--tiles", "2,1,1", "--stage-error", "2")
        self.assertTrue(same_tree(one, three))
        self.assertFalse(same_tree(one, self.simulate("other", "--tiles", "2,1,1", "--stage-error", "2", "--seed", "8")))

    def test_the_pipeline_shows_the_truth_of_three_tiles_of_two_channels(self):
        acquisition = self.simulate("scan", "--tiles", "1,3,1", "--overlap", "0.25", "--channels",
                                    "Ex_488_Em_1,Ex_561_Em_2", "--x-step-size", "1.3", "--illumination", "0.3",
                                    "--stripes", "0.2", "--organ-size", "0")
        for channel in ("Ex_488_Em_1", "Ex_561_Em_2"):
            volume = self.stitch(acquisition, channel, channel, "--x-step-size", "1.3")
            report = self.check(acquisition, volume, "--channel", channel)
            self.assertTrue(report["good"], report)
            self.assertEqual(report["covered_missing"], 0)
            self.assertLess(report["moved_error_in_sigmas"], 1.15)
            self.assertLess(abs(report["worst_seam"]["relative_error"]), 0.03)
        wrong = self.check(acquisition, volume, "--channel", "Ex_488_Em_1")
        self.assertFalse(wrong["good"])

    def test_the_pipeline_shows_the_truth_of_a_backward_scan(self):
        scan = ("--x-step-size", "1.5", "--negative-x")
        acquisition = self.simulate("scan", "--tiles", "2,1,1", "--organ-size", "0", "--overlap", "0.4", *scan)
        report = self.check(acquisition, self.stitch(acquisition, "Ex_488_Em_1", "volume", *scan))
        self.assertTrue(report["good"], report)

    def test_stage_errors_are_reported_as_misplacement(self):
        acquisition = self.simulate("scan", "--displace-tile", "0,0,0:2.56,-3.6,0", "--organ-size", "0")
        report = self.check(acquisition, self.stitch(acquisition, "Ex_488_Em_1", "volume"))
        self.assertFalse(report["good"])
        for found, true in zip(report["tiles"][0]["misplacement_voxels"], (2, -2, 0)):
            self.assertAlmostEqual(found, true, delta=0.1)
        self.assertLess(report["moved_error_in_sigmas"], 1.15)

    def test_descriptions_stitch_to_the_same_volume_as_camera_files(self):
        described, filmed = self.simulate("described", "--files", "simulated"), self.simulate("filmed")
        lab = ("--rotate-90", "3", "--flip-ud", "--levels", "1", "--ngff", "--silent")
        self.succeed("dcimg2oblique", "--input", os.path.join(filmed, "Ex_488_Em_1/0/0_0/0.dcimg"), "--output",
                     self.path("a"), *lab)
        self.succeed("stack2oblique", "--input", os.path.join(described, "Ex_488_Em_1/0/0_0/0.simulated.json"),
                     "--output", self.path("b"), *lab)
        self.assertTrue(same_tree(self.path("a", "0"), self.path("b", "0")))

    def test_an_existing_folder_is_replaced_only_when_asked_to(self):
        self.simulate("scan")
        self.fail_with(1, "simulate", "--output", self.path("scan"), *SMALL, says=["scan", "--overwrite"])
        before = os.stat(self.path("scan")).st_ino
        self.simulate("scan", "--overwrite")
        self.assertNotEqual(os.stat(self.path("scan")).st_ino, before)
        self.assert_nothing_left("scan")

    def test_an_interrupted_simulation_leaves_nothing(self):
        process = subprocess.Popen([os.path.join(BIN, "spimstitch"), "simulate", "--output", self.path("scan"),
                                    "--silent", "--frames", "100000"], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not os.listdir(self.folder) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assert_nothing_left()

    def test_impossible_wishes_are_refused_before_anything_is_written(self):
        for options, says in [
            ((), "--output"),
            (("-o", self.path("a"), "--tiles", "0,1,1"), "tiles"),
            (("-o", self.path("a"), "--overlap", "1.5"), "overlap"),
            (("-o", self.path("a"), "--overlap", "1,2"), "--overlap"),
            (("-o", self.path("a"), "--channels", "a/b"), "a/b"),
            (("-o", self.path("a"), "--empty-tile", "3,0,0"), "tile 3,0,0"),
            (("-o", self.path("a"), "--displace-tile", "0,0,0"), "--displace-tile"),
            (("-o", self.path("a"), "--repeat", "33"), "multiple of 80"),
            (("-o", self.path("a"), "--stripes", "2"), "--stripes"),
            (("-o", self.path("a"), "--dcimg-version", "v3"), "v3"),
        ]:
            self.fail_with(2, "simulate", *options, says=says)
        self.assert_nothing_left()

    def test_a_disk_without_room_is_noticed_first(self):
        self.fail_with(1, "simulate", "--output", self.path("a"), "--frames", "100000000", says=["room", "MB"])
        self.assert_nothing_left()

    def test_truth_check_says_what_it_cannot_use(self):
        acquisition = self.simulate("scan")
        volume = self.stitch(acquisition, "Ex_488_Em_1", "volume")
        self.fail_with(1, "truth-check", self.folder, volume, says="truth.json")
        self.fail_with(2, "truth-check", acquisition, volume, "--channel", "Ex_9", says=["Ex_9", "Ex_488_Em_1"])
        self.fail_with(2, "truth-check", acquisition, volume, "--corrected", "hum", says="hum")
        self.fail_with(1, "truth-check", acquisition, self.path("nothing"), says="nothing")
        other = self.stitch(acquisition, "Ex_488_Em_1", "other", "--y-voxel-size", "2")
        self.fail_with(1, "truth-check", acquisition, other, says="voxels")


if __name__ == "__main__":
    unittest.main()
