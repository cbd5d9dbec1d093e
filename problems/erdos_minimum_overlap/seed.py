"""A step function that overlaps little with its complement: begins with a block in the middle."""

import numpy as np


# EVOLVE-BLOCK-START
def construct():
    """Heights of steps of equal width on [0, 2], wished to be between 0 and 1; `steps` cuts off what is not."""
    heights = np.zeros(50)
    for i in range(len(heights)):
        heights[i] = 0.8 if 10 <= i < 40 else 0.05
    return heights


# EVOLVE-BLOCK-END


def steps():
    """The heights of the steps, between 0 and 1."""
    return [min(1.0, max(0.0, float(height))) for height in construct()]
