"""What goes wrong around a run (power, disks, people, other runs) costs time at most: never bits, never another volume."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, read_json, run, write_dcimg
from support.power_cut import PowerCut
from support.run_case import RunCase, files_of, noise

SEED = int(os.environ.get("SPIM_FAULT_SEED", random.SystemRandom().randrange(10**6)))


class Small(RunCase):
    """Much smaller data than elsewhere: what matters here is how often a run can be disturbed."""

    shape = (40, 40, 40)
    second = 540
    brightest = 4000

    def tile(self):
        """The second one."""
        return os.path.join(self.scan, "0", f"0_{self.second}", "0.dcimg")

    @contextlib.contextmanager
    def changed_tile(self, change):
        """A tile during `change(path)`, and as it was afterwards."""
        path = self.tile()
        status = os.stat(path)
        with open(path, "rb") as file:
            data = file.read()
        change(path)
        try:
            yield
        finally:
            with open(path, "wb") as file:
                file.write(data)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def stopped(self, output="out", *more):
        """A run that stands still in the middle of the sweep."""
        process = self.start(output, "--n-workers", "1", *more)
        self.wait_for_tasks(output, 1, process)
        process.send_signal(signal.SIGSTOP)
        return process

    def go_on(self, process):
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
        return process.returncode, err

    def forget(self, output="out"):
        for name in os.listdir(self.folder):
            path = self.path(name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


class Killed(Small):
    def test_at_twenty_random_moments_it_goes_on_to_the_same_bits(self):
        rng = random.Random(SEED)
        print(f"seed {SEED}", flush=True)
        kills = 0
        while kills < 20:
            with self.subTest(seed=SEED, kills=kills):
                more = ()
                for _ in range(rng.choice((1, 1, 2, 4))):
                    process = self.start("out", *more)
                    time.sleep(rng.uniform(0.0, 1.1) * self.seconds)
                    process.kill()
                    process.communicate()
                    kills += 1
                    more = ("--resume",)
                self.call("out", "--resume")
                self.assert_as_quiet("out")
                self.assertEqual(sorted(os.listdir(self.folder)), ["out", "out.config.json", "out.report.html", "out.run.json"])
                self.forget()

    def test_at_a_random_moment_of_replacing_an_older_volume_either_stands_whole(self):
        rng = random.Random(SEED + 1)
        older = None
        for i in range(5):
            with self.subTest(seed=SEED, i=i):
                self.call("out", "--dark", "9", "--overwrite")
                older = older or files_of(self.path("out"))
                process = self.start("out", "--overwrite")
                # Most often about the end, when names are exchanged.
                time.sleep(rng.uniform(0.6, 1.1) * self.seconds)
                process.kill()
                process.communicate()
                self.assertIn(files_of(self.path("out")), (older, self.expected))
                self.call("out", "--resume", "--overwrite")
                self.assert_as_quiet("out")
                self.assertEqual(sorted(os.listdir(self.folder)), ["out", "out.config.json", "out.report.html", "out.run.json"])

    def test_one_of_three_processes_at_once_is_made_up_for(self):
        processes = [self.start("out", "--phase", "sweep", "--part", f"{i}/3", "--n-workers", "1") for i in range(3)]
        time.sleep(random.Random(SEED + 2).uniform(0.1, 0.8) * self.seconds)
        processes[1].kill()
        codes = [(p.communicate(timeout=60)[1], p.returncode) for p in processes]
        self.assertEqual([codes[0][1], codes[2][1]], [0, 0], codes)
        for phase in ("sweep", "levels", "finish"):
            self.call("out", "--phase", phase)
        self.assert_as_quiet("out")

    def test_signals_end_with_their_codes_and_keep_what_is_done(self):
        for name, more, code in ((signal.SIGINT, (), 130), (signal.SIGTERM, ("--phase", "sweep"), 76)):
            process = self.stopped("out", *more)
            process.send_signal(name)
            self.assertEqual(self.go_on(process)[0], code)
            self.assertTrue(os.listdir(self.path("out.run", "ledger")))
            self.call("out", "--resume")
            self.assert_as_quiet("out")
            self.forget()


class PowerFails(Small):
    """What was not forced to the disk is gone."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("disk"))
        self.cut = PowerCut(self.path("disk"), os.path.join(os.environ["SPIM_BUILD_DIR"], "tests", "libpower_cut.so"))

    def begin(self, *more):
        return subprocess.Popen(self.command(self.path("disk", "out"), *more), env=self.cut.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def assert_complete(self):
        self.assert_as_quiet("disk/out")
        self.assertEqual(sorted(os.listdir(self.path("disk"))), ["out", "out.config.json", "out.report.html", "out.run.json"])

    def test_at_random_moments_and_nothing_that_was_done_is_done_again(self):
        rng = random.Random(SEED + 5)
        for i in range(8):
            with self.subTest(seed=SEED, i=i):
                more = ()
                for _ in range(rng.choice((1, 2))):
                    process = self.begin(*more)
                    # The program is slower while it is watched.
                    time.sleep(rng.uniform(0.1, 2.0) * self.seconds)
                    process.kill()
                    _, err = process.communicate()
                    self.assertNotIn("done again", err)
                    self.cut.happen()
                    more = ("--resume",)
                process = self.begin("--resume")
                _, err = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, err)
                self.assertNotIn("done again", err)
                self.cut.happen()  # what is said to be complete is
                self.assert_complete()
                for name in os.listdir(self.path("disk")):
                    path = self.path("disk", name)
                    shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
                self.cut.begin()

    def test_while_parts_are_written_twice_keeps_what_is_in_the_ledger(self):
        for phase in ("sweep", "levels"):
            process = self.begin("--phase", phase)
            process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0)
        ledger = self.path("disk", "out.run", "ledger")
        for name in os.listdir(ledger):
            os.rename(os.path.join(ledger, name), self.path(name))
        again = self.begin("--phase", "sweep", "--n-workers", "1")  # it does not know that it is done
        time.sleep(self.seconds * 0.7)
        again.kill()
        again.communicate()
        self.cut.happen()
        for name in set(os.listdir(self.folder)) - {"disk", "disk.kept"}:
            os.rename(self.path(name), os.path.join(ledger, name))
        process = self.begin("--phase", "finish")
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assert_complete()


class FullDisk(Small):
    """A file system of its own, which only root may have."""

    def mount(self, size):
        place = self.path("disk")
        os.makedirs(place)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"no disk can be made here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", place])

    def resize(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path("disk")], check=True)

    def full(self, *more, code=1):
        done = self.call("disk/out", *more, code=code)
        sentences = [line for line in done.stderr.splitlines() if line.startswith("spimstitch: ")]
        self.assertEqual(len(sentences), 1, done.stderr)
        for text in (self.path("disk"), "space left on device", "free some space", "goes on"):
            self.assertIn(text, sentences[0])
        self.assertFalse(os.path.exists(self.path("disk", "out")))

    def test_while_the_volume_is_written_is_said_and_made_up_for(self):
        self.mount("256k")
        self.full()
        self.full("--resume")
        self.full("--phase", "sweep", code=75)
        self.resize("64m")
        self.call("disk/out", "--resume")
        self.assert_as_quiet("disk/out")

    def test_in_front_of_the_sweep_is_said_and_made_up_for(self):
        self.mount("16k")
        self.full("--flat", "", "--set", "writer.level=9")
        self.assertEqual([n for n in os.listdir(self.path("disk")) if ".partial-" in n], [])
        self.resize("64m")
        self.call("disk/out", "--flat", "", "--resume")
        self.assertTrue(os.path.exists(self.path("disk", "out", ".zattrs")))

    def test_at_the_end_is_said_and_made_up_for(self):
        self.mount("64m")
        for phase in ("sweep", "levels"):
            self.call("disk/out", "--phase", phase)
        with contextlib.suppress(OSError), open(self.path("disk", "ballast"), "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        self.full("--phase", "finish", code=75)
        self.full("--resume")
        os.remove(self.path("disk", "ballast"))
        self.call("disk/out", "--phase", "finish")
        self.assert_as_quiet("disk/out")


class Disturbed(Small):
    def test_two_runs_at_once_are_one(self):
        process = self.stopped()
        try:
            for more, code in (((), 1), (("--resume",), 1), (("--overwrite",), 1), (("--phase", "sweep"), 75),
                               (("--phase", "finish"), 75)):
                self.assertIn("is being worked on by", self.call("out", *more, code=code).stderr)
        finally:
            code, err = self.go_on(process)
        self.assertEqual(code, 0, err)
        self.assert_as_quiet("out")

    def test_an_input_that_changes_meanwhile_is_noticed_and_nothing_is_published(self):
        def other_bytes(path):
            os.remove(path)
            write_dcimg(path, noise(77, *self.shape))

        for change in (lambda path: os.utime(path), other_bytes, lambda path: os.truncate(path, os.path.getsize(path) // 2)):
            process = self.stopped()
            with self.changed_tile(change):
                code, err = self.go_on(process)
                self.assertEqual(code, 1, err)
                self.assertIn(f"0_{self.second}/0.dcimg", err)
                self.assertFalse(os.path.exists(self.path("out")))
                self.assertFalse(os.path.exists(self.path("out.run.json")))
            self.call("out", "--overwrite")
            self.assert_as_quiet("out")
            self.forget()

    def test_an_input_that_changes_is_final_for_a_part(self):
        self.call("out", "--phase", "sweep", "--task", "0")
        with self.changed_tile(lambda path: os.utime(path)):
            self.assertIn("has been written to", self.call("out", "--phase", "sweep", code=65).stderr)
        for phase in ("sweep", "levels", "finish"):
            self.call("out", "--phase", phase)
        self.assert_as_quiet("out")

    def test_a_slash_behind_the_name_changes_nothing(self):
        self.call("out/")
        self.call("out/", "--resume")
        self.assert_as_quiet("out")
        self.assertEqual(sorted(os.listdir(self.folder)), ["out", "out.config.json", "out.report.html", "out.run.json"])

    def test_the_output_of_another_run_is_left_alone(self):
        self.call("out", "--dark", "9")
        before = files_of(self.path("out"))
        for more in ((), ("--resume",)):
            self.assertIn("exists already", self.call("out", *more, code=1).stderr)
        self.assertEqual(self.call("out", "--phase", "sweep", code=65).returncode, 65)
        self.assertEqual(files_of(self.path("out")), before)
        self.assertNotIn("out.run", os.listdir(self.folder))

    def test_what_another_command_writes_there_is_not_taken_for_the_volume(self):
        self.call("out")
        self.succeed("convert", os.path.join(self.shared, "quiet"), self.path("out"), "--writer", "zarr", "--levels", "1",
                     "--overwrite", "--silent")
        self.succeed("verify", self.path("out"), "--silent")
        refused = run("verify", self.path("out"), "--repair", "--silent")
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("there is no", refused.stdout)

    def test_a_finished_volume_that_was_edited_is_not_called_complete(self):
        self.call("out")
        os.remove(self.path("out", "0", ".zarray"))
        self.assertIn("--repair", self.call("out", "--resume", code=1).stderr)

    def test_what_a_run_remembers_may_be_damaged(self):
        for name, says in (("ledger/sweep-0.json", None), ("plan.json", "plan.json is damaged"), ("layout.json", "layout.json")):
            for damage in (b"{", b""):
                process = self.stopped()
                process.kill()
                process.communicate()
                path = self.path("out.run", name)
                if not os.path.exists(path):
                    path = self.path("out.run", "ledger", sorted(os.listdir(self.path("out.run", "ledger")))[0])
                with open(path, "wb") as file:
                    file.write(damage)
                if says:
                    self.assertIn(says, self.call("out", "--resume", code=1).stderr)
                    self.call("out", "--overwrite")
                else:
                    self.assertIn("is done again", self.call("out", "--resume").stderr)
                self.assert_as_quiet("out")
                self.forget()

    def test_a_run_folder_of_which_only_a_part_was_removed_is_no_run_to_go_on_with(self):
        for phase in ("sweep", "levels"):
            self.call("out", "--phase", phase)
        shutil.copytree(self.path("out.run"), self.path("before"), ignore=shutil.ignore_patterns("output"))
        self.call("out", "--phase", "finish")
        manifest = read_json(self.path("out.run.json"))
        for name in ("plan.json", "layout.json", "ledger"):
            left = self.path("before", name)
            os.remove(left) if os.path.isfile(left) else shutil.rmtree(left)
            shutil.copytree(self.path("before"), self.path("out.run"))
            self.call("out", "--resume")
            self.assertEqual(read_json(self.path("out.run.json")), manifest)
            self.assertFalse(os.path.exists(self.path("out.run")))
        self.assert_as_quiet("out")

    def test_a_folder_of_somebody_else_where_the_state_belongs_is_left_alone(self):
        os.makedirs(self.path("out.run", "notes"))
        with open(self.path("out.run", "notes", "mine.txt"), "w") as file:
            file.write("precious")
        for more, code in (((), 1), (("--resume",), 1), (("--overwrite",), 1), (("--phase", "sweep"), 65)):
            self.assertIn("out.run: is not of a run", self.call("out", *more, code=code).stderr)
        self.assertEqual(files_of(self.path("out.run")), {"notes/mine.txt": b"precious"})
        self.assertNotIn("out", os.listdir(self.folder))

    def test_phases_in_a_wrong_order_wait(self):
        for phase in ("finish", "levels", "finish"):
            self.assertIn("not ", self.call("out", "--phase", phase, code=75).stderr)
        for phase in ("sweep", "levels", "finish", "levels", "sweep"):
            self.call("out", "--phase", phase)
        self.assert_as_quiet("out")


class Repaired(Small):
    def verify(self, *more, code=0):
        done = subprocess.run([os.path.join(BIN, "spimstitch"), "verify", self.path("out"), "--silent", *more], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def flip(self, name, rng):
        with open(self.path("out", name), "r+b") as file:
            at = rng.randrange(os.path.getsize(self.path("out", name)))
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << rng.randrange(8)]))

    def test_random_flips_are_all_found_and_repaired_to_the_same_bits(self):
        rng = random.Random(SEED + 3)
        self.call("out")
        chunks = sorted(n for n in self.expected if not os.path.basename(n).startswith("."))
        metadata = sorted(n for n in self.expected if os.path.basename(n).startswith("."))
        upper = [n for n in chunks if not n.startswith("0/")]
        for victims in ([rng.choice(sorted(self.expected)) for _ in range(24)], rng.sample(upper, 4), rng.sample(metadata, 2)):
            with self.subTest(seed=SEED, victims=victims):
                for name in victims:
                    shutil.copyfile(os.path.join(self.shared, "quiet", name), self.path("out", name))
                    self.flip(name, rng)
                found = self.verify(code=1).stdout
                for name in victims:
                    self.assertIn(f"{name}: has the checksum", found)
                told = self.verify("--repair").stdout
                for name in victims:
                    self.assertIn(f"{name}: repaired", told)
                self.assert_as_quiet("out")

    def test_missing_and_cut_files_come_back_and_foreign_ones_are_named(self):
        self.call("out")
        names = sorted(n for n in self.expected if n.startswith("0/"))
        os.remove(self.path("out", names[0]))
        shutil.rmtree(self.path("out", "1"))
        os.truncate(self.path("out", names[3]), 5)
        with open(self.path("out", "0", "notes.txt"), "w") as file:
            file.write("mine")
        found = self.verify(code=1).stdout
        for text in (f"{names[0]}: is missing", f"{names[3]}: has 5 bytes", "0/notes.txt: is not of the run", "(task sweep-"):
            self.assertIn(text, found)
        self.verify("--repair", code=1)  # what is foreign stays
        os.remove(self.path("out", "0", "notes.txt"))
        self.verify()
        self.assert_as_quiet("out")

    def test_a_volume_cannot_be_repaired_from_other_inputs(self):
        self.call("out")
        for chunk in sorted(n for n in self.expected if n.startswith("0/0/")):
            self.flip(chunk, random.Random(1))
        damaged = files_of(self.path("out"))

        def behind_the_head(path):
            with open(path, "r+b") as file:
                file.seek(70000)
                file.write(bytes(os.path.getsize(path) - 70000))

        for change, says in ((os.remove, "restore the missing tile"), (lambda path: os.truncate(path, 5000), "bytes and has"),
                             (lambda path: write_dcimg(path, noise(5, *self.shape)), "begins with other bytes")):
            with self.changed_tile(change):
                self.assertIn(says, self.verify("--repair", code=1).stdout)
                self.assertEqual(files_of(self.path("out")), damaged)
        with self.changed_tile(behind_the_head):
            self.assertIn("not what was written first", self.verify("--repair", code=1).stdout)
        self.assertNotIn("out.run", os.listdir(self.folder))
        os.utime(self.tile())  # a copy is as good
        self.verify("--repair")
        self.assert_as_quiet("out")


class OtherFormats(Small):
    def verify(self, output, *more, code):
        done = subprocess.run([os.path.join(BIN, "spimstitch"), "verify", output, "--silent", *more], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_flips_are_found_in_every_format(self):
        rng = random.Random(SEED + 6)
        for writer, name, more in (("precomputed", "a", ()), ("precomputed", "c", ("--set", "writer.shard=32,32,32")),
                                   ("zarr", "d", ("--set", "writer.zarr-format=3", "--set", "writer.shard=32,32,32")),
                                   ("tiff", "b.tif", ("--levels", "1"))):
            with self.subTest(writer, seed=SEED):
                self.call(name, "--writer", writer, "--set", "writer.level=1", *more)
                output = self.path(name)
                below = files_of(self.folder)
                files = {n[len(name):].lstrip("/"): data for n, data in below.items() if n == name or n.startswith(name + "/")}
                self.verify(output, code=0)
                for _ in range(8):
                    victim = rng.choice(sorted(files))
                    data = bytearray(files[victim])
                    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
                    path = os.path.join(output, victim) if victim else output
                    with open(path, "wb") as file:
                        file.write(data)
                    self.assertIn("has the checksum", self.verify(output, code=1))
                    if writer != "tiff":
                        self.verify(output, "--repair", code=0)
                        self.assertEqual(files_of(self.folder), below)
                    with open(path, "wb") as file:
                        file.write(files[victim])
                if writer == "tiff":
                    os.truncate(output, 100)
                    self.assertIn("in one go", self.verify(output, "--repair", code=1))

    def test_chunks_with_checksums_of_their_own_cannot_be_exchanged(self):
        """A CRC is linear: the CRC-32C of anything with its CRC-32C behind it is one and the same number."""
        self.call("out", "--set", "writer.zarr-format=3", "--set", "writer.compressor=none")
        a, b = self.path("out", "0", "c", "0", "0", "0", "0", "1"), self.path("out", "0", "c", "0", "0", "0", "1", "1")
        self.assertEqual(os.path.getsize(a), os.path.getsize(b))
        before = files_of(self.path("out"))
        os.rename(a, self.path("c"))
        os.rename(b, a)
        os.rename(self.path("c"), b)
        self.assertNotEqual(files_of(self.path("out")), before)
        self.assertEqual(self.verify(self.path("out"), code=1).count("has the checksum"), 2)
        self.verify(self.path("out"), "--repair", code=0)
        self.assertEqual(files_of(self.path("out")), before)

    def test_outputs_beside_the_first_are_repaired_with_it(self):
        self.call("out", "--also", "blockfs")
        before = files_of(self.folder)
        rng = random.Random(SEED + 7)
        names = [n for n in before if n.startswith("out.blockfs/") or n.startswith("out/")]
        victims = rng.sample(names, 8) + ["out.blockfs/info"]
        for name in victims:
            with open(self.path(name), "r+b") as file:
                file.truncate(len(before[name]) // 2)
        found = self.verify(self.path("out"), code=1)
        for name in victims:
            self.assertIn(os.path.basename(name), found)
        self.verify(self.path("out"), "--repair", code=0)
        self.assertEqual(files_of(self.folder), before)


class RepairedBlockfs(Repaired):
    writer = "blockfs"

    def test_random_flips_are_all_found_and_repaired_to_the_same_bits(self):
        rng = random.Random(SEED + 4)
        self.call("out")
        for _ in range(2):
            victims = rng.sample(sorted(self.expected), 6)
            for name in victims:
                self.flip(name, rng)
            found = self.verify(code=1).stdout
            for name in victims:
                self.assertIn(f"{name}: has the checksum", found)
            self.verify("--repair")
            self.assert_as_quiet("out")

    test_missing_and_cut_files_come_back_and_foreign_ones_are_named = None
    test_a_volume_cannot_be_repaired_from_other_inputs = None


if __name__ == "__main__":
    unittest.main()
