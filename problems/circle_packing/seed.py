"""Circles in the unit square: rings of centres, and radii as large as the walls allow."""

import math

import numpy as np


# EVOLVE-BLOCK-START
def construct(n):
    """Centres (n, 2) and the radii (n,) that are wished for; `pack` cuts what overlaps."""
    centers = np.full((n, 2), 0.5)
    for i in range(1, min(n, 9)):
        angle = 2.0 * math.pi * i / 8.0
        centers[i] = [0.5 + 0.3 * math.cos(angle), 0.5 + 0.3 * math.sin(angle)]
    for i in range(9, n):
        angle = 2.0 * math.pi * i / (n - 9.0)
        centers[i] = [0.5 + 0.7 * math.cos(angle), 0.5 + 0.7 * math.sin(angle)]
    centers = np.clip(centers, 0.01, 0.99)
    radii = np.minimum(centers, 1.0 - centers).min(axis=1)
    return centers, radii


# EVOLVE-BLOCK-END


def pack(n):
    """Gives n triples (x, y, r) that neither overlap nor leave the unit square."""
    centers, radii = construct(n)
    points = [(float(x), float(y)) for x, y in centers]
    sizes = [max(0.0, min(float(r), x, y, 1.0 - x, 1.0 - y)) for (x, y), r in zip(points, radii, strict=True)]
    for i in range(n):
        for j in range(i):
            distance = math.dist(points[i], points[j])
            if sizes[i] + sizes[j] > distance:
                share = distance / (sizes[i] + sizes[j])
                sizes[i] *= share
                sizes[j] *= share
    # Overlap is judged exactly: a hair less than what rounding could have added.
    return [(x, y, r * (1.0 - 1e-14)) for (x, y), r in zip(points, sizes, strict=True)]
