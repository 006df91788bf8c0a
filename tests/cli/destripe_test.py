"""spimstitch destripe corrects TIFF files, folders of them and camera files."""

import os
import unittest

import numpy as np
import tifffile
from PIL import Image

from cli_support import Case, raw_frame, write_dcimg
from correction_test import rounded, striped_frames
from support import lightsheet_recipe, wavelet_recipe

WINDOWS = ("--destripe", "lightsheet", "--artifact-length", "40", "--background-window-size", "50")


def expected(frame, dark=0, flat=None):
    clean = lightsheet_recipe.destripe(frame - np.uint16(dark), artifact_length=40, background_window_size=50)
    return rounded(clean if flat is None else clean / (flat / flat.max()))


class Images(Case):
    def setUp(self):
        super().setUp()
        self.frames, self.flat = striped_frames()
        self.flat_file = self.path("flat.tif")
        tifffile.imwrite(self.flat_file, self.flat)

    def folder_of_images(self):
        """Names, types and folders as they come; one file that is no image."""
        os.makedirs(self.path("in", "deep", "er"))
        names = ("a.tif", "b.TIFF", os.path.join("deep", "c.tif"), os.path.join("deep", "er", "a.tif"))
        images = [self.frames[0], self.frames[1], (self.frames[2] // 40).astype(np.uint8), self.frames[0][:90, :100]]
        for name, image in zip(names, images):
            tifffile.imwrite(self.path("in", name), image, compression="zlib")
        with open(self.path("in", "notes.txt"), "w") as file:
            file.write("no image")
        return dict(zip(names, images))

    def assert_near(self, result, wanted):
        """A half that the method rounds the other way is one level, or two where the flat then divides by a half."""
        self.assertEqual(result.shape, wanted.shape)
        self.assertEqual(result.dtype, np.uint16)
        error = np.abs(result.astype(float) - wanted)
        self.assertLessEqual(error.max(), 2)
        self.assertLess((error > 0).mean(), 1e-3)

    def camera_file(self):
        write_dcimg(self.path("0.dcimg"), np.stack([raw_frame(frame) for frame in self.frames]))
        return self.path("0.dcimg")


class Destripe(Images):
    def test_one_file_becomes_one_file(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        done = self.succeed("destripe", "-i", self.path("x.tif"), "-o", self.path("y.tif"), *WINDOWS, "--dark", "100",
                            "--flat", self.flat_file)
        self.assert_near(tifffile.imread(self.path("y.tif")), expected(self.frames[0], 100, self.flat))
        self.assertIn("y.tif: 1 image", done.stdout)
        with tifffile.TiffFile(self.path("y.tif")) as file:
            self.assertEqual(len(file.pages), 1)
            self.assertEqual(file.pages[0].compression.name, "ADOBE_DEFLATE")

    def test_without_an_output_the_name_says_what_was_done(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        self.succeed("destripe", "--input", self.path("x.tif"), *WINDOWS)
        self.assert_near(tifffile.imread(self.path("x_destriped.tif")), expected(self.frames[0]))
        os.makedirs(self.path("in"))
        tifffile.imwrite(self.path("in", "x.tif"), self.frames[1])
        self.succeed("destripe", "--input", self.path("in") + "/", *WINDOWS, "--compression", "0")
        result = self.path("in_destriped", "x.tif")
        self.assert_near(tifffile.imread(result), expected(self.frames[1]))
        with tifffile.TiffFile(result) as file:
            self.assertEqual(file.pages[0].compression.name, "NONE")

    def test_a_folder_keeps_names_and_folders_and_mixes_shapes_and_types(self):
        images = self.folder_of_images()
        for workers in ("1", "3"):
            out = self.path("out" + workers)
            self.succeed("destripe", "--input", self.path("in"), "--output", out, "--lightsheet", *WINDOWS[2:],
                         "--workers", workers)
            found = [os.path.relpath(os.path.join(f, n), out) for f, _, names in os.walk(out) for n in names]
            self.assertEqual(sorted(found), sorted(images))
            for name, image in images.items():
                self.assert_near(tifffile.imread(os.path.join(out, name)), expected(image.astype(np.uint16)))

    def test_a_camera_file_becomes_files_with_the_numbers_of_its_frames(self):
        self.succeed("destripe", "--input", self.camera_file(), "--output", self.path("out"), *WINDOWS, "--rotate-90",
                     "3", "--flip-ud", "--start", "1", "--flat", self.flat_file)
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["0001.tif", "0002.tif"])
        for k in (1, 2):
            self.assert_near(tifffile.imread(self.path("out", f"000{k}.tif")),
                                   expected(self.frames[k], 0, self.flat))

    def test_wavelets_take_the_options_of_the_reference(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        for options, settings in (
            (("-s1", "32", "-s2", "64", "-w", "db5", "-x", "20", "-t", "1500", "-l", "3"),
             dict(sigma1=32, sigma2=64, wavelet="db5", crossover=20, threshold=1500, level=3)),
            (("--sigma1", "16", "--sigma2", "16", "--level", "0", "--wavelet", "haar"),
             dict(sigma1=16, sigma2=16, wavelet="haar")),
        ):
            self.succeed("destripe", "--input", self.path("x.tif"), "--output", self.path("y.tif"), "--overwrite",
                         "--destripe", "wavelet", *options)
            wanted = rounded(wavelet_recipe.destripe(self.frames[0], **settings))
            error = np.abs(tifffile.imread(self.path("y.tif")) - wanted)
            self.assertLess((error > 1).mean(), 1e-3)
            self.assertLessEqual(error.max(), 2)

    def test_stripes_may_run_either_way(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        tifffile.imwrite(self.path("t.tif"), self.frames[0].T)
        for method in (WINDOWS, ("--destripe", "wavelet", "-s1", "16", "-s2", "16")):
            self.succeed("destripe", "-i", self.path("x.tif"), "-o", self.path("a.tif"), "--overwrite", *method)
            self.succeed("destripe", "-i", self.path("t.tif"), "-o", self.path("b.tif"), "--overwrite", *method,
                         "--stripe-direction", "vertical")
            error = np.abs(tifffile.imread(self.path("a.tif")) - tifffile.imread(self.path("b.tif")).T.astype(float))
            self.assertLessEqual(error.max(), 1)

    def test_the_preview_shows_before_after_and_the_difference(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        self.succeed("destripe", "--input", self.path("x.tif"), *WINDOWS, "--preview", self.path("p.png"))
        self.assert_nothing_left("flat.tif", "x.tif", "p.png")
        picture = np.asarray(Image.open(self.path("p.png"))).astype(int)
        rows, columns = self.frames[0].shape
        self.assertEqual(picture.shape, (rows, 3 * columns + 16))
        before, after, change = (picture[:, i * (columns + 8) : i * (columns + 8) + columns] for i in range(3))
        wanted = expected(self.frames[0])
        self.assertGreater(np.corrcoef(before.ravel(), self.frames[0].ravel())[0, 1], 0.97)
        self.assertGreater(np.corrcoef(after.ravel(), wanted.ravel())[0, 1], 0.97)
        self.assertGreater(np.corrcoef(change.ravel(), (wanted - self.frames[0]).ravel())[0, 1], 0.97)
        self.assertTrue((change <= 129).all())  # this method only takes away
        self.fail_with(1, "destripe", "--input", self.path("x.tif"), *WINDOWS, "--preview", self.path("p.png"),
                       says="--overwrite")

    def test_auto_chooses_a_bandwidth_that_improves_on_the_stripes(self):
        random = np.random.default_rng(5)
        rows, columns = 400, 512
        y, x = np.mgrid[:rows, :columns]
        truth = 2000 + 300 * np.sin(x / 60) * np.cos(y / 50)
        for _ in range(40):
            cy, cx, r = random.uniform(0, rows), random.uniform(0, columns), random.uniform(2, 5)
            truth += 1500 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r))
        stripes = np.exp(0.06 * random.normal(size=rows))[:, None]
        tifffile.imwrite(self.path("x.tif"), random.poisson(truth * stripes).astype(np.uint16))
        done = self.succeed("destripe", "-i", self.path("x.tif"), "-o", self.path("y.tif"), "--auto", "--wavelet",
                            "db5")
        self.assertRegex(done.stdout, r"stripes of [56]\.\d+ % of the light; chose --sigma1 \d+ --sigma2 \d+")
        before = np.sqrt(np.mean((tifffile.imread(self.path("x.tif")) - truth) ** 2))
        after = np.sqrt(np.mean((tifffile.imread(self.path("y.tif")) - truth) ** 2))
        self.assertLess(after, 0.6 * before)
        # Other bandwidths are no better by much.
        for sigma in (4, 32, 128, 256):
            self.succeed("destripe", "-i", self.path("x.tif"), "-o", self.path("z.tif"), "--overwrite", "--destripe",
                         "wavelet", "--wavelet", "db5", "-s1", sigma, "-s2", sigma)
            other = np.sqrt(np.mean((tifffile.imread(self.path("z.tif")) - truth) ** 2))
            self.assertLess(after, 1.1 * other)

    def test_auto_says_so_when_there_are_no_stripes(self):
        tifffile.imwrite(self.path("x.tif"), np.random.default_rng(1).poisson(900, (200, 256)).astype(np.uint16))
        self.fail_with(1, "destripe", "-i", self.path("x.tif"), "--auto", says="do not stand out")
        self.fail_with(2, "destripe", "-i", self.path("x.tif"), "--auto", "-s1", "9", says="--auto chooses sigma1")
        self.assert_nothing_left("flat.tif", "x.tif")


class BadImages(Images):
    def test_a_bad_file_is_one_sentence_and_leaves_nothing(self):
        self.folder_of_images()
        with open(self.path("in", "deep", "c.tif"), "r+b") as file:
            file.truncate(os.path.getsize(self.path("in", "deep", "c.tif")) // 2)
        self.fail_with(1, "destripe", "--input", self.path("in"), "--output", self.path("out"), *WINDOWS, says="c.tif")
        for folder, _, names in os.walk(self.path("out")):
            for name in names:
                self.assertFalse(name.startswith("."), name)
                tifffile.imread(os.path.join(folder, name))

    def test_images_that_are_no_frames_are_refused_before_any_work(self):
        for image in (self.flat, np.zeros((3, 8, 8), np.uint16), np.zeros((8, 8, 3), np.uint8)):
            os.makedirs(self.path("in"), exist_ok=True)
            tifffile.imwrite(self.path("in", "x.tif"), image, photometric="rgb" if image.shape[-1] == 3 else "minisblack")
            self.fail_with(1, "destripe", "--input", self.path("in"), *WINDOWS, says="x.tif")
            self.assert_nothing_left("flat.tif", "in")

    def test_nothing_that_is_read_is_ever_replaced(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        os.makedirs(self.path("a", "a"))
        tifffile.imwrite(self.path("a", "x.tif"), self.frames[0])
        tifffile.imwrite(self.path("a", "a", "x.tif"), self.frames[1])
        contents = {}
        for folder, _, names in os.walk(self.folder):
            contents.update({os.path.join(folder, n): open(os.path.join(folder, n), "rb").read() for n in names})
        x = ("destripe", "--input", self.path("x.tif"), "--overwrite", *WINDOWS)
        flat = ("--flat", self.flat_file)
        self.fail_with(1, *x, "--preview", self.path("x.tif"), says="x.tif")
        self.fail_with(1, *x, *flat, "--preview", self.flat_file, says="flat.tif")
        self.fail_with(1, *x, *flat, "--output", self.flat_file, says="flat.tif")
        self.fail_with(1, *x, *flat, "--output", self.folder, says="x.tif")
        # a/a/x.tif would become a/x.tif.
        self.fail_with(1, "destripe", "--input", self.path("a"), "--output", self.folder, "--overwrite", *WINDOWS,
                       says="x.tif")
        self.fail_with(1, "dcimg2oblique", "--input", self.camera_file(), "--output", self.flat_file, "--overwrite",
                       *flat, says="flat.tif")
        os.remove(self.path("0.dcimg"))
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                self.assertEqual(open(path, "rb").read(), contents.pop(path), path)
        self.assertEqual(contents, {})

    def test_requests_that_make_no_sense_are_refused(self):
        tifffile.imwrite(self.path("x.tif"), self.frames[0])
        os.makedirs(self.path("in", "raw"))
        before = os.listdir(self.folder)
        x = ("destripe", "--input", self.path("x.tif"))
        self.fail_with(2, *x, says="nothing to correct")
        self.fail_with(2, "destripe", *WINDOWS, says="--input is missing")
        self.fail_with(2, *x, "--lightsheet", "--destripe", "wavelet", says="contradict")
        self.fail_with(2, *x, "--start", "3", *WINDOWS, says="--start")
        self.fail_with(1, *x, *WINDOWS, "--output", self.path("x.tif"), "--overwrite", says="is the input")
        self.fail_with(1, *x, *WINDOWS, "--output", self.path("flat.tif"), says="--overwrite")
        self.fail_with(2, *x, *WINDOWS, "--output", self.path("y.tif"), "--preview", self.path("y.tif"),
                       says="the same file")
        self.fail_with(1, *x, *WINDOWS, "--memory", "1K", says="--memory")
        self.fail_with(1, "destripe", "--input", self.path("in"), *WINDOWS, says="holds no TIFF files")
        self.fail_with(1, "destripe", "--input", self.path("absent"), *WINDOWS, says="does not exist")
        self.fail_with(1, "destripe", "--input", self.path("in"), "--output", self.path("in", "out"), *WINDOWS,
                       says="TIFF")
        tifffile.imwrite(self.path("in", "raw", "x.tif"), self.frames[0])
        self.fail_with(1, "destripe", "--input", self.path("in"), "--output", self.path("in", "out"), *WINDOWS,
                       says="lies in the input")
        # Names that say the same in different words, of files that do not exist yet.
        self.fail_with(1, "destripe", "--input", ".", "--output", "out", *WINDOWS, says="lies in the input",
                       cwd=self.path("in", "raw"))
        self.fail_with(2, *x, *WINDOWS, "--output", "y.tif", "--preview", "./y.tif", says="the same file",
                       cwd=self.folder)
        self.assert_nothing_left(*before)


if __name__ == "__main__":
    unittest.main()
