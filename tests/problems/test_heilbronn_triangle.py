import json
import math
import textwrap
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

HeilbronnTriangle = shipped("heilbronn_triangle").HeilbronnTriangle


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return HeilbronnTriangle()


def truth(points):
    """The smallest area as a share, in rationals; None for points outside."""
    exact = [tuple(map(Fraction, point)) for point in points]
    if not all(x >= 0 and y >= 0 and x + y <= 1 for x, y in exact):
        return None
    return min(abs((b - a) * (f - d) - (c - a) * (e - d)) for (a, d), (b, e), (c, f) in combinations(exact, 3))


def judged(points):
    try:
        return HeilbronnTriangle(n=len(points)).judge([[list(point) for point in points]])
    except Reject:
        return None


coordinate = st.floats(0, 1) | st.sampled_from([0.0, 1 / 3, 0.5, 1.0, 1e-17, 5e-324, 1 - 2**-53])


@given(st.lists(st.tuples(coordinate, coordinate).map(lambda p: (p[0], p[1] * (1 - p[0]))), min_size=3, max_size=6))
def test_the_score_is_the_exact_smallest_area_rounded_once(points):
    score, exact = judged(points), truth(points)
    assert (score is None) == (exact is None)
    if score is not None:
        assert score.value == float(exact)


@given(coordinate, st.integers(-2, 2))
def test_the_slanted_side_is_decided_exactly_to_the_last_bit(x, steps):
    y = 1 - x
    for _ in range(abs(steps)):
        y = math.nextafter(y, math.copysign(2.0, steps))
    points = [(0.0, 0.0), (0.25, 0.0), (x, y)]
    assert (judged(points) is None) == (truth(points) is None)


def test_the_corners_span_all_of_the_triangle():
    assert judged([(0, 0), (1, 0), (0, 1)]).value == 1.0


def test_the_corners_and_the_centroid_reach_a_third():
    score = judged([(0, 0), (1, 0), (0, 1), (1 / 3, 1 / 3)])
    assert score.value == pytest.approx(1 / 3, abs=1e-15)


def at_most(exact):
    """The largest float64 that is not above a rational."""
    nearest = float(exact)
    return nearest if Fraction(nearest) <= exact else math.nextafter(nearest, -math.inf)


def test_the_published_points_score_what_was_published():
    # They are given in an equilateral triangle of side 1; an affine map takes it to the triangle of this problem.
    height = Fraction(math.isqrt(3 * 10**80), 2 * 10**40)
    moved = [
        (Fraction(x) - Fraction(y) / height / 2, Fraction(y) / height) for x, y in published("heilbronn_triangle_11")
    ]
    [outside] = [x for x, _ in moved if x < 0]
    assert outside > -2e-17  # as published: float64 does not see it
    assert judged([(float(x), float(y)) for x, y in moved]) is None
    points = [(max(at_most(x), 0.0), at_most(y)) for x, y in moved]
    score = judged(points)
    assert score.value == float(truth(points)) == pytest.approx(0.036529889880030156, rel=1e-14, abs=0)
    assert score.value == pytest.approx(HeilbronnTriangle().best_known.value, abs=1e-12)


def test_three_points_on_a_line_score_nothing():
    assert judged([(0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (0.0, 1.0)]).value == 0.0


@pytest.mark.parametrize("point", [[True, 0.1], ["0.1", 0.1], [0.1], [math.nan, 0.1], [0.1, 0.1, 0.1], [-1e-320, 0.1]])
def test_one_bad_point_spoils_the_answer(point):
    with pytest.raises(Reject):
        HeilbronnTriangle(n=4).judge([[[0.0, 0.0], [0.5, 0.1], [0.1, 0.5], point]])


def test_another_number_of_points_is_refused():
    with pytest.raises(Reject, match="11 entries"):
        HeilbronnTriangle().judge([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])


@pytest.mark.parametrize("n", [2, 41])
def test_a_wrong_n_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        HeilbronnTriangle(n=n)


def with_idiom(name):
    [idiom] = [one for one in HeilbronnTriangle.idioms if one.name == name]
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return points\n"
    return "\n".join(idiom.imports) + "\n" + HeilbronnTriangle.seed.replace(end, code + end)


@pytest.mark.parametrize(
    ("name", "n", "least"),
    [("polish", 5, 0.1715), ("hop", 6, 0.12499), pytest.param("hop", 11, 0.02, marks=pytest.mark.slow)],
)
def test_an_idiom_in_the_seed_gives_a_better_valid_answer(name, n, least):
    problem = HeilbronnTriangle(n=n)
    points = json.loads(json.dumps(InProcess.of(problem, Program.of(with_idiom(name)))(n)))
    assert least < problem.judge([points]).value == float(truth(points)) <= problem.best_known.value


def test_all_points_are_drawn_in_the_triangle_and_the_smallest_triangle_is_marked():
    problem = HeilbronnTriangle()
    points = json.loads(json.dumps(InProcess.of(problem, problem.seeds()[0])(11)))
    [outline] = shapes(problem, [points], "polygon", "edge")
    (left, bottom), (right, _), (_, top) = outline["points"]
    side = right - left
    assert bottom - top == pytest.approx(side, abs=0.02)
    dots = shapes(problem, [points], "circle", "area")
    assert len(dots) == 11
    for (x, y), dot in zip(points, dots, strict=True):
        assert dot["cx"] == pytest.approx(left + x * side, abs=0.02)
        assert dot["cy"] == pytest.approx(bottom - y * side, abs=0.02)
    [marked] = shapes(problem, [points], "polygon", "mark")
    corners = [((x - left) / side, (bottom - y) / side) for x, y in marked["points"]]
    near = [min(points, key=lambda point: math.dist(point, corner)) for corner in corners]
    assert float(truth(near)) == pytest.approx(problem.judge([points]).value, rel=1e-9)
