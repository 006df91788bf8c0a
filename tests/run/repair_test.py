"""What a run made is checked and mended by `spimstitch verify --repair`: to the same bits, whatever was damaged."""

import os
import random
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, run, write_dcimg
from support.bad_disk import bad_disk
from support.run_case import BESIDE, SEED, SmallRunCase, files_of, noise


class Repaired(SmallRunCase):
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

    def test_a_run_that_was_killed_while_it_published_can_be_repaired(self):
        for rule in ("rename /publishing$ 1", "rename /out$ 1"):
            with self.subTest(rule):
                self.killed("out", rule, "--flat", "")
                self.call("out", "--flat", "", "--resume")
                before = files_of(self.path("out"))
                self.flip(next(name for name in sorted(before) if name.startswith("0/0/")), random.Random(1))
                self.verify("--repair")
                self.assertEqual(files_of(self.path("out")), before)
                self.forget()
                os.remove(self.scan + "-illuc.tiff")

    def test_killed_it_goes_on_to_the_same_bits(self):
        rng = random.Random(SEED + 8)
        self.call("out")
        chunks = sorted(n for n in self.expected if not os.path.basename(n).startswith("."))
        victims = rng.sample([n for n in chunks if n.startswith("0/")], 4) + [n for n in chunks if n.startswith("2/")][:1] + [".zattrs"]
        repair = [os.path.join(BIN, "spimstitch"), "verify", self.path("out"), "--repair", "--silent"]
        # While pieces are made, when some are in their places, in front of metadata and behind all.
        for rule in ("mkdir /.part- 1", "mkdir /.part- 9", "rename /out/ 1", "rename /out/ 3", "rename /out/.zattrs 1",
                     "unlink /out.run/ 1"):
            with self.subTest(seed=SEED, rule=rule):
                for name in victims:
                    shutil.copyfile(os.path.join(self.shared, "quiet", name), self.path("out", name))
                    self.flip(name, rng)
                killed = subprocess.run(repair, capture_output=True, text=True, env=bad_disk(self.folder, f"{rule} kill"))
                self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stdout + killed.stderr)
                run("verify", self.path("out"), "--silent")
                self.verify("--repair")
                self.verify()
                self.assert_as_quiet("out")
                self.assertEqual(sorted(os.listdir(self.folder)), BESIDE)

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

        def all_behind_the_head(path):
            with open(path, "r+b") as file:
                file.seek(70000)
                file.write(bytes(os.path.getsize(path) - 70000))

        def a_few_bytes(path):
            """Between two of the samples that are looked at: these begin at whole 63rds of the length less 512 bytes."""
            last = os.path.getsize(path) - 512
            with open(path, "r+b") as file:
                for i in range(40, 60):
                    file.seek(last * i // 63 + 600)
                    file.write(b"\xff\x0f" * 64)

        for change, says in ((os.remove, "restore the missing tile"), (lambda path: os.truncate(path, 5000), "bytes and has"),
                             (lambda path: write_dcimg(path, noise(5, *self.shape)), "begins with other bytes"),
                             (all_behind_the_head, "has other bytes than then")):
            with self.changed_tile(change):
                self.assertIn(says, self.verify("--repair", code=1).stdout)
                self.assertEqual(files_of(self.path("out")), damaged)
        with self.changed_tile(a_few_bytes):
            self.assertIn("not what was written first", self.verify("--repair", code=1).stdout)
        self.assertNotIn("out.run", os.listdir(self.folder))
        os.utime(self.tile())  # a copy is as good
        self.verify("--repair")
        self.assert_as_quiet("out")


class OtherFormats(SmallRunCase):
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

    def test_what_a_killed_one_left_in_any_volume_goes_with_the_next(self):
        self.call("out", "--also", "blockfs")
        before, beside = files_of(self.folder), sorted(os.listdir(self.folder))
        os.truncate(self.path("out.blockfs", "2_2_2", "precomputed.blockfs"), 9)
        killed = subprocess.run([os.path.join(BIN, "spimstitch"), "verify", self.path("out"), "--repair", "--silent"],
                                capture_output=True, env=bad_disk(self.folder, "open /2_2_2/.part-directory 1 kill"))
        self.assertEqual(killed.returncode, -signal.SIGKILL)
        os.makedirs(self.path("out", ".part-elsewhere-1-2-3"))  # unfinished and still empty
        found = self.verify(self.path("out"), code=1)
        for name in ("../out.blockfs/2_2_2/.part-directory", ".part-elsewhere-1-2-3"):
            self.assertIn(f"{name}: is left of a repair", found)
        self.verify(self.path("out"), "--repair", code=0)
        self.assertEqual(files_of(self.folder), before)
        self.assertEqual(sorted(os.listdir(self.folder)), beside)
        self.assertNotIn(".part-elsewhere-1-2-3", os.listdir(self.path("out")))

    def test_without_a_reader_of_the_format_checksums_tell(self):
        self.call("out", "--writer", "precomputed")
        os.makedirs(self.path("less", "bin"))
        program = shutil.copy(os.path.join(BIN, "spimstitch"), self.path("less", "bin"))
        plugins = os.environ["SPIM_PLUGIN_DIR"]
        less = shutil.copytree(plugins, self.path("less", "lib", "spimstitch", os.path.basename(plugins)))
        os.remove(os.path.join(less, "precomputed.so"))
        verify = [program, "verify", self.path("out")]
        done = subprocess.run(verify, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("no plugin reads it, nothing is damaged", done.stdout)
        os.truncate(self.path("out", "info"), 5)
        done = subprocess.run(verify, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("info: has 5 bytes", done.stdout)
        self.assertIn("1 file is not as it was written", done.stdout)

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

    test_a_run_that_was_killed_while_it_published_can_be_repaired = None
    test_killed_it_goes_on_to_the_same_bits = None
    test_missing_and_cut_files_come_back_and_foreign_ones_are_named = None
    test_a_volume_cannot_be_repaired_from_other_inputs = None


if __name__ == "__main__":
    unittest.main()
