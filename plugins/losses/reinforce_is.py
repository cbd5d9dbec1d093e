"""The ratio times the advantage, without clipping (REINFORCE with importance sampling)."""

from __future__ import annotations

from typing import Any

from evoengine.rl._surrogate import Surrogate
from evoengine.rl.loss import Whole


class ReinforceIs(Surrogate):
    """ratio A, summed up over each answer's tokens, the mean over answers (as in TTT-Discover, 2026, arXiv:2601.16175).

    On the policy that sampled it is REINFORCE (Williams 1992). `tis_clip` bounds the weight.
    """

    def objective(self, ratios: Any, advantages: Any, logprobs: Any) -> Any:
        return ratios * advantages

    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        return losses.sum() / max(1, whole.sequences)
