"""Writes to stderr without end, around Python."""

MUST = {"flooded"}
LAYERS = ("engine",)
WATCH = {"cause"}

import os


def attack(world):
    block = b"\xff\x00\x1b" * 20000
    while True:
        os.write(2, block)
