"""A small acquisition, and calls of `spimstitch run` on it that may be disturbed."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, Case, read_json, write_dcimg

OPTIONS = ("--flat", "none", "--dark", "3", "--destripe", "none", "--align=false", "--levels", "4", "--chunk-size",
           "16,16,16", "--x-step-size", "1.2728", "--silent", "--tasks", "7", "--set", "writer.level=9")

# Many small files that are forced to the disk: in memory where there is a place for that.
PLACE = os.environ.get("TMPDIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")


def noise(seed, frames, rows, columns, brightest=60000):
    return np.random.default_rng(seed).integers(1, brightest, (frames, rows, columns)).astype(np.uint16)


def files_of(root):
    """Every file below, relative, with its bytes."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


class RunCase(Case):
    """Two tiles that overlap in y, and the volume that one quiet run makes of them."""

    writer = "zarr"
    shape = (64, 60, 64)  # frames, rows, columns of a tile
    second = 900  # tenths of a micrometre in y: 50 rows
    brightest = 60000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="spim_run_", dir=PLACE)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    @classmethod
    def setUpClass(cls):
        cls.shared = os.path.join(PLACE, f"spim_run_{os.getpid()}_{cls.__name__}")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        scan = os.path.join(cls.shared, "scan")
        for y, seed in ((0, 1), (cls.second, 2)):
            write_dcimg(os.path.join(scan, "0", f"0_{y}", "0.dcimg"), noise(seed, *cls.shape, cls.brightest))
        cls.scan = scan
        quiet = subprocess.run(cls.command("quiet"), cwd=cls.shared, capture_output=True, text=True)
        assert quiet.returncode == 0, quiet.stderr
        began = time.monotonic()
        subprocess.run(cls.command("timed"), cwd=cls.shared, check=True)
        cls.seconds = time.monotonic() - began
        cls.expected = files_of(os.path.join(cls.shared, "quiet"))

    @classmethod
    def command(cls, output, *more):
        return [os.path.join(BIN, "spimstitch"), "run", cls.scan, "-o", output, "--writer", cls.writer, *OPTIONS, *more]

    def call(self, output, *more, code=0):
        done = subprocess.run(self.command(self.path(output), *more), capture_output=True, text=True)
        self.assertEqual(done.returncode, code, f"{more}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, output, *more):
        return subprocess.Popen(self.command(self.path(output), *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def wait_for_tasks(self, output, count, process):
        """Until so many tasks are in the ledger."""
        ledger = self.path(output + ".run", "ledger")
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if os.path.isdir(ledger) and len([n for n in os.listdir(ledger) if n.endswith(".json")]) >= count:
                return
            time.sleep(0.002)
        self.fail("the run ended before it could be disturbed")

    def sweep_tasks(self, output):
        return sum(len(cuts) for cuts in read_json(self.path(output + ".run", "layout.json"))["cuts"])

    def assert_as_quiet(self, output):
        found = files_of(self.path(output))
        self.assertEqual(sorted(found), sorted(self.expected))
        for name, data in self.expected.items():
            self.assertEqual(found[name], data, name)
        self.assertFalse(os.path.exists(self.path(output + ".run")))
