"""Neuroglancer precomputed volumes against an independent reader and writer of the format."""
import itertools
import json
import os
import pathlib
import random
import struct
import unittest

import numpy as np

from support import precomputed, volume_tool
from support.volume_case import VolumeCase, files
from support.volume_tool import noise, pyramid


def sharding(preshift=1, minishard=1, shard=2, hash="identity", index="gzip", data="gzip"):
    return {"@type": "neuroglancer_uint64_sharded_v1", "preshift_bits": preshift, "minishard_bits": minishard,
            "shard_bits": shard, "hash": hash, "minishard_index_encoding": index, "data_encoding": data}


class Precomputed(VolumeCase):
    format = "precomputed"

    def test_independent_reader_gets_every_voxel(self):
        for shape, chunk, dtype, options in [
                ((70, 129, 200), (64, 64, 64), "uint16", dict()),
                ((70, 129, 200), (0, 0, 0), "uint8", dict(compression="none")),
                ((70, 129, 200), (16, 16, 16), "uint16", dict(shard="64,64,64")),
                ((31, 37, 41), (7, 11, 13), "uint16", dict(shard="20,20,20", compression="none")),
                ((100, 20, 10), (4, 4, 4), "uint16", dict(shard="64,64,64", shard_memory=0)),
                ((20, 10, 300), (4, 2, 3), "uint8", dict(shard="3,3,3")),
                ((1, 1, 1), (0, 0, 0), "uint16", dict(shard="512,512,512")), ((3, 2, 5), (0, 0, 0), "uint8", dict())]:
            with self.subTest(shape=shape, chunk=chunk, dtype=dtype, options=options):
                levels = pyramid(noise(shape, dtype) + np.ones((), dtype), 3)
                levels[0][: shape[0] // 2] = 0
                path = self.write(levels, chunk, origin_um=[17, -100, 30.25], options=options)
                volume = precomputed.Volume(path)
                for i, level in enumerate(levels):
                    np.testing.assert_array_equal(volume.read(i)[0], level)
                arrays, said = self.read(path)
                for array, level in zip(arrays, levels):
                    np.testing.assert_array_equal(array, level)
                self.assertEqual(said["levels"][0]["chunk"], [c or 64 for c in chunk])
                self.assertEqual(said["type"], dtype)

    def test_bytes_of_shards_depend_neither_on_threads_nor_on_memory(self):
        levels = pyramid(noise((60, 70, 50)) + 1, 2)
        wanted = files(self.write(levels, (8, 8, 8), threads=1, options=dict(shard="32,32,32")))
        for threads, memory in [(4, 256), (4, 0)]:
            options = dict(shard="32,32,32", shard_memory=memory)
            self.assertEqual(files(self.write(levels, (8, 8, 8), threads=threads, options=options)), wanted)

    def test_names_follow_the_offset_and_the_edge(self):
        volume = np.zeros((70, 70, 70), "uint16")
        volume[69, 3, 69] = 1
        # Voxels of 1 um whose first centre is at 100.5: the corner of the volume is 100 voxels away.
        path = self.write([volume], (64, 64, 64), origin_um=[100.5, 0.5, -9.5], options=dict(compression="none"))
        self.assertEqual(sorted(files(path)), ["1_1_1/164-170_0-64_54-60", "info"])
        path = self.write([volume], (64, 64, 64), origin_um=[100.5, 0.5, -9.5])
        self.assertEqual(sorted(files(path)), ["1_1_1/164-170_0-64_54-60.gz", "info"])

    def test_info_describes_the_scales(self):
        path = self.write(pyramid(noise((64, 65, 66)), 3), (0, 0, 0), voxel_um=[1.28, 1.8, 1.25],
                          origin_um=[1000, 0.9, -50], options=dict(shard="512,512,512"))
        info = json.loads(pathlib.Path(path, "info").read_text())
        self.assertEqual((info["@type"], info["data_type"], info["type"], info["num_channels"]),
                         ("neuroglancer_multiscale_volume", "uint16", "image", 1))
        self.assertNotIn("mesh", info)
        for i, scale in enumerate(info["scales"]):
            np.testing.assert_allclose(scale["resolution"], [1280 * 2 ** i, 1800 * 2 ** i, 1250 * 2 ** i])
            # Whole voxels of the coarsest level, so that all levels begin at one place.
            self.assertEqual(scale["voxel_offset"], [780 >> i, 0, -40 >> i])
            self.assertEqual((scale["encoding"], scale["chunk_sizes"]), ("raw", [[64, 64, 64]]))
            self.assertEqual(scale["sharding"]["@type"], "neuroglancer_uint64_sharded_v1")
        _, said = self.read(path)
        for i, level in enumerate(said["levels"]):
            np.testing.assert_allclose(level["voxel_um"], np.array([1.28, 1.8, 1.25]) * 2 ** i)
            np.testing.assert_allclose(level["origin_um"], [o + (2 ** i - 1) / 2 * v for o, v in
                                                            zip([1000, 0.9, -50], [1.28, 1.8, 1.25])])

    def test_a_shard_holds_a_box_and_few_files_hold_the_volume(self):
        volume = noise((256, 256, 256)) + 1
        path = self.write([volume], (32, 32, 32), options=dict(shard="128,128,128", compression="none"))
        self.assertEqual(sorted(files(path)), ["1_1_1/%x.shard" % i for i in range(8)] + ["info"])
        data = pathlib.Path(path, "1_1_1/7.shard").read_bytes()
        self.assertGreater(len(data), 128 ** 3 * 2)
        fields = json.loads(pathlib.Path(path, "info").read_text())["scales"][0]["sharding"]
        self.assertEqual((fields["preshift_bits"], fields["minishard_bits"], fields["shard_bits"]), (6, 0, 3))

    def test_reads_what_others_write(self):
        levels = pyramid(noise((33, 47, 50)), 2)
        encodings = itertools.cycle([("raw", "raw"), ("gzip", "gzip"), ("raw", "gzip")])
        for how in [None] + [sharding(*bits, hash=h, index=i, data=d)
                             for (bits, h), (i, d) in zip(itertools.product(
                                 [(1, 1, 2), (0, 0, 0), (3, 2, 9), (0, 5, 0), (2, 0, 4)],
                                 ["identity", "murmurhash3_x86_128"]), encodings)]:
            for compressed in (False, True) if how is None else (False,):
                with self.subTest(how=how, compressed=compressed):
                    path = self.fresh()
                    precomputed.write(path, levels, (16, 8, 32), how, compressed, random.Random(4),
                                      scale=dict(voxel_offset=[10, -20, 0]))
                    arrays, said = self.read(path)
                    for array, level in zip(arrays, levels):
                        np.testing.assert_array_equal(array, level)
                    # Precomputed places corners: the first centre is half a voxel further.
                    np.testing.assert_allclose(said["levels"][0]["origin_um"], [10.5 * 1.28, -19.5 * 1.8, 0.625])

    def test_voxels_may_begin_like_a_compressed_file(self):
        path = self.fresh()
        precomputed.write(path, [np.full((3, 4, 5), 0x8b1f, "uint16")], (16, 16, 16))
        np.testing.assert_array_equal(self.read(path)[0][0], 0x8b1f)

    def test_reads_compressed_files_that_do_not_say_so(self):
        volume = noise((20, 20, 20)) + 1
        path = self.fresh()
        precomputed.write(path, [volume], (16, 16, 16), compressed=True)
        for name in files(path):
            if name.endswith(".gz"):
                os.rename(os.path.join(path, name), os.path.join(path, name[:-3]))
        np.testing.assert_array_equal(self.read(path)[0][0], volume)

    def test_reads_the_chosen_channel(self):
        channels = np.stack([noise((20, 30, 40), seed=s) for s in range(3)])
        for how in None, sharding():
            path = self.fresh()
            precomputed.write(path, [channels], (16, 16, 16), how)
            for c in range(3):
                arrays, said = self.read(path, channel=str(c))
                np.testing.assert_array_equal(arrays[0], channels[c])
                self.assertEqual(said["channels"], 3)
            self.assertIn("3 channels", self.refused(path, channel="3"))

    def test_what_cannot_be_read_is_said(self):
        def message(change):
            path = self.fresh()
            precomputed.write(path, [noise((20, 20, 20))], (16, 16, 16), sharding())
            file = pathlib.Path(path, "info")
            info = json.loads(file.read_text())
            change(info, info["scales"][0])
            file.write_text(json.dumps(info))
            return self.refused(path)

        for member, value in [("@type", "neuroglancer_legacy_mesh"), ("data_type", "float32"), ("num_channels", 0),
                              ("num_channels", 2 ** 40), ("scales", [])]:
            self.assertIn(member.strip("@"), message(lambda i, s: i.update({member: value})))
        for member, value in [("encoding", "jpeg"), ("size", [0, 1, 1]), ("size", [2 ** 50, 1, 1]), ("size", [1, 1]),
                              ("chunk_sizes", []), ("chunk_sizes", [[0, 1, 1]]), ("resolution", [1, 1, -1]),
                              ("resolution", "x"), ("voxel_offset", [0.5, 0, 0]), ("voxel_offset", [1e300, 0, 0]),
                              ("key", "../other"), ("key", "/etc"), ("key", 1)]:
            self.assertIn(member, message(lambda i, s: s.update({member: value})))
        self.assertIn("extent", message(lambda i, s: s.update(size=[2 ** 39] * 3)))
        self.assertIn("extent", message(lambda i, s: s.update(chunk_sizes=[[2 ** 20] * 3])))
        self.assertIn("bits", message(lambda i, s: s.update(size=[2 ** 30, 2 ** 20, 1], chunk_sizes=[[1, 1, 1]],
                                                             sharding=sharding(shard=65))))
        for member, value in [("@type", "x"), ("preshift_bits", -1), ("minishard_bits", 33), ("shard_bits", 64),
                              ("hash", "md5"), ("minishard_index_encoding", "zip"), ("data_encoding", 1)]:
            self.assertIn(member, message(lambda i, s: s["sharding"].update({member: value})))
        path = self.fresh()
        self.assertIn("no info", self.refused(path))
        volume_tool.write("blockfs", path, [noise((9, 9, 9))])
        self.assertIn("blockfs", self.refused(path))

    def test_damaged_shards_are_named(self):
        path = self.fresh()
        volume = noise((32, 32, 32)) + 1
        precomputed.write(path, [volume], (16, 16, 16), sharding(1, 1, 1, index="raw", data="raw"))
        file = pathlib.Path(path, "s0", "0.shard")
        good = file.read_bytes()
        start, end = struct.unpack_from("<QQ", good)
        index = np.frombuffer(good[32 + start:32 + end], "<u8").reshape(3, -1)

        def with_table(begin, stop):
            return struct.pack("<QQ", begin, stop) + good[16:]

        def with_index(row, column, value):
            changed = index.copy()
            changed[row, column] = value
            return good[:32 + start] + changed.tobytes() + good[32 + end:]

        for bad, word in [(b"", "table"), (good[:20], "table"), (with_table(5, 3), "its table"),
                          (with_table(0, 2 ** 64 - 1), "its table"), (with_table(2 ** 63, 2 ** 63 + 24), "its table"),
                          (with_table(start, end - 1), "three rows"), (with_index(1, 0, 2 ** 64 - 5), "lies at byte"),
                          (with_index(1, 1, 2 ** 63), "lies at byte"), (with_index(2, 0, 2 ** 64 - 1), "lies at byte"),
                          (with_index(2, 0, 0), "1 to"), (with_index(2, 0, 77), "77 bytes where"), (good[:-1], "its table")]:
            file.write_bytes(bad)
            message = self.refused(path)
            self.assertIn(word, message)
            self.assertIn(str(file), message)

    def test_damaged_compressed_shards_are_named(self):
        path = self.fresh()
        precomputed.write(path, [noise((32, 32, 32)) + 1], (16, 16, 16), sharding(3, 0, 0))
        file = pathlib.Path(path, "s0", "0.shard")
        good = file.read_bytes()
        start, end = struct.unpack_from("<QQ", good)
        for at in 16 + 30, 16 + start + 15:
            file.write_bytes(good[:at] + bytes(20) + good[at + 20:])
            self.assertIn(str(file), self.refused(path))

    def test_damaged_files_are_named(self):
        path = self.fresh()
        precomputed.write(path, [noise((16, 16, 16)) + 1], (16, 16, 16), compressed=True)
        chunk = os.path.join(path, "s0", "0-16_0-16_0-16.gz")
        good = pathlib.Path(chunk).read_bytes()
        for bad in [b"", good[:-1], good + b"x", good[:20], b"\0" * len(good), good * 4000]:
            pathlib.Path(chunk).write_bytes(bad)
            self.assertIn(chunk, self.refused(path))


if __name__ == "__main__":
    unittest.main()
