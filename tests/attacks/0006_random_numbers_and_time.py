"""An honest candidate that draws random numbers and reads clocks."""

MUST = {"scored"}
OUTPUTS = (True,)


def attack(world):
    import random
    import time

    import numpy as np

    drawn = [random.random(), float(np.random.default_rng().random())]
    return all(0 <= one < 1 for one in drawn) and time.perf_counter() <= time.perf_counter()
