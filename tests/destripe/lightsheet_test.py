"""The destriper `lightsheet` against the original's recipe, stated again with numpy and scipy."""
import unittest

import numpy as np
from scipy import ndimage

from support import lightsheet_recipe as recipe
from support.destripe_tool import destripe


def striped(rows, columns, seed=1, scale=1.0):
    """Blobs on a background that varies, darkened by stripes along the rows, with shot noise: float grey levels."""
    random = np.random.default_rng(seed)
    image = 300 + 200 * ndimage.gaussian_filter(random.standard_normal((rows, columns)), 12, mode="wrap") * 12
    image += 4000 * np.maximum(0, ndimage.gaussian_filter(random.standard_normal((rows, columns)), 2) - 0.35)
    image *= 1 - 0.4 * np.maximum(0, ndimage.gaussian_filter1d(random.standard_normal((rows, 1)), 1.5, axis=0))
    image = np.maximum(image, 0)
    return np.maximum(0, random.normal(100 + image, np.sqrt(image + 10))) * scale


def counts(*arguments, **more):
    return np.clip(np.rint(striped(*arguments, **more)), 0, 65535).astype(np.uint16)


class Accuracy(unittest.TestCase):
    def compare(self, image, **options):
        """Within 1 grey level on 99.9 % of the pixels and never more than 2; returns the share that is equal."""
        ours = destripe("lightsheet", image, **options)
        theirs = recipe.destripe(image, **options)
        self.assertTrue(np.isfinite(ours).all())
        self.assertGreater(np.abs(image - theirs).max(), 10)  # there is something to do
        difference = np.abs(ours - theirs)
        self.assertLessEqual(difference.max(), 2)
        self.assertGreaterEqual((difference <= 1).mean(), 0.999)
        return (difference < 1e-3).mean()

    def test_counts_of_a_camera_come_out_as_the_recipe_has_them(self):
        for rows, columns, seed in [(600, 700, 1), (1024, 512, 2), (401, 1203, 3), (233, 151, 4)]:
            with self.subTest(rows=rows, columns=columns):
                self.assertGreater(self.compare(counts(rows, columns, seed=seed)), 0.99999)

    def test_a_full_frame_comes_out_as_the_recipe_has_it(self):
        self.assertGreater(self.compare(counts(2048, 2048)), 0.99999)

    def test_fractions_come_out_as_the_recipe_has_them(self):
        for scale in [0.001, 0.37, 30.0]:  # much finer than a grey level and far beyond 65535
            with self.subTest(scale=scale):
                image = (striped(410, 633, scale=scale) + 0.25).astype(np.float32)
                ours, theirs = destripe("lightsheet", image), recipe.destripe(image)
                np.testing.assert_allclose(ours, theirs, atol=3e-6 * image.max())

    def test_every_option_means_what_it_means_in_the_recipe(self):
        image = counts(410, 633)
        for options in [dict(artifact_length=40), dict(artifact_length=77), dict(artifact_length=1),
                        dict(background_window_size=50), dict(background_window_size=75),
                        dict(percentile=0), dict(percentile=1), dict(percentile=0.5), dict(percentile=0.037),
                        dict(lightsheet_vs_background=0.7), dict(lightsheet_vs_background=1e6)]:
            with self.subTest(options=options):
                ours, theirs = destripe("lightsheet", image, **options), recipe.destripe(image, **options)
                self.assertLessEqual(np.abs(ours - theirs).max(), 1)
                # Halves between two windows are rounded up here, in numpy as its own rounding errors fall.
                self.assertGreater((np.abs(ours - theirs) < 1e-3).mean(), 0.999)

    def test_vertical_stripes_are_horizontal_ones_of_the_turned_frame(self):
        image = counts(410, 633)
        vertical = destripe("lightsheet", np.ascontiguousarray(image.T), stripe_direction="vertical")
        np.testing.assert_array_equal(vertical.T, destripe("lightsheet", image))
        self.assertFalse(np.array_equal(vertical, destripe("lightsheet", np.ascontiguousarray(image.T))))

    def test_the_spread_over_the_frame_is_that_of_scipy(self):
        """But for the last sample of an axis, which scipy's rounding can put outside, where it is 0."""
        values = counts(41, 23).astype(float)
        for shape in [(1023, 331), (1024, 600), (2048, 512)]:
            factors = [m / n for m, n in zip(shape, values.shape)]
            theirs = ndimage.zoom(values, factors, order=1)
            np.testing.assert_allclose(recipe.zoom(values, shape)[:-1, :-1], theirs[:-1, :-1], atol=1e-9)


class Limits(unittest.TestCase):
    def test_frames_smaller_than_the_windows_use_what_there_is(self):
        for rows, columns in [(60, 300), (300, 60), (1, 1), (1, 400), (400, 1), (24, 26), (149, 149), (26, 24)]:
            with self.subTest(rows=rows, columns=columns):
                image = counts(rows, columns)
                ours, theirs = destripe("lightsheet", image), recipe.destripe(image)
                self.assertLessEqual(np.abs(ours - theirs).max(), 1)

    def test_constant_frames_become_zero(self):
        for value in [0, 1, 1000, 65535, 0.5, -3, 1e6]:
            with self.subTest(value=value):
                ours = destripe("lightsheet", np.full((250, 333), value, np.float32))
                np.testing.assert_array_equal(ours, 0)

    def test_saturated_frames_stay_within_the_camera_range(self):
        image = counts(400, 500, scale=400)
        self.assertGreater((image == 65535).mean(), 0.3)
        ours = destripe("lightsheet", image)
        self.assertLessEqual(np.abs(ours - recipe.destripe(image)).max(), 1)
        self.assertGreaterEqual(ours.min(), 0)
        self.assertLessEqual(ours.max(), 65535)

    def test_samples_below_zero_become_zero_and_add_no_light(self):
        image = striped(300, 400).astype(np.float32) - 400
        for frame in [image, np.rint(image)]:
            ours = destripe("lightsheet", frame)
            self.assertTrue((ours[frame <= 0] == 0).all())
            self.assertTrue((ours <= np.maximum(frame, 0)).all())

    def test_frames_of_one_instance_do_not_influence_each_other(self):
        frames = np.stack([counts(260, 310, seed=1).astype(np.float32), striped(260, 310, seed=2).astype(np.float32),
                           np.zeros((260, 310), np.float32), counts(260, 310, seed=1).astype(np.float32)])
        together = destripe("lightsheet", frames)
        for one, alone in zip(together, frames):
            np.testing.assert_array_equal(one, destripe("lightsheet", alone))

    def test_samples_that_are_not_numbers_are_refused(self):
        for bad in [np.nan, np.inf, -np.inf, 1e31]:
            image = striped(60, 70).astype(np.float32)
            image[30, 40] = bad
            with self.assertRaisesRegex(RuntimeError, "not numbers or beyond 1e30; check the flat and dark images"):
                destripe("lightsheet", image)


if __name__ == "__main__":
    unittest.main()
