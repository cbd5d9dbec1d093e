"""Returns a float of its own kind, which shows itself as another number."""

MUST = {"scored", "rejected"}
OUTPUTS = (0.5,)
WATCH = {"outputs"}
LAYERS = ("frames",)


class Lying(float):
    def __repr__(self):
        return "1e9"

    __str__ = __repr__

    def __float__(self):
        return 1e9

    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return True


def attack(world):
    return Lying(0.5)
