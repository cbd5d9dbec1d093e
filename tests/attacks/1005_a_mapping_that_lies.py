"""Returns a dict of its own kind, whose items are not what it holds."""

MUST = {"scored", "rejected", "crashed"}
OUTPUTS = ...
WATCH = {"outputs"}
LAYERS = ("frames",)


class Lying(dict):
    def items(self):
        return [("x", float("inf")), (3, object())]

    def __iter__(self):
        return iter(["__class__"])


def attack(world):
    return Lying(x=0.5)
