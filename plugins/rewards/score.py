"""The score itself (ThetaEvolve, 2025, arXiv:2511.23473, its `original_reward`)."""

from __future__ import annotations

from evoengine.rl.reward import Array, Reward, Scores


class Score(Reward):
    """A child is worth its score, r = s, whoever its parent is.

    In a group of one parent this and `delta` differ by a constant. But the ladder cuts rewards at both ends: scores
    that are negative all come to `Ladder.harmful`, and those above `Ladder.most` to that; `delta` and `rank` avoid it.
    """

    def of(self, scores: Scores) -> Array:
        return scores.children.copy()
