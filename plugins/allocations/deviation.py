"""More rollouts where rewards differ more (ExIt, 2025, arXiv:2509.04575)."""

from __future__ import annotations

from collections.abc import Sequence

from evoengine.rl.allocation import Allocation, Spread, shared_out, spare


class Deviation(Allocation):
    """In proportion to the standard deviation of the rewards that a parent's children have had.

    Where they were all equal there is nothing to learn, and such a group has its least. A parent with fewer than two
    children is taken to have the largest deviation known. ExIt draws what to go on from in this way; here the
    parents are drawn already, and their rollouts follow.
    """

    def sizes(self, parents: Sequence[Spread], total: int, least: int) -> list[int]:
        largest = max((one.deviation for one in parents if one.count >= 2), default=1.0) or 1.0
        weights = [one.deviation if one.count >= 2 else largest for one in parents]
        return [least + more for more in shared_out(weights, spare(parents, total, least))]
