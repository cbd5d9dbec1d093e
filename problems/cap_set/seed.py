"""Priorities for a cap set: vectors without a 2 come first."""

import itertools


# EVOLVE-BLOCK-START
def priority(vector, n):
    """How early a vector (a tuple of 0, 1 and 2) should be taken."""
    score = 0.0
    for x in vector:
        if x == 2:
            score -= 1.0
    return score


# EVOLVE-BLOCK-END


def priorities(n):
    """Gives the priority of every vector of {0, 1, 2}^n, in lexicographic order."""
    return [float(priority(vector, n)) for vector in itertools.product(range(3), repeat=n)]
