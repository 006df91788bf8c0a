"""dcimg2oblique computes what the geometry says, voxel by voxel."""

import os
import unittest

import numpy as np

from cli_support import Case, deskew, raw_frame, read_json, read_zarr, scene, write_dcimg
from support import precomputed, zarr3

LAB = ("--rotate-90", "3", "--flip-ud")


class Conversion(Case):
    def convert(self, oriented, *options, program="spimstitch", command=("dcimg2oblique",)):
        raw = np.stack([raw_frame(frame) for frame in oriented])
        write_dcimg(self.path("0.dcimg"), raw)
        done = self.succeed(*command, "--input", self.path("0.dcimg"), "--output", self.path("out"), "--ngff", *LAB,
                            *options, program=program)
        return done, self.path("out")

    def assert_near(self, result, wanted, valid):
        self.assertEqual(result.shape, wanted.shape)
        error = np.abs(result.astype(float) - wanted)
        self.assertLessEqual(error.max(), 0.51)
        self.assertTrue((result.transpose(0, 2, 1)[~valid] == 0).all())
        self.assertTrue((result.transpose(0, 2, 1)[valid] > 0).all())

    def test_shear_of_one_copies_camera_pixels_bit_for_bit(self):
        frames = scene(40, 24, 33)
        _, out = self.convert(frames, "--x-step-size", "1.0", "--y-voxel-size", str(np.sqrt(2)))
        result = read_zarr(out)
        wanted = np.zeros((33, 24, 72), np.uint16)
        for f in range(40):
            for c in range(33):
                wanted[c, :, c + f] = frames[f, :, c]
        np.testing.assert_array_equal(result, wanted)

    def test_other_shears_are_interpolated_inside_the_valid_region(self):
        frames = scene(37, 21, 90)
        for step, voxel, tilt in ((1.28, 1.8, 45), (2.0, 1.8, 45), (0.9, 1.8, 30), (1.0, 3.0, 60)):
            with self.subTest(step=step, voxel=voxel, tilt=tilt):
                _, out = self.convert(frames, "--x-step-size", step, "--y-voxel-size", voxel, "--tilt", tilt,
                                      "--overwrite")
                wanted, valid, _ = deskew(frames, step, voxel, tilt)
                self.assert_near(read_zarr(out), wanted, valid)

    def test_scans_towards_smaller_x_are_mirrored(self):
        frames = scene(30, 16, 40)
        _, out = self.convert(frames, "--x-step-size", "2", "--negative-x")
        wanted, valid, _ = deskew(frames, step=2, direction=-1)
        self.assert_near(read_zarr(out), wanted, valid)
        scale, shift = read_json(os.path.join(out, ".zattrs"))["multiscales"][0]["datasets"][0][
            "coordinateTransformations"]
        self.assertAlmostEqual(shift["translation"][-1], -29 * 2)

    def test_start_and_stop_choose_frames(self):
        frames = scene(30, 16, 20)
        _, out = self.convert(frames, "--start", "4", "--stop", "19")
        wanted, valid, _ = deskew(frames[4:19])
        self.assert_near(read_zarr(out), wanted, valid)

    def test_any_orientation_is_applied_as_numpy_does(self):
        raw = scene(12, 10, 14)
        write_dcimg(self.path("0.dcimg"), raw)
        for turns in range(4):
            for flip in (False, True):
                with self.subTest(turns=turns, flip=flip):
                    options = ("--rotate-90", str(turns)) + (("--flip-ud",) if flip else ())
                    self.succeed("dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"),
                                 "--ngff", "--overwrite", *options)
                    oriented = np.stack([np.flipud(np.rot90(f, turns)) if flip else np.rot90(f, turns) for f in raw])
                    wanted, valid, _ = deskew(oriented)
                    self.assert_near(read_zarr(self.path("out")), wanted, valid)

    def test_chunk_size_and_levels_are_obeyed(self):
        import zarr

        frames = scene(40, 50, 60)
        _, out = self.convert(frames, "--chunk-size", "20,30,40", "--levels", "3")
        root = zarr.open(out, mode="r")
        self.assertEqual(sorted(root.array_keys()), ["0", "1", "2"])
        self.assertEqual(root["0"].chunks[-3:], (40, 30, 20))
        full, half = root["0"][0, 0].astype(float), root["1"][0, 0]
        padded = np.pad(full, [(0, n % 2) for n in full.shape], mode="edge")
        z, y, x = (n // 2 for n in padded.shape)
        mean = padded.reshape(z, 2, y, 2, x, 2).mean(axis=(1, 3, 5))
        self.assertEqual(half.shape, mean.shape)
        self.assertLessEqual(np.abs(half - mean).max(), 0.5)

    def test_result_does_not_depend_on_workers_and_memory(self):
        frames = scene(60, 64, 64)
        results = []
        for options in (("--n-workers", "1"), ("--n-workers", "4"), ("--n-writers", "3", "--memory", "64M")):
            _, out = self.convert(frames, "--overwrite", *options)
            results.append(read_zarr(out)[:])
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])

    def test_blockfs_is_the_default(self):
        frames = scene(20, 16, 16)
        raw = np.stack([raw_frame(frame) for frame in frames])
        write_dcimg(self.path("0.dcimg"), raw)
        self.succeed("--input", self.path("0.dcimg"), "--output", self.path("out"), program="dcimg2oblique")
        self.assertTrue(os.path.exists(self.path("out", "1_1_1", "precomputed.blockfs")))
        self.assertTrue(os.path.exists(self.path("out", "16_16_16", "precomputed.blockfs")))  # 5 levels
        info = read_json(self.path("out", "info"))
        self.assertEqual(info["scales"][0]["resolution"][:2], [1280, 1800])

    def test_shards_hold_the_same_volume_in_few_files(self):
        frames = scene(150, 60, 80)
        _, plain = self.convert(frames, "--levels", "2", "--chunk-size", "16,16,16")
        wanted = [read_zarr(plain, level)[:] for level in (0, 1)]
        ways = (("--zarr-format", "3", "--shard", "64,64,64"), ("--writer", "precomputed", "--shard", "64,64,64"))
        for way in ways:
            done = self.succeed("dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("sharded"), *LAB,
                                "--levels", "2", "--chunk-size", "16,16,16", "--overwrite", "--workers", "2", *way)
            self.assertIn("shards: ", done.stdout)
            for level in (0, 1):
                if way[0] == "--zarr-format":
                    voxels = zarr3.Array(self.path("sharded", str(level))).read()[0, 0]
                else:
                    voxels = precomputed.Volume(self.path("sharded")).read(level)[0]
                np.testing.assert_array_equal(voxels, wanted[level])
            self.assertLess(sum(len(files) for _, _, files in os.walk(self.path("sharded"))), 30)
            # The saved configuration says which writer it was, and its options.
            saved = read_json(self.path("sharded.config.json"))
            self.assertEqual(saved["writer"]["options"]["shard"], "64,64,64")
            self.assertNotIn("shard", saved["options"])
            again = self.path("again")
            self.succeed("dcimg2oblique", "--config", self.path("sharded.config.json"), "--output", again, "--overwrite",
                         "--workers", "1")
            for folder, _, files in os.walk(again):
                for name in files:
                    path = os.path.join(folder, name)
                    with open(path, "rb") as one, open(path.replace(again, self.path("sharded")), "rb") as other:
                        self.assertEqual(one.read(), other.read(), path)

    def test_options_of_another_writer_are_refused(self):
        frames = scene(20, 16, 16)
        write_dcimg(self.path("0.dcimg"), np.stack([raw_frame(frame) for frame in frames]))
        for more, says in ((("--shard", "64,64,64"), "shard"), (("--ngff", "--shard", "64,64,64"), "zarr-format 3"),
                           (("--zarr-format", "4"), "zarr-format"), (("--zarr-format", "3", "--shard", "64"), "three"),
                           (("--zarr-format", "3", "--writer", "blockfs"), "zarr-format"),
                           (("--zarr-format", "3", "--shard", "100,100,100", "--chunk-size", "64,64,64"), "whole chunks")):
            self.fail_with(2, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"), *more,
                           says=says)
            self.assertFalse(os.path.exists(self.path("out")))

    def test_stack2oblique_gives_the_same_volume(self):
        frames = scene(20, 16, 24)
        _, first = self.convert(frames)
        one = read_zarr(first)[:]
        _, second = self.convert(frames, "--overwrite", program="stack2oblique", command=())
        np.testing.assert_array_equal(one, read_zarr(second))

    def test_saved_configuration_repeats_the_run(self):
        frames = scene(25, 16, 24)
        _, out = self.convert(frames, "--x-step-size", "1.7", "--levels", "2", "--set", "writer.level=3")
        saved = read_json(out + ".config.json")
        self.assertEqual(saved["command"], "dcimg2oblique")
        self.assertEqual(saved["options"]["x-step-size"], 1.7)
        self.assertEqual(saved["writer"]["id"], "zarr")
        self.assertEqual(saved["writer"]["options"]["level"], 3)
        os.rename(out + ".config.json", self.path("again.json"))
        before = read_zarr(out)[:]
        self.fail_with(1, "dcimg2oblique", "--config", self.path("again.json"), says="--overwrite")
        self.succeed("dcimg2oblique", "--config", self.path("again.json"), "--output", self.path("two"))
        np.testing.assert_array_equal(before, read_zarr(self.path("two")))
        self.succeed("dcimg2oblique", "--config", self.path("again.json"), "--output", self.path("three"),
                     "--x-step-size", "2.5")
        self.assertNotEqual(before.shape, read_zarr(self.path("three")).shape)

    def test_configuration_mistakes_are_named(self):
        for text, says in (('{"options": {"levls": 3}}', "levls"), ('{"options": {"levels": "x"}}', "levels"),
                           ('{"writter": {}}', "writter"), ("{", "JSON")):
            with open(self.path("bad.json"), "w") as file:
                file.write(text)
            with self.subTest(text):
                self.fail_with(2, "dcimg2oblique", "--config", self.path("bad.json"), says=("bad.json", says))

    def test_silent_says_nothing_and_otherwise_a_summary_is_printed(self):
        frames = scene(20, 16, 24)
        done, _ = self.convert(frames, "--silent")
        self.assertEqual(done.stdout + done.stderr, "")
        done, out = self.convert(frames, "--overwrite")
        self.assertIn(f"{out}: ", done.stdout)

    def test_existing_output_is_refused_without_overwrite(self):
        frames = scene(20, 16, 24)
        _, out = self.convert(frames)
        before = read_zarr(out)[:]
        self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", out, "--stop", "5", "--ngff",
                       says=("out", "--overwrite"))
        np.testing.assert_array_equal(before, read_zarr(out))

    def test_overwrite_never_replaces_the_input(self):
        self.convert(scene(20, 16, 24))
        for output in (self.path("0.dcimg"), self.path("")):
            self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", output, "--overwrite",
                           says="is or holds the input")
        self.assertTrue(os.path.exists(self.path("0.dcimg")))

    def test_null_writer_counts_and_writes_nothing(self):
        write_dcimg(self.path("0.dcimg"), scene(20, 16, 24))
        first = self.succeed("dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("a"), "--writer",
                             "null", "--n-workers", "1")
        second = self.succeed("dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("b"), "--writer",
                              "null", "--n-workers", "2")
        self.assertEqual(first.stdout.splitlines()[1:], second.stdout.splitlines()[1:])
        self.assertIn("checksum", first.stdout)


if __name__ == "__main__":
    unittest.main()
