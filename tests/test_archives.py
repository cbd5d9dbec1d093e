"""The grid against an independent model, and the shelf against sorted lists."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.archives import Shelf
from evoengine.archives.grid import Grid
from evoengine.types import Content, Elite, Feature, Insertion, Program, Scored
from tests.strategies import scored

AXES = (Feature(name="x", low=0.0, high=1.0, bins=4), Feature(name="y", low=0.0, high=1.0, bins=3))
offers = st.lists(scored, max_size=60)
wide_offers = st.lists(
    st.builds(
        lambda score, x, y: Scored(score=score, features={"x": x, "y": y}),
        st.sampled_from([0.0, 1.0, 2.0]) | st.floats(-9, 9),
        st.floats(-20, 20) | st.sampled_from([0.0, 1.0, -1.0, 3.0]),
        st.floats(-3, 1) | st.floats(-1e300, 1e300),
    ),
    max_size=40,
)
"""Features far outside the bounds that the archive starts with."""


def filled(offered: list[Scored], bounds: str = "fixed", axes: tuple[Feature, ...] = AXES) -> Grid:
    archive = Grid(bounds=bounds)
    archive.open(axes)
    for number, one in enumerate(offered, start=1):
        archive.add(number, Program.of(f"# {number}"), one)
    return archive


def bin_of(value: float, low: float, high: float, bins: int) -> set[int]:
    """The bins whose interval holds a value, edges widened by what rounding may do."""
    value = min(max(value, low), high)
    width, slack = (high - low) / bins, (high - low) * 1e-9
    return {k for k in range(bins) if low + k * width - slack <= value <= low + (k + 1) * width + slack}


@settings(deadline=None)
@given(offers)
def test_a_fixed_grid_holds_the_first_of_the_best_of_each_cell(offered: list[Scored]) -> None:
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for number, one in enumerate(offered, start=1):
        cell = tuple(min(axis.bins - 1, max(0, math.floor(one.features[axis.name] * axis.bins))) for axis in AXES)
        assert len(cell) == 2
        best[cell] = max(best.get(cell, (-math.inf, 0)), (one.score, -number))
    archive = filled(offered)
    assert {elite.cell: (elite.scored.score, -elite.number) for elite in archive} == best
    assert archive.coverage == len(best) / 12
    assert archive.ranges == {"x": (0.0, 1.0), "y": (0.0, 1.0)}


@settings(deadline=None)
@given(wide_offers)
def test_in_an_adaptive_grid_every_owner_is_in_the_cell_of_its_own_features(offered: list[Scored]) -> None:
    archive = Grid(bounds="adaptive")
    archive.open(AXES)
    for number, one in enumerate(offered, start=1):
        archive.add(number, Program.of(f"# {number}"), one)
        ranges = archive.ranges
        for elite in archive:
            assert elite.cell == archive.cell(elite.scored)
            for axis, place in zip(AXES, elite.cell, strict=True):
                low, high = ranges[axis.name]
                assert low <= elite.scored.features[axis.name] <= high
                assert place in bin_of(elite.scored.features[axis.name], low, high, axis.bins)


@settings(deadline=None)
@given(wide_offers)
def test_an_adaptive_grid_only_widens_and_only_as_far_as_it_must(offered: list[Scored]) -> None:
    archive = filled(offered, "adaptive")
    for axis in AXES:
        low, high = archive.ranges[axis.name]
        values = [one.features[axis.name] for one in offered]
        assert low <= min([*values, axis.low])
        assert high >= max([*values, axis.high])
        span = max([*values, axis.high]) - min([*values, axis.low])
        assert high - low <= max(1.0, 4 * span)


@settings(deadline=None)
@given(wide_offers)
def test_an_adaptive_grid_whose_bounds_stand_still_is_a_fixed_one(offered: list[Scored]) -> None:
    archive = filled(offered, "adaptive")
    axes = tuple(
        Feature(name=axis.name, low=archive.ranges[axis.name][0], high=archive.ranges[axis.name][1], bins=axis.bins)
        for axis in AXES
    )
    once_more, fixed = Grid(bounds="adaptive"), Grid()
    for grid in (once_more, fixed):
        grid.open(axes)
        for number, one in enumerate(offered, start=1):
            grid.add(number, Program.of(f"# {number}"), one)
    assert {(e.number, e.cell) for e in once_more} == {(e.number, e.cell) for e in fixed}
    best = fixed.best()
    assert (best.number if best else None) == (archive.best().number if archive.best() else None)  # type: ignore[union-attr]


@settings(deadline=None)
@given(offers, st.sampled_from(["fixed", "adaptive"]), st.floats(-10, 10))
def test_the_sum_of_scores_is_kept_up_step_by_step(offered: list[Scored], bounds: str, offset: float) -> None:
    archive = Grid(bounds=bounds, qd_offset=offset)
    archive.open(AXES)
    for number, one in enumerate(offered, start=1):
        archive.add(number, Program.of(f"# {number}"), one)
        expected = math.fsum(elite.scored.score - offset for elite in archive)
        assert archive.qd_score == pytest.approx(expected, rel=1e-9, abs=1e-4)
        assert archive.coverage == len({elite.cell for elite in archive}) / 12


@settings(deadline=None)
@given(offers)
def test_offering_a_history_again_changes_nothing(offered: list[Scored]) -> None:
    archive = filled(offered)
    before = list(archive)
    for number, one in enumerate(offered, start=1):
        assert archive.add(number, Program.of(f"# {number}"), one) is Insertion.REJECTED
    assert list(archive) == before


def test_a_grid_without_features_keeps_the_best_in_its_one_cell() -> None:
    archive = filled([Scored(score=1.0), Scored(score=2.0), Scored(score=0.0)], axes=())
    assert [(elite.number, elite.cell) for elite in archive] == [(2, ())]
    assert archive.coverage == 1.0


moves = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "ask", "clear"]), st.integers(0, 6), st.sampled_from([0.0, 1.0, 2.0])),
    max_size=60,
)


@settings(deadline=None)
@given(moves, st.sampled_from([None, 7]))
def test_a_shelf_is_a_dictionary_with_an_order(steps: list[tuple[str, int, float]], cells: int | None) -> None:
    shelf, model = Shelf(cells=cells), dict[int, tuple[int, float]]()
    content: Content = Program.of("#")
    for number, (what, cell, score) in enumerate(steps, start=1):
        key = cell
        match what:
            case "put":
                better = key not in model or score > model[key][1]
                expected = Insertion.REJECTED if not better else Insertion.IMPROVED if key in model else Insertion.NEW
                assert shelf.put(key, number, content, Scored(score=score)) is expected
                if better:
                    model[key] = (number, score)
            case "remove" if key in model:
                shelf.remove(key)
                del model[key]
            case "remove":
                with pytest.raises(KeyError):
                    shelf.remove(key)
            case "clear" if cell == 0:
                shelf.clear()
                model.clear()
            case _:  # asked only now and then, since the order is made at the first question and kept up
                ranked = sorted(model.values(), key=lambda one: (-one[1], one[0]))
                assert [shelf.ranked(rank).number for rank in range(len(shelf))] == [number for number, _ in ranked]
                for rank, (_, of) in enumerate(ranked):
                    assert list(shelf.ties(rank)) == [k for k, (_, other) in enumerate(ranked) if other == of]
                for of in (-1.0, 0.0, 0.5, 1.0, 2.0, 3.0):
                    below = sum(other < of for _, other in ranked)
                    assert shelf.share_below(of) == pytest.approx(below / len(ranked) if ranked else 0.0)
        assert {elite.cell[0]: (elite.number, elite.scored.score) for elite in shelf} == model
        assert [shelf[place] for place in range(len(shelf))] == list(shelf)
        best = min(model.values(), key=lambda one: (-one[1], one[0]), default=None)
        assert (None if shelf.best() is None else shelf.best().number) == (best and best[0])  # type: ignore[union-attr]
        assert shelf.total == pytest.approx(sum(score for _, score in model.values()))


def test_every_elite_of_a_shelf_is_sampled_alike() -> None:
    shelf = Shelf()
    for number in range(1, 11):
        shelf.put(number, number, Program.of("#"), Scored(score=float(number)))
    drawn: list[Elite] = shelf.sample(random.Random(1), 10_000)
    assert all(abs(sum(one.number == number for one in drawn) - 1000) < 150 for number in range(1, 11))


def test_a_grid_of_more_cells_than_can_be_numbered_is_kept_and_taken_up() -> None:
    features = tuple(Feature(name=f"f{axis}", low=0.0, high=1.0, bins=10) for axis in range(25))  # 10^25 cells
    kept, other = Grid(), Grid()
    kept.open(features)
    other.open(features)
    for number in range(1, 20):
        place = {feature.name: ((number * (axis + 3)) % 10) / 10 + 0.05 for axis, feature in enumerate(features)}
        kept.add(number, Program.of(f"# {number}"), Scored(score=float(number % 5), features=place))
    other.restore(json.loads(json.dumps(kept.state())), {e.number: (e.content, e.scored) for e in kept})
    assert list(other) == list(kept)
    assert len(kept) == 10
    assert all(kept.cell(elite.scored) == elite.cell for elite in kept)
    assert {len(elite.cell) for elite in kept} == {25}
