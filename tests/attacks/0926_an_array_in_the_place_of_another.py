"""Declares the same place twice, and places that are negative, fractions and true."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header, tail = b'{"answers":[null],"f8":[[-1,0],[true,1],[0.0,1]]}', struct.pack("<d", 1.0)
    os.write(3, struct.pack("<II", len(header), len(tail)) + header + tail)
    time.sleep(60)
