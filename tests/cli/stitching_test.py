"""oblique2stitched and spimstitch-pipeline put tiles where they belong and blend them by the square of the distance
to the nearest face."""

import json
import os
import resource
import unittest

import numpy as np
import zarr

from cli_support import Case, blend, deskew, raw_frame, read_json, read_zarr, scene, write_dcimg

STEP, VOXEL = 1.0, 2.0  # shear sqrt(2): interpolated
PITCH = (STEP, VOXEL, VOXEL * np.sqrt(0.5))
SCAN = ("--x-step-size", str(STEP), "--y-voxel-size", str(VOXEL))
LAB = ("--rotate-90", "3", "--flip-ud")
RAW = ("--flat", "none", "--dark", "0", "--destripe", "none")  # frames as the camera gives them


class Tiles(Case):
    """Two by two tiles whose positions are whole voxels in x and y."""

    def acquisition(self, positions, frames=40, rows=30, columns=12):
        """Camera files at `positions`, (x, y, z) in whole voxels of x and y and tenths of um of z."""
        self.tiles = []
        for n, (x, y, z) in enumerate(positions):
            oriented = scene(frames, rows, columns, seed=n)
            name_x, name_y = round(x * STEP * 10), round(y * VOXEL * 10)
            path = self.path("Ex_488", str(name_x), f"{name_x}_{name_y}", f"{z}.dcimg")
            write_dcimg(path, np.stack([raw_frame(frame) for frame in oriented]))
            volume, valid, shear = deskew(oriented, STEP, VOXEL)
            at_z = int(np.rint(z / 10 / PITCH[2]))
            self.tiles.append((volume, valid, shear, frames, (x, y, at_z)))
        return self.path("Ex_488")

    GRID = [(0, 0, 0), (25, 0, 0), (0, 22, 0), (25, 22, 0)]

    def assert_equals_blend(self, result, tiles, tolerance=0.0):
        wanted = blend(tiles, STEP, VOXEL)
        self.assertEqual(result.shape, wanted.shape)
        error = np.abs(result.astype(float) - wanted)
        self.assertLessEqual(error.max(), 1.01)
        self.assertLess((error > 0.51).mean(), 0.01)
        self.assertTrue(((result == 0) == (wanted == 0)).all())


class Stitching(Tiles):
    def test_mosaic_of_camera_files_equals_brute_force(self):
        root = self.acquisition(self.GRID)
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB)
        self.assert_equals_blend(read_zarr(self.path("out")), self.tiles)

    def test_overwrite_never_replaces_the_tiles(self):
        root = self.acquisition(self.GRID)
        for output in (root, os.path.join(root, "0"), os.path.join(root, "0", "0_0", "0.dcimg")):
            self.fail_with(1, "oblique2stitched", "--input", root, "--output", output, "--overwrite", *SCAN, *LAB,
                           says="is or holds the input")
        self.assertTrue(os.path.exists(os.path.join(root, "0", "0_0", "0.dcimg")))

    def test_mosaic_may_have_more_tiles_than_a_process_may_open_files_at_first(self):
        root = self.acquisition([(4 * i, 0, 0) for i in range(60)], frames=3, rows=4, columns=2)

        def few_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                     preexec_fn=few_files)

    def test_mosaic_is_made_of_what_any_reader_of_volumes_claims(self):
        """A Zarr array without the metadata of OME is a volume for the reader and so a tile as well."""
        voxels = np.arange(1, 4 * 5 * 6 + 1, dtype=np.uint16).reshape(4, 5, 6)
        for name in ("0", "60"):
            path = self.path("tiles", name, f"{name}_0", "0")
            zarr.save_array(zarr.DirectoryStore(path), voxels)
        self.succeed("oblique2stitched", "--input", self.path("tiles"), "--output", self.path("out"), "--ngff", *SCAN,
                     "--is-oblique=false", "--levels", "1")
        np.testing.assert_array_equal(read_zarr(self.path("out"))[:], np.concatenate([voxels, voxels], axis=2))

    def test_mosaic_of_converted_volumes_is_the_same_for_every_format(self):
        root = self.acquisition(self.GRID)
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("direct"), "--ngff", *SCAN, *LAB)
        direct = read_zarr(self.path("direct"))[:]
        for writer in ("blockfs", "zarr"):
            with self.subTest(writer):
                for x, y, z in self.GRID:
                    part = f"{round(x * STEP * 10)}/{round(x * STEP * 10)}_{round(y * VOXEL * 10)}/{z}"
                    self.succeed("dcimg2oblique", "--input", os.path.join(root, part + ".dcimg"), "--output",
                                 self.path(writer, part), "--writer", writer, "--levels", "1", *SCAN, *LAB)
                self.succeed("oblique2stitched", "--input", self.path(writer), "--output", self.path("o_" + writer),
                             "--ngff", *SCAN)
                np.testing.assert_array_equal(read_zarr(self.path("o_" + writer)), direct)

    def test_layers_in_z_stand_where_their_names_say(self):
        root = self.acquisition([(0, 0, 0), (0, 0, 85)])  # 8.5 um = 6.01 voxels of z
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB)
        self.assert_equals_blend(read_zarr(self.path("out")), self.tiles)

    def test_z_offset_counts_voxels_of_z(self):
        root = self.acquisition([(0, 0, 0), (0, 0, 9999)])
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                     "--z-offset", "10")
        tiles = [self.tiles[0], self.tiles[1][:4] + ((0, 0, 10),)]
        self.assert_equals_blend(read_zarr(self.path("out")), tiles)

    def test_output_size_and_offset_cut_a_box(self):
        root = self.acquisition(self.GRID)
        common = ("oblique2stitched", "--input", root, "--ngff", *SCAN, *LAB)
        self.succeed(*common, "--output", self.path("whole"))
        self.succeed(*common, "--output", self.path("box"), "--output-size", "30,20,7", "--output-offset", "11,13,3")
        whole, box = read_zarr(self.path("whole")), read_zarr(self.path("box"))
        np.testing.assert_array_equal(box, whole[3:10, 13:33, 11:41])

    def test_alignment_moves_y_only_unless_xz_is_aligned(self):
        root = self.acquisition([(0, 0, 0), (25, 0, 0)])
        names = [[0.0, 0.0, 0.0], [25.0, 0.0, 0.0]]
        moved = [[0, 0, 0], [25 + 3 * STEP, 5 * VOXEL, 2 * PITCH[2]]]
        for align_z, option, at in ((False, (), (25, 5, 0)), (True, (), (28, 5, 2)), (False, ("--align-xz",), (28, 5, 2))):
            with self.subTest(align_z=align_z, option=option):
                with open(self.path("align.json"), "w") as file:
                    json.dump({"alignments": {json.dumps(k): v for k, v in zip(names, moved)}, "align-z": align_z},
                              file)
                self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                             "--alignment", self.path("align.json"), "--overwrite", *option)
                tiles = [self.tiles[0], self.tiles[1][:4] + (at,)]
                self.assert_equals_blend(read_zarr(self.path("out")), tiles)

    def test_alignment_keys_may_leave_out_z(self):
        root = self.acquisition([(0, 0, 0), (25, 0, 0)])
        with open(self.path("align.json"), "w") as file:
            json.dump({"alignments": {"[0, 0]": [0, 0], "[25, 0]": [25, 4 * VOXEL]}}, file)
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                     "--alignment", self.path("align.json"))
        self.assert_equals_blend(read_zarr(self.path("out")), [self.tiles[0], self.tiles[1][:4] + ((25, 4, 0),)])

    def test_negative_y_mirrors_the_order_of_rows_of_tiles(self):
        root = self.acquisition([(0, 0, 0), (0, 22, 0)])
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                     "--negative-y")
        self.assert_equals_blend(read_zarr(self.path("out")), [self.tiles[0][:4] + ((0, 22, 0),),
                                                              self.tiles[1][:4] + ((0, 0, 0),)])

    def test_negative_x_puts_the_last_frame_at_the_smallest_x(self):
        root = self.acquisition([(50, 0, 0), (75, 0, 0)])
        common = ("oblique2stitched", "--input", root, "--ngff", *SCAN, *LAB, "--negative-x")
        self.succeed(*common, "--output", self.path("out"))
        result = read_zarr(self.path("out"))
        for number, at in enumerate((0, 25)):
            oriented = scene(40, 30, 12, seed=number)
            wanted, valid, _ = deskew(oriented, STEP, VOXEL, direction=-1)
            part = result[:, :, at : at + wanted.shape[2]].astype(float)
            alone = np.zeros(wanted.shape[2], bool)
            alone[: 20] = number == 0
            alone[-20:] = number == 1
            self.assertLessEqual(np.abs(part - wanted)[:, :, alone].max(), 0.51)
        shift = read_json(self.path("out", ".zattrs"))["multiscales"][0]["datasets"][0][
            "coordinateTransformations"][1]["translation"]
        self.assertAlmostEqual(shift[-1], 50 * STEP - 39 * STEP)

    def test_boxes_are_stitched_whole_when_told_that_they_are_not_oblique(self):
        root = self.acquisition([(0, 0, 0)])
        self.succeed("dcimg2oblique", "--input", os.path.join(root, "0/0_0/0.dcimg"), "--output",
                     self.path("v/0/0_0/0"), "--levels", "1", *SCAN, *LAB)
        self.succeed("oblique2stitched", "--input", self.path("v"), "--output", self.path("out"), "--ngff",
                     "--is-oblique=false", *SCAN)
        wanted, valid, _ = deskew(scene(40, 30, 12, seed=0), STEP, VOXEL)
        self.assertLessEqual(np.abs(read_zarr(self.path("out")) - wanted).max(), 0.51)

    def test_linear_interpolation_places_tiles_between_voxels(self):
        root = self.acquisition([(0, 0, 0), (25.4, 0, 0)])
        common = ("oblique2stitched", "--input", root, "--ngff", *SCAN, *LAB)
        self.succeed(*common, "--output", self.path("linear"), "--interpolate", "linear")
        result = read_zarr(self.path("linear")).astype(float)
        volume, valid, _ = deskew(scene(40, 30, 12, seed=1), STEP, VOXEL)
        volume = np.rint(volume)
        # Voxel x of the mosaic lies 0.6 behind voxel x - 26 of the second tile.
        z, x = np.nonzero(valid[:, :-1] & valid[:, 1:])
        wanted = 0.4 * volume[z, :, x] + 0.6 * volume[z, :, x + 1]
        alone = x + 26 > 60  # past the first tile
        got = result[z, :, x + 26]
        self.assertGreater(alone.sum(), 50)
        self.assertLessEqual(np.abs(got - wanted)[alone].max(), 1.01)


class Pipeline(Tiles):
    def test_environment_of_the_reference_is_obeyed(self):
        self.acquisition(self.GRID)
        self.succeed("Ex_488", *RAW, "--align=false", cwd=self.folder, program="spimstitch-pipeline",
                     env={"X_STEP_SIZE": str(STEP), "Y_VOXEL_SIZE": str(VOXEL), "WORKERS": "2"})
        self.assert_equals_blend(read_zarr(self.path("Ex_488_stitched.ngff")), self.tiles)

    def test_options_override_environment(self):
        self.acquisition(self.GRID)
        self.succeed("pipeline", "Ex_488/", *SCAN, *RAW, "-o", "mine", "--align=false", cwd=self.folder,
                     env={"X_STEP_SIZE": "7", "Y_VOXEL_SIZE": "9"})
        self.assert_equals_blend(read_zarr(self.path("mine")), self.tiles)

    def test_default_output_is_ome_zarr_of_seven_levels_and_blockfs_when_refused(self):
        self.acquisition(self.GRID)
        done = self.succeed("pipeline", "Ex_488", *SCAN, *RAW, "--align=false", cwd=self.folder)
        metadata = read_json(self.path("Ex_488_stitched.ngff", ".zattrs"))
        self.assertEqual(len(metadata["multiscales"][0]["datasets"]), 7)
        self.assertIn("illumination is not corrected", done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["Ex_488", *(f"Ex_488_stitched.ngff{end}" for end in
                                                                       ("", ".config.json", ".report.html", ".run.json"))])
        self.succeed("pipeline", "Ex_488", *SCAN, *RAW, "--align=false", cwd=self.folder, env={"NGFF": "0"})
        self.assertEqual(len(read_json(self.path("Ex_488_stitched", "info"))["scales"]), 7)
        self.succeed("pipeline", "Ex_488", *SCAN, *RAW, "--align=false", "--writer", "precomputed", "-o", "pre", cwd=self.folder)
        self.assertEqual(len(read_json(self.path("pre", "info"))["scales"]), 7)

    def test_saved_configuration_repeats_the_run(self):
        self.acquisition(self.GRID)
        self.succeed("pipeline", "Ex_488", *SCAN, *RAW, "--ngff", "-o", "first", "--align=false", cwd=self.folder)
        self.succeed("pipeline", "--config", "first.config.json", "-o", "again", cwd=self.folder)
        np.testing.assert_array_equal(read_zarr(self.path("again")), read_zarr(self.path("first")))

    def test_alignment_file_of_the_environment_is_used(self):
        self.acquisition([(0, 0, 0), (25, 0, 0)])
        with open(self.path("a.json"), "w") as file:
            json.dump({"alignments": {"[0.0, 0.0, 0.0]": [0, 0, 0], "[25.0, 0.0, 0.0]": [99, 6 * VOXEL, 99]}}, file)
        self.succeed("pipeline", "Ex_488", *SCAN, *RAW, "--ngff", "-o", "out", cwd=self.folder,
                     env={"ALIGN_FILE": self.path("a.json")})
        self.assert_equals_blend(read_zarr(self.path("out")), [self.tiles[0], self.tiles[1][:4] + ((25, 6, 0),)])

    def test_variables_that_make_no_sense_are_refused_by_name(self):
        self.acquisition([(0, 0, 0)])
        for name, value, says in (("BACKGROUND", "much", "BACKGROUND"), ("Z_OFFSET", "deep", "Z_OFFSET"),
                                  ("X_STEP_SIZE", "wide", "X_STEP_SIZE")):
            with self.subTest(name):
                self.fail_with(2, "pipeline", "Ex_488", cwd=self.folder, env={name: value}, says=says)
                self.assert_nothing_left("Ex_488")


class BadTiles(Tiles):
    def refuse(self, says, *options, root="Ex_488"):
        for command in ("oblique2stitched", "pipeline"):
            call = (command, "--input", root) if command == "oblique2stitched" else (command, root)
            before = os.listdir(self.folder)
            self.fail_with(1, *call, "--output", "out", *SCAN, *LAB, *RAW, *options, cwd=self.folder,
                           says=says)
            self.assert_nothing_left(*before)

    def test_missing_tile_is_named_by_its_position(self):
        root = self.acquisition(self.GRID)
        os.remove(os.path.join(root, "250/250_440/0.dcimg"))
        self.refuse("250_440")
        os.rmdir(os.path.join(root, "250/250_440"))
        self.refuse("x 250, y 440, z 0 is missing")
        self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                     "--allow-missing-tiles")
        self.assert_equals_blend(read_zarr(self.path("out")), self.tiles[:3])

    def test_name_that_is_no_coordinate_is_refused(self):
        root = self.acquisition(self.GRID)
        os.rename(os.path.join(root, "250/250_440/0.dcimg"), os.path.join(root, "250/250_440/zero.dcimg"))
        self.refuse(("zero.dcimg", "not a coordinate"))

    def test_tiles_of_different_shapes_are_refused(self):
        self.acquisition(self.GRID)
        write_dcimg(self.path("Ex_488/250/250_440/0.dcimg"), scene(40, 12, 20))
        self.refuse(("250_440/0.dcimg", "one shape"))

    def test_tiles_of_different_length_are_refused(self):
        self.acquisition(self.GRID)
        write_dcimg(self.path("Ex_488/250/250_440/0.dcimg"), scene(30, 12, 30))
        self.refuse(("250_440/0.dcimg", "--allow-truncated"))

    def test_file_that_is_cut_short_is_refused_unless_allowed(self):
        root = self.acquisition(self.GRID)
        path = os.path.join(root, "250/250_440/0.dcimg")
        os.truncate(path, os.path.getsize(path) - 500)
        self.refuse(("250_440/0.dcimg", "39 of 40 frames", "--allow-truncated"))
        done = self.succeed("oblique2stitched", "--input", root, "--output", self.path("out"), "--ngff", *SCAN, *LAB,
                            "--allow-truncated")
        self.assertIn("39 of 40 frames", done.stderr)

    def test_damaged_file_is_an_error_and_not_overlooked(self):
        root = self.acquisition(self.GRID)
        with open(os.path.join(root, "250/250_440/0.dcimg"), "wb") as file:
            file.write(b"no camera file" * 100)
        self.refuse("250_440/0.dcimg")

    def test_alignment_that_does_not_know_a_tile_names_it(self):
        self.acquisition(self.GRID)
        with open(self.path("a.json"), "w") as file:
            json.dump({"alignments": {"[0, 0, 0]": [0, 0, 0]}}, file)
        self.refuse(("a.json", "250_440/0.dcimg"), "--alignment", "a.json")

    def test_alignment_that_cannot_be_read_is_refused(self):
        self.acquisition([(0, 0, 0)])
        for text in ("{", "[]", '{"alignments": {"[0]": [1, 2, 3]}}', '{"alignments": {"[0, 0, 0]": ["a", 1, 2]}}'):
            with open(self.path("a.json"), "w") as file:
                file.write(text)
            with self.subTest(text):
                self.refuse("a.json", "--alignment", "a.json")
        self.refuse("absent.json", "--alignment", "absent.json")

    def test_folder_without_tiles_is_refused(self):
        os.mkdir(self.path("empty"))
        self.fail_with(1, "oblique2stitched", "--input", "empty", "--output", "out", cwd=self.folder, says="empty")
        self.fail_with(1, "pipeline", "empty", "--output", "out", cwd=self.folder, says="no camera file")
        self.fail_with(1, "pipeline", "absent", "--output", "out", cwd=self.folder, says="does not exist")

    def test_dropped_frames_are_reported(self):
        write_dcimg(self.path("0.dcimg"), scene(20, 8, 8), counters=[*range(7), *range(9, 22)])
        done = self.succeed("dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"))
        self.assertIn("dropped 2 frames before frame 7", done.stderr)


if __name__ == "__main__":
    unittest.main()
