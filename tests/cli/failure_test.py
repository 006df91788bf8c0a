"""Whatever goes wrong ends in one sentence and leaves nothing that looks finished."""

import os
import resource
import signal
import subprocess
import time
import unittest

import numpy as np

from cli_support import BIN, Case, write_dcimg


def noise(frames, rows, columns):
    """Frames that do not compress."""
    return np.random.default_rng(1).integers(1, 60000, (frames, rows, columns)).astype(np.uint16)


class Disk(Case):
    def setUp(self):
        super().setUp()
        write_dcimg(self.path("0.dcimg"), noise(60, 64, 64))

    def test_full_disk_is_one_sentence_and_leaves_nothing(self):
        """On a tiny tmpfs where one can be mounted; with a limit on the size of files everywhere."""
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        for writer in ("blockfs", "zarr"):
            with self.subTest(writer):
                self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"),
                               "--chunk-size", "64,64,64", "--writer", writer, preexec_fn=small_files)
                self.assert_nothing_left("0.dcimg")
        disk = self.path("disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True)
        if mounted.returncode != 0:
            return
        try:
            for writer in ("blockfs", "zarr"):
                with self.subTest(writer, disk="tmpfs"):
                    self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output",
                                   os.path.join(disk, "out"), "--writer", writer, says="no space left")
                    self.assertEqual(os.listdir(disk), [])
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_folders_that_cannot_be_written_are_named(self):
        """/sys refuses even root; a file is no folder."""
        for output in ("/sys/spimstitch_out", self.path("0.dcimg", "out")):
            with self.subTest(output):
                self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", output,
                               says=os.path.dirname(output))
        self.assert_nothing_left("0.dcimg")

    def test_input_that_does_not_exist_or_is_something_else_is_named(self):
        self.fail_with(1, "dcimg2oblique", "--input", self.path("1.dcimg"), "--output", self.path("out"),
                       says="1.dcimg")
        with open(self.path("text.txt"), "w") as file:
            file.write("hello")
        self.fail_with(1, "stack2oblique", "--input", self.path("text.txt"), "--output", self.path("out"),
                       says="text.txt")
        self.fail_with(1, "stack2oblique", "--input", self.path("img_*.tiff"), "--output", self.path("out"),
                       says="img_*.tiff")
        self.assert_nothing_left("0.dcimg", "text.txt")

    def test_damaged_camera_file_is_one_sentence(self):
        with open(self.path("0.dcimg"), "rb") as file:
            data = file.read()
        for name, at, value in (("width", 112 + 0x48, 2**31), ("height", 112 + 0x4C, 2**31 - 1), ("frames", 112 + 0x3C, 2**32 - 1),
                                ("type", 112 + 0x40, 7), ("data", 112 + 0x60, 2**32 - 1)):
            with self.subTest(name):
                damaged = bytearray(data)
                damaged[at : at + 4] = value.to_bytes(4, "little")
                with open(self.path("bad.dcimg"), "wb") as file:
                    file.write(damaged)
                self.fail_with(1, "dcimg2oblique", "--input", self.path("bad.dcimg"), "--output", self.path("out"),
                               says="bad.dcimg")
        self.assert_nothing_left("0.dcimg", "bad.dcimg")

    def test_frames_outside_the_file_are_a_usage_error(self):
        self.fail_with(2, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"), "--start",
                       "60", says=("0.dcimg", "60"))
        self.fail_with(2, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"), "--stop",
                       "61", says=("0.dcimg", "61"))
        self.assert_nothing_left("0.dcimg")

    def test_stack_without_a_whole_frame_is_named_even_if_cut_short_is_allowed(self):
        os.truncate(self.path("0.dcimg"), 1000)
        self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"),
                       "--allow-truncated", says=("0.dcimg", "no whole frame"))
        self.assert_nothing_left("0.dcimg")

    def test_memory_that_cannot_be_enough_is_refused_before_anything_is_written(self):
        self.fail_with(1, "dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"), "--memory",
                       "100K", says="memory")
        self.assert_nothing_left("0.dcimg")


class Interruption(Case):
    """A run of many seconds, stopped when it has begun to write."""

    def start(self, *options):
        write_dcimg(self.path("0.dcimg"), noise(300, 256, 256))
        process = subprocess.Popen(
            [os.path.join(BIN, "spimstitch"), "dcimg2oblique", "--input", self.path("0.dcimg"), "--output",
             self.path("out"), "--n-workers", "1", "--set", "writer.level=8", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not any(".partial" in name for name in os.listdir(self.folder)) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        self.assertIsNone(process.poll(), "the run ended before it could be interrupted")
        return process

    def test_interrupt_and_termination_end_soon_and_leave_nothing(self):
        for sign in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(sign):
                process = self.start("--silent")
                process.send_signal(sign)
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130)
                self.assertEqual(err, "spimstitch: interrupted\n")
                self.assertEqual(out, "")
                self.assert_nothing_left("0.dcimg")

    def test_killed_run_leaves_no_finished_output_and_the_next_one_succeeds(self):
        process = self.start("--silent")
        process.kill()
        process.communicate()
        self.assertFalse(os.path.exists(self.path("out")))
        self.succeed("dcimg2oblique", "--input", self.path("0.dcimg"), "--output", self.path("out"), "--stop", "5")


class Progress(Case):
    def test_terminal_gets_a_bar_and_a_file_gets_lines(self):
        import pty

        write_dcimg(self.path("0.dcimg"), noise(60, 128, 128))
        call = [os.path.join(BIN, "spimstitch"), "dcimg2oblique", "--input", self.path("0.dcimg"), "--output"]
        master, terminal = pty.openpty()
        process = subprocess.Popen([*call, self.path("a")], stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        seen = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part
        self.assertEqual(process.wait(), 0)
        os.close(master)
        self.assertIn(b"\r", seen)
        self.assertIn(b"MB/s", seen)
        self.assertIn(b"100%", seen)
        plain = subprocess.run([*call, self.path("b")], capture_output=True, text=True)
        self.assertNotIn("\r", plain.stderr)
        self.assertIn("100%", plain.stderr)


if __name__ == "__main__":
    unittest.main()
