"""Drives the program destripe_tool: frames through the destripers of the build, from and to numpy arrays (row, column)."""
import json
import os
import subprocess
import tempfile

import numpy as np

TOOL = os.path.join(os.environ["SPIM_BUILD_DIR"], "tests", "destripe_tool")


def destripe(id, frames, **options):
    """`frames` (one or several of the same shape, of any number type) by destriper `id`, as float32; underscores in the
    names of options stand for dashes. Raises RuntimeError with the program's message."""
    frames = np.asarray(frames)
    options = {name.replace("_", "-"): str(value) for name, value in options.items()}
    with tempfile.NamedTemporaryFile() as raw:
        frames.astype("<f4").tofile(raw.name)
        job = dict(id=id, options=options, rows=frames.shape[-2], columns=frames.shape[-1],
                   frames=frames.size // (frames.shape[-1] * frames.shape[-2]), raw=raw.name)
        done = subprocess.run([TOOL, json.dumps(job)], capture_output=True, text=True)
        if done.returncode == 1:
            raise RuntimeError(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        return np.fromfile(raw.name, "<f4").reshape(frames.shape)
