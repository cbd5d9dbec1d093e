"""The reward less the off-policy optimal baseline (VCPO)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept


class Opob(Advantage):
    """A = r - b, b the mean of a group's rewards weighted by w^2 |g|^2 (VCPO, 2026, arXiv:2602.17616).

    w is the importance ratio of a rollout and g its gradient: no other baseline gives the gradient estimate less
    variance. Gradients of single rollouts are not at hand, so the number of tokens stands for |g|^2: exact where the
    gradients of the tokens are as long as each other and uncorrelated. Where all weights are 0, b is the plain mean.
    """

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [self._of_one(one) for one in groups]

    def _of_one(self, group: Returns) -> Advantages:
        largest = float(group.ratios.max())
        # the squares of ratios as a share of the largest cannot pass the largest float
        weights = (group.ratios / largest) ** 2 * group.tokens if largest > 0.0 else group.tokens * 0.0
        if not weights.any():
            weights = np.ones(len(weights))
        above = group.rewards - group.rewards[0]  # so that equal rewards have exactly 0
        baseline = float((weights / weights.sum() * above).sum())
        return all_kept(above - baseline, baseline=baseline + float(group.rewards[0]))
