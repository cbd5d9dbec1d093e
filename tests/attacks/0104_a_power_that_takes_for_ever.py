"""Computes one power of integers, which holds the interpreter's lock for hours."""

MUST = {"timed_out", "out_of_memory"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)


def attack(world):
    return (3 ** (10**8)) % 7
