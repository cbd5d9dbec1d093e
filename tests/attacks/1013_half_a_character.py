"""Returns half of a pair of surrogates, which no UTF-8 can hold."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)


def attack(world):
    return ["\ud800", "\udc00x"]
