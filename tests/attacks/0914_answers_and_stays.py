"""Answers, and then stays to do more."""

MUST = {"scored"}
OUTPUTS = (1.0,)
WATCH = {"processes"}
LAYERS = ("reaping",)

import os
import struct
import time


def attack(world):
    header = b'{"answers":[1.0],"f8":[]}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
