"""The archive in a few rows of blocks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.archives.grid import Grid
from evoengine.cli.miniature import PLAIN_SHADES, SHADES, Miniature
from evoengine.types import Feature, Program, Scored

X, Y = Feature(name="width", low=0.0, high=1.0, bins=4), Feature(name="height", low=0.0, high=30.0, bins=3)
CONTENT = Program.of("x")


def grid_of(features: tuple[Feature, ...], *offers: tuple[float, Mapping[str, float]], bounds: str = "fixed") -> Grid:
    grid = Grid(bounds=bounds)  # type: ignore[arg-type]
    grid.open(features)
    for number, (score, place) in enumerate(offers, start=1):
        grid.add(number, CONTENT, Scored(score=score, features=place))
    return grid


def drawn(features: tuple[Feature, ...], *archives: Grid, shades: str = PLAIN_SHADES) -> list[str]:
    map_ = Miniature(features)
    map_.look(archives)
    return map_.drawn(shades).splitlines()


def test_the_first_feature_goes_to_the_right_and_the_second_up() -> None:
    grid = grid_of((X, Y), (1.0, {"width": 0.1, "height": 1.0}), (2.0, {"width": 0.9, "height": 29.0}))
    assert drawn((X, Y), grid) == ["   #", "    ", ":     width right, height up"]


def test_a_block_is_shaded_by_the_rank_of_the_best_in_it_on_any_island() -> None:
    one = grid_of((X, Y), (1.0, {"width": 0.1, "height": 1.0}), (5.0, {"width": 0.3, "height": 1.0}))
    other = grid_of((X, Y), (9.0, {"width": 0.1, "height": 1.0}), (7.0, {"width": 0.6, "height": 1.0}))
    assert drawn((X, Y), one, other)[-1].startswith("#:*")
    assert drawn((X, Y), one, other, shades=SHADES)[-1].startswith("█▒▓·")


def test_one_feature_is_one_row_and_none_is_nothing() -> None:
    assert drawn((X,), grid_of((X,), (1.0, {"width": 0.5}))) == ["  #   width"]
    assert Miniature(()).rows == 0


def test_a_widened_archive_is_drawn_with_its_own_bounds() -> None:
    grid = grid_of((X,), (1.0, {"width": 0.1}), (2.0, {"width": 3.9}), bounds="adaptive")
    assert drawn((X,), grid) == [":  #  width"]


def test_fine_grids_are_drawn_in_few_blocks() -> None:
    fine = (Feature(name="a", low=0, high=1, bins=500), Feature(name="b", low=0, high=1, bins=500))
    lines = drawn(fine, grid_of(fine, (1.0, {"a": 1.0, "b": 1.0})))
    assert len(lines) == 8
    assert lines[0] == " " * 39 + "#"


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e9, 1e9)),
        max_size=20,
    )
)
def test_any_features_and_scores_are_drawn_inside_the_map(offers: list[tuple[float, float, float]]) -> None:
    grid = grid_of((X, Y), *((score, {"width": x, "height": y}) for score, x, y in offers))
    lines = drawn((X, Y), grid)
    assert len(lines) == 3
    marks = "".join(line[:4] for line in lines)
    assert len(marks) == 12
    assert len(marks.replace(" ", "")) == len(grid)


@pytest.mark.parametrize("name", ["a\x1b[31mb", "two\nlines"])
def test_a_name_steers_no_terminal(name: str) -> None:
    features = (Feature(name=name, low=0.0, high=1.0, bins=2),)
    [line] = drawn(features, grid_of(features, (1.0, {name: 0.0})))
    assert "\x1b" not in line
