"""Points in a triangle: Erdos's parabola modulo n, folded into the triangle."""

import numpy as np


# EVOLVE-BLOCK-START
def construct(n):
    """Points (n, 2), wished to lie in the triangle (0, 0), (1, 0), (0, 1); `place` moves in those that do not."""
    points = np.zeros((n, 2))
    for i in range(n):
        x = (i + 0.5) / n
        y = (i * i % n + 0.9) / n
        points[i] = [x, y] if x + y < 1.0 else [1.0 - x, 1.0 - y]
    return points


# EVOLVE-BLOCK-END


def place(n):
    """Gives n points (x, y) with x >= 0, y >= 0 and x + y <= 1."""
    inside = []
    for x, y in construct(n):
        x = min(max(float(x), 0.0), 1.0)
        y = min(max(float(y), 0.0), (1.0 - x) * (1.0 - 1e-15))
        inside.append((x, y))
    return inside
