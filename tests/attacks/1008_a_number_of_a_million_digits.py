"""Returns a whole number of a million digits, with Python's limit of digits taken off."""

MUST = {"rejected", "flooded", "timed_out"}
WATCH = {"cause"}
LIMITS = {"cpu_seconds": 5.0}
LAYERS = ("frames",)

import sys


def attack(world):
    sys.set_int_max_str_digits(0)
    return 2**300_000
