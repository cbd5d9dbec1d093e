"""Sends a whole number of half a million digits, past the encoder."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[' + b"7" * 500_000 + b'],"f8":[]}'
    data = struct.pack("<II", len(header), 0) + header
    while data:
        data = data[os.write(3, data) :]
    time.sleep(60)
