"""Takes the processes and descriptors of the process away that it was forked from."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "user")

import os
import resource


def attack(world):
    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (3, 3))
    return "limited"
