"""Whether there is a gain (ThetaEvolve, 2025, arXiv:2511.23473, its `improve_reward`)."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from evoengine.rl.reward import Array, Reward, Scores, gains


class Improved(Reward):
    """A child is worth 1 when its score is above its parent's by more than `tolerance`, else 0.

    Attributes:
        tolerance: in units of the score.
    """

    tolerance: float = Field(default=1e-6, ge=0.0, allow_inf_nan=False)

    def of(self, scores: Scores) -> Array:
        return (gains(scores.children, scores.parent) > self.tolerance).astype(np.float64)
