"""The weight of a rollout in an exponential objective (TTT-Discover)."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from pydantic import Field

from evoengine.rl._tilting import tilted
from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class Entropic(Advantage):
    """A_i = e_i / Z_i - 1, e_i = exp(beta r_i), Z_i the mean of the others' (TTT-Discover, 2026, arXiv:2601.16175).

    It follows the best of a group more than the mean. `beta` is found for each group: q, proportional to e, lies
    `kl_target` (in nats) from the uniform distribution. So neither the scale nor the origin of rewards matters.

    No `beta` does that when the best of n rewards are m equal ones and ln(n / m) is not above the target (in a group
    of two never), and close to that weights run to 1e11. There, and with two valid rollouts or fewer, advantages are
    the deviations from the mean. A weight is n at most.

    Attributes:
        kl_target: ln 2 in the source.
    """

    kl_target: float = Field(default=log(2), gt=0.0, allow_inf_nan=False)

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [self._of_one(one) for one in groups]

    def _of_one(self, group: Returns) -> Advantages:
        count = len(group.rewards)
        tilt = tilted(group.rewards, self.kl_target) if group.valid.sum() > 2 else None
        if tilt is None:
            return all_kept(centred(group.rewards), entropic_fallback=1.0)
        others = (tilt.weights.sum() - tilt.weights) / (count - 1)
        weights = np.minimum(tilt.weights / np.maximum(others, 1e-12), count)
        return all_kept(weights - 1.0, entropic_fallback=0.0, beta_entropic=tilt.beta)
