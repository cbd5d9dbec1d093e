"""The gain over the parent, where there is one."""

from __future__ import annotations

import numpy as np

from evoengine.rl.reward import Array, Reward, Scores, gains


class ReluDelta(Reward):
    """A child is worth what it gains, r = max(0, s - p), p the score of its parent; all losses are worth the same.

    The positive part of the gain of Learning to Self-Evolve (2026, arXiv:2603.18620): an edit that breaks much is no
    worse than one that breaks little, so the policy is not driven to edits that do nothing.
    """

    def of(self, scores: Scores) -> Array:
        return np.maximum(0.0, gains(scores.children, scores.parent))
