"""Circles in a rectangle: rows of equal ones."""

import math

import numpy as np


# EVOLVE-BLOCK-START
def construct(n):
    """Centres (n, 2) and the radii (n,) that are wished for; `pack` cuts what overlaps."""
    columns = 4
    centers = np.zeros((n, 2))
    radii = np.full(n, 0.1)
    for i in range(n):
        centers[i] = [0.1 + 0.2 * (i % columns), 0.1 + 0.2 * (i // columns)]
    return centers, radii


# EVOLVE-BLOCK-END


def pack(n):
    """Gives n triples (x, y, r) that do not overlap."""
    centers, radii = construct(n)
    points = [(float(x), float(y)) for x, y in centers]
    sizes = [max(0.0, float(r)) for r in radii]
    for i in range(n):
        for j in range(i):
            distance = math.dist(points[i], points[j])
            if sizes[i] + sizes[j] > distance:
                share = distance / (sizes[i] + sizes[j])
                sizes[i] *= share
                sizes[j] *= share
    # Overlap is judged exactly: a hair less than what rounding could have added.
    return [(x, y, r * (1.0 - 1e-14)) for (x, y), r in zip(points, sizes, strict=True)]
