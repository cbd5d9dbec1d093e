"""Returns a list of its own kind, which is longer when it is asked and differs each time."""

MUST = {"scored", "rejected", "crashed"}
OUTPUTS = ...
WATCH = {"outputs"}
LAYERS = ("frames",)


class Lying(list):
    asked = 0

    def __len__(self):
        return 10**9

    def __iter__(self):
        Lying.asked += 1
        return iter([float("nan")] if Lying.asked > 1 else [1.0])


def attack(world):
    return Lying([0.5])
