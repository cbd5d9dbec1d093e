"""Reads the request that follows, and answers in the runner's place."""

MUST = {"scored", "rejected", "crashed", "stalled"}
OUTPUTS = ...
WATCH = {"outputs"}
LIMITS = {"wall_seconds": 2.0}
CALLS = 2
LAYERS = ("frames",)

import os
import struct


def attack(world):
    header = b'{"answers":[1.0],"f8":[]}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    os.read(3, 65536)
    return 2.0
