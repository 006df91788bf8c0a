"""Measures whole runs against their parts, the disk and the original programs; prints the tables of docs/performance.md.

    /usr/bin/python3 tests/bench/pipeline_bench.py --bin build/bin --folder /tmp/pipeline_bench

The machine must have nothing else to do: what is measured in seconds of wall time is worth nothing otherwise. --quick takes
tiny data, which show that everything works and nothing else.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time

MB = 1e6

# The original programs on 2 cores of a shared x86-64 server, 2 workers (spimstitch 605000cf, blockfs 147be034, pystripe 540e0454;
# Python 3.11, numpy 1.24, scipy 1.10): CPU seconds, which is what wall time cannot be better than twice over.
ORIGINAL = {
    "dcimg2oblique with wavelet": (22.7, 60 * 1024 * 1024 * 2, "raw"),
    "oblique2stitched, 4 tiles, 1 level": (34.3, 512 * 1888 * 192 * 2, "stitched"),
    "levels 2 to 5": (15.9, 1224 * 1024 * 1024 * 2, "stitched"),
}


class Sizes:
    """How much of everything is measured."""

    def __init__(self, quick):
        self.frame = (64, 64) if quick else (1024, 1024)  # rows, columns
        self.frames = 24 if quick else 200
        self.tiles = "2,2,1"
        self.small = (64, 48) if quick else (512, 512)
        self.series = (8, 16, 24) if quick else (50, 100, 200, 400)
        self.tile_counts = (1, 2, 4, 6)
        self.long = (20, 40) if quick else (200, 400, 1000, 2000)
        self.long_frame = (64, 48) if quick else (512, 256)
        self.long_chunk = "16,16,16" if quick else "64,64,64"


class Done:
    """What a finished process took."""

    def __init__(self, wall, usage, counters):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.user, self.system = usage.ru_utime, usage.ru_stime
        self.peak = usage.ru_maxrss * 1024
        self.read_calls = counters.get("rchar", 0)
        self.written = counters.get("wchar", 0)


def counters_of(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return {key: int(value) for key, value in (line.split(":") for line in file)}


def measure(command):
    """Runs it to its end; what it says is shown only when it fails."""
    began = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # its counters are there as long as it is not waited for
    wall = time.monotonic() - began
    counters = counters_of(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{said.decode(errors='replace')}")
    return Done(wall, usage, counters)


def files_below(path):
    if os.path.isfile(path):
        return [path]
    return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]


def bytes_below(path):
    return sum(os.path.getsize(file) for file in files_below(path))


def forget(paths):
    """Drops files from the page cache, so that the next read comes from the disk."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def remove(path):
    for name in (path, path + ".run"):
        shutil.rmtree(name, ignore_errors=True)
    for name in (path, path + ".run.json", path + ".config.json", path + ".html", path + ".report.html"):
        if os.path.isfile(name):
            os.remove(name)


def read_seconds(paths):
    """From the disk, one after the other."""
    forget(paths)
    began = time.monotonic()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(8 << 20):
                pass
    return time.monotonic() - began


def write_seconds(path, size):
    """To the disk, in large pieces that nothing can make smaller, with fsync."""
    block = os.urandom(8 << 20)
    began = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        for at in range(0, size, len(block)):
            file.write(block[: min(len(block), size - at)])
        os.fsync(file.fileno())
    seconds = time.monotonic() - began
    os.remove(path)
    return seconds


class Bench:
    def __init__(self, options):
        self.program = os.path.join(options.bin, "spimstitch")
        self.folder = os.path.abspath(options.folder)
        self.sizes = Sizes(options.quick)
        self.repeats = 1 if options.quick else options.repeats
        self.cores = options.cores
        self.memory = options.memory
        os.makedirs(self.folder, exist_ok=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def simulate(self, name, tiles, frame, frames):
        """An acquisition, its flat and its true positions as an alignment."""
        root = self.path(name)
        if not os.path.exists(os.path.join(root, "alignment.json")):
            shutil.rmtree(root, ignore_errors=True)
            measure([self.program, "simulate", "-o", root, "--tiles", tiles, "--frame-height", frame[0], "--frame-width",
                     frame[1], "--frames", frames, "--stripes", 0.4, "--illumination", 0.5, "--stage-error", 5])
            with open(os.path.join(root, "truth", "truth.json"), encoding="utf-8") as file:
                stacks = json.load(file)["stacks"]
            with open(os.path.join(root, "alignment.json"), "w", encoding="utf-8") as file:
                json.dump({"alignments": {str(s["stage_um"]): s["true_um"] for s in stacks}, "align-z": False}, file)
        return root

    def channel(self, root):
        return os.path.join(root, "Ex_488_Em_1")

    def corrections(self, root):
        return ["--flat", os.path.join(root, "truth", "illumination.tif"), "--destripe", "wavelet"]

    NO_CORRECTIONS = ["--flat", "none", "--dark", "0", "--destripe", "none"]

    def run(self, root, *options, output="out", channel=None, workers=None):
        """A whole run from a cold disk; its output stays."""
        path = self.path(output)
        remove(path)
        channel = channel or self.channel(root)
        forget(files_below(channel))
        return measure([self.program, "run", channel, "-o", path, "--alignment", os.path.join(root, "alignment.json"),
                        "--n-workers", workers or self.cores, "--memory", self.memory, "--silent", *options])

    def best(self, call):
        """The quickest of some."""
        return min((call() for _ in range(self.repeats)), key=lambda done: done.wall)

    def stages(self, output="out"):
        """What the run itself counted."""
        with open(self.path(output + ".run.json"), encoding="utf-8") as file:
            return json.load(file).get("stages", {})

    # The parts, each by a program that does as little else as can be, on one core.

    def parts(self, root, corrections, volume):
        """CPU seconds of reading, correcting, deskewing and blending, and encoding; voxels of `volume`, which is that run's."""
        files = files_below(self.channel(root))
        one = {"workers": 1, "output": "part"}
        read = self.cpu_of_reading(files)
        plain = self.run(root, *self.NO_CORRECTIONS, "--writer", "null", "--levels", 1, **one).cpu
        # A new page of the cache costs one process more than another: together they are no more than the run that does both.
        read = min(read, plain)
        parts = {"read": read, "deskew and blend": plain - read}
        if corrections is not self.NO_CORRECTIONS:
            corrected = self.run(root, *corrections, "--writer", "null", "--levels", 1, **one).cpu
            parts["correct"] = max(corrected - plain, 0)
        convert = [self.program, "convert", volume, self.path("part"), "--n-workers", 1, "--memory", self.memory, "--silent"]
        remove(self.path("part"))
        decode = measure([*convert, "--writer", "null", "--levels", 1]).cpu
        remove(self.path("part"))
        parts["encode, halve and write"] = max(measure([*convert, "--writer", "zarr", "--levels", 7]).cpu - decode, 0)
        remove(self.path("part"))
        return parts

    @staticmethod
    def cpu_of_reading(files):
        before = os.times()
        read_seconds(files)
        after = os.times()
        return after.user - before.user + after.system - before.system

    def headline(self):
        size = self.sizes
        root = self.simulate("headline", size.tiles, size.frame, size.frames)
        files = files_below(self.channel(root))
        raw = bytes_below(self.channel(root))
        print(f"### The whole pipeline\n\n{size.tiles.replace(',', ' x ')} tiles of {size.frame[1]} x {size.frame[0]} x "
              f"{size.frames} frames, {raw / MB:.0f} MB, {self.cores} workers, alignment and flat given, OME-Zarr with 7 "
              f"levels, from a cold page cache; the quickest of {self.repeats}.\n")
        print("| | flat and wavelet | no corrections |\n| --- | --- | --- |")
        columns = [self.column(root, files, raw, self.corrections(root)),
                   self.column(root, files, raw, self.NO_CORRECTIONS)]
        for name in {**columns[0], **columns[1]}:
            print(f"| {name} | " + " | ".join(column.get(name, "") for column in columns) + " |")
        print()

    def column(self, root, files, raw, corrections):
        whole = self.best(lambda: self.run(root, *corrections))
        volume = self.path("out")
        output = bytes_below(volume)
        stages = self.stages()
        rows = {"whole command, s": f"**{whole.wall:.2f}**",
                "its CPU time, s (user + system)": f"{whole.cpu:.2f} ({whole.user:.2f} + {whole.system:.2f})",
                "raw MB/s": f"{raw / MB / whole.wall:.0f}"}
        parts = self.parts(root, corrections, volume)
        for part in ("read", "correct", "deskew and blend", "encode, halve and write"):
            rows[f"{part}: alone, CPU s"] = f"{parts[part]:.2f}" if part in parts else ""
        limit_cpu = sum(parts.values()) / self.cores
        limit_disk = read_seconds(files) + write_seconds(self.path("disk"), output)
        rows["(a) parts alone / cores, s"] = f"{limit_cpu:.2f}"
        rows["(b) disk: read raw, write output, s"] = f"{limit_disk:.2f}"
        rows["whole command / the larger of (a) and (b)"] = f"**{whole.wall / max(limit_cpu, limit_disk):.2f}**"
        if corrections is self.NO_CORRECTIONS:
            codec = parts["encode, halve and write"] / self.cores
            rows["whole command / encoding alone / cores"] = f"{whole.wall / max(codec, 1e-9):.2f}"
        else:
            rows.update(self.original(raw, stages.get("halve", {}).get("bytes", raw), whole))
        rows["stored bytes of the output, MB"] = f"{output / MB:.0f}"
        rows["bytes written / output"] = f"{whole.written / max(output, 1):.2f}"
        camera = stages.get("read", {}).get("bytes", 0)
        rows["camera bytes asked for / raw"] = f"{camera / raw:.2f}"
        rows["bytes read, checksums of the output included / raw"] = f"{whole.read_calls / raw:.2f}"
        rows["peak memory, MB"] = f"{whole.peak / MB:.0f}"
        for name, stage in stages.items():
            rows[f"counted by the run: {name}, CPU s"] = f"{stage['cpu_seconds']:.2f}"
        return rows

    def original(self, raw, stitched, whole):
        """Their rates on these data. They are of whole stitched volumes, but blocks without data cost them less: so no more
        voxels than the cameras gave, which favours them, and all voxels of the volume, which does not."""
        rows = {}
        for name, voxels in (("voxels with data", min(stitched, raw)), ("all voxels", stitched)):
            cpu = sum(seconds * (raw if of == "raw" else voxels) / size for seconds, size, of in ORIGINAL.values())
            rows[f"the original chain, {name}: CPU s; / cores"] = f"{cpu:.0f}; {cpu / self.cores:.0f}"
            rows[f"times faster, {name}: CPU; wall"] = f"{cpu / whole.cpu:.1f}; **{cpu / self.cores / whole.wall:.1f}**"
        return rows

    def memory_table(self):
        size = self.sizes
        print(f"### Memory\n\nOne tile of {size.long_frame[1]} x {size.long_frame[0]}, chunks of {size.long_chunk}, flat and "
              "wavelet.\n\n| frames | peak memory with all levels, MB | with level 0 alone, MB | s |\n| --- | --- | --- | --- |")
        root = self.simulate("long", "1,1,1", size.long_frame, size.long[-1])
        for frames in size.long:
            options = [*self.corrections(root), "--chunk-size", size.long_chunk, "--stop", frames]
            done = self.run(root, *options)
            alone = self.run(root, *options, "--levels", 1)
            print(f"| {frames} | {done.peak / MB:.0f} | {alone.peak / MB:.0f} | {done.wall:.1f} |")
        print()

    def tiles_of(self, root, count):
        """A channel of the first tiles, as links."""
        channel = self.path("some")
        shutil.rmtree(channel, ignore_errors=True)
        for file in sorted(files_below(self.channel(root)))[:count]:
            link = os.path.join(channel, os.path.relpath(file, self.channel(root)))
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(file, link)
        return channel

    def limit(self, wall, cpu, workers):
        """What keeps it from being quicker."""
        return "the cores" if cpu > 0.85 * wall * workers else f"{100 * (1 - cpu / wall / workers):.0f} % waiting"

    def scaling(self):
        size = self.sizes
        frames = size.series[-1]
        root = self.simulate("scaling", "3,2,1", size.small, frames)
        usual = min(frames, size.series[-2])
        cases = [(1, n, self.cores) for n in size.series] + [(n, usual, self.cores) for n in size.tile_counts]
        cases += [(4, usual, n) for n in range(1, self.cores + 1)]
        print(f"### Growth\n\nTiles of {size.small[1]} x {size.small[0]}, flat and wavelet.\n\n| tiles | frames | cores | s | "
              "CPU s | frames/s | limit |\n| --- | --- | --- | --- | --- | --- | --- |")
        for tiles, n, workers in cases:
            channel = self.tiles_of(root, tiles)
            done = self.best(lambda: self.run(root, *self.corrections(root), "--stop", n, "--allow-missing-tiles",
                                              channel=channel, workers=workers))
            print(f"| {tiles} | {n} | {workers} | {done.wall:.2f} | {done.cpu:.2f} | {tiles * n / done.wall:.0f} | "
                  f"{self.limit(done.wall, done.cpu, workers)} |")
        print()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.environ.get("SPIM_BIN_DIR", os.path.join(here, "..", "..", "build", "bin")))
    parser.add_argument("--folder", default="/tmp/pipeline_bench", help="for data and outputs; data stay with --keep")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory", default="4G")
    parser.add_argument("--tables", default="headline,memory,growth")
    parser.add_argument("--repeats", type=int, default=3, help="runs of which the quickest counts")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    tables = {"headline": bench.headline, "memory": bench.memory_table, "growth": bench.scaling}
    try:
        for name in options.tables.split(","):
            tables[name]()
            sys.stdout.flush()
    finally:
        if not options.keep:
            shutil.rmtree(bench.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
