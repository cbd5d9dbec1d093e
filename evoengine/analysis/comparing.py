"""Comparing campaigns: what each arm of an experiment reached at one budget, over its seeds, with intervals.

An arm is a set of campaigns that differ in nothing but their seed. Inside, higher is better; a value is turned round
for people at the edge. Intervals hold for the mean over further seeds, and none is given where there is one seed.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from evoengine.types import GUIDANCE, SEED, Record, Scored

CONFIDENCE = 0.95
FEWEST_RESAMPLED = 5
"""Seeds from which on a bootstrap interval stands beside the other: from fewer there is little to draw."""
_RESAMPLES = 9999


class Measure(Enum):
    """What is compared."""

    BEST = "best"
    """The best value when so many evaluations are spent."""
    BEST_BY_TOKENS = "best at tokens"
    """The best value when so many tokens are spent."""
    AREA = "area"
    """The mean of the best value so far over the evaluations spent: the area under it, divided by its width."""
    IMPROVING = "improving"
    """The share of children that are better than their first parent."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """A campaign's course; (R,) each, one entry for a record.

    Attributes:
        evaluations, tokens, money, seconds: spent up to and with the record; US dollars, and seconds on workers.
        best: the best score so far; NaN before the first.
        children, improved: proposals so far that have a parent, and those among them better than their first one.
    """

    name: str
    evaluations: Sequence[int]
    tokens: Sequence[int]
    money: Sequence[float]
    seconds: Sequence[float]
    best: Sequence[float]
    children: Sequence[int]
    improved: Sequence[int]


def traced(name: str, records: Iterable[Record]) -> Trace:
    """The course of a campaign, from its records in order. Contexts that guide cost, and are no children."""
    evaluations, tokens, children, improved = (array("q") for _ in range(4))
    money, seconds, best, scores = (array("d") for _ in range(4))
    spent = read = made = better = 0
    paid = worked = 0.0
    highest = math.nan
    for record in records:
        candidate, evaluation = record.candidate, record.evaluation
        guides = candidate.island == GUIDANCE
        score = evaluation.score if isinstance(evaluation, Scored) and not guides else math.nan
        scores.append(score)
        spent += max(1, record.cost.calls)
        read += record.cost.tokens
        paid += record.cost.money
        worked += record.cost.seconds
        if candidate.operator != SEED and candidate.parents and not guides:
            made += 1
            better += score > scores[candidate.parents[0] - 1]  # False where one of them is NaN
        if not highest >= score and not math.isnan(score):
            highest = score
        for column, value in ((evaluations, spent), (tokens, read), (children, made), (improved, better)):
            column.append(value)
        for amounts, amount in ((money, paid), (seconds, worked), (best, highest)):
            amounts.append(amount)
    return Trace(
        name=name,
        evaluations=evaluations,
        tokens=tokens,
        money=money,
        seconds=seconds,
        best=best,
        children=children,
        improved=improved,
    )


def best_at(trace: Trace, spent: Sequence[int], budget: int) -> float | None:
    """The best score among the records that a budget had paid for; None if none of them has one.

    Args:
        trace: of a campaign.
        spent: its evaluations or its tokens.
        budget: in the same unit.
    """
    place = bisect_right(spent, budget) - 1
    return None if place < 0 or math.isnan(trace.best[place]) else trace.best[place]


def area_under(trace: Trace, start: int, end: int) -> float | None:
    """The mean of the best score so far from `start` to `end` evaluations; None if there was none at the start.

    At a single point it is the value there.
    """
    first = best_at(trace, trace.evaluations, start)
    if first is None or end < start:
        return None
    if end == start:
        return first
    low, high = bisect_right(trace.evaluations, start), bisect_right(trace.evaluations, end)
    corners = [start, *trace.evaluations[low:high], end]
    levels = [first, *trace.best[low:high]]
    widths = [after - before for before, after in pairwise(corners)]
    # as steps above the first level, so that a best that never changes is its own mean to the last bit
    return first + math.fsum((level - first) * width for level, width in zip(levels, widths, strict=True)) / (
        end - start
    )


def improving_at(trace: Trace, evaluations: int) -> float | None:
    """The share of children better than their first parent when so much was spent; None if there are none."""
    place = bisect_right(trace.evaluations, evaluations) - 1
    return trace.improved[place] / trace.children[place] if place >= 0 and trace.children[place] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a mean lies with 95 % confidence."""

    low: float
    high: float


def t_interval(values: Sequence[float]) -> Interval | None:
    """Student's interval of a mean (Student 1908, doi:10.1093/biomet/6.1.1); None for fewer than two values."""
    if len(values) < 2:
        return None
    mean, error = _mean(values), math.sqrt(_variance(values) / len(values))
    return _around(mean, error, len(values) - 1)


def welch_interval(values: Sequence[float], others: Sequence[float]) -> Interval | None:
    """Welch's interval of the difference of two means (Welch 1947, doi:10.1093/biomet/34.1-2.28).

    The two variances may differ; degrees of freedom are those of Satterthwaite (1946, doi:10.2307/3002019). None
    where one side has fewer than two values.
    """
    if len(values) < 2 or len(others) < 2:
        return None
    one, other = _variance(values) / len(values), _variance(others) / len(others)
    difference = _mean(values) - _mean(others)
    largest = max(one, other)
    if not largest:
        return Interval(low=difference, high=difference)
    # divided by the larger one first: squares of small numbers would vanish
    a, b = one / largest, other / largest
    freedom = (a + b) ** 2 / (a**2 / (len(values) - 1) + b**2 / (len(others) - 1))
    return _around(difference, math.sqrt(one + other), freedom)


def bootstrap_interval(values: Sequence[float], others: Sequence[float] | None = None) -> Interval | None:
    """The percentile bootstrap of a mean, or of a difference of two (Efron 1979, doi:10.1214/aos/1176344552).

    Drawn with a fixed seed: the same values give the same interval. None for fewer than five values on a side.
    """
    import numpy as np

    if min(len(values), FEWEST_RESAMPLED if others is None else len(others)) < FEWEST_RESAMPLED:
        return None
    rng = np.random.default_rng(0)

    def means(given: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        drawn = np.asarray(given, dtype=np.float64)
        found: np.ndarray[tuple[int], np.dtype[np.float64]] = drawn[
            rng.integers(0, len(drawn), (_RESAMPLES, len(drawn)))
        ].mean(axis=1)
        return found

    # ordered, so that the order in which campaigns were found does not matter
    drawn = means(sorted(values)) - (means(sorted(others)) if others is not None else 0.0)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(low=float(low), high=float(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measure's mean over the seeds of an arm, or how much larger it is than that over another arm's.

    Attributes:
        over: the arm that it is compared with; None for an arm's own value.
        seeds: how many campaigns the arm has, and those of the other behind it.
        greatest: of the seeds; None for a difference.
        interval: Student's, or Welch's for a difference; None where one seed allows none.
        resampled: the bootstrap's, where there are seeds enough.
    """

    arm: str
    over: str | None
    measure: Measure
    seeds: tuple[int, ...]
    mean: float
    greatest: float | None
    interval: Interval | None
    resampled: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What all campaigns of a comparison had spent at least.

    Attributes:
        start: evaluations after which each has a score: where the area begins.
        tokens: the least that was spent by those that spent any; None where none did.
    """

    start: int
    evaluations: int
    tokens: int | None


def shared_budget(traces: Iterable[Trace], evaluations: int | None = None) -> Budget:
    """The largest budget at which all campaigns can be compared, or that of so many evaluations.

    Raises:
        ValueError: a campaign has no score by then, or did not get as far; says which.
    """
    given = list(traces)
    for trace in given:
        if not trace.best or math.isnan(trace.best[-1]):
            raise ValueError(f"campaign {trace.name!r} has no scored record yet.")
    least = min(given, key=lambda trace: trace.evaluations[-1])
    at = least.evaluations[-1] if evaluations is None else evaluations
    if at > least.evaluations[-1]:
        raise ValueError(f"campaign {least.name!r} got to {least.evaluations[-1]} evaluations only, not to {at}.")
    last = max(given, key=_first_scored)
    if at < _first_scored(last):
        raise ValueError(
            f"campaign {last.name!r} has its first score after {_first_scored(last)} evaluations, not {at}."
        )
    spent = [trace.tokens[-1] for trace in given if trace.tokens[-1]]
    return Budget(start=_first_scored(last), evaluations=at, tokens=min(spent, default=None))


def _first_scored(trace: Trace) -> int:
    return trace.evaluations[next(place for place, best in enumerate(trace.best) if not math.isnan(best))]


def measured(trace: Trace, budget: Budget) -> dict[Measure, float]:
    """A campaign's measures at a budget; those that it has. Tokens bound nothing for one that spends none."""
    tokens = budget.tokens if trace.tokens[-1] else None
    found = {
        Measure.BEST: best_at(trace, trace.evaluations, budget.evaluations),
        Measure.BEST_BY_TOKENS: None if tokens is None else best_at(trace, trace.tokens, tokens),
        Measure.AREA: area_under(trace, budget.start, budget.evaluations),
        Measure.IMPROVING: improving_at(trace, budget.evaluations),
    }
    return {measure: value for measure, value in found.items() if value is not None}


def compared(arms: Mapping[str, Sequence[Trace]], baselines: Iterable[str], budget: Budget) -> list[Estimate]:
    """Every arm's measures, then how much larger those of the others are than each baseline's; higher is better.

    Args:
        arms: by label, with one trace for each seed.
        baselines: labels of the arms that the others are compared with.
        budget: at which.
    """
    against = list(baselines)
    values = {
        arm: {measure: _values([measured(trace, budget) for trace in traces], measure) for measure in Measure}
        for arm, traces in arms.items()
    }
    estimates = [
        Estimate(
            arm=arm,
            over=None,
            measure=measure,
            seeds=(len(own),),
            mean=_mean(own),
            greatest=max(own),
            interval=t_interval(own),
            resampled=bootstrap_interval(own),
        )
        for arm, found in values.items()
        for measure, own in found.items()
        if own
    ]
    for base in against:
        for arm, found in values.items():
            for measure, own in found.items() if arm not in against else ():
                others = values[base][measure]
                if own and others:
                    estimates.append(
                        Estimate(
                            arm=arm,
                            over=base,
                            measure=measure,
                            seeds=(len(own), len(others)),
                            mean=_mean(own) - _mean(others),
                            greatest=None,
                            interval=welch_interval(own, others),
                            resampled=bootstrap_interval(own, others),
                        )
                    )
    return estimates


def _values(found: Sequence[Mapping[Measure, float]], measure: Measure) -> list[float]:
    """The values of all seeds; none where one of them lacks it, as the others would be a choice among the seeds."""
    return [one[measure] for one in found] if all(measure in one for one in found) else []


def _around(mean: float, error: float, freedom: float) -> Interval:
    from scipy.stats import t

    reach = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * error if error else 0.0
    return Interval(low=mean - reach, high=mean + reach)


def _mean(values: Sequence[float]) -> float:
    # by way of the first, so that equal values are their own mean to the last bit
    return values[0] + math.fsum(value - values[0] for value in values) / len(values)


def _variance(values: Sequence[float]) -> float:
    """The sample variance, (n - 1) below."""
    mean = _mean(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
