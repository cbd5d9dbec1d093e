"""How many other points are near each point of a plane: every pair is looked at."""

import numpy as np


def neighbours(xs, ys, radius):
    """The number of other points within the radius, for each point."""
    counts = np.zeros(len(xs))
    for k in range(len(xs)):
        near = (xs - xs[k]) ** 2 + (ys - ys[k]) ** 2 <= radius * radius
        counts[k] = near.sum() - 1
    return counts
