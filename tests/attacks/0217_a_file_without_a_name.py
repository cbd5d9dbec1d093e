"""Fills a file without a name in a folder of the machine."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "limits")

import os


def attack(world):
    held = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR)
    os.ftruncate(held, 0)
    return "through"
