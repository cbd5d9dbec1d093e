"""Prints more than it may, and then answers as if nothing had been."""

MUST = {"flooded"}
WATCH = {"cause"}
LAYERS = ("engine",)


def attack(world):
    for _ in range(64):
        print("x" * 65536)
    return 1.0
