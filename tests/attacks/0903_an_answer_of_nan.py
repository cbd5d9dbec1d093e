"""Sends a frame with NaN in it, past the encoder."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[NaN],"f8":[]}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
