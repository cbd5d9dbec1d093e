"""Loops for ever."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)
LEAST_CPU_SECONDS = 0.25


def attack(world):
    while True:
        pass
