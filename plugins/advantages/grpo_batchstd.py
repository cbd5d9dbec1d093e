"""The deviation from the group's mean, in standard deviations of the batch (ScaleRL)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class GrpoBatchStd(Advantage):
    """A = (r - mean of the group) / (std of the batch + e) (ScaleRL, Khatri et al. 2025, arXiv:2510.13786).

    The standard deviation is that of all rewards of the batch as one sample, with n - 1, as TRL has it for
    `scale_rewards="batch"`.

    Attributes:
        epsilon: e.
    """

    epsilon: float = Field(default=1e-4, gt=0.0, allow_inf_nan=False)

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        deviation = float(np.std(np.concatenate([one.rewards for one in groups]), ddof=1))
        return [all_kept(centred(one.rewards) / (deviation + self.epsilon)) for one in groups]
