"""A step function of both signs with a small autoconvolution: begins with two levels."""

import numpy as np


# EVOLVE-BLOCK-START
def construct():
    """Heights of steps of equal width, of any sign."""
    heights = np.zeros(50)
    for i in range(len(heights)):
        heights[i] = 2.0 if i < 15 else 1.0
    return heights


# EVOLVE-BLOCK-END


def steps():
    """The heights of the steps."""
    return [float(height) for height in construct()]
