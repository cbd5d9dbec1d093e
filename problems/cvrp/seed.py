"""Which customer is served next: the nearest that fits, and the depot when none does."""

import numpy as np


def score_next(distance, depot, demand, room):
    """The least distance is the best; the depot is the last resort."""
    score = -distance
    score = score - 10.0 * (demand == 0.0)
    return np.asarray(score, dtype=float)
