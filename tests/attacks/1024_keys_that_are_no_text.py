"""Returns a mapping with keys that JSON has no place for, or that come to be the same."""

MUST = {"scored", "rejected"}
OUTPUTS = ...
WATCH = {"outputs"}
LAYERS = ("frames",)


def attack(world):
    return {1: 1.0, "1": 2.0, True: 3.0, None: 4.0, 0.5: 5.0}
