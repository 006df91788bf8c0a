"""TIFF stacks and volumes, written and read by others: tifffile, PIL and libtiff's own tools."""

import os
import shutil
import subprocess
import sys
import unittest

import numpy as np
import tifffile
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from cli_support import Case  # noqa: E402


def frames(count=3, rows=37, columns=53, dtype="u2", seed=1):
    random = np.random.default_rng(seed)
    waves = np.arange(count * rows * columns).reshape(count, rows, columns) // 7
    return ((waves + random.integers(0, 40, waves.shape)) % np.iinfo(dtype).max).astype(dtype)


class Stacks(Case):
    """Frames come out of the reader as they went into the files."""

    def read(self, path, count, *options):
        """The frames of `path` as the frame reader gives them."""
        out = self.path("out")
        shutil.rmtree(out, ignore_errors=True)
        self.succeed("dcimg2tif", "--input", path, "--reader", "tiff", "--output-pattern", os.path.join(out, "%04d.tif"),
                     "--compression", "0", "--n-workers", "2", "--silent", *options)
        return np.stack([tifffile.imread(os.path.join(out, f"{k:04d}.tif")) for k in range(count)])

    def test_one_file_of_many_pages_written_by_tifffile(self):
        for dtype in ("u1", "u2"):
            for name, how in {
                "plain": {}, "big": dict(bigtiff=True), "other order": dict(byteorder=">"),
                "big in the other order": dict(byteorder=">", bigtiff=True), "deflate": dict(compression="zlib"),
                "one row in a strip": dict(rowsperstrip=1), "strips": dict(rowsperstrip=5, compression="zlib"),
                "tiles": dict(tile=(16, 32)), "compressed tiles": dict(tile=(32, 16), compression="zlib"),
                "ImageJ": dict(imagej=True, byteorder=">"), "OME": dict(ome=True),
            }.items():
                with self.subTest(name, dtype=dtype):
                    stack = frames(dtype=dtype)
                    tifffile.imwrite(self.path("a.tif"), stack, photometric="minisblack", **how)
                    np.testing.assert_array_equal(self.read(self.path("a.tif"), 3), stack)

    def test_compressions_and_predictors_of_libtiff(self):
        stack = frames(1)
        Image.fromarray(stack[0]).save(self.path("plain.tif"))
        for codec in ("none", "lzw", "lzw:2", "packbits", "zip", "zip:2", "zstd", "zstd:2"):
            for layout in (["-s", "-r", "7"], ["-t", "-w", "16", "-l", "32"], ["-B", "-s"], ["-8", "-s"]):
                with self.subTest(codec, layout=layout):
                    subprocess.run(["tiffcp", "-c", codec, *layout, self.path("plain.tif"), self.path("b.tif")], check=True)
                    np.testing.assert_array_equal(self.read(self.path("b.tif"), 1), stack)

    def test_folder_and_glob_are_in_the_order_of_their_numbers(self):
        stack = frames(12)
        os.mkdir(self.path("in"))
        for k in range(12):
            tifffile.imwrite(self.path("in", f"img_{k + 95}.TIF"), stack[k], byteorder="<>"[k % 2])
        with open(self.path("in", "notes.txt"), "w") as file:
            file.write("not an image")
        np.testing.assert_array_equal(self.read(self.path("in"), 12), stack)
        np.testing.assert_array_equal(self.read(self.path("in", "img_*.TIF"), 12), stack)
        np.testing.assert_array_equal(self.read(self.path("in", "img_9?.TIF"), 5), stack[:5])
        # Every second frame is a stack as well, and so are names without numbers.
        for k in range(0, 12, 2):
            os.remove(self.path("in", f"img_{k + 95}.TIF"))
        np.testing.assert_array_equal(self.read(self.path("in"), 6), stack[1::2])

    def test_parts_of_turned_frames(self):
        stack = frames(2, 150, 71)
        for how in (dict(compression="zlib"), dict(tile=(64, 16)), dict(rowsperstrip=150, compression="zlib")):
            tifffile.imwrite(self.path("a.tif"), stack, photometric="minisblack", **how)
            turned = self.read(self.path("a.tif"), 2, "--rotate-90", "3", "--flip-ud")
            np.testing.assert_array_equal(turned, np.stack([np.flipud(np.rot90(f, 3)) for f in stack]))

    def refused(self, path, *says):
        self.fail_with(1, "dcimg2tif", "--input", path, "--reader", "tiff", "--output-pattern", self.path("no", "%d.tif"),
                       says=says)
        self.assertFalse(os.path.exists(self.path("no", "0.tif")))

    def test_stacks_that_are_none_are_refused_by_name(self):
        os.mkdir(self.path("in"))
        for k in (3, 4, 6, 7):
            tifffile.imwrite(self.path("in", f"f{k}.tif"), frames(1)[0])
        self.refused(self.path("in"), "1 frame is missing", "f4.tif", "f6.tif")
        tifffile.imwrite(self.path("in", "f5.tif"), frames(1, 38)[0])
        self.refused(self.path("in"), "f5.tif", "38 rows x 53 columns")
        tifffile.imwrite(self.path("in", "f5.tif"), frames(1, dtype="u1")[0])
        self.refused(self.path("in"), "f5.tif", "uint8")
        for bad, says in ((np.zeros((37, 53, 3), "u2"), "colour"), (np.zeros((37, 53), "f4"), "floating point"),
                          (np.zeros((37, 53), "i2"), "signed"), (np.zeros((37, 53), "u4"), "32 bits")):
            tifffile.imwrite(self.path("in", "f5.tif"), bad)
            self.refused(self.path("in"), "f5.tif", says)
        tifffile.imwrite(self.path("in", "f5.tif"), frames(2), photometric="minisblack")
        self.refused(self.path("in"), "f5.tif", "2 pages")
        self.refused(self.path("in", "*.png"), "*.png")
        os.mkdir(self.path("empty"))
        self.refused(self.path("empty"), "empty", ".tif")

    def test_pages_that_are_not_there_are_named(self):
        stack = frames(4, 90, 80)
        tifffile.imwrite(self.path("a.tif"), stack, photometric="minisblack", compression="zlib")
        with open(self.path("a.tif"), "rb") as file:
            whole = file.read()
        for part in (0.2, 0.5, 0.8, 0.97):
            with open(self.path("cut.tif"), "wb") as file:
                file.write(whole[:int(len(whole) * part)])
            self.refused(self.path("cut.tif"), "cut.tif")
        damaged = bytearray(whole)
        with tifffile.TiffFile(self.path("a.tif")) as file:
            at = file.pages[2].dataoffsets[0]
        damaged[at + 40 : at + 60] = bytes(20)
        with open(self.path("bad.tif"), "wb") as file:
            file.write(damaged)
        self.fail_with(1, "dcimg2tif", "--input", self.path("bad.tif"), "--output-pattern", self.path("bad_%d.tif"),
                       says=["page 2 of", "bad.tif", "copy it again"])
        # Frames before the damage are there, and whole.
        np.testing.assert_array_equal(tifffile.imread(self.path("bad_1.tif")), stack[1])
        self.assertFalse(os.path.exists(self.path("bad_2.tif")))

    def test_stack_of_gigabytes_is_read_where_it_is_asked_for(self):
        """4.5 GB, more than 32-bit offsets reach, sparse on the disk."""
        path = self.path("large.tif")
        volume = tifffile.memmap(path, shape=(1100, 2048, 1000), dtype="u2", bigtiff=True, photometric="minisblack")
        volume[1098] = frames(1, 2048, 1000)[0]
        volume.flush()
        del volume
        self.assertGreater(os.path.getsize(path), 2**32)
        self.assertLess(os.stat(path).st_blocks * 512, 2**28)
        self.succeed("dcimg2tif", "--input", path, "--output-pattern", self.path("%d.tif"), "--start", "1097",
                     "--stop", "1099")
        np.testing.assert_array_equal(tifffile.imread(self.path("1098.tif")), frames(1, 2048, 1000)[0])
        self.assertEqual(tifffile.imread(self.path("1097.tif")).max(), 0)


class Volumes(Case):
    """What the writer makes of a volume, seen by others."""

    def convert(self, stack, *options, name="v.tif"):
        tifffile.imwrite(self.path("in.tif"), stack, photometric="minisblack")
        self.succeed("convert", self.path("in.tif"), self.path(name), "--overwrite", "--voxel-size", "1.28,1.8,2.5",
                     "--silent", *options)
        return self.path(name)

    def info(self, path):
        """What tiffinfo prints; it complains on its error stream."""
        done = subprocess.run(["tiffinfo", path], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_pages_of_every_encoding(self):
        for dtype in ("u1", "u2"):
            stack = frames(5, 70, 45, dtype)
            for options in ((), ("--set", "writer.compression=none"), ("--set", "writer.predictor=true"),
                            ("--set", "writer.tile=32"), ("--set", "writer.tile=32", "--set", "writer.compression=none"),
                            ("--set", "writer.level=9", "--chunk-size", "45,7,1"),
                            ("--set", "writer.tile=16", "--set", "writer.predictor=true"),
                            ("--levels", "3"), ("--levels", "2", "--set", "writer.tile=16")):
                with self.subTest(options, dtype=dtype):
                    path = self.convert(stack, *options)
                    np.testing.assert_array_equal(tifffile.imread(path), stack)
                    with tifffile.TiffFile(path) as file:
                        for k, page in enumerate(file.pages):
                            np.testing.assert_array_equal(page.asarray(), stack[k])
                    self.info(path)

    def test_zstd_is_what_libtiff_reads(self):
        stack = frames(2, 70, 45)
        for predictor in ("false", "true"):
            path = self.convert(stack, "--set", "writer.compression=zstd", "--set", f"writer.predictor={predictor}")
            subprocess.run(["tiffcp", "-c", "none", path, self.path("plain.tif")], check=True)
            with tifffile.TiffFile(self.path("plain.tif")) as file:
                for k, page in enumerate(file.pages):
                    np.testing.assert_array_equal(page.asarray(), stack[k])

    def test_what_a_file_says_of_itself(self):
        path = self.convert(frames(5, 70, 45))
        with tifffile.TiffFile(path) as file:
            self.assertEqual(file.imagej_metadata["slices"], 5)
            self.assertEqual(file.imagej_metadata["unit"], "micron")
            self.assertAlmostEqual(file.imagej_metadata["spacing"], 2.5)
            resolution = file.pages[0].tags["XResolution"].value
            self.assertAlmostEqual(resolution[1] / resolution[0], 1.28, places=6)
            self.assertTrue(file.pages[0].software.startswith("spimstitch 0."))
        self.assertIn("Software: spimstitch", self.info(path))

    def test_pyramid_of_ome_tiff(self):
        stack = frames(3, 300, 421)
        path = self.convert(stack, "--set", "writer.ome=true", "--levels", "3", "--set", "writer.tile=128",
                            name="v.ome.tif")
        self.info(path)
        with tifffile.TiffFile(path) as file:
            self.assertTrue(file.is_ome)
            series = file.series[0]
            self.assertEqual(series.axes, "ZYX")
            expected = stack.astype(float)
            self.assertEqual([level.shape for level in series.levels], [(3, 300, 421), (3, 150, 211), (3, 75, 106)])
            for level in series.levels:
                np.testing.assert_array_equal(level.asarray(), expected)
                sums = np.pad(expected, ((0, 0), (0, expected.shape[1] % 2), (0, expected.shape[2] % 2)), mode="edge")
                mean = sum(sums[:, i::2, j::2] for i in (0, 1) for j in (0, 1)) / 4
                expected = np.floor(mean + 0.5)
            pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
            self.assertEqual([pixels[f"PhysicalSize{a}"] for a in "XYZ"], [1.28, 1.8, 2.5])
            self.assertEqual(pixels["PhysicalSizeXUnit"], "µm")
        # Our own reader finds the levels as well.
        self.succeed("convert", path, self.path("half.tif"), "--level", "1", "--silent")
        self.assertEqual(tifffile.imread(self.path("half.tif")).shape, (3, 150, 211))

    def test_levels_of_a_plain_file_stay_out_of_the_way(self):
        stack = frames(5, 70, 45)
        path = self.convert(stack, "--levels", "3")
        with tifffile.TiffFile(path) as file:
            self.assertEqual(len(file.pages), 5)
        self.succeed("convert", path, self.path("half.tif"), "--level", "1", "--silent")
        half = tifffile.imread(self.path("half.tif"))
        self.assertEqual(half.shape, (3, 35, 23))
        self.assertEqual(half[0, 0, 0], np.floor(stack[:2, :2, :2].mean() + 0.5))


if __name__ == "__main__":
    unittest.main()
