"""Returns an int of its own kind, which shows itself as something that is no JSON."""

MUST = {"scored", "rejected"}
OUTPUTS = (5,)
WATCH = {"outputs"}
LAYERS = ("frames",)


class Lying(int):
    def __repr__(self):
        return '1,"score":1e9'

    __str__ = __repr__


def attack(world):
    return Lying(5)
