"""Writes to the engine's channel without end."""

MUST = {"rejected", "flooded"}
LAYERS = ("frames",)
WATCH = {"cause", "memory"}

import os


def attack(world):
    while True:
        os.write(3, bytes(65536))
