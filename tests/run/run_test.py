"""A run that dies at any moment goes on, and parts of it may be done anywhere: the volume is that of one quiet run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, Case, read_json, read_zarr, write_dcimg
from support.run_case import BEGUN, ENTERED, OPTIONS, RunCase, noise


class Interrupted(RunCase):
    def test_killed_at_random_moments_it_goes_on_to_the_same_bits(self):
        rng = random.Random(5)
        for i in range(4):
            with self.subTest(i):
                process = self.start("out")
                time.sleep(rng.uniform(0.05, 1.0) * self.seconds)
                process.kill()
                process.communicate()
                if rng.random() < 0.5:  # and once more while it goes on
                    again = self.start("out", "--resume")
                    time.sleep(rng.uniform(0.05, 0.8) * self.seconds)
                    again.kill()
                    again.communicate()
                self.call("out", "--resume")
                self.assert_as_quiet("out")
                shutil.rmtree(self.path("out"))
                os.remove(self.path("out.run.json"))

    def test_termination_keeps_what_is_done_and_status_says_it(self):
        code, err = self.terminated("out")
        self.assertEqual(code, 130, err)
        self.assertFalse(os.path.exists(self.path("out")))
        status = subprocess.run([os.path.join(BIN, "spimstitch"), "status", self.path("out")], capture_output=True, text=True)
        self.assertEqual(status.returncode, 3, status.stderr)
        self.assertIn(f"of {self.sweep_tasks('out')} done", status.stdout)
        done = self.call("out", code=1)
        self.assertIn("--resume", done.stderr)
        self.call("out", "--resume", "--n-workers", "2", "--memory", "64M")
        self.assert_as_quiet("out")
        status = subprocess.run([os.path.join(BIN, "spimstitch"), "status", self.path("out")], capture_output=True, text=True)
        self.assertEqual((status.returncode, status.stdout), (0, f"{self.path('out')}: complete\n"))
        self.call("out", "--resume")  # nothing is left to do
        manifest = read_json(self.path("out.run.json"))
        self.assertEqual(manifest["output"]["bytes"], sum(len(d) for d in self.expected.values()))

    def stop_half_way(self):
        self.killed("out", ENTERED.format(4), "--n-workers", "1")

    def test_what_was_damaged_in_between_is_made_again(self):
        self.stop_half_way()
        chunks = [os.path.join(f, n) for f, _, names in os.walk(self.path("out.run", "output")) for n in names]
        victims = sorted(c for c in chunks if ".part-" not in c)
        with open(victims[0], "r+b") as file:
            file.seek(20)
            byte = file.read(1)
            file.seek(20)
            file.write(bytes([byte[0] ^ 1]))
        os.truncate(victims[1], 10)
        os.remove(victims[2])
        self.call("out", "--resume")
        self.assert_as_quiet("out")

    def test_another_option_or_input_is_refused_by_name(self):
        self.stop_half_way()
        done = self.call("out", "--resume", "--dark", "4", code=1)
        self.assertIn("option dark was 3 and is 4", done.stderr)
        done = self.call("out", "--resume", "--set", "writer.level=8", code=1)
        self.assertIn("writer option level was 9 and is 8", done.stderr)
        tile = os.path.join(self.scan, "0", "0_0", "0.dcimg")
        status = os.stat(tile)
        os.utime(tile, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
        try:
            done = self.call("out", "--resume", code=1)
            self.assertIn("0_0/0.dcimg has been written to", done.stderr)
        finally:
            os.utime(tile, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.call("out", "--resume")
        self.assert_as_quiet("out")

    def test_a_second_run_of_the_same_output_is_refused(self):
        process = self.stopped("out", BEGUN.format(3))
        try:
            for more in ((), ("--resume",), ("--overwrite",)):
                done = self.call("out", *more, code=1)
                self.assertIn("is being worked on by", done.stderr)
            self.assertIn(str(process.pid), done.stderr)
            self.call("out", "--phase", "sweep", code=75)
        finally:
            process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assert_as_quiet("out")


class Parts(RunCase):
    def test_three_processes_one_of_them_killed_give_the_same_bits(self):
        self.call("out", "--phase", "levels", code=75)
        self.call("out", "--phase", "finish", code=75)
        processes = [self.start("out", "--phase", "sweep", "--part", f"{i}/3", "--n-workers", "1") for i in range(3)]
        time.sleep(0.4 * self.seconds)
        processes[1].kill()
        codes = []
        for process in processes:
            _, err = process.communicate(timeout=60)
            codes.append((process.returncode, err))
        self.assertEqual([codes[0][0], codes[2][0]], [0, 0], codes)
        self.call("out", "--phase", "sweep", "--part", "1/3")
        self.call("out", "--phase", "levels", "--all")
        self.call("out", "--phase", "finish")
        self.assert_as_quiet("out")
        for phase in ("illumination", "sweep", "finish"):
            self.call("out", "--phase", phase)

    def test_single_tasks_in_any_order_twice_at_once_give_the_same_bits(self):
        self.call("out", "--phase", "sweep", "--task", "0")
        tasks = list(range(1, self.sweep_tasks("out")))
        self.assertGreater(len(tasks), 3)
        random.Random(3).shuffle(tasks)
        for task in tasks[:-1]:
            self.call("out", "--phase", "sweep", "--task", str(task))
        self.call("out", "--phase", "levels", code=75)
        for task in (0, tasks[-1]):
            both = [self.start("out", "--phase", "sweep", "--task", str(task)) for _ in range(2)]
            for process in both:
                _, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 0, err)
        self.call("out", "--phase", "sweep", "--task", "1000", code=2)
        self.call("out", "--phase", "levels")
        self.call("out", "--phase", "finish")
        self.assert_as_quiet("out")

    def test_a_part_that_is_terminated_says_that_it_got_somewhere(self):
        code, err = self.terminated("out", "--phase", "sweep")
        self.assertEqual(code, 76, err)
        self.call("out", "--phase", "sweep", "--dark", "7", code=65)
        for phase in ("sweep", "levels", "finish"):
            self.call("out", "--phase", phase)
        self.assert_as_quiet("out")

    def test_a_format_that_cannot_be_written_in_parts_is_refused(self):
        self.fail_with(2, "run", self.scan, "-o", self.path("out"), "--writer", "null", "--flat", "none", "--destripe",
                       "none", "--align=false", "--phase", "sweep", "--all", says=("null", "--phase"))


class Blockfs(RunCase):
    """The same in a format whose files hold many blocks."""

    writer = "blockfs"

    def test_killed_and_resumed_and_in_parts_it_is_the_same(self):
        self.killed("out", ENTERED.format(4), "--n-workers", "1")
        self.call("out", "--resume", "--n-workers", "3")
        self.assert_as_quiet("out")
        both = [self.start("parts", "--phase", "sweep", "--part", f"{i}/2") for i in range(2)]
        for process in both:
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
        self.call("parts", "--phase", "levels")
        self.call("parts", "--phase", "finish")
        self.assert_as_quiet("parts")

    def test_another_reader_finds_the_voxels_of_the_other_format(self):
        from support.blockfs_reader import Directory

        done = subprocess.run([*self.command(self.path("out")), "--writer", "zarr"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        for level in range(4):
            scale = 2**level
            found = Directory(os.path.join(self.shared, "quiet", f"{scale}_{scale}_{scale}", "precomputed.blockfs")).read()
            np.testing.assert_array_equal(found, read_zarr(self.path("out"), level))


class Channels(Case):
    def test_several_are_placed_by_the_alignment_of_the_first(self):
        self.succeed("simulate", "--output", self.path("scan"), "--silent", "--tiles", "1,2,1", "--frames", "60", "--frame-width",
                     "64", "--frame-height", "64", "--overlap", "0.4", "--organ-size", "0", "--seed", "5", "--displace-tile",
                     "0,1,0:0,-7.2,0", "--channels", "Ex_488,Ex_561")
        scan = self.path("scan")
        call = ("run", "Ex_488", "Ex_561", "--ngff", "--levels", "2", "--silent", "--dark", "0", "--destripe", "none", "--flat", "none",
                "--set", "aligner.sample-count=4")
        self.succeed(*call, cwd=scan)
        a, b = (read_zarr(os.path.join(scan, f"Ex_{c}_stitched.ngff")) for c in (488, 561))
        self.assertEqual(a.shape, b.shape)
        second = read_json(os.path.join(scan, "Ex_561_stitched.ngff.config.json"))
        self.assertEqual(os.path.basename(second["options"]["alignment"]), "Ex_488-align.json")
        self.assertFalse(os.path.exists(os.path.join(scan, "Ex_561-align.json")))
        self.succeed(*call, "--resume", cwd=scan)  # nothing left to do
        for channel in ("Ex_488", "Ex_561"):  # with the alignment that was made, or that of the other channel
            victim = os.path.join(scan, f"{channel}_stitched.ngff", "0", "0", "0", "0", "0", "0")
            with open(victim, "rb") as file:
                data = file.read()
            os.remove(victim)
            self.succeed("verify", f"{channel}_stitched.ngff", "--repair", "--silent", cwd=scan)
            with open(victim, "rb") as file:
                self.assertEqual(file.read(), data)
        self.fail_with(2, "run", "Ex_488", "Ex_561", "-o", "x", cwd=scan, says="--output")
        self.fail_with(2, "run", "Ex_488", "../scan/Ex_488/", cwd=scan, says="named twice")
        told = self.succeed(*call, "--print-config", cwd=scan).stdout
        self.assertIn('"levels": 2', told)


    def test_what_is_wrong_with_the_second_is_said_before_the_first_is_made(self):
        for channel in ("Ex_488", "Ex_561"):
            for y in (0, 300):
                write_dcimg(self.path(channel, "0", f"0_{y}", "0.dcimg"), noise(y, 8, 24, 24))
        call = ("run", "Ex_488", "Ex_561", "--flat", "none", "--destripe", "none", "--align=false", "--silent")
        os.makedirs(self.path("Ex_561_stitched.ngff", "0"))
        self.fail_with(1, *call, cwd=self.folder, says="Ex_561_stitched.ngff exists already")
        shutil.rmtree(self.path("Ex_561_stitched.ngff"))
        victim = self.path("Ex_561", "0", "0_300", "0.dcimg")
        write_dcimg(victim, noise(1, 8, 20, 24))
        self.fail_with(1, *call, cwd=self.folder, says="tiles must have one shape")
        os.truncate(victim, 0)
        self.fail_with(1, *call, cwd=self.folder, says="Ex_561/0/0_300/0.dcimg")
        self.assert_nothing_left("Ex_488", "Ex_561")


class Forecast(RunCase):
    def plan(self, *more):
        return subprocess.run([os.path.join(BIN, "spimstitch"), "plan", self.scan, "-o", self.path("out"), "--writer", "zarr", *OPTIONS,
                               *more], capture_output=True, text=True)

    def test_it_says_what_a_run_will_need_and_writes_nothing(self):
        done = self.plan()
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("tiles         2", "128 frames", "1 pairs of tiles", "volume", "memory", "disk", "time"):
            self.assertIn(word, done.stdout)
        self.assert_nothing_left()

    def test_files_that_a_run_overlooks_are_not_in_its_way(self):
        strays = [os.path.join(self.scan, "notes.txt"), os.path.join(self.scan, "0", "0_0", "notes.txt")]
        for stray in strays:
            with open(stray, "w") as file:
                file.write("no camera file")
            self.addCleanup(os.remove, stray)
        done = self.plan()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_it_names_what_will_fail(self):
        os.makedirs(self.path("out"))
        with open(self.path("out", ".zgroup"), "w"):
            pass
        victim = os.path.join(self.scan, "0", "0_900", "0.dcimg")
        with open(victim, "r+b") as file:
            data = file.read()
            file.truncate(len(data) // 2)
        try:
            done = self.plan()
        finally:
            with open(victim, "wb") as file:
                file.write(data)
        self.assertEqual(done.returncode, 1)
        self.assertIn("exists already", done.stdout)
        self.assertIn("is cut short", done.stdout)
        self.assertIn("2 problems are in the way", done.stderr)


if __name__ == "__main__":
    unittest.main()
