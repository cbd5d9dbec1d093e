"""Points of which no three are on a line: Erdos's parabola modulo a prime."""

import numpy as np


# EVOLVE-BLOCK-START
def construct(n):
    """Points (n, 2)."""
    prime = n
    while any(prime % k == 0 for k in range(2, prime)):
        prime += 1
    points = np.zeros((n, 2))
    for i in range(n):
        points[i] = [1.0 * i, 1.0 * (i * i % prime)]
    return points


# EVOLVE-BLOCK-END


def place(n):
    """Gives n points (x, y)."""
    return [(float(x), float(y)) for x, y in construct(n)]
