"""What every allocation must show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.rl.allocation import Allocation, Spread
from evoengine.testing._laws import INHERITED

_deviation = st.just(0.0) | st.floats(0, 5) | st.floats(0, 1e308)
spreads: st.SearchStrategy[Spread] = st.just(Spread()) | st.builds(
    lambda count, mean, deviation: Spread(count=count, mean=mean, deviation=deviation if count > 1 else 0.0),
    st.integers(1, 500),
    st.floats(-1, 10),
    _deviation,
)


class AllocationContract:
    """What every allocation must show. Needs a fixture `allocation`."""

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(parents=st.lists(spreads, min_size=1, max_size=8), least=st.integers(0, 6), more=st.integers(0, 80))
    def test_the_total_is_given_out_and_each_group_has_its_least(
        self, allocation: Allocation, parents: list[Spread], least: int, more: int
    ) -> None:
        total = least * len(parents) + more
        sizes = allocation.sizes(parents, total, least)
        assert len(sizes) == len(parents)
        assert all(type(size) is int and size >= least for size in sizes)
        assert sum(sizes) == total
        assert allocation.fresh().sizes(list(parents), total, least) == sizes

    @pytest.mark.parametrize(("groups", "total", "least"), [(3, 5, 2), (0, 1, 0), (1, 1, -1), (2, -1, 0)])
    def test_what_cannot_be_divided_is_refused(
        self, allocation: Allocation, groups: int, total: int, least: int
    ) -> None:
        with pytest.raises(ValueError, match=f"{total} rollouts cannot be divided among {groups} groups"):
            allocation.sizes([Spread()] * groups, total, least)

    def test_no_groups_and_nothing_to_give_is_no_sizes(self, allocation: Allocation) -> None:
        assert allocation.sizes([], 0, 2) == []
