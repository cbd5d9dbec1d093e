"""Unit hexagons in a hexagon: rows of upright ones."""

import math

import numpy as np


# EVOLVE-BLOCK-START
def construct(n):
    """Centres (n, 2), angles in degrees (n,), and the outer hexagon's centre (2,) and angle in degrees.

    Only the centres' arrangement counts: `pack` moves them apart, or together, until the nearest hexagons touch.
    """
    centers = np.zeros((n, 2))
    angles = np.full(n, 0.0)
    for i in range(n):
        centers[i] = [2.0 * (i % 4), 2.0 * (i // 4)]
    return centers, angles, centers.mean(axis=0), 0.0


# EVOLVE-BLOCK-END


def reach(degrees):
    """How far a unit hexagon at angle 0 reaches in a direction."""
    return math.cos(math.radians((degrees + 30.0) % 60.0 - 30.0))


def pack(n):
    """Gives n + 1 triples (x, y, angle in degrees): the unit hexagons, then the outer hexagon without its side."""
    centers, angles, middle, outer = construct(n)
    scale = 1e-9
    for i in range(n):
        for j in range(i):
            x, y = float(centers[i][0] - centers[j][0]), float(centers[i][1] - centers[j][1])
            ways = [float(angles[k]) + 30.0 + 60.0 * turn for k in (i, j) for turn in range(3)]
            # The separating axis that needs the least: both widths by the centres' distance along it.
            least = 1e9
            for way in ways:
                along = abs(x * math.cos(math.radians(way)) + y * math.sin(math.radians(way)))
                needed = reach(way - float(angles[i])) + reach(way - float(angles[j]))
                least = min(least, needed / max(along, 1e-9))
            scale = max(scale, least)
    # Overlap is judged without a tolerance: a hair more than what rounding could have taken.
    scale *= 1.0 + 1e-13
    placed = [(scale * float(x), scale * float(y), float(angle)) for (x, y), angle in zip(centers, angles, strict=True)]
    return [*placed, (scale * float(middle[0]), scale * float(middle[1]), float(outer))]
