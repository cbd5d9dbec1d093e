"""Makes a named block of shared memory with multiprocessing, and leaves it."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers", "cause"}
LAYERS = ("namespaces", "landlock", "seccomp")

import mmap
import os

import _posixshmem


def attack(world):
    place = _posixshmem.shm_open(f"/{world['mark']}", os.O_CREAT | os.O_RDWR, mode=0o600)
    return mmap.mmap(place, 0) and "through"
