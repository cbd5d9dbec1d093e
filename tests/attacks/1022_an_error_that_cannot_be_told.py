"""Raises an error that loops when it is asked for its text."""

MUST = {"timed_out", "crashed"}
WATCH = {"after"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)


class Endless(Exception):
    def __str__(self):
        while True:
            pass


def attack(world):
    raise Endless
