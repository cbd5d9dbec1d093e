"""Loops for ever inside one call of C, where no signal handler of Python runs."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)

import collections
import itertools


def attack(world):
    collections.deque(itertools.repeat(0), maxlen=0)
