"""Leaves a named pipe that hangs whoever opens it."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    os.mkfifo(f"{world['folder']}/pipe")
    return "made"
