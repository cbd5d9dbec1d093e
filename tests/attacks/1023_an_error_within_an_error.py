"""Raises errors that are the causes of each other, in a circle and ten thousand deep."""

MUST = {"crashed", "out_of_memory", "timed_out"}
WATCH = {"text", "after"}
LIMITS = {"cpu_seconds": 1.0}
LAYERS = ("engine",)


def attack(world):
    first = last = ValueError("0" * 5000)
    for number in range(10_000):
        last.__cause__ = ValueError(str(number))
        last = last.__cause__
    last.__cause__ = first
    raise first
