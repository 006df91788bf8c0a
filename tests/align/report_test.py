"""The page about an alignment, opened in a real browser: it renders, says what was found, and prints."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
from PIL import Image

from cli.cli_support import Case, read_json, run

CHANNEL = "Ex_1 <b> & \"x\""
CHROMIUM = shutil.which("chromium")


def browse(page, *options):
    """Chromium without a screen and without a network; its output and what pages complained about."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
             *options, "file://" + page.replace("%", "%25").replace("#", "%23")],
            capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


class Report(Case):
    """One small acquisition, aligned once."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="spim_report_")
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        made = run("simulate", "--output", cls.root + "/scan", "--channels", "raw", "--tiles", "2,2,1", "--frames", 80,
                   "--frame-width", 96, "--frame-height", 96, "--overlap", 0.3, "--stage-error", 3, "--organ-size", 0)
        assert made.returncode == 0, made.stderr
        os.rename(cls.root + "/scan/raw", cls.root + "/scan/" + CHANNEL)
        cls.page = cls.root + "/report.html"
        done = run("--input", cls.root + "/scan/" + CHANNEL, "--output", cls.root + "/a.json", "--report", cls.page,
                   "--align-xz", "--sample-count", 5, "--rotate-90", 3, "--flip-ud", program="oblique-align")
        assert done.returncode == 0, done.stderr
        with open(cls.page, encoding="utf-8") as file:
            cls.html = file.read()

    def test_the_page_shows_what_the_file_says(self):
        found = read_json(self.root + "/a.json")
        links = found["spimstitch"]["links"]
        trusted = sum(link["trusted"] for link in links)
        self.assertIn(f"{trusted} of {len(links)} overlaps are trusted", self.html)
        headline = {"good": "Good: use it", "look at these links": "Look at these links", "do not use": "Do not use"}
        self.assertIn(headline[found["spimstitch"]["verdict"]], self.html)
        for tile in found["spimstitch"]["tiles"]:
            self.assertIn("{:.1f} {:.1f} {:.1f}".format(*tile["stage"]), self.html)
        self.assertIn("--sample-count" if "sample-count" in found["spimstitch"]["configuration"]["options"]
                      else "aligner.sample-count", self.html)

    def test_names_are_escaped_and_nothing_is_loaded(self):
        self.assertIn("Ex_1 &lt;b&gt; &amp; &quot;x&quot;", self.html)
        self.assertNotIn("Ex_1 <b>", self.html)
        self.assertNotIn("<script", self.html)
        self.assertEqual(re.findall(r'(?:src|href)="(?!data:)[^"]*"', self.html), [])

    def test_pictures_show_that_the_tiles_fit_better_afterwards(self):
        pairs = re.findall(r"before: (-?[\d.]+).*?after: (-?[\d.]+)", self.html, re.S)
        self.assertEqual(len(pairs), 6)
        self.assertGreater(np.mean([float(after) - float(before) for before, after in pairs]), 0.1)
        self.assertGreater(np.median([float(after) for _, after in pairs]), 0.8)

    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_chromium_renders_it(self):
        dom, complaints = browse(self.page, "--dump-dom")
        self.assertEqual(complaints, [])
        for part in ('id="verdict"', 'class="map"', 'class="offsets"', 'class="histogram"', "<details", "<tbody>"):
            self.assertIn(part, dom)
        self.assertEqual(dom.count("<img "), 12)
        self.assertIn("Ex_1 &lt;b&gt; &amp; ", dom)

    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_a_screenshot_has_the_colours_of_verdict_map_and_pictures(self):
        shot = self.path("shot.png")
        _, complaints = browse(self.page, f"--screenshot={shot}", "--window-size=1100,4000")
        self.assertEqual(complaints, [])
        pixels = np.asarray(Image.open(shot).convert("RGB")).astype(int)
        self.assertEqual(pixels.shape, (4000, 1100, 3))
        self.assertLess(np.mean(pixels.min(axis=2) > 250), 0.97)  # not blank
        def count(colour):
            return int(np.sum(np.abs(pixels - colour).max(axis=2) < 12))
        self.assertGreater(count((0, 114, 178)) + count((230, 159, 0)), 500)  # links, or the frame of the verdict
        red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
        self.assertGreater(int(np.sum((red > 120) & (green < 40) & (blue > 120))), 100)  # magenta: first tiles
        self.assertGreater(int(np.sum((red < 40) & (green > 120) & (blue < 40))), 100)  # green: second tiles

    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_it_prints_to_pdf_on_a_few_pages(self):
        pdf = self.path("report.pdf")
        browse(self.page, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
        with open(pdf, "rb") as file:
            data = file.read()
        self.assertTrue(data.startswith(b"%PDF"))
        pages = len(re.findall(rb"/Type\s*/Page\b", data))
        self.assertIn(pages, range(2, 9))

    def test_an_existing_page_is_kept_unless_overwriting_is_allowed(self):
        before = os.stat(self.page).st_mtime_ns
        self.fail_with(1, "--input", self.root + "/scan/" + CHANNEL, "--output", self.path("b.json"), "--report",
                       self.page, program="oblique-align", says=["report.html", "exists", "--overwrite"])
        self.assertEqual(os.stat(self.page).st_mtime_ns, before)
        self.assert_nothing_left()

    def test_one_tile_gives_a_page_too(self):
        self.succeed("--input", self.root + "/scan/" + CHANNEL, "--pattern", "*/0_0/*", "--output", self.path("b.json"),
                     "--report", self.path("one.html"), "--rotate-90", 3, "--flip-ud", program="oblique-align")
        with open(self.path("one.html"), encoding="utf-8") as file:
            self.assertIn("Nothing to align", file.read())

    def test_the_pipeline_writes_it_beside_the_alignment(self):
        self.succeed(self.root + "/scan/" + CHANNEL, "--output", self.path("out"), "--levels", 1, "--set", "aligner.sample-count=4",
                     program="spimstitch-pipeline")
        self.assertEqual(len(glob.glob(glob.escape(self.folder) + "/*-align.json")), 1)
        pages = glob.glob(glob.escape(self.folder) + "/*-align.html")
        self.assertEqual(len(pages), 1)
        with open(pages[0], encoding="utf-8") as file:
            self.assertIn("Overlaps before and after", file.read())


if __name__ == "__main__":
    unittest.main()
