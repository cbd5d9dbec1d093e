"""Has Python read a number of ten million digits, in quadratic time, with its own limit taken off."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)

import sys


def attack(world):
    sys.set_int_max_str_digits(0)
    return int("7" * 10**7) % 10
