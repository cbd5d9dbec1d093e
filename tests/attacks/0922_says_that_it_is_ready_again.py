"""Sends the words of the protocol that are not its turn."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os
import struct
import time


def attack(world):
    for header in (b'{"loaded":true}', b'{"ready":true}'):
        os.write(3, struct.pack("<II", len(header), 0) + header)
    time.sleep(60)
