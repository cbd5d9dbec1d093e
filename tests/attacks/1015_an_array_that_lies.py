"""Returns an array of its own kind, which changes when it is read."""

MUST = {"scored", "rejected", "crashed"}
OUTPUTS = ...
WATCH = {"outputs"}
LAYERS = ("frames",)

import numpy as np


class Lying(np.ndarray):
    def tolist(self):
        return [float("inf")]

    def astype(self, *a, **k):
        return self

    def tobytes(self, *a):
        return b"\xff" * 16

    def __len__(self):
        return 10**12


def attack(world):
    return np.array([0.5, 0.25]).view(Lying)
