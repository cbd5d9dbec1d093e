"""The clipped objective, averaged over each answer (GRPO)."""

from __future__ import annotations

from typing import Any

from evoengine.rl._surrogate import Clipped, by_sequence
from evoengine.rl.loss import Whole


class Grpo(Clipped):
    """The mean over answers of the mean over tokens (DeepSeekMath, Shao et al. 2024, arXiv:2402.03300, eq. 3).

    A token of a long answer counts less than one of a short answer.
    """

    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        return by_sequence(losses, mask, whole)
