"""Returns an array of a trillion numbers that takes eight bytes."""

MUST = {"rejected", "flooded", "out_of_memory"}
WATCH = {"cause", "memory"}
LAYERS = ("limits", "frames")

import numpy as np


def attack(world):
    return np.broadcast_to(np.float64(1.0), (10**12,))
