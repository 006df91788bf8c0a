"""Reads and writes blockfs from the rules of the format alone; numcodecs only decodes and encodes Blosc frames.

Independent of the program under test: nothing here was derived from its code.
"""
import json
import math
import os
import struct

import numpy as np
from numcodecs import Blosc

MAGIC = b"BlockFS\0"


class Directory:
    """One level: the directory file and its block files."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            assert file.read(8) == MAGIC
            size, self.entries_at = struct.unpack("<II", file.read(8))
            self.fields = json.loads(file.read(size).decode("utf-8"))
        f = self.fields
        self.shape = (f["ZExtent"], f["YExtent"], f["XExtent"])
        self.block = (f["ZBlockSize"], f["YBlockSize"], f["XBlockSize"])
        self.stride = (f["ZStride"], f["YStride"], f["XStride"])
        self.dtype = np.dtype(f["DType"])
        self.entry_bytes = (f["NOffsetBits"] + f["NSizeBits"] + 7) // 8
        self.length = os.path.getsize(path)

    def entry(self, index):
        """Position in the list of entries of block (z, y, x)."""
        return sum(i * s for i, s in zip(index, self.stride))

    def place(self, index):
        at = self.entries_at + self.entry(index) * self.entry_bytes
        if at + self.entry_bytes > self.length:
            return 0, 0
        with open(self.path, "rb") as file:
            file.seek(at)
            value = int.from_bytes(file.read(self.entry_bytes), "little")
        offset_bits, size_bits = self.fields["NOffsetBits"], self.fields["NSizeBits"]
        return value & (2 ** offset_bits - 1), (value >> offset_bits) & (2 ** size_bits - 1)

    def read_block(self, index):
        begin = [i * b for i, b in zip(index, self.block)]
        shape = [min(b, s - i) for i, b, s in zip(begin, self.block, self.shape)]
        offset, size = self.place(index)
        if size == 0:
            return np.zeros(shape, self.dtype)
        names = self.fields["BlockFilenames"]
        name = names[self.entry(index) % len(names)]
        with open(os.path.join(os.path.dirname(self.path), name), "rb") as file:
            file.seek(offset)
            frame = file.read(size)
        # The original takes the codec's name from the directory; the frame says the same itself.
        data = Blosc(self.fields["Compression"], self.fields["CompressionLvl"]).decode(frame)
        return np.frombuffer(data, self.dtype).reshape(shape)

    def read(self):
        volume = np.zeros(self.shape, self.dtype)
        grid = [-(-s // b) for s, b in zip(self.shape, self.block)]
        for index in np.ndindex(*grid):
            block = self.read_block(index)
            at = tuple(slice(i * b, i * b + n) for i, b, n in zip(index, self.block, block.shape))
            volume[at] = block
        return volume


def write(path, volume, block=(64, 64, 64), files=2, absolute=True, order=None):
    """Writes one level as the original does: its bit counts, entries only up to the last stored block, blocks in
    whatever order they come, names absolute or as `path` was given. `block` is (z, y, x)."""
    grid = [-(-s // b) for s, b in zip(volume.shape, block)]
    stride = (grid[1] * grid[2], grid[2], 1)
    largest = math.prod(block) * volume.dtype.itemsize + 16
    # The original counts one block too many on each axis here.
    last = sum(((s + b - 1) // b) * t for s, b, t in zip(volume.shape, block, stride))
    offset_bits = int(math.log2(last * largest // files) + 1)
    size_bits = int(math.log2(largest) + 1)
    prefix = os.path.abspath(path) if absolute else path
    names = ["%s.%d" % (prefix, i) for i in range(files)]
    metadata = json.dumps({
        "XBlockSize": block[2], "YBlockSize": block[1], "ZBlockSize": block[0], "DType": volume.dtype.name,
        "NOffsetBits": offset_bits, "NSizeBits": size_bits,
        "XExtent": volume.shape[2], "YExtent": volume.shape[1], "ZExtent": volume.shape[0],
        "BlockFilenames": names, "XStride": stride[2], "YStride": stride[1], "ZStride": stride[0],
        "Compression": "zstd", "CompressionLvl": 5, "Version": "1.0.0"}).encode("utf-8")
    entry_bytes = (offset_bits + size_bits + 7) // 8
    contents = [b""] * files
    codec = Blosc("zstd", 5, Blosc.SHUFFLE)
    with open(path, "wb") as directory:
        directory.write(MAGIC + struct.pack("<II", len(metadata), 16 + len(metadata)) + metadata)
        indices = list(np.ndindex(*grid))
        if order is not None:
            order.shuffle(indices)
        for index in indices:
            at = tuple(slice(i * b, (i + 1) * b) for i, b in zip(index, block))
            data = np.ascontiguousarray(volume[at])
            if not data.any():
                continue
            k = sum(i * s for i, s in zip(index, stride))
            frame = codec.encode(data)
            value = len(contents[k % files]) | len(frame) << offset_bits
            contents[k % files] += frame
            directory.seek(16 + len(metadata) + k * entry_bytes)
            directory.write(value.to_bytes(entry_bytes, "little"))
    for i, content in enumerate(contents):
        with open("%s.%d" % (path, i), "wb") as file:
            file.write(content)
