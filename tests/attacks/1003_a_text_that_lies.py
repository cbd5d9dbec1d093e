"""Returns a str of its own kind."""

MUST = {"scored", "rejected"}
OUTPUTS = ("plain",)
WATCH = {"outputs"}
LAYERS = ("frames",)


class Lying(str):
    def __str__(self):
        return "other"

    def encode(self, *a):
        return b'",1e9,"'

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def attack(world):
    return Lying("plain")
