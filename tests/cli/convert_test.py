"""Volumes and stacks to other formats, whole and in part; several channels; what is damaged is named."""

import os
import subprocess
import unittest

import numpy as np
import tifffile

from cli_support import Case, read_json, run, scene, write_dcimg
from support import volume_tool
from support.volume_tool import noise, pyramid


class Convert(Case):
    def volume(self, name="in.zarr", shape=(37, 50, 61), levels=3, format="zarr", chunk=(16, 16, 16), seed=1, **more):
        arrays = pyramid(noise(shape, seed=seed), levels)
        volume_tool.write(format, self.path(name), arrays, chunk, voxel_um=[1.28, 1.8, 1.25],
                          origin_um=[10, 20, 30], **more)
        return arrays

    def level(self, name, level=0, format="zarr", **options):
        return volume_tool.read(format, self.path(name), **options)[0][level]

    def transforms(self, name, level=0):
        scale, shift = read_json(self.path(name, ".zattrs"))["multiscales"][0]["datasets"][level][
            "coordinateTransformations"]
        return scale["scale"][-3:], shift["translation"][-3:]

    def test_every_format_gives_the_voxels_to_every_other(self):
        full, _, _ = self.volume()
        self.succeed("convert", self.path("in.zarr"), self.path("blocks"), "--levels", "2")
        self.succeed("convert", self.path("blocks"), self.path("back.zarr"), "--chunk-size", "20,9,33")
        np.testing.assert_array_equal(self.level("blocks", format="blockfs"), full)
        np.testing.assert_array_equal(self.level("back.zarr"), full)
        self.assertEqual(self.transforms("back.zarr"), ([1.25, 1.8, 1.28], [30, 20, 10]))
        self.assertEqual(read_json(self.path("back.zarr.config.json"))["command"], "convert")

    def test_a_box_of_a_level_keeps_its_place(self):
        _, half, _ = self.volume()
        self.succeed("convert", self.path("in.zarr"), self.path("part.zarr"), "--level", "1", "--box", "3:29,5:,:17",
                     "--levels", "1")
        np.testing.assert_array_equal(self.level("part.zarr"), half[:17, 5:, 3:29])
        scale, shift = self.transforms("part.zarr")
        np.testing.assert_allclose(scale, [2.5, 3.6, 2.56])
        np.testing.assert_allclose(shift, [30 + 0.625, 20 + 0.9 + 5 * 3.6, 10 + 0.64 + 3 * 2.56])

    def test_result_does_not_depend_on_workers_and_memory(self):
        full, _, _ = self.volume(shape=(70, 90, 80))
        for i, options in enumerate((("--n-workers", "1"), ("--n-workers", "3"), ("--memory", "6M", "--levels", "1"))):
            self.succeed("convert", self.path("in.zarr"), self.path(f"{i}.zarr"), "--chunk-size", "24,24,24", *options)
            np.testing.assert_array_equal(self.level(f"{i}.zarr"), full)

    def test_a_stack_becomes_a_volume(self):
        frames = scene(9, 20, 31)
        write_dcimg(self.path("0.dcimg"), frames)
        done = self.succeed("convert", self.path("0.dcimg"), self.path("stack.zarr"), "--levels", "1")
        self.assertIn("--voxel-size", done.stderr)
        np.testing.assert_array_equal(self.level("stack.zarr"), frames)
        self.succeed("convert", self.path("0.dcimg"), self.path("turned.zarr"), "--levels", "1", "--voxel-size", "1,2,3",
                     "--rotate-90", "3", "--flip-ud", "--box", "2:15,:,4:")
        turned = np.stack([np.flipud(np.rot90(f, 3)) for f in frames])[4:, :, 2:15]
        np.testing.assert_array_equal(self.level("turned.zarr"), turned)
        self.assertEqual(self.transforms("turned.zarr"), ([3, 2, 1], [12, 0, 2]))

    def test_voxel_sizes_that_other_programs_wrote_into_tiff_files_are_kept(self):
        voxels = noise((4, 6, 7))
        um = "\N{MICRO SIGN}m"
        ome = {"axes": "ZYX", "PhysicalSizeX": 650.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.8, "PhysicalSizeYUnit": um,
               "PhysicalSizeZ": 0.0025, "PhysicalSizeZUnit": "mm"}
        imagej = {"axes": "ZYX", "spacing": 2.5}
        written = (
            ("ome", dict(ome=True, metadata=ome), (2.5, 0.8, 0.65)),
            ("um", dict(imagej=True, resolution=(1 / 0.65, 1 / 0.8), metadata=imagej | {"unit": "um"}), (2.5, 0.8, 0.65)),
            ("micro", dict(imagej=True, resolution=(1 / 0.65, 1 / 0.8), metadata=imagej | {"unit": "\\u00B5m"}), (2.5, 0.8, 0.65)),
            ("nm", dict(imagej=True, resolution=(1 / 650, 1 / 800), metadata={"axes": "ZYX", "spacing": -2500, "unit": "nm"}),
             (2.5, 0.8, 0.65)))
        for name, how, expected in written:
            tifffile.imwrite(self.path(name + ".tif"), voxels, **how)
            done = self.succeed("convert", self.path(name + ".tif"), self.path(name + ".zarr"), "--levels", "1")
            self.assertNotIn("--voxel-size", done.stderr, name)
            np.testing.assert_array_equal(self.level(name + ".zarr"), voxels)
            np.testing.assert_allclose(self.transforms(name + ".zarr")[0], expected, rtol=1e-6, err_msg=name)
        self.succeed("convert", self.path("um.tif"), self.path("given.zarr"), "--levels", "1", "--voxel-size", "1,2,3")
        self.assertEqual(self.transforms("given.zarr")[0], [3, 2, 1])
        # Pixels are no length, and a resolution without a unit says nothing.
        for i, how in enumerate((dict(imagej=True, resolution=(2, 2), metadata=imagej | {"unit": "pixel"}),
                                 dict(resolution=(2, 2), photometric="minisblack"))):
            tifffile.imwrite(self.path(f"{i}.tif"), voxels, **how)
            done = self.succeed("convert", self.path(f"{i}.tif"), self.path(f"{i}.zarr"), "--levels", "1")
            self.assertIn("--voxel-size", done.stderr)

    def test_requests_without_sense_are_refused_and_leave_nothing(self):
        self.volume()
        source, out = self.path("in.zarr"), self.path("out.zarr")
        for options, says in ((("--box", "0:62,:,:"), "reaches outside"), (("--box", "5:5,:,:"), "no voxels"),
                              (("--box", "9:5,:,:"), "no voxels"), (("--box", "1,2,3"), "not x0:x1"),
                              (("--box", "a:b,:,:"), "--box"), (("--level", "3"), "the coarsest is 2"),
                              (("--channels", "1"), "no channel 1"), (("--voxel-size", "1,2"), "three lengths"),
                              (("--channel-colors", "red"), "RRGGBB"), (("--channel-windows", "5:2"), "BLACK:WHITE"),
                              (("--channel-names", "a,b"), "2 for 1 channel"), (("--resume",), "one output")):
            with self.subTest(options=options):
                self.fail_with(2, "convert", source, out, *options, says=says)
        self.fail_with(1, "convert", self.path("none"), out, says="does not exist")
        self.fail_with(1, "convert", source, source, "--overwrite", says="input")
        self.fail_with(2, "convert", source, self.path("img_%03d"), says="ending")
        self.fail_with(2, "convert", source, says="lacks")
        self.assert_nothing_left("in.zarr")

    def test_several_channels_become_one_image_with_colours_and_windows(self):
        import zarr

        one, _, _ = self.volume("Ex_488.zarr", seed=1)
        two, _, _ = self.volume("Ex_561", format="blockfs", seed=2)
        out = self.path("both.zarr")
        self.succeed("convert", self.path("Ex_488.zarr"), self.path("Ex_561"), out, "--channel-names", "488,561",
                     "--channel-colors", "00FF00,ff0000", "--channel-windows", "80:130,90:200", "--levels", "2")
        root = zarr.open_group(out, "r")
        self.assertEqual(root["0"].shape, (1, 2) + one.shape)
        np.testing.assert_array_equal(root["0"][0, 0], one)
        np.testing.assert_array_equal(root["0"][0, 1], two)
        self.assertEqual(root["1"].shape[:2], (1, 2))
        looks = root.attrs["omero"]["channels"]
        self.assertEqual([(c["label"], c["color"].upper(), c["window"]["start"], c["window"]["end"]) for c in looks],
                         [("488", "00FF00", 80, 130), ("561", "FF0000", 90, 200)])

        # What is not said is chosen: names of the inputs, colours that differ, windows from the voxels.
        self.succeed("convert", out, self.path("Ex_561"), self.path("three.zarr"), "--zarr-format", "3", "--levels", "1")
        attributes = read_json(self.path("three.zarr", "zarr.json"))["attributes"]
        looks = (attributes.get("omero") or attributes["ome"]["omero"])["channels"]
        self.assertEqual([c["label"] for c in looks], ["both 0", "both 1", "Ex_561"])
        self.assertEqual(len({c["color"] for c in looks}), 3)
        for look in looks:
            self.assertTrue(0 < look["window"]["start"] < look["window"]["end"] < 200)
        for channel, voxels in enumerate((one, two, two)):
            self.succeed("convert", self.path("three.zarr"), self.path("%d.tif" % channel), "--channels", channel)
            np.testing.assert_array_equal(tifffile.imread(self.path("%d.tif" % channel)), voxels)
        self.fail_with(2, "convert", out, self.path("blocks"), says="zarr")
        self.fail_with(2, "convert", out, self.path("p", "%d.tif"), says="one channel")
        self.volume("small.zarr", shape=(37, 50, 60))
        self.fail_with(1, "convert", out, self.path("small.zarr"), self.path("x.zarr"), says="one shape")
        self.assertEqual(run("verify", self.path("three.zarr")).returncode, 0)

    def test_precomputed_and_shards_go_both_ways(self):
        full, _, _ = self.volume()
        self.succeed("convert", self.path("in.zarr"), self.path("a.precomputed"), "--levels", "2", "--chunk-size", "16,16,16")
        self.succeed("convert", self.path("a.precomputed"), self.path("b.zarr"), "--zarr-format", "3", "--shard", "32,32,32",
                     "--chunk-size", "16,16,16")
        self.succeed("convert", self.path("b.zarr"), self.path("all.tif"))
        np.testing.assert_array_equal(tifffile.imread(self.path("all.tif")), full)
        for name in "a.precomputed", "b.zarr":
            done = run("verify", self.path(name))
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_damaged_chunk_stops_the_conversion_and_is_named(self):
        self.volume(chunk=(32, 32, 32))
        with open(self.path("in.zarr", "0/0/0/1/0/1"), "r+b") as file:
            file.truncate(100)
        self.fail_with(1, "convert", self.path("in.zarr"), self.path("out"), says="in.zarr/0/0/0/1/0/1")
        self.assert_nothing_left("in.zarr")


class Planes(Case):
    """A file per plane."""

    def setUp(self):
        super().setUp()
        self.voxels = noise((37, 50, 61))
        volume_tool.write("blockfs", self.path("in"), [self.voxels, self.voxels[::2, ::2, ::2]], (16, 16, 16),
                          voxel_um=[1.28, 1.8, 1.25], origin_um=[10, 20, 30])
        self.pattern = self.path("planes", "z_%03d.tif")

    def content(self, z):
        with open(self.pattern % z, "rb") as file:
            return file.read()

    def assert_planes(self, voxels, first=0, pattern=None):
        for z, plane in enumerate(voxels, first):
            np.testing.assert_array_equal(tifffile.imread((pattern or self.pattern) % z), plane)

    def test_planes_have_the_voxels_and_their_place(self):
        self.succeed("convert", self.path("in"), self.pattern)
        self.assert_planes(self.voxels)
        self.assertEqual(len(os.listdir(self.path("planes"))), 38)  # and the configuration
        with tifffile.TiffFile(self.pattern % 3) as file:
            self.assertIn("1.28", file.pages[0].description)
            self.assertAlmostEqual(file.pages[0].tags["XResolution"].value[0] /
                                   file.pages[0].tags["XResolution"].value[1], 1 / 1.28, 5)

    def test_planes_come_back_with_the_size_and_the_place_of_their_voxels(self):
        for ending in ("tif", "jp2"):
            self.succeed("convert", self.path("in"), self.path(ending, "%04d." + ending), "--box", ":,:,2:")
            done = self.succeed("convert", self.path(ending), self.path(ending + ".zarr"), "--levels", "1", "--box", "3:,:,1:")
            self.assertNotIn("--voxel-size", done.stderr)
            scale, shift = read_json(self.path(ending + ".zarr", ".zattrs"))["multiscales"][0]["datasets"][0][
                "coordinateTransformations"]
            np.testing.assert_allclose(scale["scale"][-3:], [1.25, 1.8, 1.28], rtol=1e-6)
            np.testing.assert_allclose(shift["translation"][-3:], [30 + 3 * 1.25, 20, 10 + 3 * 1.28], rtol=1e-6)

    def test_one_file_of_many_pages_comes_back_as_the_volume(self):
        self.succeed("convert", self.path("in"), self.path("all.tif"))
        np.testing.assert_array_equal(tifffile.imread(self.path("all.tif")), self.voxels)
        self.succeed("convert", self.path("all.tif"), self.path("back.zarr"), "--levels", "1")
        np.testing.assert_array_equal(volume_tool.read("zarr", self.path("back.zarr"))[0][0], self.voxels)
        scale = read_json(self.path("back.zarr", ".zattrs"))["multiscales"][0]["datasets"][0][
            "coordinateTransformations"][0]["scale"]
        np.testing.assert_allclose(scale[-3:], [1.25, 1.8, 1.28], rtol=1e-6)

    def test_a_box_of_a_level_names_planes_by_their_z(self):
        self.succeed("convert", self.path("in"), self.pattern, "--level", "1", "--box", ":,3:,4:9")
        self.assert_planes(self.voxels[::2, ::2, ::2][4:9, 3:], first=4)
        self.assertFalse(os.path.exists(self.pattern % 0))

    def test_programs_of_the_original_take_its_options(self):
        pattern = self.path("new", "folder", "img_%04d.tiff")
        self.succeed("--input", self.path("in", "1_1_1", "precomputed.blockfs"), "--output-pattern", pattern, "--silent",
                     "--n-workers", "2", "--compression", "9", program="blockfs2tif")
        self.assert_planes(self.voxels, pattern=pattern)
        done = self.fail_with(1, "--input", self.path("in"), "--output-pattern", pattern, program="blockfs2tif",
                              says="exist")
        self.assertEqual(done.stdout, "")

        lossless = self.path("jp2", "img_%04d.jp2")
        self.succeed("--input", self.path("in"), "--output-pattern", lossless, program="blockfs2jp2k")
        self.succeed("convert", self.path("jp2", "*.jp2"), self.path("back.zarr"), "--levels", "1", "--voxel-size", "1,1,1")
        np.testing.assert_array_equal(volume_tool.read("zarr", self.path("back.zarr"))[0][0], self.voxels)
        self.succeed("--input", self.path("in"), "--output-pattern", self.path("lossy", "%d.jp2"), "--psnr", "60",
                     program="blockfs2jp2k")
        size = lambda folder: sum(f.stat().st_size for f in os.scandir(self.path(folder)))
        self.assertLess(size("lossy"), size("jp2") / 2)

    def test_frames_keep_their_numbers_and_times(self):
        write_dcimg(self.path("0.dcimg"), scene(9, 20, 31), counters=range(100, 109))
        self.succeed("convert", self.path("0.dcimg"), self.pattern, "--box", ":,:,4:")
        self.assert_planes(scene(9, 20, 31)[4:], first=4)
        with tifffile.TiffFile(self.pattern % 7) as file:
            text = file.pages[0].description
        self.assertIn("frame=7", text)
        self.assertIn("counter=107", text)

    def test_resume_writes_what_is_missing_and_leaves_the_rest(self):
        self.succeed("convert", self.path("in"), self.pattern)
        times = {z: os.stat(self.pattern % z).st_mtime_ns for z in range(37)}
        expected = {z: self.content(z) for z in (7, 20)}
        os.remove(self.pattern % 7)
        with open(self.pattern % 20, "r+b") as file:
            file.truncate(50)
        done = self.succeed("convert", self.path("in"), self.pattern, "--resume")
        self.assertIn("35 of which were there", done.stdout)
        self.assert_planes(self.voxels)
        for z, content in expected.items():
            self.assertEqual(self.content(z), content)
        kept = [z for z in times if os.stat(self.pattern % z).st_mtime_ns == times[z]]
        self.assertEqual(len(kept), 35)
        self.fail_with(2, "convert", self.path("in"), self.pattern, "--resume", "--level", "1", says="other options")

    def test_a_damaged_chunk_keeps_the_finished_planes(self):
        self.voxels[:] = np.maximum(self.voxels, 1)
        volume_tool.write("zarr", self.path("in.zarr"), [self.voxels], (16, 16, 16))
        with open(self.path("in.zarr", "0/0/0/1/0/1"), "r+b") as file:
            file.truncate(100)
        self.fail_with(1, "convert", self.path("in.zarr"), self.pattern, says="0/0/0/1/0/1")
        self.assert_planes(self.voxels[:16])
        self.assertEqual(len(os.listdir(self.path("planes"))), 17)

    def test_a_full_disk_keeps_finished_planes_and_resume_completes_them(self):
        voxels = noise((64, 128, 128)) + 1
        volume_tool.write("zarr", self.path("in.zarr"), [voxels], (16, 16, 16))
        disk = self.path("disk")
        os.mkdir(disk)
        mount = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", disk]
        if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("mounting a tmpfs needs root")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        pattern = os.path.join(disk, "z_%03d.tif")
        call = ("convert", self.path("in.zarr"), pattern, "--set", "writer.compression=none")
        self.fail_with(1, *call, says=(disk, "space"))
        there = sorted(os.listdir(disk))
        finished = [name for name in there if name.endswith(".tif")]
        self.assertTrue(16 <= len(finished) < 64, there)
        self.assertEqual(len(there), len(finished) + 1, "the configuration, and nothing unfinished")
        self.assert_planes(voxels[:len(finished)], pattern=pattern)
        subprocess.run(["mount", "-o", "remount,size=20M", disk], check=True)
        self.assertIn("of which were there", self.succeed(*call, "--resume").stdout)
        self.assert_planes(voxels, pattern=pattern)

    def test_frames_of_the_input_are_never_replaced(self):
        frames = noise((5, 9, 11))
        os.mkdir(self.path("stack"))
        for i, frame in enumerate(frames):
            tifffile.imwrite(self.path("stack", f"img_{i + 2}.tif"), frame)
        for source in (self.path("stack"), self.path("stack", "img_*.tif")):
            for output in ("img_%d.tif", "img_3.tif"):
                self.fail_with(1, "convert", source, self.path("stack", output), "--overwrite", says="input")
            self.fail_with(1, "--input", source, "--output-pattern", self.path("stack", "img_%d.tif"), "--overwrite",
                           says="input", program="dcimg2tif")
        os.symlink("nowhere", self.path("stack", "link.tif"))
        self.succeed("convert", self.path("stack"), self.path("stack", "plane_%d.jp2"))
        self.assert_planes(frames, first=2, pattern=self.path("stack", "img_%d.tif"))

    def test_patterns_that_cannot_work_are_refused(self):
        for pattern, options, says in (("p_%d_%d.tif", (), "more than one number"), ("p%s.tif", (), "percent"),
                                       ("p%d.tif", ("--levels", "2"), "one level")):
            self.fail_with(2, "convert", self.path("in"), self.path(pattern), *options, says=says)
        self.assert_nothing_left("in")


class Verify(Case):
    def lines(self, *arguments, code):
        done = run("verify", *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def test_whole_volumes_are_whole(self):
        for format in "zarr", "blockfs":
            volume_tool.write(format, self.path(format), pyramid(noise((40, 50, 60)), 3), (16, 16, 16))
            line, = self.lines(self.path(format), code=0)
            # 4·4·3 + 2·2·2 + 1 chunks
            self.assertIn("57 chunks", line)
            self.assertIn("nothing is damaged", line)

    def test_each_damaged_chunk_has_a_line(self):
        volume_tool.write("zarr", self.path("v.zarr"), pyramid(noise((40, 50, 60)), 2), (16, 16, 16))
        damaged = ["0/0/0/2/3/1", "0/0/0/2/1/0", "1/0/0/1/1/1"]
        for name in damaged[:2]:
            with open(self.path("v.zarr", name), "r+b") as file:
                file.truncate(os.path.getsize(file.name) - 5)
        with open(self.path("v.zarr", damaged[2]), "r+b") as file:
            file.write(b"\xff" * 16)
        lines = self.lines(self.path("v.zarr"), code=1)
        self.assertEqual(len(lines), 4, lines)
        for unit, name in zip(("level 0, chunk (1,3,2)", "level 0, chunk (0,1,2)", "level 1, chunk (1,1,1)"), damaged):
            line, = [line for line in lines if unit in line]
            self.assertIn(name, line)
        self.assertIn("3 damaged", lines[-1])

    def test_a_damaged_index_of_a_shard_is_named_once(self):
        volume_tool.write("zarr", self.path("v.zarr"), [noise((40, 50, 60)) + 1], (16, 16, 16))
        self.succeed("convert", self.path("v.zarr"), self.path("s.zarr"), "--zarr-format", "3", "--shard", "64,64,64",
                     "--chunk-size", "16,16,16", "--levels", "1")
        shard = self.path("s.zarr", "0/c/0/0/0/0/0")
        with open(shard, "r+b") as file:
            file.seek(-2, os.SEEK_END)
            file.write(b"xy")
        lines = self.lines(self.path("s.zarr"), code=1)
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("0/c/0/0/0/0/0", lines[0])
        self.assertIn("48 damaged", lines[1])

    def test_damage_of_blockfs_names_the_block(self):
        volume_tool.write("blockfs", self.path("v"), [noise((40, 50, 60))], (32, 32, 32))
        name = self.path("v", "1_1_1", "precomputed.blockfs.1")
        with open(name, "r+b") as file:
            file.truncate(os.path.getsize(name) // 2)
        lines = self.lines(self.path("v"), code=1)
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("level 0, chunk (1,0,0)", lines[0])

    def test_damaged_metadata_are_a_damaged_volume(self):
        volume_tool.write("zarr", self.path("v.zarr"), [noise((10, 10, 10))])
        with open(self.path("v.zarr", "0", ".zarray"), "w") as file:
            file.write("{")
        lines = self.lines(self.path("v.zarr"), code=1)
        self.assertEqual(len(lines), 2)
        self.assertIn(".zarray", lines[0])

    def test_levels_that_were_written_must_be_there(self):
        volume_tool.write("zarr", self.path("v.zarr"), [noise((30, 30, 30))])
        self.succeed("convert", self.path("v.zarr"), self.path("blocks"), "--levels", "3")
        self.lines(self.path("blocks"), code=0)
        os.rename(self.path("blocks", "4_4_4"), self.path("elsewhere"))
        lines = self.lines(self.path("blocks"), code=1)
        self.assertIn("3 levels, but 2 can be read", lines[0])

    def test_camera_files_are_decoded_to_their_end(self):
        write_dcimg(self.path("0.dcimg"), scene(12, 20, 31))
        self.assertIn("12 frames", self.lines(self.path("0.dcimg"), code=0)[0])
        with open(self.path("0.dcimg"), "r+b") as file:
            file.truncate(os.path.getsize(file.name) - 3000)
        lines = self.lines(self.path("0.dcimg"), code=1)
        self.assertIn("cut short", lines[0])
        self.assertIn("3 damaged", lines[-1])

    def test_several_inputs_are_verified_in_one_call(self):
        volume_tool.write("zarr", self.path("v.zarr"), [noise((10, 10, 10))])
        lines = self.lines(self.path("v.zarr"), self.path("missing"), code=1)
        self.assertEqual(len(lines), 3)
        self.assertIn("does not exist", lines[1])


if __name__ == "__main__":
    unittest.main()
