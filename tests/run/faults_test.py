"""What goes wrong around a run (power, disks, people, other runs) costs time at most: never bits, never another volume."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, read_json, run, write_dcimg
from support.bad_disk import bad_disk, bytes_on
from support.power_cut import BYTES, BYTES_AND_NAMES, PowerCut
from support.run_case import BEGUN, BESIDE, ENTERED, OPTIONS, PLACE, SEED, SmallRunCase, files_of, noise

# Moments of the end of a run: what will be published is written down, the volume has its name, that is durable, what stands
# beside it has its name, nothing is left to be named, and the run folder goes.
PUBLISHING = ("rename /out.run/publishing$ 1", "rename /disk/out$ 1", "fsync /disk$ 2", "rename /disk/out.run.json$ 1",
              "rename /disk/out.config.json$ 1", "unlink /publishing$ 1", "unlink /out.run/ 9")


class Killed(SmallRunCase):
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
                self.assertEqual(sorted(os.listdir(self.folder)), BESIDE)
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
                self.assertEqual(sorted(os.listdir(self.folder)), BESIDE)

    def test_one_of_three_processes_at_once_is_made_up_for(self):
        processes = [self.start("out", "--phase", "sweep", "--part", f"{i}/3", "--n-workers", "1") for i in range(3)]
        time.sleep(random.Random(SEED + 2).uniform(0.1, 0.8) * self.seconds)
        processes[1].kill()
        codes = [(p.communicate(timeout=60)[1], p.returncode) for p in processes]
        self.assertEqual([codes[0][1], codes[2][1]], [0, 0], codes)
        for phase in ("sweep", "levels", "finish"):
            self.call("out", "--phase", phase)
        self.assert_as_quiet("out")

    def test_in_the_middle_of_the_sweep_all_of_several_processes_are_made_up_for_by_one(self):
        for moments in ((2, 1, 2), (1, 3, 1)):
            parts = [self.start("out", "--phase", "sweep", "--part", f"{i}/3", "--n-workers", "1",
                                env=bad_disk(self.folder, f"{BEGUN.format(moment)} kill")) for i, moment in enumerate(moments)]
            codes = [part.communicate(timeout=60) and part.returncode for part in parts]
            self.assertIn(-signal.SIGKILL, codes)
            self.call("out", "--resume")
            self.assert_as_quiet("out")
            self.assertEqual(sorted(os.listdir(self.folder)), BESIDE)
            self.forget()

    def test_between_and_in_two_channels_both_are_finished(self):
        shutil.copytree(os.path.join(self.scan, "0"), self.path("A", "0"))
        shutil.copytree(os.path.join(self.scan, "0"), self.path("B", "0"))
        call = [os.path.join(BIN, "spimstitch"), "run", self.path("A"), self.path("B"), "--writer", "zarr", *OPTIONS]
        for rule in ("fsync /A_stitched.ngff.run/ledger$ 4", "unlink /A_stitched.ngff.run/ 9", "mkdir B_stitched.ngff.run$ 1",
                     "fsync /B_stitched.ngff.run/ledger$ 4", "rename /B_stitched.ngff$ 1"):
            with self.subTest(rule):
                killed = subprocess.run(call, capture_output=True, text=True, env=bad_disk(self.folder, f"{rule} kill"))
                self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stderr)
                done = subprocess.run([*call, "--resume"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                for channel in "AB":
                    found = files_of(self.path(f"{channel}_stitched.ngff"))
                    found[".zattrs"] = found[".zattrs"].replace(f'"{channel}"'.encode(), b'"scan"')  # its name
                    self.assertEqual(found, self.expected)
                for name in set(os.listdir(self.folder)) - {"A", "B"}:
                    shutil.rmtree(self.path(name)) if os.path.isdir(self.path(name)) else os.remove(self.path(name))

    def test_signals_end_with_their_codes_and_keep_what_is_done(self):
        for name, more, code in ((signal.SIGINT, (), 130), (signal.SIGTERM, ("--phase", "sweep"), 76)):
            self.assertEqual(self.terminated("out", *more, sign=name)[0], code)
            self.assertTrue(os.listdir(self.path("out.run", "ledger")))
            self.call("out", "--resume")
            self.assert_as_quiet("out")
            self.forget()


class PowerFails(SmallRunCase):
    """What was not forced to the disk is gone."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("disk"))
        self.cut = PowerCut(self.path("disk"), os.path.join(os.environ["SPIM_BUILD_DIR"], "tests", "libpower_cut.so"))

    def begin(self, *more, env=None):
        return self.start("disk/out", *more, env=env or self.cut.environment)

    def cut_behind(self, rule, takes, *more):
        """A power cut behind a call: of "CALL TEXT WHEN", as for bad_disk."""
        self.killed("disk/out", rule, *more, env=self.cut.environment)
        self.cut.happen(takes)

    def go_on(self, takes, *more):
        """Nothing that was done is done again, and what is said to be complete survives the next power cut."""
        process = self.begin("--resume", *more)
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertNotIn("done again", err)
        self.cut.happen(takes)
        self.assert_complete()

    def assert_complete(self):
        self.assert_as_quiet("disk/out")
        self.assertEqual(sorted(os.listdir(self.path("disk"))), BESIDE)

    def clean(self):
        for name in os.listdir(self.path("disk")):
            path = self.path("disk", name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        self.cut.begin()

    def test_at_random_moments_and_nothing_that_was_done_is_done_again(self):
        rng = random.Random(SEED + 5)
        for i in range(4):
            with self.subTest(seed=SEED, i=i):
                more = ()
                takes = (BYTES_AND_NAMES, BYTES)[i % 2]
                for _ in range(rng.choice((1, 2))):
                    process = self.begin(*more)
                    # The program is slower while it is watched.
                    time.sleep(rng.uniform(0.1, 2.0) * self.seconds)
                    process.kill()
                    _, err = process.communicate()
                    self.assertNotIn("done again", err)
                    self.cut.happen(takes)
                    more = ("--resume",)
                self.go_on(takes)
                self.clean()

    def test_behind_each_entry_of_the_ledger_all_that_is_entered_is_there(self):
        entries = self.entries()
        self.assertGreaterEqual(entries, 8)
        for n in range(1, entries + 1):
            for takes in (BYTES_AND_NAMES, BYTES) if n in (2, entries) else ((BYTES_AND_NAMES, BYTES)[n % 2],):
                with self.subTest(n=n, takes=takes):
                    self.cut_behind(ENTERED.format(n), takes)
                    ledger = os.listdir(self.path("disk", "out.run", "ledger"))
                    self.assertGreaterEqual(len([name for name in ledger if name.endswith(".json")]), n)
                    self.go_on(takes)
                    self.clean()

    def entries(self):
        """Tasks of a whole run."""
        return len(read_json(os.path.join(self.shared, "quiet.run.json"))["tasks"])

    def test_behind_each_step_of_the_end_the_volume_is_whole_or_not_there(self):
        for rule in PUBLISHING:
            for takes in (BYTES_AND_NAMES, BYTES):
                with self.subTest(rule=rule, takes=takes):
                    self.cut_behind(rule, takes)
                    if os.path.exists(self.path("disk", "out")):
                        self.assertEqual(files_of(self.path("disk", "out")), self.expected)
                    self.go_on(takes)
                    self.clean()

    def test_while_an_older_volume_is_replaced_one_of_both_stands_whole(self):
        older = None
        for rule in (ENTERED.format(5), *PUBLISHING):
            for takes in (BYTES_AND_NAMES, BYTES):
                with self.subTest(rule=rule, takes=takes):
                    self.call("disk/out", "--dark", "9", "--overwrite")
                    self.cut.begin()
                    older = older or files_of(self.path("disk", "out"))
                    self.cut_behind(rule, takes, "--overwrite")
                    self.assertIn(files_of(self.path("disk", "out")), (older, self.expected))
                    status = run("status", self.path("disk", "out"))
                    self.assertIn(status.returncode, (0, 3), status.stderr)
                    if status.returncode == 0:
                        self.succeed("verify", self.path("disk", "out"), "--silent")
                    self.go_on(takes, "--overwrite")
                    self.clean()

    def test_while_parts_are_written_twice_keeps_what_is_in_the_ledger(self):
        for phase in ("sweep", "levels"):
            process = self.begin("--phase", phase)
            process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0)
        ledger = self.path("disk", "out.run", "ledger")
        for name in os.listdir(ledger):
            os.rename(os.path.join(ledger, name), self.path(name))
        # It does not know that it is done.
        self.cut_behind("rename /out.run/output/0/ 24", BYTES, "--phase", "sweep", "--n-workers", "1")
        for name in set(os.listdir(self.folder)) - {"disk", "disk.kept"}:
            os.rename(self.path(name), os.path.join(ledger, name))
        process = self.begin("--phase", "finish")
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assert_complete()


class FullDisk(SmallRunCase):
    """A disk of limited size, which is simulated: everybody may have one."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("disk"))
        self.size = None

    def resize(self, size):
        self.size = size

    def on_disk(self, *more, code=0):
        return self.call("disk/out", *more, code=code, env=bad_disk(self.path("disk"), size=self.size))

    def full(self, *more, code=1):
        done = self.on_disk(*more, code=code)
        sentences = [line for line in done.stderr.splitlines() if line.startswith("spimstitch: ")]
        self.assertEqual(len(sentences), 1, done.stderr)
        for text in (self.path("disk"), "space left on device", "free some space", "goes on"):
            self.assertIn(text, sentences[0])
        self.assertFalse(os.path.exists(self.path("disk", "out")))

    def test_while_the_volume_is_written_is_said_and_made_up_for(self):
        self.resize(256 << 10)
        self.full()
        self.full("--resume")
        self.full("--phase", "sweep", code=75)
        self.resize(64 << 20)
        self.on_disk("--resume")
        self.assert_as_quiet("disk/out")

    def test_in_front_of_the_sweep_is_said_and_made_up_for(self):
        self.resize(16 << 10)
        self.full("--flat", "", "--set", "writer.level=9")
        self.assertEqual([n for n in os.listdir(self.path("disk")) if ".partial-" in n], [])
        self.resize(64 << 20)
        self.on_disk("--flat", "", "--resume")
        self.assertTrue(os.path.exists(self.path("disk", "out", ".zattrs")))

    def fill(self):
        """Nothing else fits on it."""
        self.resize(bytes_on(self.path("disk")) + 300)

    def make_room(self):
        self.resize(64 << 20)

    def test_at_the_end_is_said_and_made_up_for(self):
        self.make_room()
        for phase in ("sweep", "levels"):
            self.on_disk("--phase", phase)
        self.fill()
        self.full("--phase", "finish", code=75)
        self.full("--resume")
        self.make_room()
        self.on_disk("--phase", "finish")
        self.assert_as_quiet("disk/out")


class FullFileSystem(FullDisk):
    """A real one, which only root may have."""

    def setUp(self):
        super().setUp()
        place = self.path("disk")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"no disk can be made here: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", place])

    def resize(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.path("disk")], check=True)

    def on_disk(self, *more, code=0):
        return self.call("disk/out", *more, code=code)

    def fill(self):
        with contextlib.suppress(OSError), open(self.path("disk", "ballast"), "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path("disk", "ballast"))


class SmallFullDisk(FullDisk):
    """As much room as the volume takes, less something."""

    def test_at_any_stage_is_said_and_made_up_for(self):
        needed = bytes_on(os.path.join(self.shared, "quiet"))
        for size in (300, 3000, 9000, *(needed * n // 8 for n in range(1, 9)), needed + 3000):
            with self.subTest(size):
                self.resize(size)
                self.full()
                self.resize(None)
                self.on_disk("--resume")
                self.assert_as_quiet("disk/out")
                shutil.rmtree(self.path("disk"))
                os.makedirs(self.path("disk"))


class FailingCalls(SmallRunCase):
    """What the system may answer to any call."""

    def everywhere(self, *rules):
        """Inputs and outputs are on the bad disk."""
        return bad_disk(os.path.join(PLACE, "spim_run_"), *rules)

    def test_interrupted_and_short_ones_are_gone_on_with(self):
        for rules in (("read * 2* EINTR", "write * 2* EINTR", "fsync * 2* EINTR", "syncfs * 2* EINTR", "flock * 2* EINTR"),
                      ("read * 2* short", "write * 2* short")):
            self.call("out", env=self.everywhere(*rules))
            self.assert_as_quiet("out")
            self.forget()

    def test_a_disk_that_reports_errors_ends_the_run_and_loses_nothing(self):
        for rule in ("fsync /out.run/output/ 9 EIO", "fsync /ledger/ 3 EIO", "fsync /ledger$ 3 EIO", "write /.part- 9 EIO",
                     "rename /ledger/ 3 EIO", "fsync /publishing 1 EIO", "rename /out$ 1 EIO", "fsync /out.run/output$ 3+ EIO",
                     "read 0.dcimg 9 EIO"):
            with self.subTest(rule):
                done = self.call("out", code=1, env=self.everywhere(rule))
                sentences = [line for line in done.stderr.splitlines() if line.startswith("spimstitch: ")]
                self.assertEqual(len(sentences), 1, done.stderr)
                self.assertIn("nput/output error", sentences[0])
                self.assertFalse(os.path.exists(self.path("out")))
                again = self.call("out", "--resume")
                self.assertNotIn("done again", again.stderr)
                self.assert_as_quiet("out")
                self.forget()

    def test_a_ledger_that_cannot_be_read_is_not_taken_for_an_empty_one(self):
        self.killed("out", ENTERED.format(4))
        before = files_of(self.path("out.run", "ledger"))
        for rule in ("read /ledger/ 1+ EIO", "open /ledger/ 1+ EMFILE", "open /ledger$ 1+ EIO", "open /ledger$ 1+ EMFILE",
                     "open /plan.json 1+ EIO", "read /layout.json 1+ EIO"):
            for more in (("--resume",), ("--overwrite", "--resume"), ()):
                with self.subTest(rule=rule, more=more):
                    self.call("out", *more, code=1, env=bad_disk(self.folder, rule))
                    now = files_of(self.path("out.run", "ledger"))
                    self.assertEqual({name: now.get(name) for name in before}, before)
        self.assertNotIn("done again", self.call("out", "--resume").stderr)
        self.assert_as_quiet("out")

    def test_few_open_files_end_a_run_with_one_sentence_at_most(self):
        for most in (5, 8, 12, 16, 20, 24, 32):
            with self.subTest(most):
                limited = subprocess.run(self.command(self.path("out")), capture_output=True, text=True,
                                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
                if limited.returncode != 0 and os.path.exists(os.path.join(BIN, "spimstitch")):
                    self.assertIn(limited.returncode, (1, 127), limited.stderr)  # 127: libraries cannot be loaded
                    self.assertFalse(os.path.exists(self.path("out")))
                self.call("out", "--resume")
                self.assert_as_quiet("out")
                self.forget()

    def test_without_locks_a_warning_says_so_and_the_run_goes_on(self):
        for error in ("ENOLCK", "ENOSYS", "EOPNOTSUPP"):
            done = self.call("out", env=bad_disk(self.folder, f"flock * 1+ {error}"))
            self.assertIn("knows no locks", done.stderr)
            self.assertIn("start none", done.stderr)
            self.assert_as_quiet("out")
            self.forget()
        for phase in ("sweep", "levels", "finish"):
            done = self.call("out", "--phase", phase, env=bad_disk(self.folder, "flock * 1+ ENOLCK"))
            self.assertIn("knows no locks", done.stderr)
        self.assert_as_quiet("out")


class Disturbed(SmallRunCase):
    def test_two_runs_at_once_are_one(self):
        process = self.in_the_middle()
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

        def with_the_old_time(path):
            status = os.stat(path)
            with open(path, "r+b") as file:
                file.seek(100000)
                file.write(bytes(5000))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

        for change in (lambda path: os.utime(path), other_bytes, lambda path: os.truncate(path, os.path.getsize(path) // 2),
                       with_the_old_time):
            process = self.in_the_middle()
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
        self.assertEqual(sorted(os.listdir(self.folder)), BESIDE)

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
                self.killed("out", ENTERED.format(2))
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

    def test_a_damaged_entry_of_the_illumination_is_noticed_before_the_volume_is_published(self):
        more = ("--flat", "")
        for phase in ("illumination", "sweep", "levels"):
            self.call("out", *more, "--phase", phase)
        self.addCleanup(os.remove, self.scan + "-illuc.tiff")
        with open(self.path("out.run", "ledger", "illumination.json"), "wb") as file:
            file.write(b"{")
        self.assertIn("illumination is not complete", self.call("out", *more, "--phase", "finish", code=75).stderr)
        self.assertFalse(os.path.exists(self.path("out")))
        for phase in ("illumination", "finish"):
            self.call("out", *more, "--phase", phase)
        self.succeed("verify", self.path("out"), "--silent")

    def test_phases_in_a_wrong_order_wait(self):
        for phase in ("finish", "levels", "finish"):
            self.assertIn("not ", self.call("out", "--phase", phase, code=75).stderr)
        for phase in ("sweep", "levels", "finish", "levels", "sweep"):
            self.call("out", "--phase", phase)
        self.assert_as_quiet("out")


if __name__ == "__main__":
    unittest.main()
