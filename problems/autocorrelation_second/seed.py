"""A step function whose autoconvolution is flat for long: begins with two levels."""

import numpy as np


# EVOLVE-BLOCK-START
def construct():
    """Heights of steps of equal width, wished to be at least 0; `steps` cuts off what is below."""
    heights = np.zeros(50)
    for i in range(len(heights)):
        heights[i] = 2.0 if i < 15 else 1.0
    return heights


# EVOLVE-BLOCK-END


def steps():
    """The heights of the steps, each at least 0."""
    return [max(0.0, float(height)) for height in construct()]
