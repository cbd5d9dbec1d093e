"""Returns more text than an answer may have."""

MUST = {"rejected", "flooded"}
WATCH = {"cause"}
LAYERS = ("frames",)


def attack(world):
    return "x" * (3 * 2**20)
