"""Moves itself out of whatever control group it is in."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "user")

import glob
import os


def attack(world):
    moved = 0
    last = FileNotFoundError("no control groups")
    for path in glob.glob("/sys/fs/cgroup/cgroup.procs") + glob.glob("/sys/fs/cgroup/*/cgroup.procs"):
        try:
            held = os.open(path, os.O_WRONLY)
            moved += 1
            os.close(held)
        except OSError as error:
            last = error
    if not moved:
        raise last
    return moved
