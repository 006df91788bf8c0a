"""Environment of a program for which a folder is on a bad disk: small, failing, or gone in the middle (tests/run/bad_disk.cpp)."""

import os

LIBRARY = os.path.join(os.environ["SPIM_BUILD_DIR"], "tests", "libbad_disk.so")


def preloaded(environment, library):
    """With `library` in front of what is preloaded already; sanitizers like to be first."""
    libraries = ":".join(filter(None, (library, environment.get("LD_PRELOAD"))))
    return dict(environment, LD_PRELOAD=libraries,
                ASAN_OPTIONS=environment.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")


def bad_disk(root, *rules, size=None, environment=None):
    """`rules` are "CALL TEXT WHEN WHAT", `size` is what the disk holds in bytes."""
    env = dict(preloaded(environment or os.environ, LIBRARY), BAD_DISK_ROOT=os.path.realpath(root), BAD_DISK_RULES="\n".join(rules))
    return env if size is None else dict(env, BAD_DISK_BYTES=str(size))


def bytes_on(root):
    """What is on such a disk."""
    found = 0
    for folder, folders, files in os.walk(root):
        found += 256 * (len(folders) + len(files)) + sum(os.lstat(os.path.join(folder, name)).st_size for name in files)
    return found
