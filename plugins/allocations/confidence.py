"""The next rollout where it narrows the confidence interval most (XRPO, 2025, arXiv:2510.06672)."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace
from math import log, sqrt

from pydantic import Field
from scipy.special import stdtrit

from evoengine.rl.allocation import Allocation, Spread, spare


class Confidence(Allocation):
    """Each rollout goes to the group with the largest h(n) - h(n + 1) + exploration sqrt(ln(1 + T) / n).

    h(n) = t s / sqrt(n) is half the width of the interval that holds the mean reward, s the deviation of the rewards
    that the parent's children have had, t the quantile of Student's distribution with n - 1 degrees of freedom, n
    their number with the rollouts that it was given in this step, T that of all parents when each has its least. A
    parent with fewer than two children is taken to have the largest deviation known.

    Attributes:
        confidence: of the interval.
        exploration: in units of the reward; how much a parent with few rollouts is worth beside its deviation.
    """

    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    exploration: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)

    def sizes(self, parents: Sequence[Spread], total: int, least: int) -> list[int]:
        left = spare(parents, total, least)
        sizes = [least] * len(parents)
        if not left:
            return sizes
        largest = max((one.deviation for one in parents if one.count >= 2), default=1.0) or 1.0
        deviations = [one.deviation if one.count >= 2 else largest for one in parents]
        seen = sum(one.count + least for one in parents)

        def entry(place: int) -> tuple[float, int, int]:
            count = max(2, parents[place].count + sizes[place])  # an interval needs two
            narrower = deviations[place] * (self._half(count) - self._half(count + 1))
            return -narrower - self.exploration * sqrt(log(1 + seen) / count), sizes[place], place

        queue = [entry(place) for place in range(len(parents))]
        heapify(queue)
        for _ in range(left):
            place = queue[0][2]
            sizes[place] += 1
            heapreplace(queue, entry(place))
        return sizes

    def _half(self, count: int) -> float:
        """Half the width of the interval of `count` rewards whose deviation is 1."""
        return float(stdtrit(count - 1, 0.5 + 0.5 * self.confidence)) / sqrt(count)
