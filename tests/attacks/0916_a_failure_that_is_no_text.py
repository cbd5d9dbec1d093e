"""Reports a failure whose feedback is a nested structure and whose cause is a list."""

MUST = {"crashed", "rejected"}
WATCH = {"after"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"failed":[{"a":[]}],"feedback":{"a":[[[[]]]]}}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
