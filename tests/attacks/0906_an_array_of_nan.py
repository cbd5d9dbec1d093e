"""Sends raw numbers that are not finite."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header, tail = b'{"answers":[null],"f8":[[0,2]]}', struct.pack("<2d", 1.0, float("nan"))
    os.write(3, struct.pack("<II", len(header), len(tail)) + header + tail)
    time.sleep(60)
