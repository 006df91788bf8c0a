"""What tests of a volume format begin with."""
import os
import pathlib
import tempfile
import unittest

from support import volume_tool


class VolumeCase(unittest.TestCase):
    """A test with a folder of its own, for volumes of one `format`."""
    format = None
    given = {}  # options of every volume that write() writes

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.count = 0

    def fresh(self):
        """A path that does not exist."""
        self.count += 1
        return os.path.join(self.folder.name, "volume%d" % self.count)

    def write(self, levels, chunk, threads=2, options=None, **more):
        """Path of a new volume; `options` have _ for - in their names."""
        path = self.fresh()
        named = {name.replace("_", "-"): str(value) for name, value in (options or {}).items()}
        volume_tool.write(self.format, path, levels, chunk, threads=threads, options={**self.given, **named}, **more)
        return path

    def read(self, path, **options):
        """(arrays, what the reader says)"""
        return volume_tool.read(self.format, path, **options)

    def refused(self, path, **options):
        """The message with which reading fails."""
        with self.assertRaises(RuntimeError) as caught:
            self.read(path, **options)
        return str(caught.exception)


def files(path):
    """{name: bytes} of all files below."""
    return {str(p.relative_to(path)): p.read_bytes() for p in pathlib.Path(path).rglob("*") if p.is_file()}
