"""The contract of allocations, for all that ship, and who is given more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.plugins import build, plugins
from evoengine.rl.allocation import Allocation, Spread, shared_out
from evoengine.testing import AllocationContract

VARIANTS = [
    {"use": "fixed"},
    {"use": "deviation"},
    {"use": "confidence"},
    {"use": "confidence", "confidence": 0.5, "exploration": 0.2},
]


def test_every_allocation_that_ships_is_among_the_variants() -> None:
    assert {plugin.name for plugin in plugins("allocations")} == {variant["use"] for variant in VARIANTS}


class TestEveryAllocation(AllocationContract):
    @pytest.fixture(params=VARIANTS, ids=str)
    def allocation(self, request: pytest.FixtureRequest) -> Allocation:
        made = build("allocations", request.param)
        assert isinstance(made, Allocation)
        return made


def seen(count: int, deviation: float) -> Spread:
    return Spread(count=count, mean=0.0, deviation=deviation)


def sizes(given, parents, total, least=2):
    return build("allocations", given).sizes(parents, total, least)


def test_fixed_sizes_are_equal_and_the_first_have_what_is_left() -> None:
    assert sizes("fixed", [seen(9, 5.0), Spread(), seen(2, 0.0)], 14) == [5, 5, 4]


def test_deviations_share_what_is_beyond_the_least() -> None:
    # 10 beyond the least, by 3 : 2 : 0
    assert sizes("deviation", [seen(5, 3.0), seen(5, 2.0), seen(5, 0.0)], 16) == [8, 6, 2]


def test_a_parent_that_is_not_known_yet_counts_as_the_most_uncertain() -> None:
    # 14 beyond the least, by 2 : 2 : 2 : 1
    assert sizes("deviation", [Spread(), Spread(count=1, mean=0.4), seen(5, 2.0), seen(5, 1.0)], 22) == [6, 6, 6, 4]


def test_parents_of_whom_nothing_is_known_share_alike() -> None:
    for name in ("deviation", "confidence"):
        assert sizes(name, [Spread()] * 4, 20) == [5] * 4
        assert sizes(name, [seen(4, 0.0)] * 4, 20) == [5] * 4


def greedy(counts, deviations, total, least, quantiles):
    """XRPO's rule with quantiles from a printed table."""
    found = [least] * len(counts)

    def half(n):
        return quantiles[n - 1] / n**0.5

    for _ in range(total - least * len(counts)):
        gains = []
        for count, deviation, size in zip(counts, deviations, found, strict=True):
            n = count + size
            gains.append(deviation * (half(n) - half(n + 1)))
        found[gains.index(max(gains))] += 1
    return found


# Student's t, two-sided 95 %, by degrees of freedom, as in any textbook's table
TABLE = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201}
TABLE |= {12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131, 16: 2.120, 17: 2.110, 18: 2.101, 19: 2.093, 20: 2.086}


@pytest.mark.parametrize(
    ("counts", "deviations", "total"),
    [
        ((2, 2, 2), (1.0, 0.5, 0.1), 14),
        ((8, 2, 4), (1.0, 1.0, 1.0), 14),
        ((3, 9, 2), (0.7, 2.0, 0.3), 14),
        ((2, 2), (1.0, 3.7), 8),  # 3 and 5; at 90 % it would be 2 and 6
    ],
)
def test_the_next_rollout_goes_where_it_narrows_the_interval_most(counts, deviations, total) -> None:
    parents = [seen(count, deviation) for count, deviation in zip(counts, deviations, strict=True)]
    assert sizes("confidence", parents, total) == greedy(counts, deviations, total, 2, TABLE)


@pytest.mark.parametrize("name", ["deviation", "confidence"])
def test_an_unknown_parent_goes_before_one_whose_children_were_all_alike(name: str) -> None:
    assert sizes(name, [seen(9, 0.0), Spread()], 10) == [2, 8]


def test_exploration_favours_parents_with_few_rollouts() -> None:
    parents = [seen(100, 0.0), seen(2, 0.0)]
    assert sizes("confidence", parents, 12) == [6, 6]
    assert sizes({"use": "confidence", "exploration": 1.0}, parents, 12) == [2, 10]


@settings(deadline=None)
@given(weights=st.lists(st.floats(0, 1e308), min_size=1, max_size=8), total=st.integers(0, 1000))
def test_shares_are_within_one_of_the_exact_ones(weights: list[float], total: int) -> None:
    found = shared_out(weights, total)
    assert sum(found) == total
    largest = max(weights)
    relative = [weight / largest for weight in weights] if largest else [1.0] * len(weights)
    for size, share in zip(found, relative, strict=True):
        assert abs(size - total * share / sum(relative)) < 1.0 + 1e-6


def test_what_rounding_leaves_goes_to_the_largest_remainder() -> None:
    assert shared_out([0.3, 0.7], 1) == [0, 1]
    assert shared_out([2.2, 1.7, 1.1], 5) == [2, 2, 1]
    assert shared_out([1.0, 1.0], 1) == [1, 0]
