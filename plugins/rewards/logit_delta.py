"""The gain in log odds (Learning to Self-Evolve, 2026, arXiv:2603.18620, its `logit_delta`)."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from evoengine.rl.reward import Array, Reward, Scores


class LogitDelta(Reward):
    """A child is worth r = log((s (1 - p) + e) / (p (1 - s) + e)), s and p its and its parent's score in 0 to 1.

    The last step to a perfect score counts as much as the first from 0. The source has e below the fraction only,
    which leaves a score of 0 at minus infinity.

    Attributes:
        low, high: scores that are 0 and 1; what lies beyond is cut.
        epsilon: e, which bounds r: up and down by about -log(epsilon).
    """

    low: float = Field(default=0.0, allow_inf_nan=False)
    high: float = Field(default=1.0, allow_inf_nan=False)
    epsilon: float = Field(default=1e-6, ge=1e-300, lt=1.0)

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if not 0.0 < self.high - self.low < np.inf:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g}")
        return self

    def of(self, scores: Scores) -> Array:
        width = self.high - self.low
        child = (np.clip(scores.children, self.low, self.high) - self.low) / width
        parent = (np.clip(scores.parent, self.low, self.high) - self.low) / width
        odds: Array = np.log(child * (1 - parent) + self.epsilon) - np.log(parent * (1 - child) + self.epsilon)
        return odds
