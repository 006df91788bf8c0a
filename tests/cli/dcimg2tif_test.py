"""dcimg2tif: frames of camera files as TIFF files, whatever happens on the way."""

import hashlib
import os
import resource
import signal
import subprocess
import time
import unittest

import numpy as np
import tifffile

from cli_support import BIN, Case, raw_frame, scene, write_dcimg

NAMES = "img_%05d.tiff"


class Frames(Case):
    def setUp(self):
        super().setUp()
        self.frames = scene(4, 120, 161)
        write_dcimg(self.path("0.dcimg"), np.stack([raw_frame(f) for f in self.frames]))

    def convert(self, *options, pattern=NAMES, **more):
        return self.succeed("--input", self.path("0.dcimg"), "--output-pattern", self.path("out", pattern), *options,
                            program="dcimg2tif", **more)

    def test_frames_are_written_as_they_are(self):
        self.convert("--rotate-90", "3", "--flip-ud", pattern=os.path.join("deep", "er", NAMES))
        for k, frame in enumerate(self.frames):
            with tifffile.TiffFile(self.path("out", "deep", "er", NAMES % k)) as file:
                self.assertEqual(len(file.pages), 1)
                self.assertEqual(file.pages[0].compression.name, "ADOBE_DEFLATE")
                self.assertEqual(file.pages[0].dtype, np.uint16)
                np.testing.assert_array_equal(file.asarray(), frame)

    def test_every_orientation(self):
        for turns in range(4):
            for flip in ((), ("--flip-ud",)):
                self.convert("--rotate-90", turns, *flip, "--overwrite", "--n-workers", "2")
                for k, frame in enumerate(self.frames):
                    expected = np.rot90(raw_frame(frame), turns)
                    np.testing.assert_array_equal(tifffile.imread(self.path("out", NAMES % k)),
                                                  np.flipud(expected) if flip else expected)

    def test_files_say_where_they_come_from(self):
        self.convert("--start", "2", "--y-voxel-size", "1.8", "--x-step-size", "1.28")
        path = self.path("out", NAMES % 3)
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            self.assertTrue(page.software.startswith("spimstitch"))
            lines = page.description.splitlines()
            for line in ("source=0.dcimg", "frame=3", "counter=3", "unit=micron", "voxel_um=1.8,1.8,1.28",
                         "time=2020-09-13T12:26:40.030000Z"):
                self.assertIn(line, lines)
            self.assertEqual(page.tags["DateTime"].value, "2020:09:13 12:26:40")
            resolution = page.tags["XResolution"].value
            self.assertAlmostEqual(resolution[1] / resolution[0], 1.8, places=6)
        shown = subprocess.run(["tiffinfo", path], capture_output=True, text=True, check=True)
        self.assertEqual(shown.stderr, "")
        for text in ("Software: spimstitch", "DateTime: 2020:09:13 12:26:40", "source=0.dcimg", "Resolution: 0.5"):
            self.assertIn(text, shown.stdout)

    def test_numbers_are_those_of_the_camera_file(self):
        self.convert("--start", "1", "--stop", "3", "--n-workers", "2", pattern="100%%_%3d.tif")
        self.assertEqual(sorted(os.listdir(self.path("out"))),
                         ["100%%_%3d.tif.config.json", "100%_  1.tif", "100%_  2.tif"])
        np.testing.assert_array_equal(tifffile.imread(self.path("out", "100%_  2.tif")), raw_frame(self.frames[2]))

    def test_compression_makes_files_smaller(self):
        sizes = []
        for level in ("0", "3", "9"):
            self.convert("--compression", level, pattern=level + "_%d.tif")
            path = self.path("out", level + "_0.tif")
            sizes.append(os.path.getsize(path))
            np.testing.assert_array_equal(tifffile.imread(path), raw_frame(self.frames[0]))
        self.assertGreater(sizes[0], 1.2 * sizes[1])
        self.assertGreater(sizes[0], 1.2 * sizes[2])

    def test_patterns_that_name_no_frame_are_refused(self):
        for pattern, says in (("img.tif", "has no number"), ("%d_%d.tif", "more than one number"),
                              ("%s.tif", "percent sign"), ("100%", "percent sign"), ("%0999d.tif", "digits")):
            self.fail_with(2, "dcimg2tif", "--input", self.path("0.dcimg"), "--output-pattern", self.path(pattern),
                           says=says)
            self.assert_nothing_left("0.dcimg")

    def test_existing_files_are_kept_without_overwrite(self):
        with open(self.path("img_1.tif"), "w") as file:
            file.write("mine")
        call = ("dcimg2tif", "--input", self.path("0.dcimg"), "--output-pattern", self.path("img_%d.tif"))
        self.fail_with(1, *call, says=["img_1.tif", "--overwrite"])
        # Nothing is known of it, so that it is not part of an interrupted run.
        self.fail_with(1, *call, "--resume", says=["img_1.tif", "--overwrite"])
        self.assert_nothing_left("0.dcimg", "img_1.tif")
        self.succeed(*call, "--overwrite")
        np.testing.assert_array_equal(tifffile.imread(self.path("img_1.tif")), raw_frame(self.frames[1]))

    def test_an_input_is_never_an_output(self):
        os.rename(self.path("0.dcimg"), self.path("0.tif"))
        self.fail_with(1, "dcimg2tif", "--input", self.path("0.tif"), "--output-pattern", self.path("%d.tif"),
                       "--overwrite", says=["0.tif", "input"])
        os.mkdir(self.path("in"))
        for k, frame in enumerate(self.frames):
            tifffile.imwrite(self.path("in", f"{k}.tif"), frame)
        for source in (self.path("in"), self.path("in", "*.tif")):
            self.fail_with(1, "dcimg2tif", "--input", source, "--output-pattern", self.path("in", "%d.tif"),
                           "--overwrite", says=["0.tif", "input"])


class Interrupted(Case):
    """Runs that end before they are done."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        self.frames = random.integers(1, 60000, (60, 128, 128)).astype(np.uint16)
        write_dcimg(self.path("0.dcimg"), self.frames)
        self.call = ["--input", self.path("0.dcimg"), "--compression", "9", "--silent"]

    def digests(self, folder):
        result = {}
        for name in sorted(os.listdir(self.path(folder))):
            if name.endswith(".tiff") and not name.startswith("."):
                with open(self.path(folder, name), "rb") as file:
                    result[name] = hashlib.sha256(file.read()).hexdigest()
        return result

    def test_killed_run_goes_on_and_ends_as_if_nothing_had_been(self):
        self.succeed(*self.call, "--output-pattern", self.path("whole", NAMES), program="dcimg2tif")
        frames = np.concatenate([self.frames] * 20)
        write_dcimg(self.path("long.dcimg"), frames)
        call = ["--input", self.path("long.dcimg"), "--compression", "9", "--silent", "--output-pattern",
                self.path("out", NAMES)]
        process = subprocess.Popen([os.path.join(BIN, "dcimg2tif"), *call])
        deadline = time.monotonic() + 60
        while len(self.digests("out") if os.path.isdir(self.path("out")) else ()) < 64 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        there = self.digests("out")
        self.assertGreater(len(there), 0)
        self.assertLess(len(there), len(frames))
        times = {name: os.stat(self.path("out", name)).st_mtime_ns for name in there}
        # One that was cut short by something else is made again.
        victim = sorted(there)[0]
        with open(self.path("out", victim), "r+b") as file:
            file.truncate(1000)
        done = self.succeed(*call[:5], *call[5:], "--resume", program="dcimg2tif")
        self.assertEqual(done.stdout, "")
        now = self.digests("out")
        self.assertEqual(len(now), len(frames))
        whole = self.digests("whole")
        for name, digest in there.items():
            self.assertEqual(now[name], digest)
            if name != victim:
                self.assertEqual(os.stat(self.path("out", name)).st_mtime_ns, times[name])
        self.assertEqual(len({now[NAMES % k] for k in range(60)}), 60)
        np.testing.assert_array_equal(tifffile.imread(self.path("out", NAMES % 1199)), self.frames[59])
        self.assertEqual(len(whole), 60)

    def test_resumed_files_equal_those_of_one_run(self):
        self.succeed(*self.call, "--output-pattern", self.path("whole", NAMES), program="dcimg2tif")
        out = ["--output-pattern", self.path("out", NAMES)]
        self.succeed(*self.call, *out, program="dcimg2tif")
        for k in (0, 7, 59):
            os.remove(self.path("out", NAMES % k))
        self.succeed(*self.call, *out, "--resume", "--n-workers", "2", program="dcimg2tif")
        self.assertEqual(self.digests("out"), self.digests("whole"))

    def test_files_of_another_run_are_not_taken_for_those_of_this_one(self):
        out = ["--output-pattern", self.path("out", NAMES)]
        self.succeed(*self.call, *out, program="dcimg2tif")
        self.fail_with(2, "dcimg2tif", *self.call, *out, "--resume", "--flip-ud", says=["--flip-ud", "--overwrite"])
        before = self.digests("out")
        # A run with --overwrite that is killed at once leaves files of the one before: they are made again.
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        self.fail_with(1, "dcimg2tif", *self.call, *out, "--overwrite", "--flip-ud", preexec_fn=small_files)
        self.succeed(*self.call, *out, "--resume", "--flip-ud", program="dcimg2tif")
        np.testing.assert_array_equal(tifffile.imread(self.path("out", NAMES % 5)), np.flipud(self.frames[5]))
        self.assertEqual(len(set(before.values()) & set(self.digests("out").values())), 0)

    def test_full_disk_is_one_sentence_and_leaves_whole_files(self):
        disk = self.path("disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no file system can be mounted here")
        try:
            self.fail_with(1, "dcimg2tif", *self.call, "--output-pattern", os.path.join(disk, NAMES),
                           says=["img_", "no space left"])
            names = sorted(os.listdir(disk))
            self.assertFalse([name for name in names if "partial" in name])
            planes = [name for name in names if name.endswith(".tiff")]
            self.assertGreater(len(planes), 0)
            for name in planes:
                np.testing.assert_array_equal(tifffile.imread(os.path.join(disk, name)),
                                              self.frames[int(name[4:9])])
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_folders_that_cannot_be_written_are_named(self):
        for pattern in ("/sys/spimstitch_%d.tif", self.path("0.dcimg", "%d.tif")):
            self.fail_with(1, "dcimg2tif", *self.call, "--output-pattern", pattern, says=os.path.dirname(pattern))

    def test_memory_is_kept_whatever_the_number_of_frames(self):
        frames = np.tile(self.frames[:1], (200, 4, 4))
        write_dcimg(self.path("0.dcimg"), frames)
        self.fail_with(1, "dcimg2tif", *self.call, "--output-pattern", self.path("no_%d.tif"), "--memory", "1M",
                       says=["memory", "--memory"])
        used = {}
        for stop in ("8", "200"):
            pid = os.posix_spawn(os.path.join(BIN, "dcimg2tif"),
                                 ["dcimg2tif", "--input", self.path("0.dcimg"), "--compression", "1", "--silent",
                                  "--n-workers", "2", "--memory", "32M", "--stop", stop, "--output-pattern",
                                  self.path(stop, NAMES)], os.environ)
            _, status, usage = os.wait4(pid, 0)
            self.assertEqual(status, 0)
            used[stop] = usage.ru_maxrss
        self.assertLess(used["200"], used["8"] + 4096)


if __name__ == "__main__":
    unittest.main()
