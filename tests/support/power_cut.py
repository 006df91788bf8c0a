"""Puts a folder into the state that a power cut leaves, as tests/run/power_cut.cpp remembers it."""

import os
import shutil


class PowerCut:
    """What is durable of the folder `root`. Programs with `environment` tell it; what is there now is."""

    def __init__(self, root, library):
        self.root = os.path.realpath(root)
        self.kept = self.root + ".kept"
        self.begin()
        self.environment = dict(os.environ, LD_PRELOAD=library, POWER_CUT_ROOT=self.root, POWER_CUT_KEPT=self.kept,
                                ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")

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

    def happen(self):
        """Drops all that was not synced. Folders keep their inodes."""
        self.aside = self.root + ".aside"
        os.makedirs(self.aside)
        self._restore(self.root)
        shutil.rmtree(self.aside)
        self.begin()

    def _entries(self, folder):
        path = os.path.join(self.kept, f"folder-{os.stat(folder).st_ino}")
        if not os.path.exists(path):
            return {}
        with open(path) as lines:
            rows = [line.rstrip("\n").split(" ", 2) for line in lines]
        return {name: (int(inode), kind) for inode, kind, name in rows}

    def _restore(self, folder):
        wanted = self._entries(folder)
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
