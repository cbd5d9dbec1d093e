"""The score by its place in a known range, to a power (ThetaEvolve, 2025, arXiv:2511.23473)."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from evoengine.rl.reward import Array, Reward, Scores


class PowerNorm(Reward):
    """A child is worth r = M ((clip(s, A, B) - A) / (B - A))^alpha, its `rl_normalized_reward`.

    With alpha above 1 the way from good to better is worth more than that from bad to good. For 26 circles in a
    square the source has A = 0, B = 2.635, alpha = 3 and M = 5.

    Attributes:
        low, high: A and B, the range of the score, higher is better.
        alpha: the power.
        scale: M, the largest reward.
    """

    low: float = Field(default=0.0, allow_inf_nan=False)
    high: float = Field(default=1.0, allow_inf_nan=False)
    alpha: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    scale: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if not 0.0 < self.high - self.low < np.inf:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g}")
        return self

    def of(self, scores: Scores) -> Array:
        place = (np.clip(scores.children, self.low, self.high) - self.low) / (self.high - self.low)
        rewards: Array = self.scale * place**self.alpha
        return rewards
