"""Sends a frame in which every key is there twice."""

MUST = {"rejected", "scored"}
OUTPUTS = (1.0, 2.0)
WATCH = {"outputs"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[1.0],"f8":[],"answers":[2.0],"f8":[]}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
