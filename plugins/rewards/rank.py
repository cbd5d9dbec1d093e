"""The rank among the group's children (evolution strategies; Salimans et al. 2017, arXiv:1703.03864)."""

from __future__ import annotations

from scipy.stats import rankdata

from evoengine.rl.reward import Array, Reward, Scores


class Rank(Reward):
    """A child is worth the share of the others that it beats, 0 to 1; a tie counts half, an only child has 0.5.

    Whatever the scale of the scores, and however far ahead the best is. Evolution strategies centre ranks at 0; here
    they begin there, since the ladder cuts what is below, and an estimator with a baseline takes a constant out.
    """

    def of(self, scores: Scores) -> Array:
        count = len(scores.children)
        if count == 1:
            return scores.children * 0.0 + 0.5
        ranks: Array = (rankdata(scores.children, method="average") - 1.0) / (count - 1)
        return ranks
