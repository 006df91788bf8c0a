"""What oblique-align makes of tiles and overlaps that tell nothing, or lies: it names them, and the rest stays right."""

import unittest

import numpy as np

from align.simulated import EIGHT_VOXELS, TILES, SimulatedCase, sanitized

EMPTY, LOST = (0, 2, 0), (2, 0, 0)
# Between these two, the overlap shows a lattice that says that they are elsewhere.
MISLED = (1, 1, 0), (1, 2, 0)
# How far the lost tile is from its place, µm: 60 voxels of y towards its neighbour, of x towards its neighbour, and of z.
SIXTY_VOXELS = ("0,108,0", "-76.8,0,0", "0,0,76.4")


class Culprits(SimulatedCase):
    def test_an_empty_a_lost_and_a_misled_tile_are_named_and_the_rest_is_right(self):
        cases = list(zip((41, 42, 43), SIXTY_VOXELS))
        for seed, by in cases[:1] if sanitized() else cases:
            with self.subTest(seed=seed, by=by):
                self.check_culprits(seed, by)

    def check_culprits(self, seed, by):
        name = lambda tile: ",".join(map(str, tile))  # noqa: E731
        self.simulate(*TILES, *EIGHT_VOXELS, "--seed", seed, "--empty-tile", name(EMPTY),
                      "--displace-tile", f"{name(LOST)}:{by}")
        files = {tuple(stack["index"]): self.path("scan", stack["file"]) for stack in self.stacks()}
        add_lattice(files[MISLED[0]], rows=slice(256 - 46, 256), phase=(0, 0, 0))
        add_lattice(files[MISLED[1]], rows=slice(0, 46), phase=(5, 5, 3))
        alignment = self.align("--align-xz")
        errors, _ = self.errors()
        tiles = self.tiles_of(alignment)
        self.assertNotEqual(alignment["spimstitch"]["verdict"], "good")
        rest = np.array([index not in (EMPTY, LOST) for index in files])
        self.assertLess(np.abs(errors[rest] - errors[rest].mean(axis=0)).max(), 0.5, errors)
        for culprit in (EMPTY, LOST):
            self.assert_named(alignment, f"tile {tiles[culprit]['name']} ")
        self.assertIn("left where the stage says", tiles[EMPTY]["remark"])
        a, b = (tiles[index] for index in MISLED)
        link = next(link for link in alignment["spimstitch"]["links"] if link["tiles"] == [a["stage"], b["stage"]])
        misled = np.abs(np.subtract(link["shift_voxels"], np.subtract(b["shift_voxels"], a["shift_voxels"]))).max() > 0.5
        self.assertFalse(misled and link["trusted"], link)
        if link["measured"] and not link["trusted"]:
            self.assert_named(alignment, "link between {} and {}".format(a["name"], b["name"]))

    @unittest.skipIf(sanitized(), "slow")
    def test_overlaps_without_content_keep_the_stage_positions(self):
        for seed in (51, 52, 53):
            with self.subTest(seed=seed):
                self.simulate("--tiles", "3,3,1", "--frames", 64, "--frame-width", 160, "--frame-height", 48, *EIGHT_VOXELS,
                              "--brightness", "0", "--seed", seed)
                alignment = self.align("--align-xz")
                self.assertEqual(alignment["spimstitch"]["verdict"], "do not use")
                for tile in alignment["spimstitch"]["tiles"]:
                    self.assertEqual(tile["shift_voxels"], [0, 0, 0])
                self.assert_named(alignment, "left where the stage says")


def add_lattice(path, rows, phase, period=11):
    """Draws blobs at the points of a lattice into some rows of every oriented frame of a camera file (version 1)."""
    with open(path, "rb") as file:
        head = file.read(1024)
    header = int.from_bytes(head[0x28:0x2C], "little")
    field = lambda at, size=4: int.from_bytes(head[header + at : header + at + size], "little")  # noqa: E731
    frames, columns, height = field(0x3C), field(0x48), field(0x4C)
    data, stride = header + field(0x60, 8), field(0x74)
    pixels = np.memmap(path, "<u2", "r+", offset=data, shape=(frames * stride // 2,))
    i, j = np.meshgrid(np.arange(columns), np.arange(height), indexing="ij")  # rows y, columns depth
    for k in range(frames):
        near = [np.minimum((a + p) % period, -(a + p) % period) for a, p in zip((k, i, j), phase)]
        blobs = 3000 * np.exp(-sum(d**2 for d in near) / 4.0)
        oriented = np.zeros_like(blobs)
        oriented[rows] = blobs[rows]
        raw = np.rot90(np.flipud(oriented), -3)
        frame = pixels[k * stride // 2 : k * stride // 2 + columns * height].reshape(height, columns)
        frame[:] = np.clip(frame + raw, 0, 65535).astype(np.uint16)
    pixels.flush()


if __name__ == "__main__":
    unittest.main()
