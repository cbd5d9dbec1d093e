import json
import math
import textwrap
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

HeilbronnConvex = shipped("heilbronn_convex").HeilbronnConvex


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return HeilbronnConvex()


def area(a, b, c):
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]))


def hull_area(points):
    """Twice the hull's area by its definition, edge by edge: those with all points on their left."""
    total, points = Fraction(0), set(points)
    for p in points:
        for q in points:
            sides = [(q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1]) for r in points]
            on = [r for r, side in zip(points, sides, strict=True) if side == 0]
            if p != q and min(sides) >= 0 and {p, q} == {min(on), max(on)}:
                total += p[0] * q[1] - q[0] * p[1]
    return total


def judged(points):
    try:
        return HeilbronnConvex(n=len(points)).judge([[list(point) for point in points]])
    except Reject:
        return None


coordinate = st.floats(-2, 2) | st.sampled_from([0.0, 1 / 3, 0.5, 1.0, 1e-17, 5e-324, 1e200]) | st.integers(-2, 2)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=6))
def test_the_value_is_the_exact_share_rounded_once(points):
    exact = [(Fraction(x), Fraction(y)) for x, y in points]
    score = judged(points)
    if all(area(*three) == 0 for three in combinations(exact, 3)):
        assert score is None
    else:
        assert score.value == float(min(area(*three) for three in combinations(exact, 3)) / hull_area(exact))


def test_a_triangle_scores_one_and_a_square_one_half():
    assert judged([(0, 0), (1, 0), (0, 1)]).value == 1.0
    score = judged([(0, 0), (1, 0), (0, 1), (1, 1)])
    assert score.value == 0.5
    assert score.metrics["hull_corners"] == 4.0
    assert judged([(0, 0), (1, 0), (2, 0), (0, 2), (1, 1)]).metrics["hull_corners"] == 3.0


@pytest.mark.parametrize(("n", "value"), [(13, 0.030936889034), (14, 0.027835571458)])
def test_published_constructions_score_what_was_published(n, value):
    points = published(f"heilbronn_convex_{n}")
    score = judged(points)
    assert value < score.value < value + 2e-12
    assert score.value < HeilbronnConvex(n=n).best_known.value
    least = min(area(*three) for three in combinations(points, 3)) / 2
    assert score.value == pytest.approx(least / ConvexHull(points).volume, rel=1e-12)


def kept(name):
    path = Path(__file__).parent / "data" / "heilbronn_convex.json"
    return json.loads(path.read_text(encoding="utf-8"))[name]


@pytest.mark.parametrize(("n", "value"), [(13, 0.0309372079203), (14, 0.0278355805174)])
def test_polished_points_score_the_anchors(n, value):
    score = judged(kept(f"polished_{n}"))
    assert HeilbronnConvex(n=n).best_known.value < value < score.value < value + 1e-13


def test_published_points_next_to_one_line_score_their_exact_share_and_not_the_one_of_floats():
    points = [(Fraction(x), Fraction(y)) for x, y in kept("hillclimb_13")]
    exact = float(min(area(*three) for three in combinations(points, 3)) / hull_area(points))
    assert judged(kept("hillclimb_13")).value == exact == 0.03093720781335011 < 0.030937207942191215


def test_an_affine_map_changes_nothing():
    points = published("heilbronn_convex_13")
    assert judged([(4 * x, 8 * y) for x, y in points]).value == judged(points).value


def test_three_points_on_a_line_and_points_that_are_the_same_score_nothing():
    assert judged([(0.0, 0.0), (0.25, 0.25), (0.5, 0.5), (0.0, 1.0)]).value == 0.0
    assert judged([(0.0, 0.0), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]).value == 0.0


def test_points_so_near_to_each_other_that_areas_underflow_are_decided_exactly():
    assert judged([(0, 0), (1e-200, 0), (0, 1e-200), (1e-200, 1e-200)]).value == 0.5


@pytest.mark.parametrize("points", [[(0, 0), (1, 1), (2, 2)], [(0.5, 0.5)] * 3, [(0, 0), (0, 0), (1, 1)]])
def test_points_on_one_line_are_refused(points):
    with pytest.raises(Reject, match="one line"):
        HeilbronnConvex(n=3).judge([[list(point) for point in points]])


@pytest.mark.parametrize("point", [[True, 0.1], ["0.1", 0.1], [0.1], [math.nan, 0.1], [0.1, 0.1, 0.1], [math.inf, 0.0]])
def test_one_bad_point_spoils_the_answer(point):
    with pytest.raises(Reject):
        HeilbronnConvex(n=4).judge([[[0.0, 0.0], [0.5, 0.1], [0.1, 0.5], point]])


def test_another_number_of_points_is_refused():
    with pytest.raises(Reject, match="13 entries"):
        HeilbronnConvex().judge([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])


@pytest.mark.parametrize("n", [2, 25])
def test_a_wrong_n_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        HeilbronnConvex(n=n)


@pytest.mark.parametrize(
    ("name", "n", "least"),
    [("polish", 6, 0.1), pytest.param("hop", 6, 0.1111, marks=pytest.mark.slow)],
)
def test_an_idiom_in_the_seed_gives_a_better_answer(name, n, least):
    [idiom] = [one for one in HeilbronnConvex.idioms if one.name == name]
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return points\n"
    program = Program.of("\n".join(idiom.imports) + "\n" + HeilbronnConvex.seed.replace(end, code + end))
    problem = HeilbronnConvex(n=n)
    points = json.loads(json.dumps(InProcess.of(problem, program)(n)))
    assert least < problem.judge([points]).value


def test_all_points_the_hull_and_the_smallest_triangle_are_drawn():
    problem = HeilbronnConvex(n=4)
    points = [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0], [2.0, 1.0]]
    [outline] = shapes(problem, [points], "polygon", "edge")
    assert len(outline["points"]) == 3
    assert len(shapes(problem, [points], "circle", "area")) == 4
    [marked] = shapes(problem, [points], "polygon", "mark")
    (left, _), (right, _) = min(outline["points"]), max(outline["points"])
    assert sorted(round((x - left) / (right - left), 2) for x, _ in marked["points"]) == [0, 0.25, 1]
