"""Comparing arms of campaigns: against values worked out by hand or published, and by laws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from evoengine.analysis.comparing import (
    Budget,
    Interval,
    Measure,
    Trace,
    area_under,
    best_at,
    bootstrap_interval,
    compared,
    improving_at,
    measured,
    shared_budget,
    t_interval,
    traced,
    welch_interval,
)
from evoengine.types import GUIDANCE, SEED, Candidate, Cause, Cost, Evaluation, Failed, Program, Record, Scored
from tests.strategies import histories

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)


def record(number: int, score: float | None, *, parent: int | None = 1, calls: int = 1, tokens: int = 0) -> Record:
    evaluation: Evaluation = Failed(cause=Cause.CRASHED) if score is None else Scored(score=score)
    return Record(
        number=number,
        candidate=Candidate(
            content=Program.of(f"# {number}"),
            island=0,
            operator="one" if parent else SEED,
            parents=(parent,) if parent else (),
        ),
        evaluation=evaluation,
        cost=Cost(calls=calls, tokens=tokens),
    )


def course(scores: Sequence[float | None], name: str = "one", **settings: int) -> Trace:
    """A seed, then children of it."""
    return traced(
        name, [record(at, score, parent=None if at == 1 else 1, **settings) for at, score in enumerate(scores, start=1)]
    )


# -- intervals -------------------------------------------------------------------------------------------------------


def test_students_interval_is_that_of_a_table() -> None:
    # mean 3, variance 2.5, five values: 3 +- 2.776445 * sqrt(0.5); 2.776445 stands in every table of t for 4 degrees
    found = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found is not None
    assert found.low == pytest.approx(3 - 2.7764451052 * math.sqrt(0.5), abs=1e-9)
    assert found.high == pytest.approx(3 + 2.7764451052 * math.sqrt(0.5), abs=1e-9)


def test_welchs_interval_is_that_worked_out_by_hand() -> None:
    # variances 1 and 4 of three values each: error sqrt(5/3), degrees (5/3)^2 / (1/18 + 16/18) = 50/17
    found = welch_interval([1.0, 2.0, 3.0], [10.0, 12.0, 14.0])
    assert found is not None
    reach = stats.t.ppf(0.975, 50 / 17) * math.sqrt(5 / 3)
    assert found.low == pytest.approx(-10 - reach, rel=1e-12)
    assert found.high == pytest.approx(-10 + reach, rel=1e-12)


@settings(deadline=None)
@given(values, values)
def test_welchs_interval_is_scipys(one: list[float], other: list[float]) -> None:
    assume(max(one) - min(one) > 1e-3 and max(other) - min(other) > 1e-3)
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    found = welch_interval(one, other)
    assert found is not None
    wide = max(1.0, *map(abs, (*one, *other)))
    assert found.low == pytest.approx(expected.low, rel=1e-6, abs=1e-8 * wide)
    assert found.high == pytest.approx(expected.high, rel=1e-6, abs=1e-8 * wide)


@settings(deadline=None)
@given(values, values)
def test_a_difference_turned_round_has_its_interval_turned_round(one: list[float], other: list[float]) -> None:
    found, back = welch_interval(one, other), welch_interval(other, one)
    assert found is not None
    assert back is not None
    assert (found.low, found.high) == pytest.approx((-back.high, -back.low), rel=1e-9, abs=1e-6)


@settings(deadline=None)
@given(values, st.floats(-1e3, 1e3))
def test_intervals_move_with_the_values_and_hold_their_mean(given_: list[float], by: float) -> None:
    wide = max(abs(value) for value in (*given_, by, 1.0))
    for interval in (t_interval, bootstrap_interval):
        found, moved = interval(given_), interval([value + by for value in given_])
        assert (found is None) == (moved is None)
        if found is not None and moved is not None:
            assert found.low - 1e-9 * wide <= math.fsum(given_) / len(given_) <= found.high + 1e-9 * wide
            assert (moved.low, moved.high) == pytest.approx((found.low + by, found.high + by), abs=1e-8 * wide)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=9), st.randoms())
def test_the_bootstrap_depends_on_the_values_and_not_on_their_order(given_: list[float], rng: object) -> None:
    mixed = list(given_)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert bootstrap_interval(mixed) == bootstrap_interval(given_)
    found = bootstrap_interval(given_)
    assert found is not None
    assert min(given_) - 1e-9 <= found.low <= found.high <= max(given_) + 1e-9


def test_the_bootstrap_of_two_values_that_are_as_frequent_has_the_quantiles_of_a_binomial() -> None:
    # the mean of eight draws among 0 and 1 is binomial: 2.5 % and 97.5 % lie at 1/8 and 7/8
    assert bootstrap_interval([0.0, 1.0] * 4) == Interval(low=0.125, high=0.875)


def test_one_seed_has_no_interval_and_few_have_no_bootstrap() -> None:
    assert t_interval([1.0]) is None
    assert welch_interval([1.0], [1.0, 2.0]) is None
    assert welch_interval([1.0, 2.0], [1.0]) is None
    assert bootstrap_interval([1.0, 2.0, 3.0, 4.0]) is None
    assert bootstrap_interval([1.0] * 5, [1.0] * 4) is None


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(2, 9), st.integers(2, 9))
def test_seeds_that_agree_leave_no_width(value: float, seeds: int, others: int) -> None:
    assert t_interval([value] * seeds) == Interval(low=value, high=value)
    assert welch_interval([value] * seeds, [value] * others) == Interval(low=0.0, high=0.0)


def test_intervals_of_tiny_values_do_not_vanish() -> None:
    found = welch_interval([1e-200, 2e-200], [1e-200, 3e-200])
    assert found is not None
    assert not math.isnan(found.low)


# -- a campaign's course ---------------------------------------------------------------------------------------------


def test_the_best_at_a_budget_is_that_of_the_records_it_had_paid_for() -> None:
    trace = traced("one", [record(1, 1.0, parent=None), record(2, 5.0, calls=10, tokens=7), record(3, 9.0, tokens=1)])
    assert [best_at(trace, trace.evaluations, at) for at in (0, 1, 10, 11, 12, 99)] == [None, 1, 1, 5, 9, 9]
    assert [best_at(trace, trace.tokens, at) for at in (0, 6, 7, 8)] == [1, 1, 5, 9]


def test_a_record_that_cost_no_call_counts_as_one_evaluation_as_in_a_budget() -> None:
    trace = traced("one", [record(1, 1.0, parent=None), record(2, None, calls=0), record(3, 2.0)])
    assert list(trace.evaluations) == [1, 2, 3]


def test_the_area_is_the_mean_of_the_best_so_far() -> None:
    trace = course([0.0, 2.0, None, 1.0, 4.0])
    # from evaluation 1 to 5 the best is 0, 2, 2, 2 and only then 4
    assert area_under(trace, 1, 5) == pytest.approx(1.5)
    assert area_under(trace, 2, 6) == pytest.approx((2 * 3 + 4) / 4)
    assert area_under(trace, 5, 5) == 4.0
    assert area_under(trace, 0, 5) is None


def test_children_are_counted_with_their_first_parent_and_guidance_is_none_of_them() -> None:
    records = [record(1, 1.0, parent=None), record(2, 3.0), record(3, 2.0, parent=2), record(4, None), record(5, 1.0)]
    guide = record(6, 9.0, parent=1)
    records.append(replace(guide, candidate=replace(guide.candidate, island=GUIDANCE)))
    records.append(record(7, 4.0, parent=4))
    trace = traced("one", records)
    assert improving_at(trace, 99) == 1 / 5
    assert improving_at(trace, 2) == 1.0
    assert improving_at(trace, 1) is None
    assert best_at(trace, trace.evaluations, 6) == 3.0


@settings(deadline=None)
@given(histories(), st.integers(1, 100))
def test_a_larger_budget_never_has_a_worse_best_and_the_area_lies_between(history: list[Record], more: int) -> None:
    trace = traced("one", history)
    best = [best_at(trace, trace.evaluations, at) for at in range(1, trace.evaluations[-1] + more)]
    known = [one for one in best if one is not None]
    assert known == sorted(known)
    start = trace.evaluations[0]
    area = area_under(trace, start, start + len(known) - 1)
    assert area is not None
    assert known[0] - 1e-6 <= area <= known[-1] + 1e-6
    steps = known[:-1] or known
    assert sum(steps) / len(steps) == pytest.approx(area, abs=1e-3)


@settings(deadline=None)
@given(histories(), st.integers(1, 40))
def test_what_comes_after_a_budget_does_not_matter_to_it(history: list[Record], at: int) -> None:
    whole = traced("one", history)
    at = max(at, whole.evaluations[0])
    spent = [place for place, evaluations in enumerate(whole.evaluations, start=1) if evaluations <= at]
    cut = traced("one", history[: spent[-1]])
    budget = Budget(start=whole.evaluations[0], evaluations=at, tokens=None)
    assert measured(cut, budget) == measured(whole, budget)


# -- arms ------------------------------------------------------------------------------------------------------------


def test_campaigns_are_compared_where_the_least_of_them_stands() -> None:
    long, short = course([0.0, 1.0, 5.0], tokens=3), course([0.0, 2.0], "other", tokens=4)
    free = course([0.0, 2.0, 3.0])
    assert shared_budget([long, short, free]) == Budget(start=1, evaluations=2, tokens=8)
    assert shared_budget([long, free], 1) == Budget(start=1, evaluations=1, tokens=9)
    assert shared_budget([free]).tokens is None
    with pytest.raises(ValueError, match="'other' got to 2 evaluations only, not to 3"):
        shared_budget([long, short], 3)
    with pytest.raises(ValueError, match="'late' has its first score after 3 evaluations, not 2"):
        shared_budget([long, course([None, None, 1.0], "late")], 2)
    with pytest.raises(ValueError, match="'none' has no scored record"):
        shared_budget([long, course([None], "none")])


def test_arms_are_compared_with_each_baseline_and_baselines_not_with_each_other() -> None:
    arms = {
        "evolve": [course([0.0, one]) for one in (3.0, 4.0, 5.0)],
        "floor": [course([0.0, one]) for one in (1.0, 2.0)],
        "frozen": [course([0.0, 2.5])],
    }
    found = compared(arms, ["floor", "frozen"], Budget(start=1, evaluations=2, tokens=None))
    best = {(one.arm, one.over): one for one in found if one.measure is Measure.BEST}
    assert set(best) == {
        ("evolve", None), ("floor", None), ("frozen", None), ("evolve", "floor"), ("evolve", "frozen")
    }  # fmt: skip
    own, over = best["evolve", None], best["evolve", "floor"]
    assert (own.mean, own.greatest, own.seeds) == (4.0, 5.0, (3,))
    assert own.interval == t_interval([3.0, 4.0, 5.0])
    assert (over.mean, over.seeds, over.interval) == (2.5, (3, 2), welch_interval([3.0, 4.0, 5.0], [1.0, 2.0]))
    assert best["evolve", "frozen"].mean == 1.5
    assert best["evolve", "frozen"].interval is None
    assert not any(one.measure is Measure.BEST_BY_TOKENS for one in found)


def test_an_arm_in_which_a_seed_lacks_a_measure_has_none_of_it() -> None:
    arms = {"one": [course([0.0, 1.0], tokens=5), course([0.0, 2.0])]}
    found = compared(arms, [], shared_budget(arms["one"]))
    assert {one.measure for one in found} == set(Measure) - {Measure.BEST_BY_TOKENS}
