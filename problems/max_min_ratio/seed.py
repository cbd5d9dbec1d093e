"""Points whose distances differ little: a grid."""

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
            points[i, axis] = 1.0 * (i // side**axis % side)
    return points


# EVOLVE-BLOCK-END


def place(n, d):
    """Gives n points with d coordinates each."""
    return [[float(x) for x in point] for point in construct(n, d)]
