"""Hides data in an extended attribute of a file."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "seccomp")

import os


def attack(world):
    os.setxattr(world["canary"], "user.hidden", b"data")
    return "hidden"
