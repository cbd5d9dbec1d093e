"""Removes a file of the machine."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    os.unlink(world["canary"])
    return "removed"
