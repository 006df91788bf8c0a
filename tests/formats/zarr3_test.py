"""Zarr v3 and OME-Zarr 0.5, sharded and not, against an independent reader and writer of the specification."""
import json
import os
import pathlib
import random
import struct
import unittest

import numpy as np

from support import volume_tool, zarr3
from support.volume_case import VolumeCase, files
from support.volume_tool import noise, pyramid
from support.zarr3 import BIG, CRC, LITTLE, codec, sharding

BLOSC = codec("blosc", cname="zstd", clevel=3, shuffle="shuffle", typesize=2, blocksize=0)


class Zarr3(VolumeCase):
    format = "zarr"
    given = {"zarr-format": "3"}

    def test_independent_reader_gets_every_voxel(self):
        for shape, chunk, dtype, options in [
                ((70, 129, 200), (64, 64, 64), "uint16", dict(shard="128,64,192")),
                ((70, 129, 200), (64, 64, 64), "uint16", dict()),
                ((70, 129, 60), (32, 16, 64), "uint8", dict(shard="512,512,512", shard_index="start")),
                ((31, 37, 41), (7, 11, 13), "uint16", dict(shard="14,22,26", shard_memory=0)),
                ((31, 37, 41), (8, 8, 8), "uint16", dict(shard="16,16,16", shard_memory=0, shard_index="start")),
                ((1, 1, 1), (0, 0, 0), "uint16", dict(shard="512,512,512")), ((3, 2, 5), (0, 0, 0), "uint8", dict())]:
            with self.subTest(shape=shape, chunk=chunk, dtype=dtype, options=options):
                levels = pyramid(noise(shape, dtype) + np.ones((), dtype), 3)
                levels[0][: shape[0] // 2] = 0
                path = self.write(levels, chunk, options=options)
                for i, level in enumerate(levels):
                    array = zarr3.Array(os.path.join(path, str(i)))
                    self.assertEqual(array.shape, (1, 1) + level.shape)
                    self.assertEqual(array.fields["dimension_names"], ["t", "c", "z", "y", "x"])
                    np.testing.assert_array_equal(array.read()[0, 0], level)
                arrays, said = self.read(path)
                for array, level in zip(arrays, levels):
                    np.testing.assert_array_equal(array, level)
                self.assertEqual(said["levels"][0]["chunk"], [c or 128 for c in chunk])
                self.assertEqual(said["type"], dtype)

    def test_every_codec_is_decoded(self):
        volume = noise((40, 50, 60))
        for options in [dict(compressor=c, level=n) for c in ("zstd", "gzip") for n in (1, 9)] + [
                dict(compressor="none")] + [dict(codec=c, shuffle=s) for c in ("zstd", "lz4", "blosclz", "zlib")
                                            for s in ("bit", "byte", "none")]:
            for shard in "", "64,64,64":
                with self.subTest(options=options, shard=shard):
                    path = self.write([volume], (32, 32, 32), options=dict(options, shard=shard))
                    np.testing.assert_array_equal(zarr3.Array(os.path.join(path, "0")).read()[0, 0], volume)

    def test_bytes_depend_neither_on_threads_nor_on_memory(self):
        levels = pyramid(noise((90, 100, 110)) + 1, 3)
        for location in "start", "end":
            wanted = files(self.write(levels, (16, 16, 16), 1, dict(shard="64,64,64", shard_index=location)))
            for threads, memory in [(4, 256), (4, 0), (3, 1)]:
                found = files(self.write(levels, (16, 16, 16), threads, dict(shard="64,64,64", shard_memory=memory,
                                                                               shard_index=location)))
                self.assertEqual(found, wanted)

    def test_zero_chunks_are_absent_and_zero_shards_have_no_file(self):
        volume = np.zeros((100, 100, 100), "uint16")
        volume[99, 70, 3] = 7
        path = self.write([volume], (16, 16, 16), options=dict(shard="64,64,64"))
        self.assertEqual(sorted(files(path)), ["0/c/0/0/1/1/0", "0/zarr.json", "zarr.json"])
        data = pathlib.Path(path, "0/c/0/0/1/1/0").read_bytes()
        places = np.frombuffer(data[-(16 * 64 + 4):-4], "<u8").reshape(4, 4, 4, 2)
        stored = np.argwhere(places[..., 0] != zarr3.ABSENT)
        np.testing.assert_array_equal(stored, [[2, 0, 0]])
        self.assertEqual(tuple(places[2, 0, 0]), (0, len(data) - 16 * 64 - 4))
        _, said = self.read(path)
        self.assertEqual(said["described"]["stored chunks"], "1")

    def test_metadata_are_ome_zarr_0_5(self):
        path = self.write(pyramid(noise((64, 65, 66)), 3), (0, 0, 0), voxel_um=[1.28, 1.8, 1.25],
                          origin_um=[30, 20, 10], name="brain",
                          options=dict(channel_name="488", channel_color="00ff00"))
        group = json.loads(pathlib.Path(path, "zarr.json").read_text())
        self.assertEqual((group["zarr_format"], group["node_type"]), (3, "group"))
        ome = group["attributes"]["ome"]
        self.assertEqual(ome["version"], "0.5")
        image, = ome["multiscales"]
        self.assertNotIn("version", image)
        self.assertEqual([(a["name"], a["type"], a.get("unit")) for a in image["axes"]],
                         [("t", "time", None), ("c", "channel", None)] +
                         [(n, "space", "micrometer") for n in "zyx"])
        for level, dataset in enumerate(image["datasets"]):
            f = 2 ** level
            scale, translation = dataset["coordinateTransformations"]
            np.testing.assert_allclose(scale["scale"], [1, 1, 1.25 * f, 1.8 * f, 1.28 * f])
            np.testing.assert_allclose(translation["translation"],
                                       [0, 0] + [o + (f - 1) / 2 * v for o, v in zip([10, 20, 30], [1.25, 1.8, 1.28])])
        channel, = ome["omero"]["channels"]
        self.assertEqual((channel["label"], channel["color"]), ("488", "00ff00"))
        _, said = self.read(path)
        np.testing.assert_allclose(said["levels"][1]["voxel_um"], [2.56, 3.6, 2.5])
        np.testing.assert_allclose(said["levels"][1]["origin_um"], [30.64, 20.9, 10.625])

    def test_reads_arrays_of_every_codec(self):
        volume = noise((33, 47, 50))
        chains = [[], [BLOSC], [codec("gzip", level=3)], [codec("zstd", level=2, checksum=False)], [CRC],
                  [codec("gzip", level=1), CRC], [CRC, BLOSC, CRC, CRC]]
        for chain in chains:
            for first in LITTLE, BIG:
                for shard in False, True:
                    with self.subTest(chain=chain, first=first, shard=shard):
                        codecs = [first] + chain
                        if shard:
                            codecs = [sharding((16, 8, 20), codecs, location=random.choice(["start", "end"]))]
                        path = self.fresh()
                        zarr3.create(path, volume, (32, 24, 60) if shard else (16, 47, 20), codecs)
                        arrays, said = self.read(path)
                        np.testing.assert_array_equal(arrays[0], volume)
                        self.assertEqual(said["levels"][0]["chunk"], [20, 8, 16] if shard else [20, 47, 16])

    def test_reads_every_form_of_an_index(self):
        volume = noise((33, 47, 50))
        zarr3.Shard.order = random.Random(5)
        try:
            for index in [(LITTLE, CRC), (LITTLE,), (BIG, CRC), (BIG, CRC, CRC)]:
                for location in "start", "end":
                    path = self.fresh()
                    zarr3.create(path, volume, (32, 48, 32), [sharding((8, 8, 16), index=index, location=location)])
                    np.testing.assert_array_equal(self.read(path)[0][0], volume)
        finally:
            zarr3.Shard.order = None

    def test_reads_every_form_of_keys_and_the_fill_value(self):
        volume = noise((9, 10, 11)) * np.uint16(2) + np.uint16(1)
        volume[:4, :4, :4] = 77
        for keys in [codec("default"), codec("default", separator="."), codec("v2"), codec("v2", separator="/")]:
            path = self.fresh()
            zarr3.create(path, volume, (8, 8, 8), [sharding((4, 4, 4))], keys=keys, fill=77,
                         unknown={"must_understand": False})
            np.testing.assert_array_equal(self.read(path)[0][0], volume)

    def test_reads_the_chosen_channel_and_time(self):
        data = np.random.default_rng(2).integers(0, 65536, (3, 5, 9, 8, 7), "uint16")
        for shard, chunk in [((1, 1, 8, 8, 8), (1, 1, 4, 4, 4)), ((2, 6, 8, 8, 8), (1, 2, 4, 4, 4)), (None, (2, 3, 9, 8, 7))]:
            path = self.fresh()
            zarr3.create(path, data, shard or chunk, [sharding(chunk)] if shard else [LITTLE])
            for t, c in [(0, 0), (2, 4), (1, 3)]:
                arrays, said = self.read(path, channel=str(c), time=str(t))
                np.testing.assert_array_equal(arrays[0], data[t, c])
                self.assertEqual(said["channels"], 5)
            self.assertIn("along axis c", self.refused(path, channel="5"))

    def changed(self, change):
        """The message for a valid sharded array whose metadata were changed."""
        path = self.fresh()
        zarr3.create(path, noise((16, 16, 16)) + 1, (16, 16, 16), [sharding((8, 8, 8))])
        file = pathlib.Path(path, "zarr.json")
        fields = json.loads(file.read_text())
        change(fields, fields["codecs"][0]["configuration"])
        file.write_text(json.dumps(fields))
        return self.refused(path)

    def test_what_cannot_be_read_is_said(self):
        transpose = codec("transpose", order=[2, 1, 0])
        self.assertIn('"transpose"', self.changed(lambda f, s: f.update(codecs=[transpose, LITTLE])))
        self.assertIn('"transpose"', self.changed(lambda f, s: s.update(codecs=[transpose, LITTLE])))
        self.assertIn('"sharding_indexed"', self.changed(lambda f, s: s.update(codecs=[sharding((4, 4, 4))])))
        self.assertIn("around whole shards", self.changed(lambda f, s: f["codecs"].append(CRC)))
        self.assertIn("index of its shards", self.changed(lambda f, s: s["index_codecs"].append(BLOSC)))
        self.assertIn('"lz4"', self.changed(lambda f, s: s["codecs"].append(codec("lz4"))))
        self.assertIn('"gzip"', self.changed(lambda f, s: s.update(codecs=[LITTLE, BLOSC, codec("gzip", level=1)])))
        self.assertIn("data_type", self.changed(lambda f, s: f.update(data_type="float32")))
        self.assertIn("regular", self.changed(lambda f, s: f.update(chunk_grid=codec("rectilinear"))))
        self.assertIn("chunk_key_encoding", self.changed(lambda f, s: f.update(chunk_key_encoding=codec("other"))))
        self.assertIn("storage_transformers", self.changed(lambda f, s: f.update(storage_transformers=[1])))
        self.assertIn('"future"', self.changed(lambda f, s: f.update(future={"name": "x"})))
        self.assertIn("whole chunks", self.changed(lambda f, s: s.update(chunk_shape=[8, 8, 7])))
        self.assertIn("three to five axes", self.changed(lambda f, s: s.update(chunk_shape=[8, 8])))
        self.assertIn("index_location", self.changed(lambda f, s: s.update(index_location="middle")))
        self.assertIn("node_type", self.changed(lambda f, s: f.update(node_type="table")))
        self.assertIn("zarr_format", self.changed(lambda f, s: f.update(zarr_format=4)))
        self.assertIn("multiscales", self.changed(lambda f, s: f.update(node_type="group")))

    def test_absurd_sizes_are_refused_before_anything_is_allocated(self):
        huge = 2 ** 39

        def grid(shard, chunk):
            def change(fields, configuration):
                fields["chunk_grid"]["configuration"]["chunk_shape"] = shard
                configuration["chunk_shape"] = chunk
            return self.changed(change)

        self.assertIn("more than", grid([huge] * 3, [1] * 3))
        self.assertIn("chunks of", grid([huge] * 3, [huge] * 3))
        self.assertIn("each extent", self.changed(lambda f, s: f.update(shape=[huge] * 3)))
        self.assertIn("integers", self.changed(lambda f, s: f.update(shape=[2 ** 63] * 3)))

    def test_damaged_shards_are_named(self):
        path = self.fresh()
        zarr3.create(path, noise((16, 16, 16)) + 1, (16, 16, 16), [sharding((8, 8, 8), [LITTLE, BLOSC])])
        file = pathlib.Path(path, "c/0/0/0")
        good = file.read_bytes()
        index = bytearray(good[-(16 * 8 + 4):-4])

        def with_entry(slot, offset, size):
            changed = bytearray(index)
            struct.pack_into("<QQ", changed, 16 * slot, offset, size)
            return good[:-len(index) - 4] + bytes(changed) + struct.pack("<I", zarr3.crc32c(bytes(changed)))

        end = len(good) - 16 * 8 - 4
        for bad, word in [(b"", "its index alone needs"), (good[:50], "its index alone needs"), (good[:-1], "checksum"),
                          (good[10:-1], "checksum"), (good[:-1] + bytes([good[-1] ^ 1]), "checksum"),
                          (good[:-20] + bytes([good[-20] ^ 1]) + good[-19:], "checksum"),
                          (with_entry(3, end, 1), "lies at byte"), (with_entry(3, 2 ** 64 - 1, 5), "lies at byte"),
                          (with_entry(3, 5, 2 ** 64 - 1), "lies at byte"), (with_entry(3, 2 ** 63, 2 ** 63), "lies at byte"),
                          (with_entry(3, 0, 0), "1 to"), (with_entry(3, 0, 20), "Blosc"), (with_entry(3, 3, 700), "Blosc"),
                          (b"\0" * 16 + good[16:], "Blosc")]:
            file.write_bytes(bad)
            message = self.refused(path)
            self.assertIn(word, message)
            self.assertIn(str(file), message)
        # Equal chunks may share their bytes: that chunks overlap is no damage.
        first = struct.unpack_from("<QQ", index)
        file.write_bytes(with_entry(3, *first))
        array = self.read(path)[0][0]
        np.testing.assert_array_equal(array[:8, 8:, 8:], array[:8, :8, :8])

    def test_checksums_of_chunks_are_compared(self):
        path = self.fresh()
        zarr3.create(path, noise((8, 8, 8)) + 1, (8, 8, 8), [LITTLE, CRC])
        file = pathlib.Path(path, "c/0/0/0")
        good = file.read_bytes()
        file.write_bytes(good[:100] + bytes([good[100] ^ 4]) + good[101:])
        self.assertIn("checksum", self.refused(path))

    def test_shards_that_do_not_fit_are_usage_errors(self):
        def message(chunk=(32, 32, 32), **options):
            return volume_tool.write("zarr", self.fresh(), [noise((9, 9, 9))], chunk, check=False,
                                     options={n.replace("_", "-"): v for n, v in options.items()})

        self.assertIn("whole chunks", message(zarr_format="3", shard="64,64,65"))
        self.assertIn("version 2 has no shards", message(shard="64,64,64"))
        for bad in "64", "64,64", "64,64,64,64", "64,64,x", "64,64,0", "-1,1,1", "64,64,64,", ",,", "1e3,1,1":
            self.assertIn("three numbers", message(zarr_format="3", shard=bad))
        self.assertIn("too large", message((1, 1, 1), zarr_format="3", shard="1024,1024,1024"))


if __name__ == "__main__":
    unittest.main()
