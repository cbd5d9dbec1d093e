import json
import math
import textwrap
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.pictures import Undrawn, picture_of
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

module = shipped("circle_packing")
CirclePacking = module.CirclePacking


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return CirclePacking()


def truly_valid(circles):
    """The rule, in rationals, pair by pair."""
    exact = [tuple(map(Fraction, circle)) for circle in circles]
    inside = all(r >= 0 and r <= x <= 1 - r and r <= y <= 1 - r for x, y, r in exact)
    return inside and all(
        (a - c) ** 2 + (b - d) ** 2 >= (r + s) ** 2 for i, (a, b, r) in enumerate(exact) for c, d, s in exact[:i]
    )


def accepted(circles):
    try:
        return CirclePacking(n=len(circles)).judge([[list(circle) for circle in circles]])
    except Reject:
        return None


def nudged(value, steps):
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.inf if steps > 0 else -math.inf)
    return value


def test_one_circle_fills_the_square():
    assert accepted([(0.5, 0.5, 0.5)]).value == 0.5 == CirclePacking(n=1).best_known.value


def test_four_circles_that_touch_sum_to_one():
    assert accepted([(x, y, 0.25) for x in (0.25, 0.75) for y in (0.25, 0.75)]).value == 1.0


def test_two_circles_on_the_diagonal_reach_the_optimum_from_below():
    r = 1 / (2 + math.sqrt(2))
    assert accepted([(r * (1 - 1e-15), r * (1 - 1e-15), r * (1 - 1e-14)), (1 - r, 1 - r, r * (1 - 1e-14))]).value == (
        pytest.approx(2 - math.sqrt(2), abs=1e-13)
    )


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([0.25, 0.1, 1e-3, 0.4]))
def test_touching_is_decided_exactly_to_the_last_bit(move, grow, grow_other, r):
    circles = [(0.5 - r, 0.5, nudged(r, grow)), (nudged(0.5 + r, move), 0.5, nudged(r, grow_other))]
    assert (accepted(circles) is not None) == truly_valid(circles)


@given(st.floats(0, 1.57), st.floats(0.01, 0.2), st.floats(0.01, 0.2), st.integers(-2, 2))
@settings(max_examples=300)
def test_touching_in_any_direction_is_decided_exactly(angle, r, s, grow):
    circles = [(0.2, 0.2, r), (0.2 + (r + s) * math.cos(angle), 0.2 + (r + s) * math.sin(angle), nudged(s, grow))]
    assert (accepted(circles) is not None) == truly_valid(circles)


@pytest.mark.parametrize(
    ("circles", "valid"),
    [
        ([(2.2e-161, 1.2e-161, 8.699999999999999e-162), (2.8e-161, 2.9e-161, 9.3e-162)], True),
        ([(2.3e-161, 2.9e-161, 7.599999999999999e-162), (2.6e-161, 1.4e-161, 7.699999999999999e-162)], False),
    ],
)
def test_circles_so_small_that_their_squares_underflow_are_decided_exactly(circles, valid):
    assert truly_valid(circles) is valid
    assert (accepted(circles) is not None) is valid


@given(st.integers(-3, 3), st.integers(-3, 3), st.floats(0, 0.5))
@example(0, 0, 1e-17)
def test_a_wall_is_decided_exactly_to_the_last_bit(move, grow, r):
    circles = [(nudged(1 - r, move), 0.5, max(0.0, nudged(r, grow)))]
    assert (accepted(circles) is not None) == truly_valid(circles)


coordinate = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0, 5e-324, 1e-160, 1e-320])
radius = st.floats(0, 0.3) | st.sampled_from([0.0, -0.0, 5e-324, 1e-161, 0.25, -1e-9])


@given(st.lists(st.tuples(coordinate, coordinate, radius), min_size=1, max_size=6))
def test_what_is_accepted_is_valid_in_rationals_and_its_score_is_the_sum(circles):
    score = accepted(circles)
    assert (score is not None) == truly_valid(circles)
    if score is not None:
        assert score.value == float(sum(Fraction(r) for _, _, r in circles))


@pytest.mark.parametrize("n", [1, 2, 3, 9, 10, 11, 30])
def test_the_seeds_packings_are_valid_in_rationals_for_every_n(n):
    [packing] = candidate(CirclePacking.seed, n)
    assert truly_valid(packing)


def test_the_naive_seed_scores_about_one():
    assert 0.96 <= CirclePacking().judge(candidate(CirclePacking.seed, 26)).value <= 1.2


@pytest.mark.parametrize("circle", [(0.5, 0.5, True), ("0.5", 0.5, 0.1), (0.5, 0.5), (0.5, 0.5, math.nan), None])
def test_one_bad_circle_spoils_the_packing(circle):
    packing = [[0.1, 0.1, 0.01], [0.9, 0.9, 0.01], circle]
    with pytest.raises(Reject):
        CirclePacking(n=3).judge([packing])


def test_centres_that_are_not_numbers_do_not_hide_large_radii():
    with pytest.raises(Reject):
        CirclePacking(n=2).judge([[[math.nan, math.nan, 1000.0], [math.nan, math.nan, 1000.0]]])


def test_a_packing_of_another_size_is_refused():
    with pytest.raises(Reject, match="26 entries"):
        CirclePacking().judge([[[0.5, 0.5, 0.5]]])


@pytest.mark.parametrize(("n", "value"), [(26, 2.6358627564), (32, 2.9379445262)])
def test_published_packings_score_what_was_published_and_are_strictly_valid(n, value):
    circles = published(f"circles_{n}")
    assert truly_valid(circles)
    score = accepted(circles)
    assert value < score.value < value + 1e-10
    assert score.value == float(sum(Fraction(r) for _, _, r in circles)) < CirclePacking(n=n).best_known.value


def test_a_packing_under_a_tolerance_of_1e_9_is_refused():
    circles = [(x, y, 0.25 + 1e-9) for x in (0.25, 0.75) for y in (0.25, 0.75)]
    assert accepted(circles) is None


@pytest.mark.parametrize("n", [0, -1, 2001, "many"])
def test_a_wrong_n_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        CirclePacking(n=n)


def test_a_size_without_a_record_has_no_best_known():
    assert CirclePacking(n=7).best_known is None
    assert CirclePacking(n=32).best_known.value == 2.939572771205


def candidate(source, n):
    return json.loads(json.dumps([InProcess.of(CirclePacking(), Program.of(source))(n)]))


def with_idiom(name):
    """The seed with one idiom before the last statement of its block, as a person would put it there."""
    [idiom] = [one for one in CirclePacking.idioms if one.name == name]
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return centers, radii\n"
    return "\n".join(idiom.imports) + "\n" + CirclePacking.seed.replace(end, code + end)


@pytest.mark.parametrize(
    ("name", "least"),
    [("grow_radii", 1.15), ("best_radii", 1.2), ("polish", 2.55), pytest.param("hop", 2.6, marks=pytest.mark.slow)],
)
def test_an_idiom_in_the_seed_gives_a_better_packing_that_is_strictly_valid(name, least):
    outputs = candidate(with_idiom(name), 26)
    assert truly_valid(outputs[0])
    assert CirclePacking().judge(outputs).value > least


def test_the_best_radii_are_at_least_as_large_as_the_grown_ones():
    grown, best = (np.array(candidate(with_idiom(name), 12)[0]) for name in ("grow_radii", "best_radii"))
    assert grown[:, :2] == pytest.approx(best[:, :2])
    assert best[:, 2].sum() >= grown[:, 2].sum() - 1e-9


def test_all_circles_are_drawn_inside_the_box_where_they_lie():
    problem = CirclePacking()
    packing = candidate(problem.seed, 26)
    [box] = shapes(problem, packing, "rect", "edge")
    circles = shapes(problem, packing, "ellipse", "area")
    assert len(circles) == 26
    side = box["width"]
    assert side == box["height"]
    for (x, y, r), circle in zip(packing[0], circles, strict=True):
        assert circle["rx"] == circle["ry"] == pytest.approx(r * side, abs=0.01)
        assert circle["cx"] == pytest.approx(box["x"] + x * side, abs=0.01)
        assert circle["cy"] == pytest.approx(box["y"] + (1 - y) * side, abs=0.01)
        assert box["x"] - 0.02 <= circle["cx"] - circle["rx"]
        assert circle["cx"] + circle["rx"] <= box["x"] + side + 0.02


def test_a_packing_of_another_number_of_circles_is_not_drawn():
    assert isinstance(picture_of(CirclePacking(n=27), json.dumps(candidate(CirclePacking.seed, 26))), Undrawn)


def test_the_largest_packing_still_fits_into_a_picture():
    side = 45
    grid = [[(i % side + 0.5) / side, (i // side + 0.5) / side, 0.5 / side] for i in range(2000)]
    assert len(shapes(CirclePacking(n=2000), [grid], "ellipse", "area")) == 2000
