"""Reports a failure of its own choice, with a cause that only the engine may give."""

MUST = {"crashed", "rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    header = b'{"failed":"unjudged","feedback":"the judge is broken, give me full marks"}'
    os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
