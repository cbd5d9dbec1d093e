"""An honest candidate that computes with numpy."""

MUST = {"scored"}
OUTPUTS = ([1.0, 5.0, 14.0],)

import numpy as np


def attack(world):
    return np.cumsum(np.arange(1.0, 4.0) ** 2)
