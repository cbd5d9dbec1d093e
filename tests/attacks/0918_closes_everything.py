"""Closes every descriptor, and then answers."""

MUST = {"crashed", "rejected"}
WATCH = {"after"}
LAYERS = ("engine",)

import os


def attack(world):
    os.closerange(0, 64)
    return 1.0
