"""Drives the program volume_tool: volumes through the plugins' own classes, from and to numpy arrays (z, y, x)."""
import json
import os
import subprocess
import tempfile

import numpy as np

TOOL = os.path.join(os.environ["SPIM_BUILD_DIR"], "tests", "volume_tool")


def _run(job, **process):
    return subprocess.run([TOOL, json.dumps(job)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **process)


def write(format, path, levels, chunk=(0, 0, 0), check=True, process=None, **more):
    """Writes `levels` (arrays, full resolution first); `chunk` is x, y, z; `process` goes to subprocess.run. Returns
    the error message, "" if none."""
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "raw")
        for i, level in enumerate(levels):
            level.astype("<u2").tofile("%s.%d" % (raw, i))
        done = _run(dict(do="write", format=format, path=path, shape=levels[0].shape[::-1], chunk=chunk,
                         levels=len(levels), type=levels[0].dtype.name, raw=raw, **more), **(process or {}))
    assert not check or done.returncode == 0, done.stderr
    return done.stderr


def read(format, path, **options):
    """Returns (arrays, what the reader says); raises RuntimeError with the program's message."""
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "raw")
        done = _run(dict(do="read", format=format, path=path, raw=raw, options=options))
        if done.returncode == 1:
            raise RuntimeError(done.stderr)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        arrays = [np.fromfile("%s.%d" % (raw, i), "<u2").reshape(level["shape"][::-1])
                  for i, level in enumerate(said["levels"])]
    return arrays, said


def pyramid(volume, levels):
    """Any arrays of the right shapes will do for a format: every second voxel."""
    arrays = [volume]
    for _ in range(levels - 1):
        arrays.append(arrays[-1][::2, ::2, ::2])
    return arrays


def noise(shape, dtype="uint16", seed=1):
    """Camera-like values, with a corner that is all zero."""
    random = np.random.default_rng(seed)
    volume = random.poisson(100, shape).astype(dtype)
    volume[tuple(slice(0, n // 2) for n in shape)] = 0
    return volume
