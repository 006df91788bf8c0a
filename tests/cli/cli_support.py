"""Runs the real program; writes camera files; computes what it should compute, voxel by voxel, with numpy."""

import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

import numpy as np

BIN = os.environ["SPIM_BIN_DIR"]


def run(*arguments, env=None, cwd=None, program="spimstitch", timeout=120, **more):
    """The finished process of one call, with its output as text."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SPIMSTITCH_")}
    clean.update(env or {})
    command = [os.path.join(BIN, program), *[str(a) for a in arguments]]
    return subprocess.run(command, env=clean, cwd=cwd, timeout=timeout, capture_output=True, text=True, **more)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="spim_cli_")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def succeed(self, *arguments, **more):
        done = run(*arguments, **more)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def fail_with(self, code, *arguments, says=(), **more):
        """The call ends with `code` and one sentence that contains every text of `says`."""
        done = run(*arguments, **more)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        sentences = [line for line in done.stderr.splitlines() if line.startswith("spimstitch: ")]
        self.assertEqual(len(sentences), 1, done.stderr)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, sentences[0])
        return done

    def assert_nothing_left(self, *names):
        """No output, finished or partial, among the entries of the folder but `names`."""
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(names))


def write_dcimg(path, frames, counters=None, declared=None):
    """A framed (version 1) camera file without overwritten pixels: `frames` is (frames, rows, columns) uint16."""
    count, rows, columns = frames.shape
    frames = frames.astype("<u2")
    image = rows * columns * 2
    stride = image + 16
    header, data = 112, 816
    total = header + data + count * stride
    head = bytearray(header + data)
    head[0:5] = b"DCIMG"
    struct.pack_into("<I", head, 0x08, 0x01000000)
    struct.pack_into("<III", head, 0x20, 1, declared or count, header)
    struct.pack_into("<Q", head, 0x30, total)
    struct.pack_into("<Q", head, 0x40, total)
    struct.pack_into("<Q", head, header, total - header)
    struct.pack_into("<IIIIIII", head, header + 0x3C, declared or count, 2, 1, columns, rows, columns * 2, image)
    struct.pack_into("<Q", head, header + 0x60, data)
    struct.pack_into("<I", head, header + 0x74, stride)
    struct.pack_into("<I", head, header + 0x7C, 16)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(head)
        for k in range(count):
            counter = k if counters is None else counters[k]
            file.write(frames[k].tobytes())
            file.write(struct.pack("<IIII", counter, 1_600_000_000 + k // 100, k % 100 * 10_000, 0))


def raw_frame(oriented):
    """What the camera stores so that rotating three quarter turns and flipping gives `oriented`."""
    return np.rot90(np.flipud(oriented), -3)


def frame_positions(frames, shape, shear, direction):
    """Frame position of each voxel (z, x) and where it is valid."""
    z, _, x = shape
    offset = 0 if direction > 0 else frames - 1
    k = direction * (np.arange(x)[None, :] - offset - shear * np.arange(z)[:, None])
    k = np.where(np.abs(k - np.round(k)) < 1e-7, np.round(k), k)
    return k, (k >= 0) & (k <= frames - 1)


def deskew(oriented, step=1.28, voxel=1.8, tilt=45.0, direction=1):
    """Volume (z, y, x) as float64 and its valid voxels, of oriented frames (frames, rows, columns)."""
    frames, rows, columns = oriented.shape
    shear = voxel * np.cos(np.radians(tilt)) / step
    if abs(shear - np.round(shear)) * (columns - 1) < 0.5 and np.round(shear) > 0:
        shear = np.round(shear)
    extent = frames + int(np.ceil(shear * (columns - 1) - 1e-7))
    k, valid = frame_positions(frames, (columns, rows, extent), shear, direction)
    low = np.clip(np.floor(k).astype(int), 0, frames - 1)
    high = np.minimum(low + 1, frames - 1)
    weight = k - np.floor(k)
    z = np.arange(columns)[:, None]
    a = oriented[low, :, z].astype(float)  # (z, x, y)
    b = oriented[high, :, z].astype(float)
    volume = a * (1 - weight)[..., None] + b * weight[..., None]
    volume[~valid] = 0
    return volume.transpose(0, 2, 1), valid, shear


def blend(tiles, step=1.28, voxel=1.8, tilt=45.0):
    """Mosaic of [(volume, valid, shear, frames, (x, y, z) whole voxels)] for scans towards larger x, blended with
    the squared distance (um) to the nearest face of each tile's valid region."""
    pitch = (step, voxel, voxel * np.sin(np.radians(tilt)))
    least = np.min([t[4] for t in tiles], axis=0)
    size = np.max([np.array(t[4]) - least + t[0].shape[::-1] for t in tiles], axis=0)
    weighted = np.zeros(size[::-1])
    weights = np.zeros(size[::-1])
    for volume, valid, shear, frames, at in tiles:
        z, y, x = volume.shape
        k = np.arange(x)[None, :] - shear * np.arange(z)[:, None]
        across = 1 / np.hypot(1 / pitch[0], shear / pitch[2])
        dx = np.minimum(k + 1, frames - k) * across
        dy = np.minimum(np.arange(y) + 1, y - np.arange(y)) * pitch[1]
        dz = np.minimum(np.arange(z) + 1, z - np.arange(z)) * pitch[2]
        d = np.minimum(np.minimum(dx[:, None, :], dy[None, :, None]), dz[:, None, None])
        w = np.where(np.broadcast_to(valid[:, None, :], d.shape), d**2, 0)
        x0, y0, z0 = np.array(at) - least
        place = np.s_[z0 : z0 + z, y0 : y0 + y, x0 : x0 + x]
        weighted[place] += w * np.rint(volume)
        weights[place] += w
    return np.divide(weighted, weights, out=np.zeros_like(weighted), where=weights > 0)


def read_json(path):
    with open(path) as file:
        return json.load(file)


def read_zarr(path, level=0):
    """One level of an OME-Zarr as (z, y, x)."""
    import zarr

    return zarr.open(path, mode="r")[str(level)][0, 0]


def scene(frames, rows, columns, seed=0):
    """Oriented frames with structure and noise, none of them 0."""
    random = np.random.default_rng(seed)
    k, i, j = np.meshgrid(np.arange(frames), np.arange(rows), np.arange(columns), indexing="ij")
    waves = 900 * np.sin(k / 5.0) * np.cos(i / 7.0) + 700 * np.sin(j / 4.0 + i / 9.0)
    return (2000 + waves + random.integers(0, 400, k.shape)).astype(np.uint16)
