"""How exactly oblique-align finds where simulated tiles really were, and how large their voxels are."""

import unittest

import numpy as np

from align.simulated import EIGHT_VOXELS, TILES, SimulatedCase, sanitized

SEEDS = (21,) if sanitized() else (21, 22, 23)


class Quality(SimulatedCase):
    def test_positions_are_found_to_a_quarter_of_a_voxel(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.simulate(*TILES, *EIGHT_VOXELS, "--seed", seed)
                alignment = self.align("--align-xz")
                errors, positions = self.errors()
                self.assertGreater(positions["worst_before_voxels"], 5)
                self.assertLessEqual(np.sqrt((errors**2).mean()), 0.25, errors)
                self.assert_honest(alignment, errors)

    @unittest.skipIf(sanitized(), "slow")
    def test_a_voxel_size_that_is_off_is_found_to_a_thousandth(self):
        # Nine tiles tell a scale only where the stage is exact: see the next test for one that is not.
        for seed in (31, 32, 33):
            with self.subTest(seed=seed):
                self.simulate("--tiles", "3,3,1", "--frames", 96, "--frame-width", 256, "--frame-height", 48,
                              "--stage-error", "0.2", "--seed", seed)
                self.check_voxel_size(self.align("--voxel-size", "1.836"))

    @unittest.skipIf(sanitized(), "slow")
    def test_a_long_row_tells_the_voxel_size_although_the_stage_is_off(self):
        # One seed: solve_test tries others with perfect overlaps.
        self.simulate("--tiles", "1,12,1", "--frames", 48, "--frame-width", 2048, "--frame-height", 48, "--stage-error",
                      "4,14.4,4", "--seed", 35)
        alignment = self.align("--align-xz", "--voxel-size", "1.836")
        self.check_voxel_size(alignment)
        errors, _ = self.errors()
        self.assertLessEqual(np.sqrt((errors**2).mean()), 0.25, errors)
        self.assert_honest(alignment, errors)

    def check_voxel_size(self, alignment):
        self.assertAlmostEqual(alignment["voxel_size"] / 1.8, 1, delta=0.001)
        self.assertEqual(alignment["voxel_sizes"][1], 1.836)
        self.assertTrue(alignment["spimstitch"]["y_voxel_size"]["determined"])


if __name__ == "__main__":
    unittest.main()
