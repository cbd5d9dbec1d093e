"""The clipped objective of whole answers (GSPO)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from evoengine.rl._surrogate import Clipped, by_sequence
from evoengine.rl.loss import Whole


class Gspo(Clipped):
    """The clipped objective of each answer's geometric mean ratio (GSPO, Zheng et al. 2025, arXiv:2507.18071, eq. 5).

    A mean over an answer moves less than its tokens do, hence the narrow clip.
    """

    importance_sampling_level: Literal["token", "sequence", "min_prefix"] = "sequence"
    epsilon: float = Field(default=3e-4, gt=0.0, lt=1.0)
    epsilon_high: float = Field(default=4e-4, gt=0.0, allow_inf_nan=False)

    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        return by_sequence(losses, mask, whole)
