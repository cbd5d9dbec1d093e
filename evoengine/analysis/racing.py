"""What methods need to come near a target, and how wide and how deep a budget is best spent.

Inside, higher is better, as in `evoengine.analysis.comparing`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from evoengine.analysis.comparing import CONFIDENCE, FEWEST_RESAMPLED, Interval, Trace, best_at

SHARES = (0.99, 0.999, 0.9999)
"""Of an anchor, that are raced for."""
_RESAMPLES = 9999


def target_of(anchor: float, share: float, *, maximize: bool) -> float | None:
    """The score (higher is better) that is within a share of an anchor; None for an anchor that is not positive.

    Args:
        anchor: the problem's own value.
        share: above 0, at most 1; a value to be minimised is within it at `anchor / share`.
        maximize: the problem's direction.
    """
    if not anchor > 0:
        return None
    return anchor * share if maximize else -anchor / share


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a campaign had paid with the record that reached a target; US dollars, and seconds on workers."""

    evaluations: int
    seconds: float
    tokens: int
    money: float


def spent_to(trace: Trace, target: float) -> Spent | None:
    """What it took to reach a score; None where it was not reached."""
    # before the first score the best is NaN, which compares with nothing
    first = next((place for place, best in enumerate(trace.best) if not math.isnan(best)), len(trace.best))
    place = bisect_left(trace.best, target, lo=first)
    if place == len(trace.best):
        return None
    return Spent(
        evaluations=trace.evaluations[place],
        seconds=trace.seconds[place],
        tokens=trace.tokens[place],
        money=trace.money[place],
    )


def median_of_reached(amounts: Sequence[float], seeds: int) -> float | None:
    """The upper median over the seeds, of which those without an amount never arrived; None if it is one of them."""
    return sorted(amounts)[seeds // 2] if seeds // 2 < len(amounts) else None


def expected_best(values: Sequence[float], width: int) -> float:
    """The mean of the best of `width` of these values, over all ways to draw them without putting back.

    Args:
        values: at least `width`.
        width: at least 1.
    """
    ranked, ways = sorted(values), math.comb(len(values), width)
    # the i-th smallest is the best of a draw whose others are all below it
    shares = [math.comb(below, width - 1) / ways for below in range(len(ranked))]
    return ranked[-1] - math.fsum(share * (ranked[-1] - value) for share, value in zip(shares, ranked, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """The expected best of `width` independent campaigns of `depth` evaluations each."""

    width: int
    depth: int
    best: float


def frontier(traces: Sequence[Trace], budget: int) -> list[Corner]:
    """Width times depth (2609.19799): the best of 1 to n campaigns, each with the budget, half of it, a quarter ...

    A ranking at one width and depth may turn round at another. Depths at which a campaign has no score are left out.
    """
    corners = []
    depth = budget
    while depth >= 1:
        values = [best_at(trace, trace.evaluations, depth) for trace in traces]
        known = [value for value in values if value is not None]
        if len(known) < len(traces):
            break
        corners += [
            Corner(width=width, depth=depth, best=expected_best(known, width)) for width in range(1, len(known) + 1)
        ]
        depth //= 2
    return corners


def dominance(values: Sequence[float], others: Sequence[float]) -> float:
    """The probability that one of the values is above one of the others, ties counting half.

    Vargha and Delaney's A (2000, doi:10.3102/10769986025002101), the Mann-Whitney statistic as a probability.
    """
    return fmean((value > other) + 0.5 * (value == other) for value in values for other in others)


def dominance_interval(values: Sequence[float], others: Sequence[float]) -> Interval | None:
    """The percentile bootstrap of `dominance` (Efron 1979, doi:10.1214/aos/1176344552), both sides resampled.

    Drawn with a fixed seed. None for fewer than five values on a side.
    """
    import numpy as np

    if min(len(values), len(others)) < FEWEST_RESAMPLED:
        return None
    rng = np.random.default_rng(0)
    one, other = np.sort(np.asarray(values)), np.sort(np.asarray(others))
    wins = (one[:, None] > other) + 0.5 * (one[:, None] == other)
    rows = rng.integers(0, len(one), (_RESAMPLES, len(one)))
    columns = rng.integers(0, len(other), (_RESAMPLES, len(other)))
    drawn = wins[rows[:, :, None], columns[:, None, :]].mean(axis=(1, 2))
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(low=float(low), high=float(high))
