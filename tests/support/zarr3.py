"""Zarr v3 arrays, read and written as the core specification and those of the codecs say, sharding included.

Independent of the program under test: only numpy and numcodecs' decoders of single frames. Any number of axes.
"""
import json
import os
import struct

import numcodecs
import numpy as np

from support.crc32c import crc32c

ABSENT = 2 ** 64 - 1
SHUFFLE = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}


class Damaged(Exception):
    pass


def check_crc(data):
    body, checksum = data[:-4], struct.unpack("<I", data[-4:])[0]
    if crc32c(body) != checksum:
        raise Damaged("crc32c")
    return body


def bytes_codec(codec):
    """(encode, decode) of a codec from bytes to bytes."""
    name, how = codec["name"], codec.get("configuration", {})
    if name == "crc32c":
        return lambda data: data + struct.pack("<I", crc32c(data)), check_crc
    if name == "blosc":
        frame = numcodecs.Blosc(how["cname"], how["clevel"], SHUFFLE[how["shuffle"]], how.get("blocksize", 0))
        item = np.dtype("u%d" % how["typesize"]) if how.get("typesize", 1) in (1, 2) else np.dtype("u1")
        return lambda data: frame.encode(np.frombuffer(data, item)), frame.decode
    if name == "gzip":
        frame = numcodecs.GZip(how["level"])
    elif name == "zstd":
        frame = numcodecs.Zstd(how["level"])
    else:
        raise ValueError(name)
    return frame.encode, frame.decode


class Chunks:
    """The codec chain of one chunk."""

    def __init__(self, codecs, dtype, shape, fill):
        self.shape, self.fill = tuple(shape), fill
        first, rest = codecs[0], codecs[1:]
        if first["name"] == "sharding_indexed":
            self.inner = Shard(first["configuration"], dtype, shape, fill)
        else:
            assert first["name"] == "bytes", first
            self.inner = None
            order = first.get("configuration", {}).get("endian", "little")
            self.dtype = np.dtype(dtype).newbyteorder({"little": "<", "big": ">"}[order])
        self.codecs = [bytes_codec(codec) for codec in rest]

    def decode(self, data):
        for _, decode in reversed(self.codecs):
            data = bytes(decode(data))
        if self.inner:
            return self.inner.decode(data)
        return np.frombuffer(data, self.dtype).reshape(self.shape)

    def encode(self, array):
        data = self.inner.encode(array) if self.inner else array.astype(self.dtype).tobytes()
        if data is None:
            return None
        for encode, _ in self.codecs:
            data = bytes(encode(data))
        return data


class Shard:
    """The codec sharding_indexed."""

    order = None  # set to a random.Random to write the chunks of a shard in any order, with gaps

    def __init__(self, how, dtype, shape, fill):
        self.shape, self.fill, self.dtype = tuple(shape), fill, np.dtype(dtype)
        self.chunk = tuple(how["chunk_shape"])
        self.counts = [s // c for s, c in zip(self.shape, self.chunk)]
        assert all(s % c == 0 for s, c in zip(self.shape, self.chunk))
        self.chunks = Chunks(how["codecs"], dtype, self.chunk, fill)
        self.index = Chunks(how["index_codecs"], "u8", self.counts + [2], 0)
        self.at_start = how.get("index_location", "end") == "start"
        self.index_bytes = len(self.index.encode(np.zeros(self.counts + [2], "u8")))

    def places(self, data):
        index = data[:self.index_bytes] if self.at_start else data[-self.index_bytes:]
        return self.index.decode(index)

    def decode(self, data):
        array = np.full(self.shape, self.fill, self.dtype)
        places = self.places(data)
        for at in np.ndindex(*self.counts):
            offset, size = (int(v) for v in places[at])
            if (offset, size) == (ABSENT, ABSENT):
                continue
            if offset + size > len(data):
                raise Damaged("offset")
            box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, self.chunk))
            array[box] = self.chunks.decode(data[offset:offset + size])
        return array

    def encode(self, array):
        places = np.full(self.counts + [2], ABSENT, "u8")
        head = b"\0" * self.index_bytes if self.at_start else b""
        body = b""
        order = list(np.ndindex(*self.counts))
        if self.order:
            self.order.shuffle(order)
        for at in order:
            box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, self.chunk))
            if (array[box] == self.fill).all():
                continue
            if self.order:
                body += b"gap" * self.order.randrange(3)
            encoded = self.chunks.encode(array[box])
            places[at] = len(head) + len(body), len(encoded)
            body += encoded
        if not body:
            return None
        index = self.index.encode(places)
        return index + body if self.at_start else body + index


class Array:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "zarr.json")) as file:
            self.fields = json.load(file)
        assert (self.fields["zarr_format"], self.fields["node_type"]) == (3, "array")
        self.shape = tuple(self.fields["shape"])
        self.dtype = np.dtype(self.fields["data_type"])
        self.fill = self.fields["fill_value"]
        assert self.fields["chunk_grid"]["name"] == "regular"
        self.chunk = tuple(self.fields["chunk_grid"]["configuration"]["chunk_shape"])
        self.codecs = Chunks(self.fields["codecs"], self.dtype, self.chunk, self.fill)
        keys = self.fields["chunk_key_encoding"]
        self.v2 = keys["name"] == "v2"
        self.separator = keys.get("configuration", {}).get("separator", "." if self.v2 else "/")

    def key(self, at):
        return self.separator.join(([] if self.v2 else ["c"]) + [str(i) for i in at])

    def counts(self):
        return [-(-s // c) for s, c in zip(self.shape, self.chunk)]

    def read(self):
        out = np.full([n * c for n, c in zip(self.counts(), self.chunk)], self.fill, self.dtype)
        for at in np.ndindex(*self.counts()):
            name = os.path.join(self.path, self.key(at))
            if os.path.exists(name):
                with open(name, "rb") as file:
                    box = tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, self.chunk))
                    out[box] = self.codecs.decode(file.read())
        return out[tuple(slice(0, s) for s in self.shape)]

    def write(self, array):
        padded = np.full([n * c for n, c in zip(self.counts(), self.chunk)], self.fill, self.dtype)
        padded[tuple(slice(0, s) for s in self.shape)] = array
        for at in np.ndindex(*self.counts()):
            data = self.codecs.encode(padded[tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, self.chunk))])
            if data is None:
                continue
            name = os.path.join(self.path, self.key(at))
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, "wb") as file:
                file.write(data)


def codec(name, **configuration):
    return dict(name=name, configuration=configuration) if configuration else dict(name=name)


LITTLE = codec("bytes", endian="little")
BIG = codec("bytes", endian="big")
CRC = codec("crc32c")


def sharding(chunk, codecs=(LITTLE,), index=(LITTLE, CRC), location="end"):
    return codec("sharding_indexed", chunk_shape=list(chunk), codecs=list(codecs), index_codecs=list(index),
                 index_location=location)


def create(path, array, chunk, codecs, fill=0, keys=codec("default", separator="/"), **more):
    """Writes `array` and returns the Array."""
    os.makedirs(path)
    fields = dict(zarr_format=3, node_type="array", shape=array.shape, data_type=array.dtype.name,
                  chunk_grid=codec("regular", chunk_shape=list(chunk)), chunk_key_encoding=keys, fill_value=fill,
                  codecs=list(codecs), attributes={}, **more)
    with open(os.path.join(path, "zarr.json"), "w") as file:
        json.dump(fields, file)
    stored = Array(path)
    stored.write(array)
    return stored
