"""Returns what is no plain data: bytes, sets, complex numbers, itself."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)


def attack(world):
    return [b"bytes", {1, 2}, 1j, attack]
