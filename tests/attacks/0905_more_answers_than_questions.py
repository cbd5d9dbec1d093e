"""Sends a thousand answers to one call."""

MUST = {"rejected"}
WATCH = {"cause", "outputs"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[' + b"1," * 999 + b'1],"f8":[]}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
