"""Which operation a machine takes next: the shortest."""

import numpy as np


def priority(time, start, left, steps, load):
    """The least processing time is the best."""
    score = -time
    return np.asarray(score, dtype=float)
