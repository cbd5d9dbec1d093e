"""Points whose distances differ little: a grid, shaken a little, because nothing pulls in a perfect one."""

import math

import numpy as np


# EVOLVE-BLOCK-START
def construct(n, d):
    """Points (n, d), all different."""
    side = 1
    while side**d < n:
        side += 1
    points = np.zeros((n, d))
    for i in range(n):
        for axis in range(d):
            points[i, axis] = i // side**axis % side + 0.05 * math.sin(3.0 * i + 5.0 * axis)
    return points


# EVOLVE-BLOCK-END


def place(n, d):
    """Gives n points with d coordinates each."""
    return [[float(x) for x in point] for point in construct(n, d)]
