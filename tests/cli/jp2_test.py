"""Camera files to JPEG 2000 and JPEG 2000 to volumes, seen through glymur and OpenJPEG's own programs."""

import filecmp
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import time
import unittest

import glymur
import numpy as np

from cli_support import BIN, Case, deskew, read_json, read_zarr, scene, write_dcimg

NAMES = "img_%05d.jp2"


def write_jp2(path, image, **options):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    levels = min(6, int(min(image.shape[:2])).bit_length())
    glymur.Jp2k(path, data=image, numres=levels, **options)


def write_stack(folder, frames, name="img_%d.jp2", first=0):
    for k, frame in enumerate(frames):
        write_jp2(os.path.join(folder, name % (first + k)), frame)


def segment(image, marker):
    return [s for s in image.get_codestream().segment if s.marker_id == marker][0]


def psnr(image, truth):
    error = np.mean((image.astype(float) - truth) ** 2)
    return 10 * np.log10(65535**2 / error) if error else np.inf


class FromCameraFiles(Case):
    def setUp(self):
        super().setUp()
        self.frames = scene(7, 50, 66)
        write_dcimg(self.path("0.dcimg"), self.frames)

    def convert(self, *options, pattern=NAMES, **more):
        return self.succeed("--input", self.path("0.dcimg"), "--output-pattern", self.path("out", pattern), *options,
                            program="dcimg2jp2", **more)

    def files(self, folder="out"):
        """Without what a killed run leaves under hidden names."""
        return sorted(name for name in os.listdir(self.path(folder)) if not name.startswith("."))

    @staticmethod
    def names(frames):
        """The planes and the configuration that made them."""
        return sorted([NAMES % k for k in frames] + [NAMES + ".config.json"])

    def test_defaults_are_those_of_the_original(self):
        """Six layers of 30 to 80 dB, reversible wavelet, five decompositions, LRCP, frames as stored: layer by layer
        what the library gives by itself, and the last one as good as it was asked for."""
        self.convert()
        self.assertEqual(self.files(), self.names(range(7)))
        for k in range(7):
            image = glymur.Jp2k(self.path("out", NAMES % k))
            self.assertEqual((image.shape, image.dtype), ((50, 66), np.uint16))
            style = segment(image, "COD")
            self.assertEqual((style.layers, style.num_res, style.xform, style.prog_order),
                             (6, 5, glymur.core.WAVELET_XFORM_5X3_REVERSIBLE, glymur.core.LRCP))
            write_jp2(self.path("theirs.jp2"), self.frames[k], psnr=[30, 40, 50, 60, 70, 80])
            theirs = glymur.Jp2k(self.path("theirs.jp2"))
            for layer in range(1, 6):
                image.layer = theirs.layer = layer
                np.testing.assert_array_equal(image[:], theirs[:])
            image.layer = 0
            self.assertGreaterEqual(psnr(image[:], self.frames[k]), 79.9)
            self.assertLess(psnr(image[:], self.frames[k]), 90)

    def test_the_last_layer_holds_what_was_asked_for(self):
        for wanted in (40, 55, 70, 90):
            self.convert("--psnr", f"30,{wanted}", "--stop", "2", pattern=f"{wanted}/{NAMES}")
            reached = psnr(glymur.Jp2k(self.path("out", str(wanted), NAMES % 1))[:], self.frames[1])
            self.assertGreaterEqual(reached, wanted - 0.1)

    def test_a_last_zero_is_lossless_for_other_decoders_too(self):
        for k, layers in enumerate(("0", "40,60,0")):
            self.convert("--psnr", layers, pattern=f"{k}/{NAMES}")
            for frame in (0, 6):
                name = self.path("out", str(k), NAMES % frame)
                np.testing.assert_array_equal(glymur.Jp2k(name)[:], self.frames[frame])
                raw = self.path("decoded.raw")
                subprocess.run(["opj_decompress", "-i", name, "-o", raw], check=True, capture_output=True)
                np.testing.assert_array_equal(np.fromfile(raw, "<u2").reshape(50, 66), self.frames[frame])
                dump = subprocess.run(["opj_dump", "-i", name], check=True, capture_output=True, text=True).stdout
                self.assertIn("prec=16", dump)
                self.assertIn(f"numlayers={len(layers.split(','))}", dump)

    def test_metadata_say_where_each_frame_comes_from(self):
        self.convert("--x-step-size", "1.28", "--y-voxel-size", "1.8")
        image = glymur.Jp2k(self.path("out", NAMES % 3))
        boxes = {box.box_id: box for box in image.box}
        resolution = [b for b in boxes["jp2h"].box if b.box_id == "res "][0].box[0]
        self.assertAlmostEqual(1e6 / resolution.vertical_resolution, 1.8, 5)
        self.assertAlmostEqual(1e6 / resolution.horizontal_resolution, 1.8, 5)
        notes = json.loads(segment(image, "CME").ccme)
        self.assertIn("spimstitch", notes["software"])
        self.assertEqual((notes["unit"], notes["source"], notes["frame"]), ("micrometer", "0.dcimg", 3))
        self.assertEqual(notes["voxel_xyz"], [1.8, 1.8, 1.28])
        self.assertEqual(notes["time"], "2020-09-13T12:26:40.030000Z")
        self.assertEqual(notes["counter"], 3)

    def test_frames_are_chosen_and_oriented_as_by_dcimg2tif(self):
        self.convert("--psnr", "0", "--start", "2", "--stop", "5", "--rotate-90", "3", "--flip-ud")
        self.assertEqual(self.files(), self.names((2, 3, 4)))
        for k in (2, 3, 4):
            np.testing.assert_array_equal(glymur.Jp2k(self.path("out", NAMES % k))[:],
                                          np.flipud(np.rot90(self.frames[k], 3)))

    def test_folders_are_made_at_any_depth(self):
        self.convert(pattern="a/b/c/" + NAMES)
        self.assertEqual(self.files("out/a/b/c"), self.names(range(7)))

    def test_one_frame_and_odd_shapes(self):
        for rows, columns in ((1, 1), (1, 40), (37, 3), (65, 33)):
            with self.subTest(rows=rows, columns=columns):
                frames = scene(1, rows, columns)
                write_dcimg(self.path("odd.dcimg"), frames)
                self.succeed("--input", self.path("odd.dcimg"), "--output-pattern", self.path("odd", NAMES), "--psnr",
                             "0", "--overwrite", program="dcimg2jp2")
                self.assertEqual(self.files("odd"), self.names([0]))
                reread = glymur.Jp2k(self.path("odd", NAMES % 0))[:]
                np.testing.assert_array_equal(reread.reshape(rows, columns), frames[0])

    def test_tiles_are_cut_on_request(self):
        self.convert("--psnr", "0", "--set", "writer.tile=32")
        image = glymur.Jp2k(self.path("out", NAMES % 1))
        self.assertEqual((segment(image, "SIZ").xtsiz, segment(image, "SIZ").ytsiz), (32, 32))
        np.testing.assert_array_equal(image[:], self.frames[1])

    def test_wrong_requests_are_refused_before_any_work(self):
        base = ("--input", self.path("0.dcimg"), "--output-pattern")
        for code, options, says in (
                (2, [self.path("out", "img.jp2")], "no number"),
                (2, [self.path("out", NAMES), "--psnr", "40,30"], "does not rise"),
                (2, [self.path("out", NAMES), "--psnr", "a"], "list of numbers"),
                (1, ["/sys/out/" + NAMES], "/sys"),
        ):
            with self.subTest(options):
                self.fail_with(code, *base, *options, says=says, program="dcimg2jp2")
                self.assertFalse(os.path.exists(self.path("out")))
        self.convert()
        self.fail_with(1, *base, self.path("out", NAMES), says=["img_00000.jp2", "--overwrite"], program="dcimg2jp2")

    def test_an_interrupted_run_goes_on_to_the_same_bytes(self):
        self.convert(pattern="whole/" + NAMES)
        self.convert(pattern="part/" + NAMES)
        part = self.path("out", "part")
        for k, bytes_left in ((1, 300), (2, 0)):
            with open(os.path.join(part, NAMES % k), "r+b") as file:
                file.truncate(bytes_left)
        os.remove(os.path.join(part, NAMES % 5))
        kept = os.stat(os.path.join(part, NAMES % 0)).st_mtime_ns
        self.convert("--resume", "--n-workers", "1", pattern="part/" + NAMES)
        names = [NAMES % k for k in range(7)]
        match, different, wrong = filecmp.cmpfiles(self.path("out", "whole"), part, names, shallow=False)
        self.assertEqual((match, different, wrong), (names, [], []))
        self.assertEqual(os.stat(os.path.join(part, NAMES % 0)).st_mtime_ns, kept)

    def test_a_run_is_not_gone_on_with_in_another_way(self):
        self.convert()
        base = ("--input", self.path("0.dcimg"), "--output-pattern", self.path("out", NAMES), "--resume")
        self.fail_with(2, *base, "--flip-ud", says=["flip-ud", "config.json"], program="dcimg2jp2")
        self.fail_with(2, *base, "--psnr", "0", says=["other options"], program="dcimg2jp2")
        self.fail_with(2, *base, "--overwrite", says=["--resume", "--overwrite"], program="dcimg2jp2")

    def test_a_killed_run_leaves_only_whole_files(self):
        write_dcimg(self.path("0.dcimg"), scene(40, 300, 300))
        call = [os.path.join(BIN, "dcimg2jp2"), "--input", self.path("0.dcimg"), "--output-pattern",
                self.path("killed", NAMES), "--silent"]
        process = subprocess.Popen(call)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if os.path.isdir(self.path("killed")) and any(n.startswith("img") and n.endswith("2") for n in os.listdir(self.path("killed"))):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name in self.files("killed"):
            if name.endswith(".jp2"):
                self.assertEqual(glymur.Jp2k(self.path("killed", name)).shape, (300, 300))
        self.succeed(*call[1:], "--resume", program="dcimg2jp2")
        self.assertEqual(self.files("killed"), self.names(range(40)))
        self.succeed("--input", self.path("0.dcimg"), "--output-pattern", self.path("fresh", NAMES),
                     program="dcimg2jp2")
        for k in range(40):
            self.assertTrue(filecmp.cmp(self.path("killed", NAMES % k), self.path("fresh", NAMES % k), shallow=False))

    def test_a_full_disk_is_one_sentence_and_leaves_no_unfinished_file(self):
        noise = np.random.default_rng(1).integers(0, 65535, (3, 200, 200)).astype(np.uint16)
        write_dcimg(self.path("0.dcimg"), noise)

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

        self.fail_with(1, "--input", self.path("0.dcimg"), "--output-pattern", self.path("out", NAMES), "--psnr", "0",
                       preexec_fn=small_files, program="dcimg2jp2")
        self.assertEqual([name for name in self.files() if not name.endswith(".json")], [])


class IntoVolumes(Case):
    def setUp(self):
        super().setUp()
        self.frames = scene(12, 20, 31)

    def volume(self, stack, *options):
        self.succeed("--input", stack, "--output", self.path("volume"), "--ngff", "--overwrite", *options,
                     program="stack2oblique")
        return read_zarr(self.path("volume"))

    def assert_deskewed(self, result, frames):
        wanted, valid, _ = deskew(frames)
        self.assertEqual(result.shape, wanted.shape)
        self.assertLessEqual(np.abs(result - wanted).max(), 0.51)

    def test_a_stack_is_a_folder_a_pattern_or_a_file(self):
        """Numbers count by their value: img_9 comes before img_10."""
        write_stack(self.path("stack"), self.frames, first=3)
        for stack in (self.path("stack"), self.path("stack", "img_*.jp2")):
            with self.subTest(stack):
                self.assert_deskewed(self.volume(stack), self.frames)
        self.assert_deskewed(self.volume(self.path("stack", "img_4.jp2")), self.frames[1:2])

    def test_bytes_and_bare_codestreams_are_read(self):
        small = (self.frames // 20).astype(np.uint8)
        write_stack(self.path("bytes"), small, name="%03d.j2k")
        result = self.volume(self.path("bytes"))
        self.assertEqual(result.dtype, np.uint8)
        self.assert_deskewed(result, small)

    def test_what_dcimg2jp2_writes_is_what_stack2oblique_reads(self):
        write_dcimg(self.path("0.dcimg"), self.frames)
        self.succeed("--input", self.path("0.dcimg"), "--output-pattern", self.path("s", NAMES), "--psnr", "30,0",
                     program="dcimg2jp2")
        self.assert_deskewed(self.volume(self.path("s")), self.frames)
        self.succeed("--input", self.path("0.dcimg"), "--output", self.path("direct"), "--ngff",
                     program="dcimg2oblique")
        np.testing.assert_array_equal(read_zarr(self.path("direct")), read_zarr(self.path("volume")))

    def test_options_and_defaults_of_the_reference(self):
        """--levels 5, a blockfs volume that Neuroglancer reads, --n-writers, --n-workers, --log-level."""
        write_stack(self.path("stack"), scene(40, 40, 40))
        self.succeed("--input", self.path("stack", "img_*.jp2"), "--output", self.path("a", "b", "volume"),
                     program="stack2oblique")
        info = read_json(self.path("a", "b", "volume", "info"))
        self.assertEqual([scale["key"] for scale in info["scales"]],
                         ["1_1_1", "2_2_2", "4_4_4", "8_8_8", "16_16_16"])
        self.assertTrue(os.path.exists(self.path("a", "b", "volume", "1_1_1", "precomputed.blockfs")))
        self.succeed("--input", self.path("stack"), "--output", self.path("two"), "--levels", "2", "--log-level",
                     "WARNING", "--n-writers", "2", "--n-workers", "3", program="stack2oblique")
        self.assertEqual(len(read_json(self.path("two", "info"))["scales"]), 2)

    def refused(self, stack, *says):
        self.fail_with(1, "--input", stack, "--output", self.path("volume"), says=says, program="stack2oblique")
        self.assertFalse(os.path.exists(self.path("volume")))

    def test_stacks_that_are_not_whole_are_refused_by_name(self):
        stack = self.path("stack")
        write_stack(stack, self.frames)
        os.rename(os.path.join(stack, "img_5.jp2"), self.path("away.jp2"))
        self.refused(stack, "img_6.jp2", "missing")
        for what, image in (("10 x 20", self.frames[0][:, :10].copy()), ("8 bits", self.frames[0].astype(np.uint8))):
            write_jp2(os.path.join(stack, "img_5.jp2"), image)
            self.refused(stack, "img_5.jp2", what)
        write_jp2(os.path.join(stack, "img_5.jp2"), np.zeros((20, 31, 3), np.uint8), mct=False)
        self.refused(stack, "img_5.jp2", "3 components")
        with open(self.path("away.jp2"), "rb") as file:
            whole = file.read()
        for size in (0, 50, 200, len(whole) - 1):
            with open(os.path.join(stack, "img_5.jp2"), "wb") as file:
                file.write(whole[:size])
            self.refused(stack, "img_5.jp2")
        with open(os.path.join(stack, "img_5.jp2"), "wb") as file:
            at = whole.index(b"\xff\x51") + 40
            file.write(whole[:at] + struct.pack("B", 0x8F) + whole[at + 1:])
        self.refused(stack, "img_5.jp2", "signed")

    def test_patterns_and_folders_without_files_are_refused(self):
        os.mkdir(self.path("empty"))
        self.refused(self.path("empty"), "empty")
        self.refused(self.path("nothing*.jp2"), "nothing*.jp2")

    def test_info_describes_a_stack(self):
        write_stack(self.path("stack"), self.frames)
        for stack in (self.path("stack"), self.path("stack", "*.jp2")):
            said = self.succeed("info", stack).stdout
            for text in ("12", "20", "31", "uint16"):
                self.assertIn(text, said)


if __name__ == "__main__":
    shutil.which("opj_decompress") or exit("opj_decompress is missing; install libopenjp2-tools")
    unittest.main()
