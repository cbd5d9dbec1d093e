from __future__ import annotations

from itertools import combinations, product
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.analysis.comparing import Trace
from evoengine.analysis.racing import (
    Spent,
    dominance,
    dominance_interval,
    expected_best,
    frontier,
    median_of_reached,
    spent_to,
    target_of,
)

NAN = float("nan")
VALUES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=6)


def trace(best: list[float], each: int = 1) -> Trace:
    """A course whose records cost `each` evaluations, ten tokens, a cent and half a second."""
    counts = range(1, len(best) + 1)
    return Trace(
        name="one",
        evaluations=[each * count for count in counts],
        tokens=[10 * count for count in counts],
        money=[0.01 * count for count in counts],
        seconds=[0.5 * count for count in counts],
        best=best,
        children=[0] * len(best),
        improved=[0] * len(best),
    )


def test_what_it_took_is_what_was_spent_with_the_first_record_at_the_target() -> None:
    course = trace([NAN, 1.0, 1.0, 3.0, 4.0], each=2)
    assert spent_to(course, 2.0) == Spent(evaluations=8, seconds=2.0, tokens=40, money=0.04)
    assert spent_to(course, 4.0) == Spent(evaluations=10, seconds=2.5, tokens=50, money=0.05)
    assert spent_to(course, 1.0) == Spent(evaluations=4, seconds=1.0, tokens=20, money=0.02)
    assert spent_to(course, 4.1) is None
    assert spent_to(trace([NAN, NAN]), -9.0) is None


def test_a_target_is_below_a_maximum_and_above_a_minimum() -> None:
    assert target_of(2.0, 0.99, maximize=True) == pytest.approx(1.98)
    assert target_of(2.0, 0.8, maximize=False) == pytest.approx(-2.5)
    assert target_of(0.0, 0.99, maximize=True) is None
    assert target_of(-3.0, 0.99, maximize=False) is None


def test_seeds_that_never_arrived_are_the_slowest() -> None:
    assert median_of_reached([30, 10, 20], 3) == 20
    assert median_of_reached([30, 10, 20], 5) == 30
    assert median_of_reached([10, 20], 4) is None
    assert median_of_reached([], 1) is None


@given(values=VALUES, data=st.data())
def test_the_expected_best_is_the_mean_over_all_draws(values: list[float], data: st.DataObject) -> None:
    width = data.draw(st.integers(1, len(values)))
    told = fmean(max(draw) for draw in combinations(values, width))
    assert expected_best(values, width) == pytest.approx(told)


def test_a_frontier_has_every_width_at_every_halved_budget() -> None:
    one, other = trace([1.0, 1.0, 5.0, 5.0]), trace([2.0, 2.0, 2.0, 4.0])
    assert [(corner.width, corner.depth, corner.best) for corner in frontier([one, other], 4)] == [
        (1, 4, 4.5), (2, 4, 5.0), (1, 2, 1.5), (2, 2, 2.0), (1, 1, 1.5), (2, 1, 2.0)
    ]  # fmt: skip
    assert {corner.depth for corner in frontier([one, trace([NAN, 2.0, 2.0, 4.0])], 4)} == {4, 2}


@given(values=VALUES, others=VALUES)
def test_dominance_counts_pairs_and_is_one_half_of_itself(values: list[float], others: list[float]) -> None:
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(values, others)]
    assert dominance(values, others) == pytest.approx(fmean(pairs))
    assert dominance(values, others) + dominance(others, values) == pytest.approx(1.0)


def test_the_interval_of_dominance_needs_five_seeds_and_holds_the_probability() -> None:
    values, others = [3.0, 5.0, 4.0, 6.0, 2.0], [1.0, 2.0, 4.5, 3.5, 0.0]
    assert dominance_interval(values[:4], others) is None
    found = dominance_interval(values, others)
    assert found is not None
    assert 0 <= found.low < dominance(values, others) < found.high <= 1
    assert found == dominance_interval(values[::-1], others[::-1])
    clear = dominance_interval([9.0] * 5, others)
    assert clear is not None
    assert clear.low == clear.high == 1.0
