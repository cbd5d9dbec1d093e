"""Returns an array of numbers, one of which is NaN."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import numpy as np


def attack(world):
    return np.array([1.0, np.nan, 2.0])
