"""Leaves a folder that it may read by two dots, and reads a secret from there."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock")

import os


def attack(world):
    here = os.open(os.path.dirname(os.__file__), os.O_RDONLY | os.O_DIRECTORY)
    held = os.open("../" * 20 + world["secret"].lstrip("/"), os.O_RDONLY, dir_fd=here)
    return os.read(held, 4096).decode()
