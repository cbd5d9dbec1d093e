"""Declares an array of more numbers than it sends."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header, tail = b'{"answers":[null],"f8":[[0,1000000000000]]}', struct.pack("<d", 1.0)
    os.write(3, struct.pack("<II", len(header), len(tail)) + header + tail)
    time.sleep(60)
