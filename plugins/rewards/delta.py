"""The gain over the parent (Learning to Self-Evolve, 2026, arXiv:2603.18620)."""

from __future__ import annotations

from evoengine.rl.reward import Array, Reward, Scores, gains


class Delta(Reward):
    """A child is worth what it gains, r = s - p, p the score of its parent; a loss is negative."""

    def of(self, scores: Scores) -> Array:
        return gains(scores.children, scores.parent)
