"""The weight of a rollout among the valid ones in an exponential objective, centred."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from pydantic import Field

from evoengine.rl._tilting import tilted
from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class EntropicCentered(Advantage):
    """For the valid A = e / mean(e) - 1 + v, for the others A = v; v is `validity` times (1 if valid, else 0) centred.

    The weights of `entropic` (TTT-Discover, 2026, arXiv:2601.16175), but among the valid rollouts, and over the mean
    of all of them and not of the others, so that they sum up to 0: leaving one out raises the probability of the
    group as a whole. The second term (Dr. GRPO's, of validity alone) keeps the policy from drifting to answers that
    hold no program, as long thoughts make it do.

    Where no `beta` exists (see `entropic`) or two rollouts or fewer are valid, advantages are the deviations from the
    mean of the whole group.

    Attributes:
        kl_target: in nats.
        validity: the weight of being valid; from 1 on, the worst valid rollout is no worse than one that is not.
    """

    kl_target: float = Field(default=log(2), gt=0.0, allow_inf_nan=False)
    validity: float = Field(default=1.0, ge=1.0, allow_inf_nan=False)

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [self._of_one(one) for one in groups]

    def _of_one(self, group: Returns) -> Advantages:
        valid = group.valid
        tilt = tilted(group.rewards[valid], self.kl_target) if valid.sum() > 2 else None
        if tilt is None:
            return all_kept(centred(group.rewards), entropic_fallback=1.0)
        values = self.validity * centred(valid.astype(np.float64))
        values[valid] += tilt.weights / tilt.weights.mean() - 1.0
        return all_kept(values, entropic_fallback=0.0, beta_entropic=tilt.beta)
