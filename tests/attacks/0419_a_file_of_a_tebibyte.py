"""Makes a file of a tebibyte, most of it hole."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers"}
LAYERS = ("namespaces", "landlock", "limits")

import os


def attack(world):
    held = os.open(f"{world['folder']}/huge", os.O_CREAT | os.O_RDWR)
    os.ftruncate(held, 2**40)
    return "made"
