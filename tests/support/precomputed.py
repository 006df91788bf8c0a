"""Neuroglancer precomputed volumes with raw chunks, sharded and not, as the format's own documents describe them.

Independent of the program under test. Arrays are numpy, index order z, y, x.
"""
import gzip
import json
import os
import struct

import numpy as np

MASK32, MASK64 = 2 ** 32 - 1, 2 ** 64 - 1


def rotl32(x, r):
    return (x << r | x >> (32 - r)) & MASK32


def fmix32(h):
    h ^= h >> 16
    h = h * 0x85EBCA6B & MASK32
    h ^= h >> 13
    h = h * 0xC2B2AE35 & MASK32
    return h ^ h >> 16


def murmurhash3_x86_128_low64(key):
    """Of the eight bytes of `key`, seed 0."""
    c1, c2, c3 = 0x239B961B, 0xAB0E9789, 0x38B34AE5
    low, high = key & MASK32, key >> 32
    h = [0, 0, 0, 0]
    h[1] ^= rotl32(high * c2 & MASK32, 16) * c3 & MASK32
    h[0] ^= rotl32(low * c1 & MASK32, 15) * c2 & MASK32
    h = [v ^ 8 for v in h]
    for mix in (lambda v: v, fmix32):
        h = [mix(v) for v in h]
        h[0] = sum(h) & MASK32
        h[1:] = [(v + h[0]) & MASK32 for v in h[1:]]
    return h[0] | h[1] << 32


assert murmurhash3_x86_128_low64(1) == 0xE8BD67D616D4CE9A


def compressed_morton(position, grid):
    code = bit_out = 0
    for bit in range(64):
        for at, extent in zip(position, grid):
            if 1 << bit < extent:
                code |= (at >> bit & 1) << bit_out
                bit_out += 1
    return code


class Sharding:
    def __init__(self, fields):
        assert fields["@type"] == "neuroglancer_uint64_sharded_v1"
        self.preshift, self.minishard_bits, self.shard_bits = (
            fields[key] for key in ("preshift_bits", "minishard_bits", "shard_bits"))
        self.murmur = {"identity": False, "murmurhash3_x86_128": True}[fields["hash"]]
        self.gzip_index = {"raw": False, "gzip": True}[fields["minishard_index_encoding"]]
        self.gzip_data = {"raw": False, "gzip": True}[fields["data_encoding"]]
        self.table = 16 << self.minishard_bits

    def place(self, chunk_id):
        """(shard, minishard)"""
        key = chunk_id >> self.preshift
        if self.murmur:
            key = murmurhash3_x86_128_low64(key)
        return (key >> self.minishard_bits & ((1 << self.shard_bits) - 1), key & ((1 << self.minishard_bits) - 1))

    def name(self, shard):
        return "%0*x.shard" % (-(-self.shard_bits // 4), shard)

    def chunks(self, data):
        """{chunk id: bytes} of a shard's file."""
        found = {}
        for minishard in range(1 << self.minishard_bits):
            start, end = struct.unpack_from("<QQ", data, 16 * minishard)
            if start == end:
                continue
            index = data[self.table + start:self.table + end]
            if self.gzip_index:
                index = gzip.decompress(index)
            ids, gaps, sizes = np.frombuffer(index, "<u8").reshape(3, -1)
            chunk_id, at = 0, self.table
            for delta, gap, size in zip(ids, gaps, sizes):
                chunk_id = (chunk_id + int(delta)) & MASK64
                at = (at + int(gap)) & MASK64
                content = data[at:at + int(size)]
                assert len(content) == size
                found[chunk_id] = gzip.decompress(content) if self.gzip_data else content
                at += int(size)
        return found

    def build(self, chunks, random=None):
        """The file of one shard; with a `random`, chunks lie in any order in it."""
        order = sorted(chunks)
        if random:
            random.shuffle(order)
        places, body = {}, b""
        for chunk_id in order:
            content = gzip.compress(chunks[chunk_id]) if self.gzip_data else chunks[chunk_id]
            places[chunk_id] = len(body), len(content)
            body += content
        table = b""
        for minishard in range(1 << self.minishard_bits):
            ids = sorted(i for i in chunks if self.place(i)[1] == minishard)
            start = len(body)
            rows, last, end = [[], [], []], 0, 0
            for chunk_id in ids:
                offset, size = places[chunk_id]
                for row, value in zip(rows, (chunk_id - last, (offset - end) & MASK64, size)):
                    row.append(value)
                last, end = chunk_id, offset + size
            index = np.array(rows, "<u8").tobytes()
            body += gzip.compress(index) if self.gzip_index and ids else index
            table += struct.pack("<QQ", start, len(body))
        return table + body


class Volume:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "info")) as file:
            self.info = json.load(file)
        self.dtype = np.dtype(self.info["data_type"]).newbyteorder("<")
        self.channels = self.info["num_channels"]

    def boxes(self, scale):
        """(position in the grid, begin, end) of each chunk, x, y, z, without the offset."""
        size, chunk = scale["size"], scale["chunk_sizes"][0]
        grid = [-(-s // c) for s, c in zip(size, chunk)]
        for z, y, x in np.ndindex(*grid[::-1]):
            begin = [i * c for i, c in zip((x, y, z), chunk)]
            yield (x, y, z), grid, begin, [min(b + c, s) for b, c, s in zip(begin, chunk, size)]

    def name(self, scale, begin, end):
        offset = scale.get("voxel_offset", [0, 0, 0])
        return "_".join("%d-%d" % (b + o, e + o) for b, e, o in zip(begin, end, offset))

    def read_file(self, folder, name):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, "rb") as file:
                return file.read()
        if os.path.exists(path + ".gz"):
            with gzip.open(path + ".gz") as file:
                return file.read()
        return None

    def read(self, level=0):
        """[channel, z, y, x]"""
        scale = self.info["scales"][level]
        assert scale["encoding"] == "raw"
        folder = os.path.join(self.path, scale["key"])
        out = np.zeros([self.channels] + scale["size"][::-1], self.dtype)
        sharding = Sharding(scale["sharding"]) if scale.get("sharding") else None
        shards = {}
        for at, grid, begin, end in self.boxes(scale):
            if sharding:
                chunk_id = compressed_morton(at, grid)
                shard = sharding.place(chunk_id)[0]
                if shard not in shards:
                    data = self.read_file(folder, sharding.name(shard))
                    shards[shard] = sharding.chunks(data) if data is not None else {}
                data = shards[shard].get(chunk_id)
            else:
                data = self.read_file(folder, self.name(scale, begin, end))
            if data is None:
                continue
            size = [e - b for b, e in zip(begin, end)]
            box = tuple(slice(b, e) for b, e in zip(begin[::-1], end[::-1]))
            # Fortran order of x, y, z, channel is C order of channel, z, y, x.
            out[(slice(None),) + box] = np.frombuffer(data, self.dtype).reshape([self.channels] + size[::-1])
        return out


def write(path, levels, chunk, sharding=None, compressed=False, random=None, **more):
    """Writes `levels` ([channel,] z, y, x; finest first) as `info` and chunks of `chunk` (x, y, z) voxels; `sharding` is
    the format's own description. Chunks of zeros are left out."""
    levels = [level if level.ndim == 4 else level[None] for level in levels]
    scales = []
    for i, level in enumerate(levels):
        scale = dict(key="s%d" % i, size=level.shape[:0:-1], chunk_sizes=[list(chunk)], encoding="raw",
                     resolution=[1280 * 2 ** i, 1800 * 2 ** i, 1250 * 2 ** i], voxel_offset=[0, 0, 0])
        scale.update(more.get("scale", {}))
        if sharding:
            scale["sharding"] = sharding
        scales.append(scale)
    os.makedirs(path)
    with open(os.path.join(path, "info"), "w") as file:
        json.dump(dict({"@type": "neuroglancer_multiscale_volume", "data_type": levels[0].dtype.name,
                        "num_channels": len(levels[0]), "type": "image", "scales": scales},
                       **more.get("info", {})), file)
    volume = Volume(path)
    for scale, level in zip(volume.info["scales"], levels):
        folder = os.path.join(path, scale["key"])
        os.makedirs(folder)
        shards = {}
        for at, grid, begin, end in volume.boxes(scale):
            box = tuple(slice(b, e) for b, e in zip(begin[::-1], end[::-1]))
            content = level[(slice(None),) + box]
            if not content.any():
                continue
            data = content.astype(volume.dtype).tobytes()
            if sharding:
                chunk_id = compressed_morton(at, grid)
                shards.setdefault(Sharding(sharding).place(chunk_id)[0], {})[chunk_id] = data
                continue
            name = os.path.join(folder, volume.name(scale, begin, end))
            with (gzip.open(name + ".gz", "wb") if compressed else open(name, "wb")) as file:
                file.write(data)
        for shard, chunks in shards.items():
            with open(os.path.join(folder, Sharding(sharding).name(shard)), "wb") as file:
                file.write(Sharding(sharding).build(chunks, random))
