"""Matches a regular expression that needs exponential time."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)

import re


def attack(world):
    return bool(re.match(r"(a+)+$", "a" * 60 + "b"))
