"""Returns NaN, which every comparison written as "reject when above" lets pass."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)


def attack(world):
    return float("nan")
