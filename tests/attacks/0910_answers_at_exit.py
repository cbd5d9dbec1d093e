"""Fails, and has a handler answer for it when the interpreter ends."""

MUST = {"crashed", "rejected"}
WATCH = {"cause", "outputs"}
LAYERS = ("frames",)

import atexit
import os
import struct
import sys


def attack(world):
    header = b'{"answers":[1e9],"f8":[]}'
    atexit.register(os.write, 3, struct.pack("<II", len(header), 0) + header)
    sys.exit(0)
