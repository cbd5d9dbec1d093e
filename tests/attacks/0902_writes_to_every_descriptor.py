"""Writes a forged answer to every descriptor there may be, and ends with success."""

MUST = {"scored", "rejected", "crashed"}
OUTPUTS = ...
WATCH = {"outputs", "after"}
LAYERS = ("frames", "descriptors")

import os
import struct


def attack(world):
    header = b'{"answers":[1e9],"f8":[]}'
    for fd in range(64):
        try:
            os.write(fd, struct.pack("<II", len(header), 0) + header)
        except OSError:
            continue
    os._exit(0)
