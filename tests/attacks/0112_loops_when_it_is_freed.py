"""Answers, and loops in a finalizer while its answer is written."""

MUST = {"timed_out", "scored"}
OUTPUTS = (1,)
WATCH = {"processes"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)


class Loop:
    def __del__(self):
        while True:
            pass


def attack(world):
    Loop()
    return 1
