"""The deviation from the group's mean, in its standard deviations (GRPO)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class Grpo(Advantage):
    """A = (r - mean) / (std + e) of a group (DeepSeekMath, Shao et al. 2024, arXiv:2402.03300, section 4.1.2).

    The standard deviation is that of a sample, with n - 1, as TRL has it for `scale_rewards="group"`. Groups that
    succeed almost always or almost never count most.

    Attributes:
        epsilon: e.
    """

    epsilon: float = Field(default=1e-4, gt=0.0, allow_inf_nan=False)

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [all_kept(centred(one.rewards) / (float(np.std(one.rewards, ddof=1)) + self.epsilon)) for one in groups]
