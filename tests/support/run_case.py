"""A small acquisition, and calls of `spimstitch run` on it that may be disturbed."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, Case, read_json, write_dcimg
from support.bad_disk import bad_disk

# Moments of a run: a task has begun (the sweep still has most of its work), and an entry of the ledger is durable.
BEGUN, ENTERED = "mkdir /.part- {}", "fsync /ledger$ {}"

# What a run leaves beside and in place of its output "out".
BESIDE = ["out", "out.config.json", "out.report.html", "out.run.json"]

SEED = int(os.environ.get("SPIM_FAULT_SEED", random.SystemRandom().randrange(10**6)))

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

    def call(self, output, *more, code=0, env=None):
        done = subprocess.run(self.command(self.path(output), *more), capture_output=True, text=True, env=env)
        self.assertEqual(done.returncode, code, f"{more}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, output, *more, env=None):
        return subprocess.Popen(self.command(self.path(output), *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=env)

    def stopped(self, output, rule, *more):
        """A run that stands still behind a call: of "CALL TEXT WHEN", as for bad_disk."""
        process = self.start(output, "--n-workers", "1", *more, env=bad_disk(self.folder, f"{rule} stop"))
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            process.returncode = os.waitstatus_to_exitcode(status)
            self.fail(f"the run ended before {rule}: {process.communicate()}")
        return process

    def terminated(self, output, *more, sign=signal.SIGTERM):
        """A run that is terminated when some tasks are done and others are not."""
        process = self.stopped(output, BEGUN.format(3), *more)
        process.send_signal(sign)
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=120)
        return process.returncode, err

    def killed(self, output, rule, *more, env=None):
        """A run that is killed behind a call of it."""
        process = self.start(output, *more, env=bad_disk(self.folder, f"{rule} kill", environment=env))
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, -signal.SIGKILL, f"{rule}: {err}")

    def sweep_tasks(self, output):
        return sum(len(cuts) for cuts in read_json(self.path(output + ".run", "layout.json"))["cuts"])

    def assert_as_quiet(self, output):
        found = files_of(self.path(output))
        self.assertEqual(sorted(found), sorted(self.expected))
        for name, data in self.expected.items():
            self.assertEqual(found[name], data, name)
        self.assertFalse(os.path.exists(self.path(output + ".run")))


class SmallRunCase(RunCase):
    """Much smaller data than elsewhere: what matters here is how often a run can be disturbed."""

    shape = (40, 40, 40)
    second = 540
    brightest = 4000

    def tile(self):
        """The second one."""
        return os.path.join(self.scan, "0", f"0_{self.second}", "0.dcimg")

    @contextlib.contextmanager
    def changed_tile(self, change):
        """A tile during `change(path)`, and as it was afterwards."""
        path = self.tile()
        status = os.stat(path)
        with open(path, "rb") as file:
            data = file.read()
        change(path)
        try:
            yield
        finally:
            with open(path, "wb") as file:
                file.write(data)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def in_the_middle(self, output="out", *more):
        """A run that stands still in the middle of the sweep."""
        return self.stopped(output, BEGUN.format(3), *more)

    def go_on(self, process):
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
        return process.returncode, err

    def forget(self, output="out"):
        for name in os.listdir(self.folder):
            path = self.path(name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
