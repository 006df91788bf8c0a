"""blockfs volumes against an independent reader and writer of the format."""
import json
import os
import random
import tempfile
import unittest

import numpy as np

from support import blockfs_reader, volume_tool
from support.volume_tool import noise, pyramid


class Blockfs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "volume")

    def tearDown(self):
        self.folder.cleanup()

    def directory(self, key):
        return blockfs_reader.Directory(os.path.join(self.path, key, "precomputed.blockfs"))

    def test_independent_reader_gets_every_voxel(self):
        for shape, chunk, dtype in [((70, 129, 200), (64, 64, 64), "uint16"), ((70, 129, 200), (0, 0, 0), "uint8"),
                                    ((31, 37, 41), (7, 11, 13), "uint16"), ((1, 1, 1), (64, 64, 64), "uint16"),
                                    ((3, 2, 5), (64, 64, 64), "uint8")]:
            with self.subTest(shape=shape, chunk=chunk, dtype=dtype):
                levels = pyramid(noise(shape, dtype) + np.ones((), dtype), 3)
                levels[0][: shape[0] // 2] = 0
                path = self.path = self.path + "x"
                volume_tool.write("blockfs", path, levels, chunk, threads=2)
                for key, level in zip(["1_1_1", "2_2_2", "4_4_4"], levels):
                    directory = self.directory(key)
                    self.assertEqual(directory.dtype, np.dtype(dtype))
                    np.testing.assert_array_equal(directory.read(), level)
                    self.assertEqual(directory.block, tuple(c or 64 for c in chunk[::-1]))

    def test_every_codec_is_decoded_by_numcodecs(self):
        volume = noise((40, 50, 60))
        for codec in ["zstd", "lz4", "lz4hc", "blosclz", "zlib"]:
            for shuffle in ["bit", "byte", "none"]:
                path = self.path = self.path + "x"
                volume_tool.write("blockfs", path, [volume], options={"codec": codec, "shuffle": shuffle, "level": "2"})
                directory = self.directory("1_1_1")
                self.assertEqual(directory.fields["Compression"], codec)
                np.testing.assert_array_equal(directory.read(), volume)

    def test_bits_are_those_of_the_original_formula_or_more(self):
        volume_tool.write("blockfs", self.path, [noise((64, 128, 130))], options={"files": "2"})
        fields = self.directory("1_1_1").fields
        self.assertEqual(fields["NSizeBits"], 20)
        self.assertGreaterEqual(2 ** fields["NOffsetBits"], 3 * (64 ** 3 * 2 + 16))

    def test_reads_what_the_original_writes(self):
        for absolute in [True, False]:
            for shape, dtype in [((70, 129, 200), "uint16"), ((64, 64, 64), "uint8"), ((9, 9, 9), "uint16")]:
                with self.subTest(absolute=absolute, shape=shape):
                    volume = noise(shape, dtype)
                    level = os.path.join(self.folder.name, "%s_%d" % (absolute, shape[0]), "1_1_1")
                    os.makedirs(level)
                    before = os.getcwd()
                    os.chdir(level)  # what relative names of the original are relative to
                    try:
                        blockfs_reader.write("precomputed.blockfs", volume, files=3, absolute=absolute,
                                             order=random.Random(3))
                    finally:
                        os.chdir(before)
                    arrays, said = volume_tool.read("blockfs", os.path.dirname(level))
                    np.testing.assert_array_equal(arrays[0], volume)
                    self.assertEqual(said["type"], dtype)
                    self.assertEqual(said["described"]["codec"], "blosc zstd, byte shuffle")

    def test_volumes_of_the_original_are_read_after_moving(self):
        volume = noise((70, 80, 90))
        here = os.path.join(self.folder.name, "here", "1_1_1")
        os.makedirs(here)
        blockfs_reader.write(os.path.join(here, "precomputed.blockfs"), volume)
        with open(os.path.join(self.folder.name, "here", "info"), "w") as file:
            json.dump({"scales": [{"key": "1_1_1", "resolution": [1280, 1800, 1272], "mesh": "mesh",
                                   "voxel_offset": [0, 0, 0]}]}, file)
        there = os.path.join(self.folder.name, "there")
        os.rename(os.path.join(self.folder.name, "here"), there)
        arrays, said = volume_tool.read("blockfs", there)
        np.testing.assert_array_equal(arrays[0], volume)
        np.testing.assert_allclose(said["levels"][0]["voxel_um"], [1.28, 1.8, 1.272])

    def test_info_has_the_members_that_the_original_reads(self):
        volume_tool.write("blockfs", self.path, pyramid(noise((64, 65, 66)), 2), voxel_um=[1.28, 1.8, 1.8 / 2 ** 0.5])
        with open(os.path.join(self.path, "info")) as file:
            info = json.load(file)
        self.assertEqual((info["data_type"], info["type"], info["num_channels"]), ("uint16", "image", 1))
        self.assertEqual([s["key"] for s in info["scales"]], ["1_1_1", "2_2_2"])
        self.assertEqual(info["scales"][1]["size"], [33, 33, 32])
        self.assertEqual(info["scales"][1]["chunk_sizes"], [[64, 64, 64]])
        np.testing.assert_allclose(info["scales"][1]["resolution"], [2560, 3600, 3600 / 2 ** 0.5])
        self.assertNotIn(self.folder.name, json.dumps(info))


if __name__ == "__main__":
    unittest.main()
