"""The benchmark of the whole pipeline works, and a run reads camera files once and writes its output once. No times."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipeline_bench.py")


class PipelineBench(unittest.TestCase):
    def test_prints_all_tables_and_counts_what_passes_the_disk(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, SCRIPT, "--quick", "--folder", os.path.join(folder, "bench")],
                                  capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for title in ("The whole pipeline", "Memory", "Growth"):
            self.assertIn(f"### {title}", done.stdout)
        for row, least, most in (("camera bytes asked for / raw", 0.99, 1.3), ("bytes written / output", 1.0, 1.2)):
            found = re.search(rf"^\| {re.escape(row)} \| ([\d.]+) \| ([\d.]+) \|$", done.stdout, re.MULTILINE)
            self.assertIsNotNone(found, done.stdout)
            for value in found.groups():
                self.assertGreaterEqual(float(value), least, row)
                self.assertLessEqual(float(value), most, row)


if __name__ == "__main__":
    unittest.main()
