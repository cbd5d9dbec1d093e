"""Prints without end."""

MUST = {"flooded"}
LAYERS = ("engine",)
WATCH = {"cause"}


def attack(world):
    line = "x" * 65536
    while True:
        print(line)
