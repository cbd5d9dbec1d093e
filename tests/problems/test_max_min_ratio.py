import json
import math
import textwrap
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.pictures import Picture, picture_of
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

MaxMinRatio = shipped("max_min_ratio").MaxMinRatio


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return MaxMinRatio()


def truth(points):
    """The squared ratio in rationals; None where two points are the same."""
    exact = [list(map(Fraction, point)) for point in points]
    squares = [sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for p, q in combinations(exact, 2)]
    return max(squares) / min(squares) if min(squares) else None


def judged(points):
    return MaxMinRatio(n=len(points), d=len(points[0])).judge([[list(point) for point in points]])


coordinate = st.floats(-4, 4) | st.sampled_from([0.0, 1 / 3, 1.0, 1e-17, 1e-160, 5e-324, 1e150, -1e150])


@given(st.integers(2, 4).flatmap(lambda d: st.lists(st.tuples(*[coordinate] * d), min_size=3, max_size=6)))
def test_the_value_is_the_exact_ratio_rounded_once(points):
    exact = truth(points)
    try:
        expected = None if exact is None else exact.numerator / exact.denominator
    except OverflowError:
        expected = None
    if expected is None:
        with pytest.raises(Reject, match=r"are the same|too large"):
            judged(points)
    else:
        assert judged(points).value == expected


def test_the_corners_of_a_square_have_a_squared_ratio_of_two():
    assert judged([(0, 0), (1, 0), (0, 1), (1, 1)]).value == 2.0


@pytest.mark.parametrize(("n", "d", "value"), [(16, 2, 12.88926611203463), (14, 3, 4.1658497672)])
def test_published_constructions_score_what_was_published(n, d, value):
    score = judged(published(f"max_min_ratio_{n}_{d}"))
    assert score.value == pytest.approx(value, abs=1e-10)
    assert MaxMinRatio(n=n, d=d).best_known.value < score.value


def test_two_points_that_are_the_same_are_refused():
    with pytest.raises(Reject, match="points 0 and 2 are the same"):
        judged([(0.5, 0.5), (0.1, 0.2), (0.5, 0.5)])


def test_points_whose_squared_distances_underflow_do_not_hide_a_ratio():
    assert judged([(0.0, 0.0), (1e-170, 0.0), (3e-170, 0.0)]).value == pytest.approx(9.0)


def test_points_whose_squared_distances_overflow_do_not_hide_a_ratio():
    assert judged([(-1e308, 0.0), (0.0, 0.0), (1e308, 0.0)]).value == 4.0


def test_a_ratio_beyond_float64_is_refused():
    with pytest.raises(Reject, match="too large"):
        judged([(0.0, 0.0), (1e-200, 0.0), (1e200, 0.0)])


@pytest.mark.parametrize("point", [[True, 0.1], ["0.1", 0.1], [0.1], [math.nan, 0.1], [math.inf, 0.1], [0.1, 0.2, 0.3]])
def test_one_bad_point_spoils_the_answer(point):
    with pytest.raises(Reject):
        MaxMinRatio(n=4).judge([[[0.0, 0.0], [0.5, 0.1], [0.1, 0.5], point]])


def test_another_number_of_points_or_dimension_is_refused():
    with pytest.raises(Reject, match="16 entries"):
        MaxMinRatio().judge([[[0.0, 0.0], [1.0, 0.0], [0.5, 0.8]]])
    with pytest.raises(Reject, match="3 entries"):
        MaxMinRatio(n=3, d=3).judge([[[0.0, 0.0], [1.0, 0.0], [0.5, 0.8]]])


@pytest.mark.parametrize("setting", [{"n": 2}, {"n": 41}, {"d": 1}, {"d": 9}])
def test_a_wrong_setting_is_an_error(setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        MaxMinRatio(**setting)


@pytest.mark.parametrize(
    ("name", "n", "d", "most"),
    [("polish", 4, 2, 2.0001), ("polish", 14, 3, 4.8), pytest.param("hop", 16, 2, 13.5, marks=pytest.mark.slow)],
)
def test_an_idiom_in_the_seed_gives_a_better_answer(name, n, d, most):
    [idiom] = [one for one in MaxMinRatio.idioms if one.name == name]
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return points\n"
    program = Program.of("\n".join(idiom.imports) + "\n" + MaxMinRatio.seed.replace(end, code + end))
    problem = MaxMinRatio(n=n, d=d)
    points = json.loads(json.dumps(InProcess.of(problem, program)(n, d)))
    assert problem.judge([points]).value < most


@pytest.mark.parametrize("d", [2, 3])
def test_all_points_and_the_shortest_distances_are_drawn(d):
    points = [[0.0] * d, [1.0] + [0.0] * (d - 1), [0.0, 2.0] + [0.0] * (d - 2)]
    problem = MaxMinRatio(n=3, d=d)
    assert len(shapes(problem, [points], "circle", "area")) == 3
    [short] = shapes(problem, [points], "polyline", "edge")
    [long] = shapes(problem, [points], "polyline", "soft")
    (x, _), (u, _) = short["points"]
    (_, y), (_, v) = long["points"]
    assert abs(v - y) == pytest.approx(2 * abs(u - x), abs=0.05)


def test_points_far_from_the_origin_are_drawn_too():
    points = [[1e300 * x, 1e300 * y] for x, y in published("max_min_ratio_16_2")]
    assert isinstance(picture_of(MaxMinRatio(), json.dumps([points])), Picture)
