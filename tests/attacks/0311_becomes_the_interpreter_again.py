"""Becomes the interpreter again, which it may read, to start with a clean slate."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LIMITS = {"wall_seconds": 3.0}
LAYERS = ("seccomp", "landlock")

import os
import sys


def attack(world):
    os.execv(os.path.realpath(sys.executable), ["python", "-S", "-c", "import time; time.sleep(60)"])
