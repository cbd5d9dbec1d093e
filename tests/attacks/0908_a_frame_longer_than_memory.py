"""Announces a frame of four gibibytes, and sends nothing."""

MUST = {"rejected", "flooded"}
WATCH = {"cause", "memory"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    os.write(3, struct.pack("<II", 2**32 - 1, 2**32 - 1))
    time.sleep(60)
