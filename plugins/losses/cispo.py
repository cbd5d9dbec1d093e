"""The log-probability by a cut importance weight (CISPO)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from evoengine.rl._surrogate import Surrogate, by_token
from evoengine.rl.loss import Whole


class Cispo(Surrogate):
    """sg(min(ratio, epsilon_high)) A log p, averaged over all tokens (CISPO; MiniMax-M1, 2025, arXiv:2506.13585).

    The weight is a constant, so every token keeps its gradient, however far its ratio has gone.

    Attributes:
        epsilon_high: the largest weight; 5 in ScaleRL (Khatri et al. 2025, arXiv:2510.13786).
    """

    epsilon_high: float = Field(default=5.0, gt=0.0, allow_inf_nan=False)

    def objective(self, ratios: Any, advantages: Any, logprobs: Any) -> Any:
        return ratios.detach().clamp(max=self.epsilon_high) * advantages * logprobs

    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        return by_token(losses, whole)

    def is_clipped(self, ratios: Any, advantages: Any) -> tuple[Any, Any]:
        return ratios < 0.0, (ratios > self.epsilon_high) & (advantages > 0.0)
