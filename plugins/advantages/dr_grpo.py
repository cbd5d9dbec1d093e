"""The deviation from the group's mean (Dr. GRPO)."""

from __future__ import annotations

from collections.abc import Sequence

from evoengine.rl.advantage import Advantage, Advantages, Returns, all_kept, centred


class DrGrpo(Advantage):
    """A = r - mean of a group, which sums up to 0 (Dr. GRPO, Liu et al. 2025, arXiv:2503.20783, eq. 3).

    No division by the group's deviation, which would favour groups that are almost always or almost never right.
    """

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        return [all_kept(centred(one.rewards)) for one in groups]
