"""What comes in is damaged, missing or contradicts itself: every fault is named, or bridged as was asked for."""

import json
import os
import shutil
import sys
import tempfile
import unittest

import numpy as np
import tifffile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import Case, raw_frame, read_json, read_zarr, run, scene, write_dcimg

FRAMES, ROWS, COLUMNS = 40, 48, 36
PLAIN = ("--ngff", "--flat", "none", "--dark", "0", "--destripe", "none", "--align=false", "--levels", "1", "--silent",
         "--chunk-size", "16,16,16")
BAD = {0: [], 700: [0, 7, 8, 20]}  # frames that cannot be read, of the tiles at these y


def oriented_tile(y):
    return scene(FRAMES, ROWS, COLUMNS, seed=1 + y)


def write_tiff_tile(root, y, oriented, broken=()):
    """A stack of compressed pages, of which the end of some cannot be decoded."""
    path = os.path.join(root, "0", f"0_{y}", "0.tif")
    os.makedirs(os.path.dirname(path))
    raw = np.stack([raw_frame(frame) for frame in oriented])
    tifffile.imwrite(path, raw, compression="zlib", photometric="minisblack", rowsperstrip=8, metadata=None)
    with tifffile.TiffFile(path) as file:
        last_strips = [page.dataoffsets[-1] for page in file.pages]
    with open(path, "r+b") as file:
        for frame in broken:
            file.seek(last_strips[frame])
            file.write(b"\0\0\0\0")
    return path


def bridged(oriented, bad, policy):
    """What the frames are worth once the bad ones are bridged."""
    frames = oriented.copy()
    for k in bad:
        good = [f for f in range(k) if f not in bad] or [min(f for f in range(FRAMES) if f not in bad)]
        frames[k] = 0 if policy == "skip" else oriented[good[-1]]
    return frames


class BadFrames(Case):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="spim_bad_frames_")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.scan = os.path.join(cls.shared, "bad")
        for y, bad in BAD.items():
            cls.bad_tile = write_tiff_tile(cls.scan, y, oriented_tile(y), bad)
        cls.expected = {}
        for policy in ("skip", "previous"):
            root = os.path.join(cls.shared, policy)
            for y, bad in BAD.items():
                write_tiff_tile(root, y, bridged(oriented_tile(y), bad, policy))
            output = os.path.join(cls.shared, policy + ".ngff")
            done = run("run", root, "-o", output, *PLAIN)
            assert done.returncode == 0, done.stderr
            cls.expected[policy] = read_zarr(output)

    def call(self, output, *more):
        return ("run", self.scan, "-o", self.path(output), *PLAIN, *more)

    def assert_bridged(self, output, policy):
        np.testing.assert_array_equal(read_zarr(self.path(output)), self.expected[policy])

    def listed(self, output):
        """Frames in the manifest with what took their place."""
        frames = {}
        for row in read_json(self.path(output + ".run.json"))["bad_frames"]:
            self.assertEqual(row["file"], self.bad_tile)
            self.assertEqual(row["of"], FRAMES)
            for frame in range(row["first"], row["last"] + 1):
                frames[frame] = row["instead"]
        return frames

    def test_a_frame_that_cannot_be_read_is_named_and_stops_the_run(self):
        done = self.fail_with(1, *self.call("out"), says=("frame 0", "0_700/0.tif", "--on-bad-frame"))
        self.assertNotIn("0_0/0.tif", done.stderr)
        self.assertFalse(os.path.exists(self.path("out")))
        self.fail_with(65, *self.call("out"), "--phase", "sweep", says=("frame ", "0_700/0.tif"))

    def test_bridged_frames_are_listed_and_the_bits_do_not_depend_on_how_the_work_is_cut(self):
        cuts = (("--n-workers", "1", "--tasks", "1"), ("--n-workers", "3", "--tasks", "6", "--memory", "64M"))
        for policy, instead in (("skip", ["zeros"] * 4), ("previous", ["frame 1", "frame 6", "frame 6", "frame 19"])):
            for number, cut in enumerate(cuts):
                output = f"{policy}{number}"
                done = self.succeed(*self.call(output, "--on-bad-frame", policy, *cut))
                self.assert_bridged(output, policy)
                self.assertIn("4 frames could not be read", done.stderr)
                self.assertIn("frames 7 to 8 of 40", done.stderr)
                self.assertEqual(self.listed(output), dict(zip(BAD[700], instead)))

    def test_parts_done_anywhere_list_them_too(self):
        more = ("--on-bad-frame", "previous", "--tasks", "4")
        for part in ("1/2", "0/2"):
            self.succeed(*self.call("out", *more, "--phase", "sweep", "--part", part))
        self.succeed(*self.call("out", *more, "--phase", "levels"))
        self.succeed(*self.call("out", *more, "--phase", "finish"))
        self.assert_bridged("out", "previous")
        self.assertEqual(sorted(self.listed("out")), BAD[700])

    def test_a_run_that_stopped_at_one_goes_on_with_another_policy_but_never_mixes_two(self):
        tasks = ("--tasks", "6", "--n-workers", "1")
        tile = os.path.join(self.path("scan"), "0", "0_700", "0.tif")
        for y in BAD:
            write_tiff_tile(self.path("scan"), y, oriented_tile(y), [30] if y else [])
        call = ("run", self.path("scan"), "-o", self.path("out"), *PLAIN, *tasks)
        self.fail_with(1, *call, says=("frame 30", tile))
        self.assertGreater(len(os.listdir(self.path("out.run", "ledger"))), 0)
        self.succeed(*call, "--on-bad-frame", "previous", "--resume")
        self.assertEqual([row["first"] for row in read_json(self.path("out.run.json"))["bad_frames"]], [30])
        quiet = ("run", self.path("scan"), "-o", self.path("quiet"), *PLAIN, "--on-bad-frame", "previous")
        self.succeed(*quiet)
        np.testing.assert_array_equal(read_zarr(self.path("out")), read_zarr(self.path("quiet")))
        self.succeed(*call[:3], self.path("mixed"), *call[4:], "--on-bad-frame", "skip", "--phase", "sweep", "--task", "0")
        for policy in ("previous", "fail"):
            self.fail_with(1, *call[:3], self.path("mixed"), *call[4:], "--on-bad-frame", policy, "--resume",
                           says=("--on-bad-frame skip", policy))

    def test_corrections_and_alignment_do_not_trip_over_them(self):
        overlap = ("--ngff", "--levels", "1", "--silent", "--destripe", "wavelet", "--set", "aligner.sample-count=4",
                   "--background", "100")
        for policy in ("skip", "previous"):
            shutil.rmtree(self.path("scan"), ignore_errors=True)
            for y, bad in ((0, [3]), (400, [10, 11])):
                write_tiff_tile(self.path("scan"), y, oriented_tile(y), bad)
            self.succeed("run", self.path("scan"), "-o", self.path(policy), *overlap, "--overwrite", "--on-bad-frame", policy)
            rows = read_json(self.path(policy + ".run.json"))["bad_frames"]
            self.assertEqual([(row["first"], row["last"]) for row in rows], [(3, 3), (10, 11)])

    def test_skipped_frames_stay_zero_behind_corrections(self):
        self.succeed("stack2oblique", "--input", self.bad_tile, "--output", self.path("out"), "--ngff", "--levels", "1", "--silent",
                     "--rotate-90", "3", "--flip-ud", "--x-step-size", str(1.8 / 2**0.5), "--magnification", "1.2",
                     "--destripe", "wavelet", "--set", "destripe.sigma1=20", "--on-bad-frame", "skip")
        volume = read_zarr(self.path("out"))
        z = np.arange(COLUMNS)
        self.assertFalse(volume[z, :, 20 + z].any())
        self.assertTrue(volume[z, :, 21 + z].all())

    def test_the_missing_end_of_a_file_is_bridged_and_the_tile_keeps_its_shape(self):
        for y in (0, 700):
            count = FRAMES - 5 if y else FRAMES
            frames = np.stack([raw_frame(frame) for frame in oriented_tile(y)])
            write_dcimg(os.path.join(self.path("cut"), "0", f"0_{y}", "0.dcimg"), frames[:count], declared=FRAMES)
            frames[count:] = frames[count - 1]
            write_dcimg(os.path.join(self.path("whole"), "0", f"0_{y}", "0.dcimg"), frames)
        self.succeed("run", self.path("whole"), "-o", self.path("expected"), *PLAIN)
        self.fail_with(1, "run", self.path("cut"), "-o", self.path("out"), *PLAIN, says=("0_700/0.dcimg", "35 of 40"))
        done = self.succeed("run", self.path("cut"), "-o", self.path("out"), *PLAIN, "--on-bad-frame", "previous")
        self.assertEqual(done.stderr.count("holds 35 of 40 declared frames"), 1, "a warning is shown once, not for each phase")
        np.testing.assert_array_equal(read_zarr(self.path("out")), read_zarr(self.path("expected")))
        rows = read_json(self.path("out.run.json"))["bad_frames"]
        self.assertEqual([(row["first"], row["last"], row["instead"]) for row in rows], [(35, 39, "frame 34")])

    def test_more_than_half_of_a_file_is_refused(self):
        path = write_tiff_tile(self.path("scan"), 0, oriented_tile(0), range(5, 30))
        self.fail_with(1, "run", self.path("scan"), "-o", self.path("out"), *PLAIN, "--on-bad-frame", "skip",
                       says=(path, "21 of 40", "no more than half"))
        more = (*PLAIN, "--on-bad-frame", "skip", "--phase", "sweep")
        frames = np.stack([raw_frame(frame) for frame in oriented_tile(0)])
        write_dcimg(os.path.join(self.path("cut"), "0", "0_0", "0.dcimg"), frames[:12], declared=FRAMES)
        self.fail_with(65, "run", self.path("cut"), "-o", self.path("cut_out"), *more, says=("28 of 40", "no more than half"))


class CameraFiles(Case):
    """Six tiles, one of them no good."""

    def write_scan(self):
        random = np.random.default_rng(3)
        for x in (0, 300):
            for y in (0, 300, 600):
                frames = random.integers(100, 900, (12, 24, 32)).astype(np.uint16)
                write_dcimg(os.path.join(self.path("scan"), str(x), f"{x}_{y}", "0.dcimg"), frames)
        return os.path.join(self.path("scan"), "300", "300_300", "0.dcimg")

    def test_one_corrupt_file_among_many_is_named_before_anything_is_written(self):
        victim = self.write_scan()
        with open(victim, "rb") as file:
            good = file.read()
        for fault, data in (("header", b"\0" * 64 + good[64:]), ("sizes", good[:124] + b"\xff" * 60 + good[184:]), ("empty", b""),
                            ("cut in the header", good[:300]), ("cut short", good[:len(good) * 2 // 3])):
            with self.subTest(fault):
                with open(victim, "wb") as file:
                    file.write(data)
                self.fail_with(1, "run", self.path("scan"), "-o", self.path("out"), *PLAIN, says="300_300/0.dcimg")
                self.assert_nothing_left("scan")
                if fault != "cut short":  # there is nothing to bridge with
                    self.fail_with(1, "run", self.path("scan"), "-o", self.path("out"), *PLAIN, "--on-bad-frame", "previous",
                                   says="300_300/0.dcimg")
                planned = run("plan", self.path("scan"), "-o", self.path("out"), *PLAIN)
                self.assertEqual(planned.returncode, 1)
                self.assertIn("300_300/0.dcimg", planned.stdout + planned.stderr)
                self.assert_nothing_left("scan")

    def test_a_missing_tile_is_named_unless_holes_are_allowed(self):
        victim = self.write_scan()
        shutil.rmtree(os.path.dirname(victim))
        self.fail_with(1, "run", self.path("scan"), "-o", self.path("out"), *PLAIN, says=("x 300, y 300, z 0", "--allow-missing-tiles"))
        self.assert_nothing_left("scan")
        self.succeed("run", self.path("scan"), "-o", self.path("out"), *PLAIN, "--allow-missing-tiles")


class Metadata(Case):
    """What the microscope notes down beside its files."""

    SCAN = ("--tiles", "1,2,1", "--frames", "12", "--frame-width", "32", "--frame-height", "24", "--x-step-size", "1.5",
            "--y-voxel-size", "2.5", "--overlap", "0.3")

    def setUp(self):
        super().setUp()
        self.succeed("simulate", "--output", self.path("scan"), "--silent", *self.SCAN)
        self.channel = self.path("scan", "Ex_488_Em_1")
        self.file = self.path("scan", "metadata.txt")
        with open(self.file, encoding="latin-1", newline="") as file:
            self.text = file.read()

    def write(self, text):
        with open(self.file, "w", encoding="latin-1", newline="") as file:
            file.write(text)

    def call(self, *more):
        return ("run", self.channel, "-o", self.path("out"), "--overwrite", *PLAIN, *more)

    def voxel_um(self):
        attributes = read_json(self.path("out", ".zattrs"))
        return attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"][2:]

    def test_it_says_how_large_voxels_are_and_may_be_missing(self):
        done = self.succeed(*self.call())
        self.assertNotIn("warning", done.stderr)
        np.testing.assert_allclose(self.voxel_um(), (2.5 / 2**0.5, 2.5, 1.5))
        os.remove(self.file)
        done = self.succeed(*self.call("--y-voxel-size", "2.5"))
        self.assertNotIn("warning", done.stderr)
        np.testing.assert_allclose(self.voxel_um(), (2.5 / 2**0.5, 2.5, 1.28))

    def test_what_is_malformed_is_named_with_line_value_and_remedy(self):
        rows = self.text.split("\r\n")
        values = rows[1].split("\t")
        for says, text in (
            (("line 2", '"wide"'), self.text.replace("\t2.5\t", "\twide\t")),
            (("line 2", '""'), self.text.replace("\t1.5\t", "\t\t")),
            (("line 2", '"-1.5"'), self.text.replace("\t1.5\t", "\t-1.5\t")),
            (("line 2", '"nan"'), self.text.replace("\t1.5\t", "\tnan\t")),
            (("line 2", '""'), "\r\n".join([rows[0], "\t".join(values[:3]), *rows[2:]])),
            (("line 1", "X/Z Step"), self.text.replace("X/Z Step", "Weather")),
            (("0 lines",), ""),
            (("line 6", "y of the stack", '"six"'), "\r\n".join([*rows[:5], "000000\tsix\t0\t1\t0\t2", *rows[6:]])),
            (("line 6", "z of the stack", '"9223372036854775807"'),
             "\r\n".join([*rows[:5], "000000\t000000\t9223372036854775807\t1\t0\t2", *rows[6:]])),
        ):
            with self.subTest(says):
                self.write(text)
                self.fail_with(1, *self.call(), says=(self.file, *says, "--x-step-size"))
                self.fail_with(65, *self.call("--phase", "sweep"), says=self.file)
        os.remove(self.file)
        os.mkdir(self.file)
        self.fail_with(1, *self.call(), says=self.file)
        os.rmdir(self.file)
        os.symlink("nowhere", self.file)
        self.fail_with(1, *self.call(), says=self.file)

    def test_options_that_contradict_it_count_with_a_warning(self):
        done = self.succeed(*self.call("--x-step-size", "1.8"))
        self.assertIn("says 1.5 um where --x-step-size is 1.8", done.stderr)
        self.assertAlmostEqual(self.voxel_um()[2], 1.8)

    def test_a_listed_stack_that_is_missing_is_refused_unless_holes_are_allowed(self):
        folders = sorted(os.listdir(os.path.join(self.channel, "0")))
        shutil.rmtree(os.path.join(self.channel, "0", folders[1]))  # no hole: only the list knows of it
        self.fail_with(1, *self.call(), says=("metadata.txt", f"y {folders[1].split('_')[1]}", "--allow-missing-tiles"))
        self.fail_with(1, "plan", *self.call()[1:], says="metadata.txt")
        self.succeed(*self.call("--allow-missing-tiles"))

    def test_what_else_contradicts_the_files_is_said(self):
        self.write("\r\n".join(row for row in self.text.split("\r\n") if not row.startswith("000000\t000000")))
        self.assertIn("does not list the stack at x 0, y 0, z 0", self.succeed(*self.call()).stderr)
        self.write(self.text.replace("\r\n000000\t", "\r\n000777\t"))
        self.assertIn("lists none of the positions", self.succeed(*self.call()).stderr)
        self.write(self.text.replace("Simulated\t32\t", "Simulated\t2048\t"))
        self.assertIn("2048 pixels in a row", self.succeed(*self.call()).stderr)

    def test_channels_that_were_scanned_differently_are_refused_in_one_call(self):
        self.succeed("simulate", "--output", self.path("other"), "--silent", *self.SCAN, "--y-voxel-size", "2")
        self.fail_with(1, "run", self.channel, self.path("other", "Ex_488_Em_1"), *PLAIN, says=(self.path("other", "metadata.txt"),
                       "something else"))


if __name__ == "__main__":
    unittest.main()
