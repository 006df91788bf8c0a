"""OME-Zarr against python3-zarr, both ways."""
import json
import os
import pathlib
import tempfile
import unittest

import numcodecs
import numpy as np
import zarr

from support import volume_tool
from support.volume_tool import noise, pyramid


class Zarr(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "volume.zarr")

    def tearDown(self):
        self.folder.cleanup()

    def refused(self, path, **options):
        with self.assertRaises(RuntimeError) as caught:
            volume_tool.read("zarr", path, **options)
        return str(caught.exception)

    def test_zarr_reads_every_voxel(self):
        for i, (shape, chunk, dtype) in enumerate([
                ((70, 129, 200), (64, 64, 64), "uint16"), ((70, 129, 200), (0, 0, 0), "uint8"),
                ((31, 37, 41), (7, 11, 13), "uint16"), ((1, 1, 1), (128, 128, 128), "uint16"),
                ((3, 2, 5), (64, 32, 16), "uint8")]):
            with self.subTest(shape=shape, chunk=chunk, dtype=dtype):
                path = "%s.%d" % (self.path, i)
                levels = pyramid(noise(shape, dtype), 3)
                volume_tool.write("zarr", path, levels, chunk, threads=2)
                group = zarr.open_group(path, "r")
                for level, array in enumerate(levels):
                    stored = group[str(level)]
                    self.assertEqual(stored.shape, (1, 1) + array.shape)
                    self.assertEqual(stored.chunks, (1, 1) + tuple(c or 128 for c in chunk[::-1]))
                    self.assertEqual(stored.dtype, array.dtype)
                    self.assertEqual(stored.fill_value, 0)
                    np.testing.assert_array_equal(stored[0, 0], array)

    def test_every_codec_is_decoded(self):
        volume = noise((40, 50, 60))
        for codec in ["zstd", "lz4", "lz4hc", "blosclz", "zlib"]:
            for number, shuffle in enumerate(["none", "byte", "bit"]):
                path = self.path + codec + shuffle
                volume_tool.write("zarr", path, [volume], options={"codec": codec, "shuffle": shuffle, "level": "2"})
                array = zarr.open_group(path, "r")["0"]
                np.testing.assert_array_equal(array[0, 0], volume)
                self.assertEqual((array.compressor.cname, array.compressor.clevel, array.compressor.shuffle),
                                 (codec, 2, number))

    def test_zero_chunks_are_absent_and_edges_padded(self):
        volume = np.zeros((100, 100, 100), "uint16")
        volume[99, 99, 0] = 7
        volume_tool.write("zarr", self.path, [volume], (64, 64, 64))
        files = [os.path.relpath(os.path.join(root, name), self.path)
                 for root, _, names in os.walk(os.path.join(self.path, "0")) for name in names]
        self.assertEqual(sorted(files), ["0/.zarray", "0/0/0/1/1/0"])
        with open(os.path.join(self.path, "0/0/0/1/1/0"), "rb") as file:
            block = np.frombuffer(numcodecs.Blosc().decode(file.read()), "<u2").reshape(64, 64, 64)
        self.assertEqual(block[35, 35, 0], 7)
        self.assertEqual(block.sum(), 7)

    def test_metadata_are_ome_ngff_0_4(self):
        levels = pyramid(noise((64, 65, 66)), 3)
        volume_tool.write("zarr", self.path, levels, voxel_um=[1.28, 1.8, 1.25], origin_um=[30, 20, 10], name="brain",
                          options={"channel-name": "488", "channel-color": "00ff00"})
        attributes = zarr.open_group(self.path, "r").attrs.asdict()
        image, = attributes["multiscales"]
        self.assertEqual((image["version"], image["name"], image["type"]), ("0.4", "brain", "mean"))
        self.assertIn("method", image["metadata"])
        self.assertEqual([(a["name"], a["type"], a.get("unit")) for a in image["axes"]],
                         [("t", "time", None), ("c", "channel", None)] +
                         [(n, "space", "micrometer") for n in "zyx"])
        for level, dataset in enumerate(image["datasets"]):
            f = 2 ** level
            self.assertEqual(dataset["path"], str(level))
            scale, translation = dataset["coordinateTransformations"]
            self.assertEqual((scale["type"], translation["type"]), ("scale", "translation"))
            np.testing.assert_allclose(scale["scale"], [1, 1, 1.25 * f, 1.8 * f, 1.28 * f])
            np.testing.assert_allclose(translation["translation"],
                                       [0, 0] + [o + (f - 1) / 2 * v for o, v in zip([10, 20, 30], [1.25, 1.8, 1.28])])
        channel, = attributes["omero"]["channels"]
        self.assertEqual((channel["label"], channel["color"], channel["active"], channel["family"]),
                         ("488", "00ff00", True, "linear"))
        window = channel["window"]
        # Poisson noise around 100: the middle 98.9 % of what is not zero.
        self.assertEqual((window["min"], window["max"]), (0, 65535))
        self.assertTrue(70 < window["start"] < 85 and 120 < window["end"] < 150, window)
        with open(os.path.join(self.path, ".zgroup")) as file:
            self.assertEqual(json.load(file), {"zarr_format": 2})

    def test_window_is_valid_whatever_the_voxels_are(self):
        for i, (dtype, value) in enumerate([("uint16", 0), ("uint16", 65535), ("uint8", 255), ("uint8", 1)]):
            path = "%s.%d" % (self.path, i)
            volume_tool.write("zarr", path, [np.full((5, 5, 5), value, dtype)])
            window = zarr.open_group(path, "r").attrs["omero"]["channels"][0]["window"]
            self.assertTrue(window["min"] <= window["start"] < window["end"] <= window["max"], window)

    def test_reads_arrays_of_zarr(self):
        volume = noise((33, 47, 50))
        compressors = [None, numcodecs.Blosc("lz4", 5, 1), numcodecs.Blosc("zstd", 3, 2), numcodecs.Zlib(3),
                       numcodecs.GZip(2), numcodecs.Zstd(4)]
        for i, compressor in enumerate(compressors):
            for separator in ".", "/":
                for dtype in "|u1", "<u2", ">u2":
                    with self.subTest(compressor=compressor, separator=separator, dtype=dtype):
                        path = "%s.%d.%s.%s" % (self.path, i, "dot" if separator == "." else "slash", dtype[1:] + ("big" if dtype[0] == ">" else ""))
                        data = volume if dtype != ">u2" else volume * 257
                        array = zarr.open_array(path, "w", shape=volume.shape, chunks=(16, 47, 20), dtype=dtype,
                                                compressor=compressor, dimension_separator=separator, fill_value=0)
                        array[:] = data
                        arrays, said = volume_tool.read("zarr", path)
                        np.testing.assert_array_equal(arrays[0], data)
                        self.assertEqual(said["type"], "uint8" if dtype == "|u1" else "uint16")
                        self.assertEqual(said["levels"][0]["chunk"], [20, 47, 16])

    def test_missing_chunks_have_the_fill_value(self):
        array = zarr.open_array(self.path, "w", shape=(20, 20, 20), chunks=(8, 8, 8), dtype="<u2", fill_value=77)
        array[0, 0, 0] = 5
        expected = np.full((20, 20, 20), 77)
        expected[0, 0, 0] = 5
        arrays, said = volume_tool.read("zarr", self.path)
        np.testing.assert_array_equal(arrays[0], expected)
        self.assertEqual(said["described"]["stored chunks"], "1")

    def test_reads_the_chosen_channel_and_time(self):
        random = np.random.default_rng(2)
        data = random.integers(0, 65536, (3, 5, 9, 8, 7), "uint16")
        for name, chunks in [("apart", (1, 1, 4, 4, 4)), ("together", (2, 3, 9, 8, 7))]:
            path = self.path + name
            zarr.open_array(path, "w", shape=data.shape, chunks=chunks, dtype="<u2")[:] = data
            for t, c in [(0, 0), (2, 4), (1, 3)]:
                arrays, _ = volume_tool.read("zarr", path, channel=str(c), time=str(t))
                np.testing.assert_array_equal(arrays[0], data[t, c])
            self.assertIn("along axis c", self.refused(path, channel="5"))
        path = self.path + "four"
        zarr.open_array(path, "w", shape=data.shape[1:], chunks=(1, 4, 4, 4), dtype="<u2")[:] = data[0]
        arrays, _ = volume_tool.read("zarr", path, channel="2")
        np.testing.assert_array_equal(arrays[0], data[0, 2])

    def image(self, axes, datasets, shape=(1, 1, 8, 8, 8), **more):
        group = zarr.open_group(self.path, "w")
        for i, _ in enumerate(datasets):
            array = group.create_dataset(str(i), shape=shape, chunks=(1,) * (len(shape) - 3) + (4, 4, 4), dtype="<u2")
            array[:] = 3 + i
        image = dict(version="0.4", datasets=[dict(path=str(i), **d) for i, d in enumerate(datasets)], **more)
        if axes is not None:
            image["axes"] = axes
        group.attrs["multiscales"] = [image]

    def test_reads_scales_and_translations_in_any_unit(self):
        def axes(unit):
            return [{"name": "c", "type": "channel"}] + [{"name": n, "type": "space", "unit": unit} for n in "zyx"]

        for unit, factor in [("micrometer", 1), ("nanometer", 1e-3), ("millimeter", 1e3), ("meter", 1e6)]:
            self.image(axes(unit), [{"coordinateTransformations": [
                {"type": "scale", "scale": [1, 3, 2, 1]}, {"type": "translation", "translation": [0, 30, 20, 10]}]}],
                       shape=(1, 8, 8, 8), coordinateTransformations=[{"type": "scale", "scale": [1, 2, 2, 2]},
                                                                      {"type": "translation", "translation": [0, 5, 0, 0]}])
            _, said = volume_tool.read("zarr", self.path)
            np.testing.assert_allclose(said["levels"][0]["voxel_um"], np.array([2, 4, 6]) * factor)
            np.testing.assert_allclose(said["levels"][0]["origin_um"], np.array([20, 40, 65]) * factor)

    def test_images_without_places_are_read_with_unknown_voxel_size(self):
        self.image(None, [{}, {}])
        arrays, said = volume_tool.read("zarr", self.path)
        self.assertEqual([a[0, 0, 0] for a in arrays], [3, 4])
        self.assertEqual(said["levels"][0]["voxel_um"], [0, 0, 0])

    def test_what_cannot_be_read_is_said(self):
        def array(name, **how):
            path = self.path + name
            settings = dict(shape=(8, 8, 8), chunks=(4, 4, 4), dtype="<u2")
            settings.update(how)
            zarr.open_array(path, "w", **settings)[:] = 1
            return self.refused(path)

        self.assertIn("uint8 or uint16", array("float", dtype="<f4"))
        self.assertIn("Fortran", array("fortran", order="F"))
        self.assertIn("filters", array("filter", filters=[numcodecs.Delta("<u2")]))
        self.assertIn("bz2", array("bz2", compressor=numcodecs.BZ2(1)))
        self.assertIn("three to five axes", array("flat", shape=(8, 8), chunks=(4, 4)))
        os.makedirs(self.path)
        self.assertIn("no .zarray", self.refused(self.path))
        pathlib.Path(self.path, "zarr.json").write_text("{}")
        self.assertIn("zarr_format", self.refused(self.path))

    def test_damaged_chunks_are_named(self):
        for compressor in [None, numcodecs.Blosc("zstd", 3, 2), numcodecs.Zlib(3), numcodecs.GZip(2), numcodecs.Zstd(4)]:
            with self.subTest(compressor=compressor):
                zarr.open_array(self.path, "w", shape=(8, 8, 8), chunks=(8, 8, 4), dtype="<u2",
                                compressor=compressor)[:] = noise((8, 8, 8)) + 1
                chunk = os.path.join(self.path, "0.0.1")
                good = pathlib.Path(chunk).read_bytes()
                for bad in [b"", good[:-1], good + b"x", good[:20], b"\0" * len(good), good * 40000]:
                    if compressor is None and len(bad) == len(good):
                        continue
                    pathlib.Path(chunk).write_bytes(bad)
                    self.assertIn(chunk, self.refused(self.path))


if __name__ == "__main__":
    unittest.main()
