"""The regret update of counterfactual regret minimisation."""

import numpy as np


def step(t, memory, regret, policy, reach, legal):
    """Sums the regrets, plays in proportion to the positive ones, and averages all policies alike."""
    sums, other = np.split(memory, 2)
    sums = sums + regret
    weights = np.maximum(sums, 0.0)
    average = reach * policy
    return np.concatenate([sums, other, weights, average])
