"""Potential-based shaping (Satori-SWE, Zeng et al. 2025, arXiv:2505.23604; Ng, Harada & Russell 1999)."""

from __future__ import annotations

import numpy as np

from evoengine.rl.reward import Array, Reward, Scores, gains


class Potential(Reward):
    """A child is worth its score less the mean of the m programs that its prompt showed: r = s - (s_1 + .. + s_m) / m.

    The potential of a state is the mean score of what is shown there; along a line of states the rewards sum up to
    the last score less the first. With the parent alone shown it is `delta`.
    """

    def of(self, scores: Scores) -> Array:
        with np.errstate(over="ignore"):
            mean = np.sum(scores.shown / len(scores.shown))  # each its share first: the sum of huge scores is infinite
        return gains(scores.children, float(np.clip(mean, scores.shown.min(), scores.shown.max())))
