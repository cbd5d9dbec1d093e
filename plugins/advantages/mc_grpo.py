"""The deviation from the group's median (MC-GRPO)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from evoengine.rl.advantage import Advantage, Advantages, Returns


class McGrpo(Advantage):
    """A = (r - median) / scale, and the rollout at the median is not trained on (MC-GRPO, 2026, arXiv:2601.22582).

    The source divides by the median absolute deviation (MAD) and 1e-3. Where most rewards are equal that deviation
    is 0, and one success in nine comes to an advantage of 1,000. So here the scale is at least half the standard
    deviation (of a sample, with n - 1). As in the source, what is not 0 is then multiplied by n over the number of
    those, to make up for the zeros. Groups of odd sizes suit it: in even ones there may be no rollout at the median,
    and then all are trained on.

    Attributes:
        least_scale: what the scale is at least.
        cap: advantages are cut to this, up and down.
    """

    least_scale: float = Field(default=1e-3, gt=0.0, allow_inf_nan=False)
    cap: float = Field(default=5.0, gt=0.0, allow_inf_nan=False)

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [self._of_one(one) for one in groups]

    def _of_one(self, group: Returns) -> Advantages:
        count = len(group.rewards)
        above = group.rewards - np.median(group.rewards)
        mad = float(np.median(np.abs(above)))
        scale = max(mad, 0.5 * float(np.std(group.rewards, ddof=1)), self.least_scale)
        at_median = above == 0.0
        values = above / scale * (count / max(1, count - int(at_median.sum())))
        kept = np.ones(count, dtype=bool)
        if at_median.any():
            kept[np.argmax(at_median)] = False
        return Advantages(values=np.clip(values, -self.cap, self.cap), kept=kept, facts={"mc_scale": scale})
