"""Returns a longer array than an answer may hold."""

MUST = {"rejected", "flooded"}
WATCH = {"cause"}
LAYERS = ("frames",)

import numpy as np


def attack(world):
    return np.zeros(2**19)
