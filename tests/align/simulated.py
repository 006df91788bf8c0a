"""Simulated acquisitions with known stage errors, aligned, and compared with the truth."""

import json
import os

import numpy as np

from cli.cli_support import Case, read_json, run

CHANNEL = "Ex_488_Em_1"
LAB = ("--rotate-90", "3", "--flip-ud")
# Few places and small windows: enough for tiles as small as these, and quick.
QUICK = ("--sample-count", "6", "--blob-detection-window-size", "24,24,24")
# Neighbours overlap by a tenth; content everywhere, shot noise as always, stripes, and light that fades to the corners.
SCENE = ("--overlap", "0.1", "--illumination", "0.3", "--stripes", "0.2", "--organ-size", "0")
# The tenth is 26 voxels along x and y, so that neighbours still meet when each is 8 voxels off.
TILES = ("--tiles", "3,3,1", "--frames", "256", "--frame-width", "256", "--frame-height", "64")
# Eight voxels of 1.28 x 1.8 x 1.27 um.
EIGHT_VOXELS = ("--stage-error", "10.24,14.4,10.18")


def sanitized():
    """A build with sanitizers is many times slower; what it would find, one seed shows."""
    with open(os.path.join(os.environ["SPIM_BUILD_DIR"], "CMakeCache.txt")) as cache:
        return any(line.startswith("SPIMSTITCH_SANITIZE:") and line.strip()[-1] != "=" for line in cache)


class SimulatedCase(Case):
    def simulate(self, *options):
        self.succeed("simulate", "--output", self.path("scan"), "--silent", "--overwrite", *SCENE, *options)
        return self.path("scan", CHANNEL)

    def align(self, *options):
        self.succeed("--input", self.path("scan", CHANNEL), "--output", self.path("a.json"), "--overwrite", "--silent",
                     *QUICK, *LAB, *options, program="oblique-align", timeout=500)
        return read_json(self.path("a.json"))

    def stacks(self):
        return read_json(self.path("scan", "truth", "truth.json"))["stacks"]

    def errors(self):
        """Errors of the aligned positions, voxels, and those of the stage as numbers, in the order of the truth."""
        done = run("truth-check", self.path("scan"), "--alignment", self.path("a.json"), "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        return np.array([tile["error_voxels"] for tile in report["tiles"]]), report["positions"]

    def tiles_of(self, alignment):
        """What the alignment says of each tile, by its place in the grid."""
        tiles = {tuple(tile["stage"]): tile for tile in alignment["spimstitch"]["tiles"]}
        return {tuple(stack["index"]): tiles[tuple(float(v) for v in stack["nominal_um"])] for stack in self.stacks()}

    def assert_honest(self, alignment, errors):
        if np.abs(errors - np.median(errors, axis=0)).max() > 0.5:
            self.assertNotEqual(alignment["spimstitch"]["verdict"], "good")

    def assert_named(self, alignment, *words):
        text = "\n".join(alignment["spimstitch"]["findings"])
        for word in words:
            self.assertIn(word, text)
