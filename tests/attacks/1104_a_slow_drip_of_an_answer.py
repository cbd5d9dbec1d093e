"""Sends its answer byte by byte, and never comes to the end."""

MUST = {"stalled"}
LIMITS = {"wall_seconds": 0.4}
LAYERS = ("engine",)

import os
import struct
import time


def attack(world):
    os.write(3, struct.pack("<II", 1000, 0))
    while True:
        os.write(3, b" ")
        time.sleep(0.005)
