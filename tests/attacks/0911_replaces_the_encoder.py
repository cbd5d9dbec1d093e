"""Has the runner's own encoder write NaN for its answer."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)

import sys


def attack(world):
    runner = sys._getframe(1).f_locals["self"]
    runner._encode = lambda answer: "NaN"
    return 1.0
