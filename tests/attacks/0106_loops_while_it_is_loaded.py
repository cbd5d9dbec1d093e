"""Loops for ever at its top level, before anything is called."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)

while True:
    pass


def attack(world):
    return 1
