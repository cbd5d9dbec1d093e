"""Sends a number that is finite as text and infinite when it is read."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[1e999],"f8":[]}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
