"""Frames are corrected the same way by every command: magnify, dark, destripe, flat, each once, and rounded once."""

import os
import unittest

import numpy as np
import tifffile
from scipy import ndimage

from cli_support import Case, raw_frame, read_json, read_zarr, write_dcimg
from support import lightsheet_recipe, wavelet_recipe

LAB = ("--rotate-90", "3", "--flip-ud")
UNSHEARED = ("--x-step-size", "1.0", "--y-voxel-size", str(np.sqrt(2)))  # a shear of one: voxels are camera pixels
WINDOWS = ("--artifact-length", "40", "--background-window-size", "50")


def striped_frames(frames=3, rows=120, columns=161, seed=1):
    """Oriented frames of uint16: cells on a background, rows that are brighter or darker, light that fades."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    light = 1 - 0.4 * ((x / columns - 0.4) ** 2 + (y / rows - 0.5) ** 2)
    stack = []
    for _ in range(frames):
        tissue = 900 + 250 * ndimage.gaussian_filter(random.normal(size=(rows, columns)), 9) * 20
        for _ in range(25):
            cy, cx = random.uniform(0, rows), random.uniform(0, columns)
            tissue += random.uniform(2000, 9000) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 18)
        stripes = 1 + 0.15 * ndimage.gaussian_filter1d(random.normal(size=rows), 1.2)[:, None]
        stack.append(random.poisson(np.maximum(tissue, 50) * light * stripes) + 100)
    return np.stack(stack).astype(np.uint16), (light * 1234.5).astype(np.float32)


def magnified(frame, factor, center):
    """The enlarged frame, cut to its shape around `center` (x, y)."""
    large = ndimage.zoom(frame.astype(float), factor, order=3)
    rows, columns = frame.shape
    top, left = int(center[1] * factor) - rows // 2, int(center[0] * factor) - columns // 2
    return large[top : top + rows, left : left + columns]


def rounded(frame):
    return np.rint(np.clip(frame, 0, 65535))


class Corrected(Case):
    """A camera file with stripes, and the flat of its light."""

    def setUp(self):
        super().setUp()
        self.frames, self.flat = striped_frames()
        self.camera_file = self.path("Ex_488", "0", "0_0", "0.dcimg")
        write_dcimg(self.camera_file, np.stack([raw_frame(frame) for frame in self.frames]))
        self.flat_file = self.path("flat.tif")
        tifffile.imwrite(self.flat_file, self.flat)

    def corrected_by_dcimg2oblique(self, *options, program="dcimg2oblique"):
        out = self.path("out")
        done = self.succeed("--input", self.camera_file, "--output", out, "--ngff", "--levels", "1", "--overwrite",
                            *UNSHEARED, *LAB, *options, program=program)
        return self.frames_of(out), done

    def frames_of(self, volume):
        """The frames that an unsheared volume was made of."""
        voxels = read_zarr(volume)
        depth = np.arange(voxels.shape[0])
        return np.stack([voxels[depth, :, depth + f].T for f in range(len(self.frames))])

    def assert_within(self, most, result, wanted):
        """Samples that float32 puts on the other side of a half differ by one, by two where the flat then divides by
        little."""
        self.assertEqual(result.shape, wanted.shape)
        error = np.abs(result.astype(float) - wanted)
        self.assertLessEqual(error.max(), most)
        self.assertLess((error > 0).mean(), 1e-3)


class Chain(Corrected):
    def test_without_corrections_frames_are_copied(self):
        result, done = self.corrected_by_dcimg2oblique()
        np.testing.assert_array_equal(result, self.frames)
        self.assertNotIn("corrected pixels", done.stdout)

    def test_dark_and_flat_are_applied_once(self):
        result, _ = self.corrected_by_dcimg2oblique("--dark", "99.5", "--flat", self.flat_file)
        self.assert_within(1, result, rounded((self.frames - 99.5) / (self.flat / self.flat.max())))

    def test_destriping_counts_without_a_flat_and_dark_comes_first(self):
        recipe = dict(artifact_length=40, background_window_size=50)
        wanted = [rounded(lightsheet_recipe.destripe(frame - np.uint16(100), **recipe)) for frame in self.frames]
        result, _ = self.corrected_by_dcimg2oblique("--destripe-method", "lightsheet", *WINDOWS, "--dark", "100")
        self.assert_within(1, result, np.stack(wanted))

    def test_all_steps_together(self):
        recipe = dict(artifact_length=40, background_window_size=50, percentile=0.3, lightsheet_vs_background=1.5)
        options = (*WINDOWS, "--percentile", "0.3", "--lightsheet-vs-background", "1.5", "--destripe", "lightsheet",
                   "-f", self.flat_file, "-d", "90", "--magnification", "1.07",
                   "--magnification-plane-center", "83,57")
        wanted = []
        for frame in self.frames:
            large = (magnified(frame, 1.07, (83, 57)) - 90).astype(np.float32)
            clean = lightsheet_recipe.destripe(large, **recipe)
            wanted.append(rounded(clean / (self.flat / self.flat.max())))
        for program in ("dcimg2oblique", "stack2oblique"):
            result, _ = self.corrected_by_dcimg2oblique(*options, program=program)
            self.assert_within(2, result, np.stack(wanted))

    def test_magnification_is_that_of_scipy(self):
        for factor, center in ((1.1, (80, 60)), (1.5, (81, 61)), (2, (60, 70))):
            with self.subTest(factor=factor):
                result, _ = self.corrected_by_dcimg2oblique("--magnification", factor, "--magnification-plane-center",
                                                            f"{center[0]},{center[1]}")
                wanted = np.stack([rounded(magnified(frame, factor, center)) for frame in self.frames])
                # Splines of float32 are off by less than a tenth of a grey level.
                error = np.abs(result - wanted)
                self.assertLessEqual(error.max(), 1)
                self.assertLess((error > 0).mean(), 0.01)

    def test_every_orientation_of_frames_that_are_not_square(self):
        raw = np.stack([raw_frame(frame) for frame in self.frames])
        for turns in range(4):
            for flip in (False, True):
                with self.subTest(turns=turns, flip=flip):
                    oriented = np.stack([np.flipud(np.rot90(f, turns)) if flip else np.rot90(f, turns) for f in raw])
                    flat = 1 + np.arange(oriented[0].size).reshape(oriented[0].shape).astype(np.float32) / 9000
                    tifffile.imwrite(self.flat_file, flat)
                    self.succeed("dcimg2oblique", "--input", self.camera_file, "--output", self.path("out"), "--ngff",
                                 "--levels", "1", "--overwrite", *UNSHEARED, "--rotate-90", turns, f"--flip-ud={flip}",
                                 "--flat", self.flat_file)
                    self.assert_within(1, self.frames_of(self.path("out")), rounded(oriented / (flat / flat.max())))

    def test_clipped_pixels_are_counted_and_reported(self):
        flat = np.full_like(self.flat, 1000)
        flat[10:20] = 1
        tifffile.imwrite(self.flat_file, flat)
        dark = int(np.quantile(self.frames, 0.1))
        wanted = (self.frames - float(dark)) / (flat / flat.max())
        result, done = self.corrected_by_dcimg2oblique("--dark", dark, "--flat", self.flat_file)
        self.assert_within(1, result, rounded(wanted))
        below, above, total = (wanted < -0.5).sum(), (wanted >= 65535.5).sum(), wanted.size
        self.assertGreater(below, 0)
        self.assertGreater(above, 0)
        self.assertIn(f"{below:,} of {total:,} corrected pixels were below 0", done.stdout)
        self.assertIn(f"{above:,} of {total:,} corrected pixels were above 65535", done.stderr)

    def test_dark_above_all_data_gives_zeros_and_says_so(self):
        result, done = self.corrected_by_dcimg2oblique("--dark", "65535")
        self.assertEqual(result.max(), 0)
        self.assertIn(f"{result.size:,} of {result.size:,} corrected pixels were below 0", done.stdout)

    def test_result_does_not_depend_on_workers_and_memory(self):
        options = ("--destripe", "lightsheet", *WINDOWS, "--flat", self.flat_file, "--chunk-size", "16,16,16")
        one, _ = self.corrected_by_dcimg2oblique(*options, "--n-workers", "1")
        four, _ = self.corrected_by_dcimg2oblique(*options, "--n-workers", "4")
        np.testing.assert_array_equal(one, four)

    def test_saved_configuration_repeats_the_corrections(self):
        first, _ = self.corrected_by_dcimg2oblique("--destripe", "lightsheet", *WINDOWS, "--flat", self.flat_file)
        saved = read_json(self.path("out.config.json"))
        self.assertEqual(saved["destripe"]["id"], "lightsheet")
        self.assertEqual(saved["destripe"]["options"]["artifact-length"], 40)
        self.assertEqual(saved["options"]["flat"], self.flat_file)
        self.assertNotIn("artifact-length", saved["options"])
        self.succeed("dcimg2oblique", "--config", self.path("out.config.json"), "--output", self.path("again"),
                     "--ngff")
        np.testing.assert_array_equal(self.frames_of(self.path("again")), first)


class Pipeline(Corrected):
    """The pipeline on one tile: its frames are those of dcimg2oblique with the same corrections."""

    def frames_of_pipeline(self, *options, env=None):
        done = self.succeed("pipeline", "Ex_488", "-o", "out", "--ngff", "--levels", "1", "--overwrite", "--align=false",
                            *UNSHEARED,
                            *options, cwd=self.folder, env=env)
        return self.frames_of(self.path("out")), done

    def test_environment_chooses_flat_and_dark(self):
        recipe = dict(artifact_length=40, background_window_size=50)
        wanted = [rounded(lightsheet_recipe.destripe(frame - np.uint16(60), **recipe) / (self.flat / self.flat.max()))
                  for frame in self.frames]
        result, _ = self.frames_of_pipeline(*WINDOWS, env={"ILLUM_CORR": self.flat_file, "BACKGROUND": "60"})
        self.assert_within(2, result, np.stack(wanted))
        self.assertNotIn("Ex_488-illuc.tiff", os.listdir(self.folder))

    def test_without_a_flat_the_illumination_is_measured_and_kept(self):
        result, done = self.frames_of_pipeline("--destripe", "none")
        profile = tifffile.imread(self.path("Ex_488-illuc.tiff"))
        self.assertEqual(profile.shape, self.frames[0].shape)
        self.assertEqual(profile.dtype, np.float32)
        wanted = rounded((self.frames - 100.0) / (profile / profile.max()))
        self.assert_within(1, result, wanted)
        self.assertIn("Ex_488-illuc.tiff", done.stdout)
        flat = self.flat / self.flat.max()
        error = profile / profile.max() - flat
        self.assertLess(np.sqrt(np.mean(error**2)), 0.15)  # three frames say little, but which way it is
        # What was measured is used again with the saved configuration, and not measured again.
        os.remove(self.path("Ex_488-illuc.tiff"))
        tifffile.imwrite(self.path("Ex_488-illuc.tiff"), self.flat)
        self.succeed("pipeline", "--config", "out.config.json", "-o", "again", cwd=self.folder)
        self.assert_within(1, self.frames_of(self.path("again")), rounded((self.frames - 100.0) / flat))

    def test_a_profile_of_an_earlier_run_is_not_replaced_unasked(self):
        tifffile.imwrite(self.path("Ex_488-illuc.tiff"), self.flat)
        self.fail_with(1, "pipeline", "Ex_488", "-o", "out", *UNSHEARED, cwd=self.folder,
                       says=["Ex_488-illuc.tiff exists already", "ILLUM_CORR"])

    def test_wavelets_of_the_environment_have_the_bandwidths_of_the_original(self):
        result, _ = self.frames_of_pipeline("--flat", "none", env={"USE_WAVELETS": "1", "BACKGROUND": "80"})
        wanted = np.stack([rounded(wavelet_recipe.destripe(frame - np.uint16(80), 128, 512, wavelet="db5"))
                           for frame in self.frames])
        error = np.abs(result - wanted)
        self.assertLessEqual(error.max(), 2)
        self.assertLess((error > 1).mean(), 1e-3)
        again, _ = self.frames_of_pipeline("--flat", "none", "--destripe", "wavelet", "--sigma2", "512", "--dark", "80")
        np.testing.assert_array_equal(again, result)
        other, _ = self.frames_of_pipeline("--flat", "none", "--destripe", "wavelet", "--sigma1", "9", "--dark", "80")
        self.assertGreater((other != result).mean(), 0.1)

    def test_commands_correct_alike(self):
        options = ("--flat", self.flat_file, "--dark", "90", "--destripe", "wavelet", "-s1", "20", "-s2", "40",
                   "--wavelet", "db5", "--crossover", "10")
        one, _ = self.corrected_by_dcimg2oblique(*options)
        two, _ = self.frames_of_pipeline(*options)
        np.testing.assert_array_equal(one, two)
        self.succeed("oblique2stitched", "--input", self.path("Ex_488"), "--output", self.path("mosaic"), "--ngff",
                     "--levels", "1", *UNSHEARED, *LAB, *options)
        np.testing.assert_array_equal(self.frames_of(self.path("mosaic")), one)
        self.succeed("destripe", "--input", self.camera_file, "--output", self.path("images"), *LAB, *options)
        images = np.stack([tifffile.imread(self.path("images", f"{k:04d}.tif")) for k in range(len(self.frames))])
        np.testing.assert_array_equal(images, one)

    def test_volumes_cannot_be_corrected(self):
        self.succeed("dcimg2oblique", "--input", self.camera_file, "--output", self.path("v", "0", "0_0", "0"))
        self.fail_with(2, "oblique2stitched", "--input", self.path("v"), "--output", self.path("out"), "--dark", "100",
                       says="cannot be corrected any more")


class BadInput(Corrected):
    def refuse(self, code, says, *options):
        before = os.listdir(self.folder)
        self.fail_with(code, "dcimg2oblique", "--input", self.camera_file, "--output", self.path("out"), *LAB, *options,
                       says=says)
        self.assert_nothing_left(*before)

    def test_flats_that_cannot_be_used_are_refused_in_a_sentence(self):
        def flat(samples):
            tifffile.imwrite(self.flat_file, samples)

        flat(self.flat.T)
        self.refuse(1, ["flat.tif", "161 rows x 120 columns", "have 120 x 161"], "--flat", self.flat_file)
        for value in (0, -1, np.nan, np.inf):
            broken = self.flat.copy()
            broken[3, 4] = value
            flat(broken)
            self.refuse(1, ["flat.tif: 1 of 19320 samples", "row 3, column 4"], "--flat", self.flat_file)
        flat(np.stack([self.flat] * 2))
        self.refuse(1, "flat.tif", "--flat", self.flat_file)
        with open(self.flat_file, "wb") as file:
            file.write(b"II*\0 and no more")
        self.refuse(1, "flat.tif", "--flat", self.flat_file)
        self.refuse(1, "absent.tif", "--flat", self.path("absent.tif"))

    def test_numbers_that_make_no_sense_are_refused(self):
        self.refuse(2, "--dark", "--dark", "-1")
        self.refuse(2, "--dark", "--dark", "nan")
        self.refuse(2, "--magnification", "--magnification", "0.5")
        self.refuse(2, "not two numbers x,y", "--magnification", "1.1", "--magnification-plane-center", "7")
        self.refuse(2, "leaves the frame", "--magnification", "1.1", "--magnification-plane-center", "3,60")

    def test_options_of_another_method_are_refused(self):
        self.refuse(2, "sigma1", "--destripe", "lightsheet", "--sigma1", "128")
        self.refuse(2, "no destripe is chosen", "--sigma1", "128")
        self.refuse(2, "no destripe is chosen", "--destripe", "none", "-s1", "128")
        self.refuse(2, "artifact-length", "--destripe", "lightsheet", "--artifact-length", "long")


if __name__ == "__main__":
    unittest.main()
