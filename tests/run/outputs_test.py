"""What a run writes beside its first output: the same voxels in every format, whatever happens on the way."""

import glob
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np
import tifffile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, Case, read_json, read_zarr, run, write_dcimg
from support.bad_disk import bad_disk
from support.blockfs_reader import Directory
from support.run_case import PLACE, noise

OPTIONS = ("--flat", "none", "--dark", "3", "--destripe", "none", "--align=false", "--levels", "3", "--chunk-size",
           "16,16,16", "--x-step-size", "1.2728", "--silent", "--tasks", "6")
SHARDED = ("--zarr-format", "3", "--shard", "32,32,32", "--also", "precomputed", "--also-set", "precomputed.shard=32,32,32",
           "--also", "blockfs")


def files_of(*roots):
    """Every file below, with its bytes."""
    found = {}
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, os.path.dirname(root))] = file.read()
    return found


def flip_a_bit(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 4]))


def planes_of(pattern):
    return np.stack([tifffile.imread(name) for name in sorted(glob.glob(pattern))])


class Outputs(Case):
    """Two tiles that overlap in y."""

    @classmethod
    def setUpClass(cls):
        cls.shared = os.path.join(PLACE, f"spim_outputs_{os.getpid()}_{cls.__name__}")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.scan = os.path.join(cls.shared, "scan")
        for y, seed in ((0, 1), (600, 2)):
            write_dcimg(os.path.join(cls.scan, "0", f"0_{y}", "0.dcimg"), noise(seed, 60, 48, 64))

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="spim_outputs_", dir=PLACE)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def command(self, *more):
        return [os.path.join(BIN, "spimstitch"), "run", self.scan, "-o", self.path("out.ngff"), *OPTIONS, *more]

    def call(self, *more, code=0):
        done = subprocess.run(self.command(*more), capture_output=True, text=True)
        self.assertEqual(done.returncode, code, f"{more}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, *more):
        return subprocess.Popen(self.command(*more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def clean(self):
        for name in os.listdir(self.folder):
            path = self.path(name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)

    def converted(self, source):
        """The volume as Zarr v2, by the program's own reader."""
        target = self.path(f"converted_{len(os.listdir(self.folder))}.zarr")
        self.succeed("convert", source, target, "--levels", "1", "--silent")
        return read_zarr(target)

    def names(self):
        return sorted(name for name in os.listdir(self.folder) if not name.endswith((".json", ".html")))


class Formats(Outputs):
    def test_every_format_holds_the_voxels_of_the_first(self):
        self.call("--also", "blockfs,precomputed", "--also", "tiff", "--also", f"tiff={self.path('one.tif')}", "--also",
                  "jp2", "--psnr", "0")
        self.assertEqual(self.names(), ["one.tif", "out", "out.ngff", "out.precomputed", "out_jp2", "out_tiff"])
        volume = read_zarr(self.path("out.ngff"))
        self.assertGreater(np.count_nonzero(volume), volume.size // 3)
        for level in range(3):
            scale = 2**level
            blocks = Directory(self.path("out", f"{scale}_{scale}_{scale}", "precomputed.blockfs")).read()
            np.testing.assert_array_equal(blocks, read_zarr(self.path("out.ngff"), level))
        np.testing.assert_array_equal(planes_of(self.path("out_tiff", "img_*.tiff")), volume)
        np.testing.assert_array_equal(tifffile.imread(self.path("one.tif")), volume)
        self.succeed("convert", self.path("out_jp2"), self.path("jp2.tif"), "--silent")
        np.testing.assert_array_equal(tifffile.imread(self.path("jp2.tif")), volume)
        np.testing.assert_array_equal(self.converted(self.path("out.precomputed")), volume)
        for name in ("out", "out.ngff", "out.precomputed", "one.tif"):
            self.succeed("verify", self.path(name), "--silent")

    def test_the_manifest_knows_the_files_of_all(self):
        self.call("--also", "blockfs", "--also", "tiff")
        manifest = read_json(self.path("out.ngff.run.json"))
        self.assertEqual([o["format"] for o in manifest["outputs"]], ["blockfs", "tiff"])
        named = {os.path.normpath(self.path("out.ngff", path)): size for task in manifest["tasks"]
                 for path, size, _ in task["files"]}
        for path, size in named.items():
            self.assertEqual(os.path.getsize(path), size, path)
        for pattern in ("out.ngff/0/0/0/*/*/*", "out/1_1_1/precomputed.blockfs.*", "out_tiff/*.tiff"):
            for path in glob.glob(self.path(pattern)):
                self.assertIn(path, named)
        self.assertIn("exists already", self.call("--also", "blockfs", "--also", "tiff", code=1).stderr)
        self.call("--also", "blockfs", "--also", "tiff", "--overwrite")
        self.assertEqual(self.names(), ["out", "out.ngff", "out_tiff"])

    def test_a_saved_configuration_gives_the_same_outputs(self):
        self.call("--also", "precomputed", "--also-set", "precomputed.level=9", "--also", f"tiff={self.path('planes', 'p%02d.tif')}")
        first = files_of(self.path("out.precomputed"), self.path("planes"))
        self.assertIn("planes/p00.tif", first)
        saved = self.path("saved.json")
        shutil.move(self.path("out.ngff.config.json"), saved)
        for name in ("out.ngff", "out.precomputed", "planes"):
            shutil.rmtree(self.path(name))
        self.succeed("run", "--config", saved)
        self.assertEqual(files_of(self.path("out.precomputed"), self.path("planes")), first)

    def test_kept_stacks_are_those_of_single_conversions(self):
        self.call("--keep-stacks")
        for tile in ("0_0", "0_600"):
            kept = self.path("scan_destriped_precomputed", "0", tile, "0")
            self.succeed("dcimg2oblique", "--input", os.path.join(self.scan, "0", tile, "0.dcimg"), "-o", self.path(tile),
                         "--dark", "3", "--rotate-90", "3", "--flip-ud", "--x-step-size", "1.2728", "--levels", "1", "--silent")
            one, two = (Directory(os.path.join(root, "1_1_1", "precomputed.blockfs")).read() for root in (kept, self.path(tile)))
            np.testing.assert_array_equal(one, two)
        # Stitched as volumes they are what the run made straight of the camera files.
        self.succeed("oblique2stitched", "--input", self.path("scan_destriped_precomputed"), "--output", self.path("again.ngff"),
                     "--ngff", "--levels", "3", "--chunk-size", "16,16,16", "--x-step-size", "1.2728", "--silent")
        np.testing.assert_array_equal(read_zarr(self.path("again.ngff")), read_zarr(self.path("out.ngff")))
        shutil.rmtree(self.path("out.ngff"))
        self.call("--keep-stacks", code=1)  # what was kept is not replaced unasked

    def test_what_makes_no_sense_is_refused(self):
        for more, says in ((("--also", "blokfs"), "blockfs"), (("--also", "blockfs="), "FORMAT=PATH"),
                           (("--also-set", "tiff.level=3"), "--also tiff"),
                           (("--also", f"blockfs={self.path('out.ngff', 'x')}"), "gets in the way"),
                           (("--also", "tiff=img_%04d.tiff"), "folder"),
                           (("--also", "zarr"), "gets in the way"),
                           (("--also", "precomputed=/proc/spim_elsewhere"), "another disk"),
                           (("--also", "jp2", "--psnr", "much"), "signal to noise"),
                           (("--also", "precomputed", "--also-set", "precomputed.shard=1"), "shard"),
                           (("--writer", "tiff", "--also", "blockfs"), "in parts")):
            done = self.call(*more, code=2)
            self.assertIn(says, done.stderr, more)
        os.makedirs(self.path("out", "something"))
        self.assertIn("exists already", self.call("--also", "blockfs", code=1).stderr)
        self.assert_nothing_left("out")

    def test_planes_that_an_interrupted_finish_made_are_compared_by_the_next_one(self):
        more = ("--also", "tiff")
        self.call(*more)
        expected = files_of(self.path("out_tiff"))
        self.clean()
        for phase in ("sweep", "levels"):
            self.call(*more, "--phase", phase)
        killed = subprocess.run(self.command(*more, "--phase", "finish"), capture_output=True, text=True,
                                env=bad_disk(self.folder, "fsync /ledger$ 2 kill"))
        self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stderr)
        flip_a_bit(self.path("out.ngff.run", "also-tiff", "img_0003.tiff"))
        self.assertIn("is done again", self.call(*more, "--phase", "finish").stderr)
        self.assertEqual(files_of(self.path("out_tiff")), expected)


class Repairs(Outputs):
    def test_a_damaged_file_of_any_swept_format_is_made_again(self):
        self.call("--also", "blockfs", "--also", "precomputed", "--also-set", "precomputed.shard=32,32,32")
        roots = [self.path(name) for name in ("out", "out.ngff", "out.precomputed")]
        expected = files_of(*roots)
        for pattern in ("out/2_2_2/precomputed.blockfs.1", "out.precomputed/1_1_1/*.shard", "out.ngff/1/0/0/0/0/0"):
            with open(sorted(glob.glob(self.path(pattern)))[0], "r+b") as file:
                file.seek(40)
                file.write(b"damaged")
        os.remove(self.path("out.precomputed", "info"))
        damaged = run("verify", self.path("out.ngff"), "--silent")
        self.assertEqual(damaged.returncode, 1, damaged.stderr)
        self.assertIn("out.precomputed/info", damaged.stdout)
        self.succeed("verify", self.path("out.ngff"), "--repair", "--silent")
        self.assertEqual(files_of(*roots), expected)


    def test_damaged_planes_and_kept_stacks_are_made_again(self):
        self.call("--also", "tiff,jp2", "--also", f"tiff={self.path('one.tif')}", "--psnr", "60", "--keep-stacks")
        roots = [self.path(name) for name in ("out.ngff", "out_tiff", "out_jp2", "scan_destriped_precomputed")]

        def all_files():
            with open(self.path("one.tif"), "rb") as one:
                return files_of(*roots) | {"one.tif": one.read()}

        expected = all_files()
        stack = self.path("scan_destriped_precomputed", "0", "0_600", "0", "1_1_1")
        columns = sorted(glob.glob(os.path.join(stack, "precomputed.blockfs.*")))
        self.assertGreater(len(columns), 2)
        victims = [self.path("out_tiff", "img_0003.tiff"), self.path("out_tiff", "img_0017.tiff"),
                   self.path("out_jp2", "img_0005.jp2"), self.path("one.tif"), columns[1],
                   os.path.join(stack, "precomputed.blockfs")]
        for victim in victims:
            flip_a_bit(victim)
        os.remove(self.path("out_jp2", "img_0006.jp2"))
        victims.append(self.path("out_jp2", "img_0006.jp2"))
        # Voxels of the volume that the planes are made of, too.
        victims.append(sorted(glob.glob(self.path("out.ngff", "0", "0", "0", "*", "*", "*")))[4])
        flip_a_bit(victims[-1])
        stamps = {name: os.stat(name).st_mtime_ns for name in glob.glob(self.path("out_tiff", "*"))}
        damaged = run("verify", self.path("out.ngff"), "--silent")
        self.assertEqual(damaged.returncode, 1, damaged.stderr)
        for victim in victims:
            self.assertIn(os.path.basename(victim), damaged.stdout)
        repaired = run("verify", self.path("out.ngff"), "--repair", "--silent", "--n-workers", "1")
        self.assertEqual(repaired.returncode, 1, repaired.stderr)
        self.assertRegex(repaired.stdout, "one.tif cannot be made again as it was; .*--overwrite")
        found = all_files()
        self.assertEqual(sorted(found), sorted(expected))
        self.assertEqual([name for name in expected if found[name] != expected[name]], ["one.tif"])
        changed = [os.path.basename(name) for name, stamp in stamps.items() if os.stat(name).st_mtime_ns != stamp]
        self.assertEqual(sorted(changed), ["img_0003.tiff", "img_0017.tiff"])
        self.assertFalse(os.path.exists(self.path("out.ngff.run")))

    def test_they_may_be_called_from_another_folder_than_the_run(self):
        tifffile.imwrite(self.path("flat.tiff"), np.linspace(0.5, 1, 64 * 48, dtype=np.float32).reshape(64, 48))
        self.succeed("run", self.scan, "-o", "out.ngff", *OPTIONS, "--flat", "flat.tiff", "--also",
                     "blockfs=blocks,tiff=planes/p_%03d.tiff", "--keep-stacks", cwd=self.folder)
        roots = [self.path(name) for name in ("out.ngff", "blocks", "planes", "scan_destriped_precomputed")]
        expected = files_of(*roots)
        for pattern in ("out.ngff/0/0/0/0/0/0", "blocks/info", "planes/p_002.tiff", "scan_destriped_precomputed/0/*/0/1_1_1/*.1"):
            flip_a_bit(sorted(glob.glob(self.path(pattern)))[0])
        os.makedirs(self.path("elsewhere"))
        self.succeed("verify", os.path.join("..", "out.ngff"), "--repair", "--silent", cwd=self.path("elsewhere"))
        self.assertEqual(files_of(*roots), expected)
        self.assertEqual(os.listdir(self.path("elsewhere")), [])


class FewOpenFiles(Case):
    """Frames so wide that little memory cuts y: all columns of blocks are begun before the first is complete."""

    def run_with(self, files, *more):
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        return self.succeed("run", self.path("scan"), "-o", self.path("out"), "--flat", "none", "--destripe", "none", "--align=false",
                            "--levels", "2", "--x-step-size", "1.2728", "--chunk-size", "4,16,4", "--n-workers", "2", "--tasks",
                            "20", *more, preexec_fn=limit)

    def test_many_begun_files_of_all_formats_need_few_descriptors(self):
        for y, seed in ((0, 1), (8400, 2)):
            write_dcimg(self.path("scan", "0", f"0_{y}", "0.dcimg"), noise(seed, 24, 48, 700))
        formats = ("--writer", "blockfs", "--also", "zarr,precomputed", "--also-set", "zarr.zarr-format=3", "--also-set",
                   "zarr.shard=16,64,16", "--also-set", "precomputed.shard=16,64,16")
        roots = [self.path(name) for name in ("out", "out.ngff", "out.precomputed")]
        done = self.run_with(256, *formats)
        self.assertNotIn("interruption", done.stderr)
        expected = files_of(*roots)
        self.assertGreater(len([name for name in expected if name.startswith("out/1_1_1/precomputed.blockfs.")]), 48)
        for root in roots:
            shutil.rmtree(root)
        done = self.run_with(48, *formats, "--memory", "2700K", "--also-set", "zarr.shard-memory=0", "--also-set",
                             "precomputed.shard-memory=0", "--overwrite")
        self.assertIn("an interruption loses everything", done.stderr)
        found = files_of(*roots)
        self.assertEqual(sorted(found), sorted(expected))
        self.assertEqual([name for name in expected if found[name] != expected[name]], [])


class Lasting(Outputs):
    EXTRAS = ("--also", "blockfs", "--also", "precomputed", "--also", "tiff", "--keep-stacks")
    ROOTS = ("out", "out.ngff", "out.precomputed", "out_tiff")

    def all_files(self):
        return files_of(*(self.path(root) for root in self.ROOTS))

    def kept(self):
        """Voxels: blocks may lie in another order."""
        pattern = self.path("scan_destriped_precomputed", "0", "0_*", "0", "1_1_1", "precomputed.blockfs")
        return [Directory(path).read() for path in sorted(glob.glob(pattern))]

    def test_killed_with_several_outputs_it_goes_on_to_the_same_bits(self):
        began = time.monotonic()
        self.call(*self.EXTRAS)
        seconds = time.monotonic() - began
        expected, stacks = self.all_files(), self.kept()
        self.assertEqual(len(stacks), 2)
        rng = random.Random(11)
        for i in range(3):
            with self.subTest(i):
                self.clean()
                process = self.start(*self.EXTRAS)
                time.sleep(rng.uniform(0.2, 1.0) * seconds)
                process.kill()
                process.communicate()
                self.call(*self.EXTRAS, "--resume", "--n-workers", str(1 + i))
                self.assertEqual(self.all_files(), expected)
                for now, then in zip(self.kept(), stacks, strict=True):
                    np.testing.assert_array_equal(now, then)
                self.assertFalse(os.path.exists(self.path("out.ngff.run")))

    def test_ended_while_outputs_got_their_names_it_only_names_the_rest(self):
        more = ("--also", "blockfs")
        for name, place in (("out.ngff", "output"), ("out", "also-blockfs")):  # which has no name yet
            with self.subTest(name):
                self.clean()
                for phase in ("sweep", "levels"):
                    self.call(*more, "--phase", phase)
                shutil.copytree(self.path("out.ngff.run"), self.path("copy"))
                self.call(*more, "--phase", "finish")
                expected = files_of(self.path("out"), self.path("out.ngff"))
                for other in ("output", "also-blockfs"):
                    shutil.rmtree(self.path("copy", other))
                inodes = [str(os.stat(self.path(output)).st_ino) for output in ("out.ngff", "out")]
                os.rename(self.path(name), self.path("copy", place))
                os.rename(self.path("copy"), self.path("out.ngff.run"))
                with open(self.path("out.ngff.run", "publishing"), "w") as file:
                    file.write("\n".join(inodes))
                self.call(*more, "--resume")
                self.assertEqual(files_of(self.path("out"), self.path("out.ngff")), expected)
                self.assertFalse(os.path.exists(self.path("out.ngff.run")))

    def test_shards_in_three_processes_one_of_them_killed_are_the_same(self):
        self.call(*SHARDED)
        roots = [self.path(name) for name in ("out", "out.ngff", "out.precomputed")]
        expected = files_of(*roots)
        volume = self.converted(self.path("out.ngff"))
        self.assertGreater(np.count_nonzero(volume), volume.size // 3)
        np.testing.assert_array_equal(self.converted(self.path("out.precomputed")), volume)
        np.testing.assert_array_equal(self.converted(self.path("out")), volume)
        self.assertTrue(glob.glob(self.path("out.precomputed", "1_1_1", "*.shard")))
        self.clean()
        parts = [self.start(*SHARDED, "--phase", "sweep", "--part", f"{i}/3", "--n-workers", "1") for i in range(3)]
        time.sleep(0.3)
        parts[1].kill()
        for part in parts:
            part.communicate()
        self.assertEqual([parts[0].returncode, parts[2].returncode], [0, 0])
        for phase in ("sweep", "levels", "finish"):
            self.call(*SHARDED, "--phase", phase)
        self.assertEqual(files_of(*roots), expected)


if __name__ == "__main__":
    unittest.main()
