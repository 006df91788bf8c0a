"""Puts a folder into the state that a power cut leaves, as tests/run/power_cut.cpp remembers it."""

import os
import shutil

from support.bad_disk import preloaded

# What a power cut takes. Systems are free to keep a name whose bytes they lose, and the other way round.
BYTES_AND_NAMES, BYTES = "bytes and names", "bytes"


class PowerCut:
    """What is durable of the folder `root`. Programs with `environment` tell it; what is there now is."""

    def __init__(self, root, library):
        self.root = os.path.realpath(root)
        self.kept = self.root + ".kept"
        self.begin()
        self.environment = dict(preloaded(os.environ, library), POWER_CUT_ROOT=self.root, POWER_CUT_KEPT=self.kept)

    def begin(self):
        """All that is there now is durable."""
        shutil.rmtree(self.kept, ignore_errors=True)
        os.makedirs(self.kept)
        for folder, _, _ in os.walk(self.root):
            self._keep_folder(folder)

    def _keep_folder(self, folder):
        with open(os.path.join(self.kept, f"folder-{os.stat(folder).st_ino}"), "w") as lines:
            for entry in os.scandir(folder):
                lines.write(f"{entry.inode()} {'d' if entry.is_dir() else 'f'} {entry.name}\n")
                if entry.is_file():
                    shutil.copyfile(entry.path, os.path.join(self.kept, f"file-{entry.inode()}"))

    def happen(self, takes=BYTES_AND_NAMES):
        """Drops what was not synced. Folders keep their inodes."""
        if takes == BYTES:
            self._drop_bytes()
            return self.begin()
        self.aside = self.root + ".aside"
        self.placed = set()
        os.makedirs(self.aside)
        self._restore(self.root)
        shutil.rmtree(self.aside)
        self.begin()

    def _drop_bytes(self):
        """All names are as they were given; of the bytes those stay that were synced."""
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                kept = os.path.join(self.kept, f"file-{os.lstat(path).st_ino}")
                if os.path.exists(kept):
                    shutil.copyfile(kept, path)
                else:
                    os.truncate(path, 0)

    def _entries(self, folder):
        path = os.path.join(self.kept, f"folder-{os.stat(folder).st_ino}")
        if not os.path.exists(path):
            return {}
        with open(path) as lines:
            rows = [line.rstrip("\n").split(" ", 2) for line in lines]
        return {name: (int(inode), kind) for inode, kind, name in rows}

    def _restore(self, folder):
        wanted = self._entries(folder)
        # A rename from one folder to another is one step for the system, so that a folder never has two names.
        wanted = {name: entry for name, entry in wanted.items() if entry[1] == "f" or entry[0] not in self.placed}
        self.placed |= {inode for inode, kind in wanted.values() if kind == "d"}
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                if wanted.get(entry.name) != (entry.inode(), "d"):
                    os.rename(entry.path, os.path.join(self.aside, str(entry.inode())))
            else:
                os.remove(entry.path)
        for name, (inode, kind) in wanted.items():
            path = os.path.join(folder, name)
            if kind == "f":
                kept = os.path.join(self.kept, f"file-{inode}")
                if os.path.exists(kept):
                    shutil.copyfile(kept, path)
                else:
                    open(path, "w").close()  # a name without its bytes
                continue
            if not os.path.isdir(path):
                self._bring(inode, path)
            self._restore(path)

    def _bring(self, inode, path):
        """The folder `inode` from where it is now."""
        for top in (self.aside, self.root):
            for folder, names, _ in os.walk(top):
                for name in names:
                    if os.stat(os.path.join(folder, name)).st_ino == inode:
                        return os.rename(os.path.join(folder, name), path)
        os.mkdir(path)
