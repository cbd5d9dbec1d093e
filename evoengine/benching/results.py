"""What a benchmark found: of each campaign, and of each method over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

from evoengine.analysis.comparing import Interval, Trace, best_at, bootstrap_interval, t_interval, traced
from evoengine.analysis.racing import (
    SHARES,
    Spent,
    dominance,
    dominance_interval,
    frontier,
    median_of_reached,
    spent_to,
    target_of,
)
from evoengine.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one campaign came to at its budget; values are the problem's own.

    Attributes:
        cut: whether its time was over before its budget was spent.
        trace: its course; scores there are "higher is better".
        maximize: the problem's direction.
        best: the best value within the budget.
        held_out: the champion's value on each stage that selection never saw.
        known, floor: the best known value and what was reached by hand without a model, with their sources.
        reached: what was spent to come within a share of the best known value; None where that was not reached.
    """

    task: str
    problem: str
    method: str
    seed: int
    budget: int
    cut: bool
    trace: Trace
    maximize: bool
    best: float
    held_out: Mapping[str, float | str]
    known: Mapping[str, Any] | None
    floor: Mapping[str, Any] | None
    reached: Mapping[float, Spent | None]
    digest: str

    @classmethod
    def of(cls, reading: Reading, *, task: str, method: str, budget: int, cut: bool, checked: bool) -> Outcome | None:
        """Of a stored campaign; None for one that is not at its end, or whose champion is still to be checked.

        Args:
            reading: of the campaign.
            task: what its rows are called by.
            method: the same.
            budget: evaluations.
            cut: whether its time is over.
            checked: whether the problem has stages that selection never sees.
        """
        trace = traced(reading.row.name, reading.records())
        at_budget = best_at(trace, trace.evaluations, budget) if trace.evaluations else None
        spent = at_budget is not None and trace.evaluations[-1] >= budget
        if at_budget is None or not (spent or cut):
            return None
        summary = reading.summary()
        checks = reading.described(reading.record(summary["best_number"]))["checks"]
        if checked and not checks:
            return None
        maximize = reading.about["direction"] == "maximize"
        known = reading.about["best_known"]
        targets = {share: target_of(known["value"], share, maximize=maximize) if known else None for share in SHARES}
        within = _cut(trace, budget)
        return cls(
            task=task,
            problem=reading.row.problem,
            method=method,
            seed=reading.row.seed,
            budget=budget,
            cut=not spent,
            trace=within,
            maximize=maximize,
            best=reading.shown(at_budget),
            held_out=checks,
            known=known,
            floor=reading.about["floor"],
            reached={share: spent_to(within, target) for share, target in targets.items() if target is not None},
            digest=summary["archive_digest"],
        )

    def told(self) -> dict[str, Any]:
        """As JSON values, with the course as [evaluations, best value] of each improvement."""
        course: list[list[float]] = []
        for spent, score in zip(self.trace.evaluations, self.trace.best, strict=True):
            if score == score and (not course or course[-1][1] != self._shown(score)):
                course.append([spent, self._shown(score)])
        return {
            "task": self.task,
            "problem": self.problem,
            "method": self.method,
            "seed": self.seed,
            "evaluations": min(self.budget, self.trace.evaluations[-1]),
            "cut": self.cut,
            "best": self.best,
            "held_out": dict(self.held_out),
            "worker_seconds": self.trace.seconds[-1],
            "tokens": self.trace.tokens[-1],
            "money": self.trace.money[-1],
            "reached": {f"{share:.2%}": spent and asdict(spent) for share, spent in self.reached.items()},
            "archive_digest": self.digest,
            "course": course,
        }

    def _shown(self, score: float) -> float:
        return score if self.maximize else -score


def _cut(trace: Trace, budget: int) -> Trace:
    """The records that the budget paid for."""
    count = sum(spent <= budget for spent in trace.evaluations)
    return Trace(
        name=trace.name,
        evaluations=trace.evaluations[:count],
        tokens=trace.tokens[:count],
        money=trace.money[:count],
        seconds=trace.seconds[:count],
        best=trace.best[:count],
        children=trace.children[:count],
        improved=trace.improved[:count],
    )


def standings(outcomes: Sequence[Outcome], baselines: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each problem and method, over the seeds, as JSON values.

    `best` is the mean at the budget with its 95 % interval (the percentile bootstrap from five seeds on, Student's t
    below); `to` gives the median spent to come within a share of the best known value, and how many seeds did; `over`
    the probability that a campaign of the method is better than one of a baseline; `frontier` the expected best of so
    many campaigns of such a length.
    """
    rows = []
    for task, given in groupby(outcomes, key=lambda one: one.task):
        arms: dict[str, list[Outcome]] = {}
        for one in given:
            arms.setdefault(one.method, []).append(one)
        scores = {method: [one.trace.best[-1] for one in ones] for method, ones in arms.items()}
        for method, ones in arms.items():
            rows.append(
                {
                    "task": task,
                    "method": method,
                    "seeds": len(ones),
                    "evaluations": ones[0].budget,
                    "cut": sum(one.cut for one in ones),
                    "best": fmean(one.best for one in ones),
                    "interval": _ends([one.best for one in ones]),
                    "held_out": _held_out(ones),
                    "worker_seconds": fmean(one.trace.seconds[-1] for one in ones),
                    "tokens": fmean(one.trace.tokens[-1] for one in ones),
                    "money": fmean(one.trace.money[-1] for one in ones),
                    "to": {f"{share:.2%}": _reaching(ones, share) for share in ones[0].reached},
                    "over": {
                        base: _over(scores[method], scores[base])
                        for base in baselines
                        if base in scores and base != method
                    },
                    "frontier": [
                        {"width": one.width, "depth": one.depth, "best": one.best if ones[0].maximize else -one.best}
                        for one in frontier([one.trace for one in ones], ones[0].budget)
                    ],
                    "best_known": ones[0].known,
                    "floor": ones[0].floor,
                }
            )
    return rows


def _ends(values: Sequence[float]) -> list[float] | None:
    found = bootstrap_interval(values) or t_interval(values)
    return None if found is None else _pair(found)


def _pair(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _held_out(ones: Sequence[Outcome]) -> dict[str, float | None]:
    """The mean of each stage; None where a champion failed there."""
    found: dict[str, float | None] = {}
    for stage in ones[0].held_out:
        values = [one.held_out.get(stage) for one in ones]
        numbers = [value for value in values if isinstance(value, float | int)]
        found[stage] = fmean(numbers) if len(numbers) == len(values) else None
    return found


def _reaching(ones: Sequence[Outcome], share: float) -> dict[str, Any]:
    arrived = [spent for one in ones if (spent := one.reached[share]) is not None]

    def median(of: Callable[[Spent], float]) -> float | None:
        return median_of_reached([of(spent) for spent in arrived], len(ones))

    return {
        "seeds": len(arrived),
        "evaluations": median(lambda spent: spent.evaluations),
        "worker_seconds": median(lambda spent: spent.seconds),
        "tokens": median(lambda spent: spent.tokens),
        "money": median(lambda spent: spent.money),
    }


def _over(values: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    interval = dominance_interval(values, others)
    return {"probability": dominance(values, others), "interval": interval and _pair(interval)}
