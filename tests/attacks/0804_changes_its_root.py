"""Moves its root, and leaves it by two dots."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "user")

import os


def attack(world):
    os.chroot("/usr")
    return "moved"
