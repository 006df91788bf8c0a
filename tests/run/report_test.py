"""What a run leaves beside its volume: a manifest that is right, and a page that needs nothing else."""

import base64
import html.parser
import io
import os
import re
import shutil
import subprocess
import sys
import unittest

import numpy as np
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import BIN, Case, read_json, read_zarr, write_dcimg
from support.crc32c import crc32c

VOID = {"meta", "link", "img", "br", "wbr", "hr", "input", "col"}


def stored_checksum(path):
    """What docs/runs.md says the checksum of a stored file is."""
    with open(path, "rb") as file:
        data = file.read()
    words = np.frombuffer(data + b"\0" * (-len(data) % 8), "<u8")
    return crc32c((words * np.uint64(0x9E3779B97F4A7C15)).tobytes())


class Page(html.parser.HTMLParser):
    """A page taken apart: its text, its links and pictures, and what is wrong with its elements."""

    def __init__(self, path):
        super().__init__()
        self.open, self.faults, self.links, self.pictures, self.text, self.elements = [], [], [], [], [], set()
        with open(path, encoding="utf-8") as file:
            self.source = file.read()
        self.feed(self.source)
        self.faults += [f"{name} is never closed" for name in self.open]

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "action", "data", "srcset"):
                (self.pictures if (value or "").startswith("data:image/png") else self.links).append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def words(self):
        return re.sub(r"\s+", " ", " ".join(self.text))

    def images(self):
        return [np.asarray(Image.open(io.BytesIO(base64.b64decode(p.split(",", 1)[1])))) for p in self.pictures]


class Report(Case):
    @classmethod
    def setUpClass(cls):
        cls.shared = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"spim_report_{os.getpid()}")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.run_program("simulate", "-o", cls.shared, "--tiles", "1,2,1", "--frames", "40", "--frame-width", "96",
                        "--frame-height", "64", "--overlap", "0.3", "--organ-size", "0", "--seed", "4", "--stripes", "0.3",
                        "--displace-tile", "0,1,0:0,3.6,0", "--channels", "A,B", "--silent")
        cls.run_program("run", "A", "B", *cls.options(), cwd=cls.shared)
        cls.manifest = read_json(os.path.join(cls.shared, "A_stitched.ngff.run.json"))
        cls.page = Page(os.path.join(cls.shared, "A_stitched.ngff.report.html"))

    @staticmethod
    def options():
        return ("--silent", "--levels", "3", "--chunk-size", "32,32,32", "--set", "aligner.sample-count=4", "--tasks", "3",
                "--destripe", "wavelet", "--dark", "100", "--flat", "none")

    @staticmethod
    def run_program(*arguments, cwd=None, code=0):
        done = subprocess.run([os.path.join(BIN, "spimstitch"), *arguments], cwd=cwd, capture_output=True, text=True)
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def assert_sound(self, page):
        self.assertEqual(page.faults, [])
        self.assertFalse(page.elements & {"script", "iframe", "object", "embed", "base", "form"})
        for link in page.links:
            self.assertFalse(re.match(r"(?i)(https?:|file:|//|/)", link), link)
        self.assertNotRegex(page.source, r"(?i)@import|url\(\s*['\"]?(?!#)|\bon\w+=")

    def test_the_manifest_tells_what_was_done(self):
        m = self.manifest
        self.assertEqual(m["camera"], {"tiles": 2, "frames": 80, "bytes": 80 * 96 * 64 * 2})
        self.assertEqual([t["frames"] for t in m["tiles"]], [40, 40])
        volume = read_zarr(os.path.join(self.shared, "A_stitched.ngff"), 0)
        self.assertEqual(m["result"]["shape"], list(volume.shape[::-1]))
        self.assertEqual(m["result"]["stored_bytes"], m["output"]["bytes"])
        self.assertEqual(list(m["phases"]), ["alignment", "sweep", "levels", "finish"])
        self.assertEqual(list(m["stages"]), ["read", "correct", "place", "halve", "encode", "commit"])
        for name, stage in m["stages"].items():
            self.assertEqual(stage["bytes"], sum(p["stages"].get(name, {}).get("bytes", 0) for p in m["phases"].values()))
        self.assertGreaterEqual(m["phases"]["sweep"]["stages"]["read"]["bytes"], m["camera"]["bytes"])
        self.assertEqual(m["clipped"]["samples"], 80 * 96 * 64)
        self.assertLessEqual(abs(sum(p["seconds"] for p in m["phases"].values()) / m["time"]["work_seconds"] - 0.7), 0.31)
        self.assertEqual(m["machine"]["kernel"].split()[0], os.uname().sysname)
        self.assertEqual(m["machine"]["host"], os.uname().nodename)
        self.assertGreater(m["processes"][0]["peak_memory_bytes"], 1 << 20)
        self.assertTrue(m["file_systems"]["output"]["type"])
        self.assertEqual((m["bad_frames"], m["dropped_frames"]), ([], []))

    def test_every_stored_file_has_its_checksum(self):
        root = os.path.join(self.shared, "A_stitched.ngff")
        stored = {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                stored[os.path.relpath(path, root)] = (os.path.getsize(path), stored_checksum(path))
        listed = {path: (size, sum_) for task in self.manifest["tasks"] for path, size, sum_ in task["files"]
                  if not path.startswith("/")}
        self.assertEqual(listed, stored)
        output = self.manifest["output"]
        self.assertEqual((len(stored), sum(size for size, _ in stored.values())), (output["files"], output["bytes"]))
        lines = "".join(f"{path} {size} {sum_:08x}\n" for path, (size, sum_) in sorted(stored.items()))
        self.assertEqual(output["checksum"], f"{crc32c(lines.encode()):08x}")
        for path, known in self.manifest["plan"]["inputs"].items():
            with open(path, "rb") as file:
                self.assertEqual(known["head"], f"{crc32c(file.read(65536)):08x}")
            self.assertEqual((known["bytes"], known["modified_ns"]), (os.path.getsize(path), os.stat(path).st_mtime_ns))

    def test_the_alignment_is_told_with_its_verdict(self):
        found = read_json(os.path.join(self.shared, "A-align.json"))["spimstitch"]
        alignment = self.manifest["alignment"]
        self.assertEqual(alignment["verdict"], found["verdict"])
        self.assertTrue(alignment["used"])
        self.assertEqual(alignment["links"][0]["tiles"], [0, 1])
        first = [t["first_voxel_um"][1] for t in self.manifest["tiles"]]
        nominal = [t["nominal_um"][1] for t in self.manifest["tiles"]]
        self.assertAlmostEqual((first[1] - first[0]) - (nominal[1] - nominal[0]), 3.6, delta=0.4)
        self.assertIn("A-align.html", self.page.links)
        second = read_json(os.path.join(self.shared, "B_stitched.ngff.run.json"))
        self.assertEqual(second["alignment"]["verdict"], found["verdict"])
        self.assertEqual(os.path.basename(second["alignment"]["page"]), "A-align.html")

    def test_the_page_needs_nothing_else_and_is_well_formed(self):
        self.assert_sound(self.page)
        self.assert_sound(Page(os.path.join(self.shared, "B_stitched.ngff.report.html")))
        self.assertIn("Content-Security-Policy", self.page.source)
        self.assertIn("Run of A", self.page.words())

    def test_the_page_says_the_numbers_of_the_manifest(self):
        words, m = self.page.words(), self.manifest
        x, y, z = m["result"]["shape"]
        for expected in (f"{x:,} × {y:,} × {z:,}", f"a ratio of {m['result']['ratio']:.2f}", "80 frames in 2 tiles",
                         m["output"]["checksum"], m["time"]["start"], m["time"]["end"], m["machine"]["cpu"],
                         f"{m['clipped']['samples']:,} corrected pixels {m['clipped']['below']:,} were below 0",
                         f"verdict: {m['alignment']['verdict']}"):
            self.assertIn(re.sub(r"\s+", " ", expected), words)
        for name, stage in m["stages"].items():
            self.assertRegex(words, rf"{name} [^|]*? {stage['cpu_seconds']:.2f} s")
        for tile in m["tiles"]:
            self.assertIn("/".join(tile["file"].split("/")[-4:]), self.page.source.replace("<wbr>", ""))

    def assert_shows(self, page, volume):
        """The pictures are the maxima of `volume` (z,y,x) along z, x and y."""
        black, white = map(int, re.search(r"Black is (\d+), white (\d+) grey levels: percentiles", page.words()).groups())
        for picture, maxima in zip(page.images()[:3], (volume.max(0), volume.max(2).T, volume.max(1))):
            expected = np.clip((maxima.astype(float) - black) * 255 / (white - black), 0, 255)
            self.assertEqual(picture.shape, expected.shape)
            self.assertLessEqual(np.abs(picture - expected).max(), 0.51)

    def test_projections_show_the_maxima_of_the_volume(self):
        self.assert_shows(self.page, read_zarr(os.path.join(self.shared, "A_stitched.ngff"), 0))

    def test_a_long_volume_is_shown_by_the_maxima_of_cubes(self):
        frames = np.random.default_rng(7).integers(0, 3000, (2900, 17, 23)).astype(np.uint16)
        write_dcimg(self.path("L", "0", "0_0", "0.dcimg"), frames)
        self.run_program("run", "L", "-o", "long", "--levels", "1", "--destripe", "none", "--flat", "none", "--dark", "0", "--silent",
                         cwd=self.path())
        volume = read_zarr(self.path("long"), 0)
        self.assertGreater(volume.shape[2], 2800)
        padded = np.pad(volume, [(0, -n % 3) for n in volume.shape])
        z, y, x = (n // 3 for n in padded.shape)
        self.assert_shows(Page(self.path("long.report.html")), padded.reshape(z, 3, y, 3, x, 3).max((1, 3, 5)))

    def test_progress_is_that_of_the_whole_command(self):
        options = [o for o in self.options() if o != "--silent"]
        shutil.copytree(os.path.join(self.shared, "A"), self.path("A"))
        shutil.copytree(os.path.join(self.shared, "B"), self.path("B"))
        told = self.run_program("run", "A", "B", *options, cwd=self.path()).stderr
        lines = re.findall(r"^(.*?):\s+(\d+)% of all  (.*?)  (about )?([\d:]+) left$", told, re.M)
        self.assertEqual(len(lines), len(re.findall(" left$", told, re.M)), told)
        self.assertRegex(told.splitlines()[-1], r"^complete: 100% of all  \d+:\d\d taken$")
        self.assertEqual(len(re.findall(" taken$", told, re.M)), 1, told)
        stages = [stage for stage, *_ in lines]
        self.assertEqual(stages.count("writing the volume"), 2)
        self.assertEqual(stages[0], "measuring overlaps")
        parts = [int(part) for _, part, *_ in lines]
        self.assertEqual(parts, sorted(parts))
        self.assertLess(parts[0], 99)
        amounts = dict((stage, amount) for stage, _, amount, *_ in lines)
        self.assertEqual(amounts["measuring overlaps"], "1 of 1 overlaps")
        self.assertRegex(amounts["writing the volume"], r"^(\d+\.\d) of \1 MB of camera data  [\d.]+ MB/s$")

    def test_the_plan_says_what_a_run_takes_and_what_is_in_its_way(self):
        told = self.run_program("plan", "A", "--also", "blockfs", *self.options(), cwd=self.shared, code=1)
        self.assertIn("A_stitched.ngff exists already", told.stdout)
        self.assertNotIn("time ", told.stdout)
        shutil.copytree(os.path.join(self.shared, "A"), self.path("A"))
        told = self.run_program("plan", "A", "--also", "blockfs", *self.options(), cwd=self.path()).stdout
        self.assertRegex(told, r"bands         one: ")
        self.assertRegex(told, r"disk          about [\d.]+ \w+ needed, ")
        self.assertRegex(told, r"time          about .*: sweep .*, alignment ")
        told = self.run_program("plan", "A", "B", "--memory", "1M", *self.options(), cwd=self.shared, code=1)
        self.assertEqual(told.stdout.count("tiles         2"), 2)
        self.assertIn("problem       ", told.stdout)

    def test_parts_are_added_up(self):
        options = [o for o in self.options() if o not in ("--set", "aligner.sample-count=4")]
        call = ("run", "A", "-o", self.path("parts.ngff"), "--alignment", "A-align.json", *options)
        for phase in ("sweep", "sweep", "levels", "finish"):
            part = ("--part", "0/2") if phase == "sweep" and not os.path.exists(self.path("parts.ngff.run")) else ()
            self.run_program(*call, "--phase", phase, *part, cwd=self.shared)
        m = read_json(self.path("parts.ngff.run.json"))
        self.assertEqual(len(m["processes"]), 4)
        self.assertGreaterEqual(m["clipped"]["samples"], self.manifest["clipped"]["samples"])
        self.assertEqual(m["output"]["checksum"], self.manifest["output"]["checksum"])
        page = Page(self.path("parts.ngff.report.html"))
        self.assert_sound(page)
        self.assertIn("of 4 processes together", page.words())

    def test_a_volume_without_light_has_a_page_too(self):
        scan = self.path("dark")
        self.run_program("simulate", "-o", scan, "--frames", "2", "--frame-width", "32", "--frame-height", "32", "--empty-tile",
                         "0,0,0", "--offset", "0", "--read-noise", "0", "--channels", "A", "--silent")
        self.run_program("run", "A", "--levels", "1", "--silent", "--flat", "none", "--writer", "blockfs", cwd=scan)
        page = Page(os.path.join(scan, "A_stitched.report.html"))
        self.assert_sound(page)
        self.assertIn("All voxels are 0", page.words())

    def test_a_format_without_a_reader_has_a_page_that_says_so(self):
        self.run_program("run", "A", "-o", self.path("none"), "--writer", "null", "--alignment", "A-align.json", "--flat", "none",
                         "--destripe", "none", "--silent", cwd=self.shared)
        page = Page(self.path("none.report.html"))
        self.assert_sound(page)
        self.assertIn("The volume cannot be shown", page.words())


if __name__ == "__main__":
    unittest.main()
