"""`info` tells what a file is; `view-slice` shows it."""

import json
import os
import unittest

import numpy as np
from PIL import Image

from cli_support import Case, read_zarr, scene, write_dcimg


class Info(Case):
    def test_camera_file(self):
        frames = scene(30, 20, 24)
        write_dcimg(self.path("a.dcimg"), frames, counters=[*range(10), *range(13, 33)])
        report = json.loads(self.succeed("info", self.path("a.dcimg"), "--json").stdout)
        self.assertEqual(report["kind"], "camera file")
        self.assertEqual([report["frames"], report["rows"], report["columns"], report["type"]], [30, 20, 24, "uint16"])
        self.assertEqual(report["gaps"], [{"frame": 10, "dropped": 3}])
        self.assertEqual(report["first frame at"], "2020-09-13 12:26:40.000 UTC")
        self.assertAlmostEqual(report["frames per second"], 100)
        sample = frames[[i * 29 // 7 for i in range(8)]]
        self.assertEqual([report["sample"]["min"], report["sample"]["max"]], [sample.min(), sample.max()])
        self.assertAlmostEqual(report["sample"]["mean"], sample.mean())
        text = self.succeed("info", self.path("a.dcimg")).stdout
        self.assertIn("frames: 30\n", text)

    def test_volumes_of_every_format(self):
        write_dcimg(self.path("a.dcimg"), scene(50, 40, 30))
        for writer in ("blockfs", "zarr"):
            with self.subTest(writer):
                out = self.path(writer)
                self.succeed("dcimg2oblique", "--input", self.path("a.dcimg"), "--output", out, "--writer", writer,
                             "--chunk-size", "32,16,8", "--levels", "3")
                report = json.loads(self.succeed("info", out, "--json").stdout)
                self.assertEqual(report["kind"], "volume")
                self.assertEqual(len(report["levels"]), 3)
                level = report["levels"][0]
                self.assertEqual(level["shape"][1:], [40, 30])
                self.assertEqual(level["chunk"], [32, 16, 8])
                np.testing.assert_allclose(level["voxel um"], [1.28, 1.8, 1.8 * np.sqrt(0.5)], rtol=1e-6)
                on_disk = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(out) for f in files)
                self.assertEqual(report["stored bytes"], on_disk)
                self.assertGreater(report["compression ratio"], 1.05)
                self.assertGreater(report["sample"]["max"], 1000)
                self.assertIn("levels:", self.succeed("info", out).stdout)

    def test_what_nobody_knows_is_an_error(self):
        os.mkdir(self.path("folder"))
        self.fail_with(1, "info", self.path("folder"), says="folder")
        self.fail_with(1, "info", self.path("absent"), says="does not exist")


class ViewSlice(Case):
    def setUp(self):
        super().setUp()
        self.frames = scene(50, 40, 30)
        write_dcimg(self.path("a.dcimg"), self.frames)
        self.succeed("dcimg2oblique", "--input", self.path("a.dcimg"), "--output", self.path("v"), "--ngff",
                     "--chunk-size", "16,16,16", "--x-step-size", "1.8", "--tilt", "60", "--levels", "3")

    def picture(self, *options):
        self.succeed("view-slice", *options, "-o", self.path("p.png"), "--overwrite")
        image = Image.open(self.path("p.png"))
        self.assertEqual(image.mode, "L")
        return np.asarray(image).astype(int)

    def assert_shows(self, image, plane, black, white):
        wanted = np.clip((plane.astype(float) - black) * 255 / (white - black), 0, 255)
        self.assertEqual(image.shape, wanted.shape)
        self.assertLessEqual(np.abs(image - wanted).max(), 0.5001)

    def test_plane_across_z_has_rows_y_and_columns_x(self):
        volume = read_zarr(self.path("v"))
        image = self.picture(self.path("v"), "--axis", "z", "--at", "7", "--level", "0", "--contrast", "500,4000")
        self.assert_shows(image, volume[7], 500, 4000)  # x and y voxels are square here

    def test_voxels_are_made_square(self):
        volume = read_zarr(self.path("v"))
        z, y, x = volume.shape
        pitch_z = 1.8 * np.sin(np.radians(60))
        image = self.picture(self.path("v"), "--axis", "y", "--at", "middle", "--level", "0")
        self.assertEqual(image.shape, (z, round(x * 1.8 / pitch_z)))
        image = self.picture(self.path("v"), "--axis", "x", "--at", "20", "--level", "0")
        self.assertEqual(image.shape, (z, round(y * 1.8 / pitch_z)))

    def test_maximum_projection_takes_the_brightest(self):
        volume = read_zarr(self.path("v"), 1)
        image = self.picture(self.path("v"), "--axis", "z", "--level", "1", "--max-projection", "--contrast",
                             "500,4000")
        self.assert_shows(image, volume.max(axis=0), 500, 4000)

    def test_automatic_contrast_ignores_what_lies_outside(self):
        volume = read_zarr(self.path("v"))
        plane = volume[5]
        image = self.picture(self.path("v"), "--at", "5", "--level", "0")
        inside = np.sort(plane[plane > 0])
        black, white = inside[int(np.ceil(0.005 * inside.size)) - 1], inside[int(np.ceil(0.998 * inside.size)) - 1]
        self.assert_shows(image, plane, black, white)

    def test_frame_of_a_camera_file(self):
        image = self.picture(self.path("a.dcimg"), "--frame", "11", "--contrast", "0,4000")
        self.assert_shows(image, self.frames[11], 0, 4000)
        image = self.picture(self.path("a.dcimg"), "--max-projection", "--contrast", "0,4000")
        self.assert_shows(image, self.frames.max(axis=0), 0, 4000)

    def test_planes_and_levels_that_do_not_exist_are_refused(self):
        for options, says in ((("--at", "999"), "no plane 999"), (("--level", "3"), "no level 3"),
                              (("--at", "-1"), "no plane -1"), (("--at", "x"), "x"), (("--frame", "1"), "no frames"),
                              (("--contrast", "9,3"), "--contrast"), (("--axis", "w"), "x, y, z or f")):
            with self.subTest(options):
                self.fail_with(2, "view-slice", self.path("v"), *options, "-o", self.path("p.png"), says=says)
                self.assertFalse(os.path.exists(self.path("p.png")))
        self.fail_with(2, "view-slice", self.path("a.dcimg"), "--frame", "50", "-o", self.path("p.png"),
                       says="no plane 50")


if __name__ == "__main__":
    unittest.main()
