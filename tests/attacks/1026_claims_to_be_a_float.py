"""Returns an object that says of itself that it is a float."""

MUST = {"rejected", "crashed"}
WATCH = {"cause"}
LAYERS = ("frames",)


class Claiming:
    @property
    def __class__(self):
        return float

    def __float__(self):
        return 1e9


def attack(world):
    return Claiming()
