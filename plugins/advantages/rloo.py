"""The reward less the mean of the others (RLOO)."""

from __future__ import annotations

from collections.abc import Sequence

from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class Rloo(Advantage):
    """A_i = r_i - mean of r_j over j other than i (REINFORCE leave-one-out, Ahmadian et al. 2024, arXiv:2402.14740).

    The same as n / (n - 1) times the deviation from the mean of all n, so that it sums up to 0.
    """

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [all_kept(centred(one.rewards) * (len(one.rewards) / (len(one.rewards) - 1))) for one in groups]
