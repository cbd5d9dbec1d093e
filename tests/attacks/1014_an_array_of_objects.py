"""Returns an array of objects, which are code when they are unpickled."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import numpy as np


class Payload:
    def __reduce__(self):
        return eval, ("1e9",)


def attack(world):
    return np.array([Payload(), Payload()], dtype=object)
