"""Fills an array of half a gibibyte."""

MUST = {"out_of_memory"}
WATCH = {"memory"}
LAYERS = ("limits", "cgroup")

import numpy as np


def attack(world):
    return float(np.ones(2**26).sum())
