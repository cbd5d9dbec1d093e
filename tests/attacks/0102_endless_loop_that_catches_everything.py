"""Loops for ever and catches every exception that could stop it."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)


def attack(world):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
