"""Where the next item goes: best fit."""

import numpy as np


def priority(item, bins):
    """The least room left is the best."""
    left = bins - item
    score = -left
    return np.asarray(score, dtype=float)
