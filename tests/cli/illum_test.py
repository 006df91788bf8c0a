"""oblique-illum-corr: the images, what decides them, and what is refused."""

import json
import os
import unittest

import numpy as np
import tifffile

from cli_support import Case, raw_frame, read_json, write_dcimg


def profile(rows, columns, loss=0.5):
    """1 where brightest; as the simulator's."""
    u = np.arange(columns) / (columns - 1) - 0.45
    w = np.arange(rows)[:, None] / (rows - 1)
    return 1 - loss * (3 * u**2 + 0.3 * w) / 1.2075


def lit(rows, columns):
    """70 % of the pixels: neither the far corner nor single ones everywhere."""
    random = np.random.default_rng(7)
    i, j = np.mgrid[0:rows, 0:columns]
    return (2 * i // rows + 3 * j // columns < 3) & (random.random((rows, columns)) > 0.16)


def tissue(frames, rows, columns, seed=0):
    """Oriented frames of tissue in three of four, with black at 100; 30 % of the pixels see none."""
    random = np.random.default_rng(seed)
    shape = (frames, rows, columns)
    light = 250 * np.exp(0.6 * random.standard_normal(shape)) * (random.random(shape) < 0.75)
    light *= profile(rows, columns) * lit(rows, columns)
    noise = np.sqrt(light / 0.46 + 12) * random.standard_normal(shape)
    return np.clip(np.rint(100 + light + noise), 0, 65535).astype(np.uint16)


def percentile_bins(frames, percentile=95, bins=1024, values=4, background=150):
    """The documented rule, written again with numpy."""
    _, rows, columns = frames.shape
    result = np.zeros((rows, columns), int)
    for i in range(rows):
        counts = np.zeros((columns, bins), int)
        for j in range(columns):
            samples = frames[:, i, j]
            samples = samples[samples >= background]
            counts[j] = np.bincount(np.minimum(samples // values, bins - 1), minlength=bins)
        sums = counts.cumsum(axis=1)
        result[i] = np.abs(sums - percentile / 100 * sums[:, -1:]).argmin(axis=1)
    return result


def error_percent(image, truth, where):
    ratio = image[where] / truth[where]
    return 100 * np.sqrt(np.mean((ratio / ratio.mean() - 1) ** 2))


class Images(Case):
    def test_percentile_image_equals_the_rule_written_with_numpy(self):
        frames = tissue(90, 21, 67)
        write_dcimg(self.path("a.dcimg"), frames[:50])
        write_dcimg(self.path("b.dcimg"), frames[50:])
        for options, keywords in (((), {}), (("--percentile", "50"), {"percentile": 50}),
                                  (("--n-bins", "300", "--values-per-bin", "7", "--background", "120"),
                                   {"bins": 300, "values": 7, "background": 120}),
                                  (("--n-bins", "12", "--values-per-bin", "60"), {"bins": 12, "values": 60})):
            with self.subTest(options):
                self.succeed("oblique-illum-corr", "--output", self.path("flat.tif"), "--intermediate-output",
                             self.path("percentile.tif"), "--overwrite", "--silent", *options, self.path("a.dcimg"),
                             self.path("b.dcimg"))
                image = tifffile.imread(self.path("percentile.tif"))
                self.assertEqual(image.dtype, np.uint16)
                np.testing.assert_array_equal(image, percentile_bins(frames, **keywords) * keywords.get("values", 4))

    def test_profile_of_known_light_is_within_a_percent_for_any_shape_and_seed(self):
        for seed, (rows, columns) in enumerate(((128, 128), (90, 161), (145, 83))):
            with self.subTest(shape=(rows, columns)):
                frames = tissue(120, rows, columns, seed)
                where = lit(rows, columns)
                self.assertAlmostEqual(where.mean(), 0.7, delta=0.03)
                write_dcimg(self.path("scan.dcimg"), frames)
                done = self.succeed("oblique-illum-corr", "--output", self.path("flat.tif"), "--overwrite", "--seed",
                                    seed, self.path("scan.dcimg"))
                self.assertIn("dark level 100", done.stdout)
                image = tifffile.imread(self.path("flat.tif"))
                self.assertEqual((image.dtype, image.shape), (np.float32, (rows, columns)))
                self.assertLess(error_percent(image, profile(rows, columns), where), 1)
                # Leaving the black in, as the original did, is what the limit forbids.
                self.succeed("oblique-illum-corr", "--output", self.path("original.tif"), "--overwrite", "--dark", "0",
                             "--silent", self.path("scan.dcimg"))
                original = tifffile.imread(self.path("original.tif"))
                self.assertGreater(error_percent(original, profile(rows, columns), where), 1)

    def test_simulated_acquisition_gives_its_profile_back_as_far_as_its_tissue_averages_out(self):
        """The tissue varies over a fifth of the frame, and only 36 places of it are seen."""
        self.succeed("simulate", "--output", self.path("scan"), "--oriented", "--tiles", "4,3,3", "--overlap", "0",
                     "--frames", "24", "--frame-width", "96", "--frame-height", "72", "--scale", "0.3",
                     "--organ-size", "0", "--illumination", "0.4", "--silent")
        self.succeed("oblique-illum-corr", "--output", self.path("flat.tif"), "--silent",
                     self.path("scan", "Ex_488_Em_1"))
        truth = tifffile.imread(self.path("scan", "truth", "illumination.tif"))
        image = tifffile.imread(self.path("flat.tif"))
        self.assertLess(error_percent(image, truth, truth > 0.5), 2.5)
        even = np.ones_like(truth)
        self.assertGreater(error_percent(even, truth, truth > 0.5), 10)

    def test_frames_stored_rotated_and_turned_back_give_the_same_files(self):
        frames = tissue(40, 50, 81)
        write_dcimg(self.path("oriented.dcimg"), frames)
        write_dcimg(self.path("camera.dcimg"), np.stack([raw_frame(f) for f in frames]))
        images = []
        for name, options in (("oriented", ()), ("camera", ("--rotate-90", "3", "--flip-ud"))):
            # The flag stands right before the file, as in the original's documentation.
            self.succeed("--output", self.path("flat.tif"), "--intermediate-output", self.path("percentile.tif"),
                         "--overwrite", "--silent", *options, self.path(f"{name}.dcimg"), program="oblique-illum-corr")
            images.append([tifffile.imread(self.path(n)) for n in ("flat.tif", "percentile.tif")])
        for oriented, turned in zip(*images):
            np.testing.assert_array_equal(oriented, turned)

    def test_seed_decides_and_workers_and_memory_do_not(self):
        write_dcimg(self.path("scan.dcimg"), tissue(100, 120, 140))

        def image(*options):
            self.succeed("oblique-illum-corr", "--output", self.path("flat.tif"), "--overwrite", "--silent",
                         "--n-frames", "60", *options, self.path("scan.dcimg"))
            return tifffile.imread(self.path("flat.tif"))

        first = image("--workers", "1")
        np.testing.assert_array_equal(image("--workers", "3", "--memory", "4M"), first)
        self.assertTrue((image("--seed", "5") != first).any())

    def test_image_says_what_made_it_and_its_configuration_is_saved(self):
        write_dcimg(self.path("scan.dcimg"), tissue(30, 40, 40))
        self.succeed("oblique-illum-corr", "--output", self.path("flat.tif"), "--percentile", "90", "--silent",
                     self.path("scan.dcimg"))
        with tifffile.TiffFile(self.path("flat.tif")) as file:
            said = json.loads(file.pages[0].description)
            image = file.asarray()
        self.assertEqual((said["shape"], said["percentile"], said["frames"]), ([40, 40], 90, 30))
        self.assertAlmostEqual(said["dark"], 100, delta=1)
        surface = said["surface"]
        y, x = np.mgrid[0:40, 0:40]
        fitted = surface["x2"] * x**2 + surface["x"] * x + surface["y"] * y + surface["1"]
        np.testing.assert_allclose(image, np.maximum(fitted, 150 - said["dark"]), rtol=1e-5)
        saved = read_json(self.path("flat.tif.config.json"))
        self.assertEqual(saved["command"], "oblique-illum-corr")
        self.assertEqual(saved["options"]["percentile"], 90)


class Refusals(Case):
    def setUp(self):
        super().setUp()
        self.frames = tissue(20, 32, 48)
        write_dcimg(self.path("scan.dcimg"), self.frames)

    def refuse(self, code, *options, says):
        self.fail_with(code, "oblique-illum-corr", "--output", self.path("flat.tif"), *options, says=says)
        self.assertFalse(os.path.exists(self.path("flat.tif")))

    def test_missing_and_impossible_values_are_usage_errors(self):
        self.fail_with(2, "oblique-illum-corr", "--output", self.path("flat.tif"), says="FILE is missing")
        self.fail_with(2, "oblique-illum-corr", self.path("scan.dcimg"), says="--output is missing")
        for options, says in ((("--percentile", "101"), "100"), (("--percentile", "-1"), "0"),
                              (("--n-bins", "1"), "2"), (("--values-per-bin", "0"), "1"),
                              (("--min-samples", "3"), "4"), (("--dark", "black"), "auto"),
                              (("--intermediate-output", self.path("flat.tif")), "the same file")):
            with self.subTest(options):
                self.refuse(2, *options, self.path("scan.dcimg"), says=says)
        self.fail_with(2, "oblique-illum-corr", "--output", "flat.tif", "--intermediate-output", "./flat.tif",
                       "scan.dcimg", says="the same file", cwd=self.folder)
        self.assert_nothing_left("scan.dcimg")

    def test_damaged_and_unequal_files_are_named(self):
        write_dcimg(self.path("other.dcimg"), self.frames.transpose(0, 2, 1))
        self.refuse(1, self.path("scan.dcimg"), self.path("other.dcimg"), says=("other.dcimg", "48 rows x 32 columns"))
        self.refuse(1, self.path("absent.dcimg"), says="absent.dcimg")
        os.truncate(self.path("scan.dcimg"), 30_000)
        self.refuse(1, self.path("scan.dcimg"), says=("scan.dcimg", "--allow-truncated"))
        self.assert_nothing_left("scan.dcimg", "other.dcimg")

    def test_more_frames_than_there_are_means_all_and_says_so(self):
        done = self.succeed("oblique-illum-corr", "--output", self.path("flat.tif"), "--n-frames", "5000", "--silent",
                            self.path("scan.dcimg"))
        self.assertIn("there are 20; all were used", done.stderr)

    def test_frames_that_tell_nothing_are_refused_with_a_remedy(self):
        self.refuse(1, "--background", "60000", self.path("scan.dcimg"), says="lower --background")
        self.refuse(1, "--n-bins", "20", self.path("scan.dcimg"), says="raise --n-bins or --values-per-bin")

    def test_outputs_that_exist_or_are_inputs_or_cannot_be_written_are_refused(self):
        with open(self.path("flat.tif"), "w") as file:
            file.write("mine")
        self.fail_with(1, "oblique-illum-corr", "--output", self.path("flat.tif"), self.path("scan.dcimg"),
                       says=("flat.tif", "--overwrite"))
        with open(self.path("flat.tif")) as file:
            self.assertEqual(file.read(), "mine")
        self.fail_with(1, "oblique-illum-corr", "--output", self.path("scan.dcimg"), "--overwrite",
                       self.path("scan.dcimg"), says="input")
        self.fail_with(1, "oblique-illum-corr", "--output", "/sys/flat.tif", self.path("scan.dcimg"), says="/sys")
        self.assert_nothing_left("flat.tif", "scan.dcimg")


if __name__ == "__main__":
    unittest.main()
