"""The clipped objective, summed up over tokens and divided by a constant (Dr. GRPO)."""

from __future__ import annotations

from typing import Any

from evoengine.rl._surrogate import Clipped
from evoengine.rl.loss import Whole


class DrGrpo(Clipped):
    """The sum over tokens over the longest answer's length (Dr. GRPO, Liu et al. 2025, arXiv:2503.20783, section 3.2).

    A token counts the same in every answer and every batch; long failures are not favoured over short ones.
    """

    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        return losses.sum() / (max(1, whole.sequences) * max(1, whole.longest))
