"""Returns infinity inside of an array, and of a tuple."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import numpy as np


def attack(world):
    return (1.0, np.array([1.0, np.inf]))
