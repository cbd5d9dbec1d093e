"""The clipped objective, averaged over all tokens (DAPO)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from evoengine.rl._surrogate import Clipped, by_token
from evoengine.rl.loss import Whole


class Dapo(Clipped):
    """The mean over all tokens of the batch, with more room upwards (DAPO, Yu et al. 2025, arXiv:2503.14476, eq. 8)."""

    epsilon_high: float = Field(default=0.28, gt=0.0, allow_inf_nan=False)

    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        return by_token(losses, whole)
