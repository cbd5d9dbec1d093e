"""The reward itself: the parent's score is the baseline (Learning to Self-Evolve)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class Parent(Advantage):
    """A = r; with `delta` rewards the parent's score is the baseline (LSE, 2026, arXiv:2603.18620).

    The only one that needs no group: the baseline was known before the rollout, and is what an edit that changes
    nothing would have had.

    Attributes:
        norm: "none", "std" (divided by the batch's standard deviation) or "whiten" (its mean is taken off before).
            Equal rewards have no deviation and are not divided.
        epsilon: what is added to the deviation.
    """

    smallest: ClassVar[int] = 1

    norm: Literal["none", "std", "whiten"] = "none"
    epsilon: float = Field(default=1e-8, gt=0.0, allow_inf_nan=False)

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        rewards = np.concatenate([one.rewards for one in groups])
        values = centred(rewards) if self.norm == "whiten" else rewards
        if self.norm != "none" and np.ptp(rewards) > 0.0:
            values = values / (float(np.std(rewards, ddof=1)) + self.epsilon)
        ends = np.cumsum([len(one.rewards) for one in groups])
        return [all_kept(part.copy()) for part in np.split(values, ends[:-1])]
