"""Sends lists in lists, a hundred thousand deep, past the encoder."""

MUST = {"rejected"}
WATCH = {"cause", "after"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[' + b"[" * 100_000 + b"]" * 100_000 + b'],"f8":[]}'
    data = struct.pack("<II", len(header), 0) + header
    while data:
        data = data[os.write(3, data) :]
    time.sleep(60)
