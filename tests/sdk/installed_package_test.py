"""Plugins are built outside the tree against the installed package, and run by value, before and after the prefix moves."""

import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

BUILD = Path(os.environ["SPIM_BUILD_DIR"])
SOURCE = Path(os.environ["SPIM_SOURCE_DIR"])
PROJECTS = {"examples/raw_camera": "raw-camera", "examples/nrrd_writer": "nrrd", "template": "my-camera"}
SCRATCH = None  # folder of everything this test makes


def setUpModule():
    global SCRATCH
    SCRATCH = Path(tempfile.mkdtemp(prefix="spimstitch-sdk-"))
    run("cmake", "--install", BUILD, "--prefix", SCRATCH / "first")


def tearDownModule():
    shutil.rmtree(SCRATCH)


def run(*command, expect=0, **settings):
    """Runs a command with a clean environment; returns its standard output, or the error text when it is meant to fail."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("SPIM")}
    done = subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=300, **settings)
    shown = " ".join(map(str, command))
    assert done.returncode == expect, f"{shown}\nended with {done.returncode}, not {expect}\n{done.stdout}\n{done.stderr}"
    return done.stdout if expect == 0 else done.stderr


def write_dump(path, frames, promised=None):
    """The raw camera dump of sdk/examples/raw_camera/README.md, written from its description alone."""
    count, rows, columns = frames.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        bits = frames.dtype.itemsize * 8
        file.write(struct.pack("<8sIIII40x", b"RAWCAM01", columns, rows, bits, count if promised is None else promised))
        for number, frame in enumerate(frames):
            file.write(struct.pack("<qI4x", 1_600_000_000_000_000 + number * 10_000, number))
            file.write(frame.tobytes())


def read_nrrd(header):
    """Voxels (z, y, x) and the fields of an NRRD file with a detached header."""
    fields = dict(line.split(": ", 1) for line in header.read_text().splitlines() if ": " in line)
    size = [int(n) for n in fields["sizes"].split()]
    dtype = {"uint16": "<u2", "uint8": "u1"}[fields["type"]]
    return np.fromfile(header.parent / fields["data file"], dtype).reshape(size[::-1]), fields


def oriented(raw):
    """What --rotate-90 3 --flip-ud makes of a stack of raw frames."""
    return np.stack([np.flipud(np.rot90(frame, 3)) for frame in raw])


def deskewed(frames):
    """volume[z, y, x] = frame x - z, row y, column z: the shear when a step is as long as a column is deep."""
    count, rows, columns = frames.shape
    volume = np.zeros((columns, rows, count + columns - 1), frames.dtype)
    for column in range(columns):
        volume[column, :, column : column + count] = frames[:, :, column].T
    return volume


def halved(volume):
    """Mean over the existing voxels of 2x2x2, rounded half up."""
    padded = np.pad(volume.astype(np.int64), [(0, s % 2) for s in volume.shape])
    there = np.pad(np.ones(volume.shape, np.int64), [(0, s % 2) for s in volume.shape])
    z, y, x = (s // 2 for s in padded.shape)
    total = padded.reshape(z, 2, y, 2, x, 2).sum((1, 3, 5))
    number = there.reshape(z, 2, y, 2, x, 2).sum((1, 3, 5))
    return ((total + number // 2) // number).astype(volume.dtype)


Y_UM = 1.8
STEP_UM = Y_UM / np.sqrt(2)  # one step is as long as one column is deep: no interpolation
RAW = ("--flat", "none", "--dark", "0", "--destripe", "none")  # the pipeline corrects unless told not to
GEOMETRY = ["--x-step-size", repr(STEP_UM), "--y-voxel-size", repr(Y_UM)]
ORIENT = ["--rotate-90", "3", "--flip-ud"]


class Behaviours:
    """Everything that must hold for a prefix; the two classes below say which one."""

    @classmethod
    def build_and_install(cls, prefix):
        cls.prefix = prefix
        cls.work = Path(tempfile.mkdtemp(dir=SCRATCH))
        cls.built = {}
        for folder, library in PROJECTS.items():
            source = cls.work / folder
            shutil.copytree(prefix / "share/spimstitch/sdk" / folder, source)
            build = source / "build"
            run("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_CXX_FLAGS=-Werror")
            run("cmake", "--build", build)
            run("cmake", "--install", build, "--prefix", prefix)
            cls.built[library] = build / f"{library}.so"

    def command(self, name, *arguments, **settings):
        return run(self.prefix / "bin" / name, *arguments, **settings)

    def spimstitch(self, *arguments, **settings):
        return self.command("spimstitch", *arguments, **settings)

    def noise(self, shape, seed, dtype="<u2"):
        return np.random.default_rng(seed).integers(1, 200 if dtype == "u1" else 60000, shape).astype(dtype)

    def convert(self, name, *options, **settings):
        """dcimg2oblique with both examples; returns the folder that it wrote."""
        output = self.work / f"out-{self.id()}"
        self.command("dcimg2oblique", "--input", self.work / name, "--output", output, "--reader", "raw-camera",
                     "--writer", "nrrd", "--silent", *GEOMETRY, *options, **settings)
        return output

    def test_plugins_are_found_in_the_prefix(self):
        listed = json.loads(self.spimstitch("plugins", "list", "--json"))
        text = json.dumps(listed)
        for library in self.built:
            self.assertIn(f'"{library}"', text)
            self.assertIn(f"/{library}.so", text)

    def test_option_tables_are_shown(self):
        shown = self.spimstitch("plugins", "show", "reader/raw-camera")
        self.assertIn("byte-order", shown)
        self.assertIn("subtract", shown)

    def test_check_plugin_accepts_each(self):
        sample = self.work / "sample.raw"
        write_dump(sample, self.noise((5, 8, 6), 8))
        self.spimstitch("check-plugin", self.built["raw-camera"], "--sample", sample)
        # Its probe claims nothing: what it is given by name is tried all the same.
        checks = self.spimstitch("check-plugin", self.built["my-camera"], "--sample", sample, "--set",
                                 "reader.rows=8", "--set", "reader.columns=6", "--set", "reader.skip=80")
        self.assertIn("passed   opens the sample", checks)
        self.spimstitch("check-plugin", self.built["nrrd"])

    def test_volume_is_the_frames_of_the_dump_bit_for_bit(self):
        raw = self.noise((9, 20, 13), 1)
        write_dump(self.work / "plain.raw", raw)
        output = self.convert("plain.raw", "--levels", "2", *ORIENT)
        expected = deskewed(oriented(raw))
        volume, fields = read_nrrd(output / "level_0.nhdr")
        np.testing.assert_array_equal(volume, expected)
        pitch = [float(n) for n in re.findall(r"[\d.]+", fields["space directions"])]
        np.testing.assert_allclose(pitch, np.diag([STEP_UM, Y_UM, STEP_UM]).ravel(), rtol=1e-9)
        np.testing.assert_array_equal(read_nrrd(output / "level_1.nhdr")[0], halved(expected))

    def test_reader_is_found_by_probing(self):
        raw = self.noise((5, 8, 6), 2)
        write_dump(self.work / "probed.raw", raw)
        output = self.work / "out-probed"
        self.command("dcimg2oblique", "--input", self.work / "probed.raw", "--output", output, "--writer", "nrrd",
                     "--levels", "1", "--silent", *GEOMETRY, *ORIENT)
        np.testing.assert_array_equal(read_nrrd(output / "level_0.nhdr")[0], deskewed(oriented(raw)))

    def test_options_reach_the_plugins(self):
        raw = self.noise((6, 10, 7), 3)
        write_dump(self.work / "big.raw", raw.astype(">u2"))
        output = self.convert("big.raw", "--levels", "1", *ORIENT, "--set", "reader.byte-order=big", "--set",
                              "reader.subtract=1000", "--set", "writer.units=mm")
        volume, fields = read_nrrd(output / "level_0.nhdr")
        np.testing.assert_array_equal(volume, deskewed(oriented(np.maximum(raw, 1000) - 1000)))
        self.assertIn('"mm"', fields["space units"])

    def test_eight_bit_dumps_are_widened(self):
        raw = self.noise((6, 10, 7), 4, "u1")
        write_dump(self.work / "narrow.raw", raw)
        output = self.convert("narrow.raw", "--levels", "1", *ORIENT)
        np.testing.assert_array_equal(read_nrrd(output / "level_0.nhdr")[0], deskewed(oriented(raw)))

    def test_tiles_are_stitched_from_the_dumps(self):
        """Two tiles of the same scene that overlap by 4 rows: the mosaic is the scene."""
        scene = self.noise((9, 20, 13), 5)  # oriented: frames, rows y, columns z
        root = self.work / "tiles"
        for first in (0, 8):
            tile = scene[:, first : first + 12]
            raw = np.stack([np.rot90(np.flipud(frame), -3) for frame in tile])
            np.testing.assert_array_equal(oriented(raw), tile)
            y = round(first * Y_UM * 10)
            write_dump(root / "0" / f"0_{y}" / "0.raw", raw)
        for command in (["oblique2stitched", "--input", root, *ORIENT], ["spimstitch-pipeline", root, "--align=false", *RAW]):
            output = self.work / f"stitched-{command[0]}"
            self.command(*command, "--output", output, "--reader", "raw-camera", "--writer", "nrrd", "--levels", "2",
                         "--silent", *GEOMETRY)
            np.testing.assert_array_equal(read_nrrd(output / "level_0.nhdr")[0], deskewed(scene))
            np.testing.assert_array_equal(read_nrrd(output / "level_1.nhdr")[0], halved(deskewed(scene)))

    def test_cut_off_dump_is_refused_and_leaves_nothing(self):
        write_dump(self.work / "short.raw", self.noise((4, 8, 6), 6), promised=7)
        text = self.convert_fails("short.raw", expect=1)
        self.assertIn("4", text)
        self.assertIn("7", text)

    def test_damaged_header_is_one_sentence_with_kind_plugin_and_version(self):
        (self.work / "damaged.raw").write_bytes(struct.pack("<8sIIII40x", b"RAWCAM01", 0, 8, 16, 3))
        text = self.convert_fails("damaged.raw", expect=1)
        for word in ("raw-camera", "1.0.0", "damaged.raw", "0x8"):
            self.assertIn(word, text)

    def test_misspelled_option_of_a_plugin_names_the_nearest(self):
        write_dump(self.work / "typo.raw", self.noise((3, 8, 6), 7))
        text = self.convert_fails("typo.raw", "--set", "reader.subtrct=3", expect=2)
        self.assertIn("subtract", text.replace("subtrct", ""))

    def convert_fails(self, name, *options, expect):
        before = set(self.work.iterdir())
        output = self.work / f"out-{self.id()}"
        text = self.command("dcimg2oblique", "--input", self.work / name, "--output", output, "--reader", "raw-camera",
                            "--writer", "nrrd", "--silent", *GEOMETRY, *options, expect=expect)
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        self.assertEqual(set(self.work.iterdir()), before, "something was left behind")
        return text

    def test_plugin_of_another_abi_is_refused_in_one_sentence(self):
        folder = self.work / "other_abi"
        shutil.copytree(self.prefix / "include/spim", folder / "include/spim")
        header = folder / "include/spim/plugin.hpp"
        text, changed = re.subn(r"kAbi = (\d+)", lambda m: f"kAbi = {int(m[1]) + 1}", header.read_text())
        self.assertEqual(changed, 1)
        header.write_text(text)
        run("g++", "-std=c++20", "-shared", "-fPIC", "-fvisibility=hidden", "-I", folder / "include",
            self.work / "template/my_camera.cpp", "-o", folder / "future.so")
        refusal = self.spimstitch("check-plugin", folder / "future.so", expect=1)
        self.assertEqual(len(refusal.strip().splitlines()), 1, refusal)
        self.assertIn("future.so", refusal)
        self.assertRegex(refusal, r"\b1\b.*\b2\b|\b2\b.*\b1\b")
        listed = json.loads(self.spimstitch("plugins", "list", "--plugin-dir", folder, "--json"))
        self.assertIn("future.so", json.dumps(listed))

    def test_package_accepts_versions_with_the_same_abi_only(self):
        version_file = next(self.prefix.glob("lib*/**/spimstitchConfigVersion.cmake"))
        script = self.work / "version.cmake"
        script.write_text(f'include("{version_file}")\nmessage("compatible=${{PACKAGE_VERSION_COMPATIBLE}}")\n')
        for asked, accepted in [("0.1", True), ("0.1.0", True), ("0.0.9", False), ("99", False)]:
            done = subprocess.run(["cmake", f"-DPACKAGE_FIND_VERSION={asked}", "-P", str(script)], capture_output=True,
                                  text=True, check=True)
            self.assertIn(f"compatible={str(accepted).upper()}", done.stderr)

    def test_prefix_holds_the_documented_folders_and_no_paths_of_its_own(self):
        self.assertEqual({p.name for p in self.prefix.iterdir()}, {"bin", "lib", "include", "share"})
        self.assertFalse((self.prefix / "include/spim/host").exists())
        self.assertEqual([p.name for p in (self.prefix / "lib").glob("*.a")], [])
        for file in self.prefix.glob("lib*/**/cmake/**/*.cmake"):
            for foreign in (str(SCRATCH), str(SOURCE), str(BUILD)):
                self.assertNotIn(foreign, file.read_text(), file)


class Installed(Behaviours, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.build_and_install(SCRATCH / "first")


class InstalledThenMoved(Behaviours, unittest.TestCase):
    """The old prefix is gone; what was built against it still runs, and new builds find everything."""

    @classmethod
    def setUpClass(cls):
        moved = SCRATCH / "moved" / "elsewhere"
        moved.parent.mkdir()
        (SCRATCH / "first").rename(moved)
        listed = run(moved / "bin/spimstitch", "plugins", "list")
        for item in ("raw-camera", "nrrd", "my-camera"):
            assert item in listed, listed
        cls.build_and_install(moved)


if __name__ == "__main__":
    unittest.main(verbosity=2)
