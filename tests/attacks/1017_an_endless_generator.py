"""Returns a generator that never ends."""

MUST = {"out_of_memory", "timed_out", "flooded", "rejected"}
WATCH = {"cause", "memory"}
LIMITS = {"cpu_seconds": 0.5}
LAYERS = ("limits", "engine")

import itertools


def attack(world):
    return (one for one in itertools.count())
