import json
import math
import textwrap
from fractions import Fraction

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

pytestmark = pytest.mark.slow

CirclePackingRectangle = shipped("circle_packing_rectangle").CirclePackingRectangle


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return CirclePackingRectangle()


def truth(circles):
    """The value in rationals; None for a packing that is none."""
    exact = [tuple(map(Fraction, circle)) for circle in circles]
    apart = all(
        (a - c) ** 2 + (b - d) ** 2 >= (r + s) ** 2 for i, (a, b, r) in enumerate(exact) for c, d, s in exact[:i]
    )
    if not apart or min(r for _, _, r in exact) < 0 or not any(r for _, _, r in exact):
        return None
    wide, high = (max(c[k] + c[2] for c in exact) - min(c[k] - c[2] for c in exact) for k in (0, 1))
    return 2 * sum(r for _, _, r in exact) / (wide + high)


def judged(circles):
    try:
        return CirclePackingRectangle(n=len(circles)).judge([[list(circle) for circle in circles]])
    except Reject:
        return None


coordinate = st.floats(-2, 2) | st.sampled_from([0.0, 0.25, 1.0, 5e-324, 1e-160, 1e300])
radius = st.floats(0, 0.4) | st.sampled_from([0.0, 5e-324, 0.25, -1e-9, 1e-161])


@given(st.lists(st.tuples(coordinate, coordinate, radius), min_size=1, max_size=5))
def test_the_value_is_exact_and_rounded_once(circles):
    score, exact = judged(circles), truth(circles)
    assert (score is None) == (exact is None)
    if score is not None:
        assert score.value == float(exact)


@given(st.floats(0, 1.57), st.floats(0.01, 0.2), st.integers(-2, 2))
def test_touching_is_decided_exactly_to_the_last_bit(angle, r, steps):
    s = 0.1
    for _ in range(abs(steps)):
        s = math.nextafter(s, math.copysign(2.0, steps))
    circles = [(0.2, 0.2, r), (0.2 + (r + 0.1) * math.cos(angle), 0.2 + (r + 0.1) * math.sin(angle), s)]
    assert (judged(circles) is None) == (truth(circles) is None)


def test_one_circle_has_the_box_of_a_square():
    assert judged([(3.0, 4.0, 2.0)]).value == 0.5


def test_two_circles_in_a_row_have_a_box_of_their_own():
    score = judged([(0.0, 0.0, 1.0), (2.0, 0.0, 1.0)])
    assert score.value == pytest.approx(4 / 6)
    assert score.metrics["side_ratio"] == 0.5


def test_scaling_and_turning_the_box_change_nothing():
    circles = published("circles_21")
    value = judged(circles).value
    assert judged([(4 * y, -4 * x, 4 * r) for x, y, r in circles]).value == value


def test_the_published_packing_scores_what_was_published():
    score = judged(published("circles_21"))
    # Its box is a little smaller than it may be: scaled up, the sum of the radii is a little larger than published.
    assert 2.3658321334 < score.value < 2.3658321334 + 5e-8 < CirclePackingRectangle().best_known.value
    assert math.fsum(r for _, _, r in published("circles_21")) == pytest.approx(2.3658321334, abs=1e-10)


def test_overlap_under_a_tolerance_of_1e_9_is_refused():
    circles = published("circles_21")
    with pytest.raises(Reject, match="overlap"):
        CirclePackingRectangle().judge([[[x, y, r + 1e-7] for x, y, r in circles]])
    assert judged([(0.0, 0.0, 1.0), (2.0, 0.0, 1.0 + 1e-9)]) is None


def test_centres_that_are_not_numbers_do_not_hide_large_radii():
    assert judged([(math.nan, math.nan, 1000.0), (math.nan, math.nan, 1000.0)]) is None


@pytest.mark.parametrize("circle", [(0.5, 0.5, True), ("0.5", 0.5, 0.1), (0.5, 0.5), (0.5, math.inf, 0.1), None])
def test_one_bad_circle_spoils_the_packing(circle):
    with pytest.raises(Reject):
        CirclePackingRectangle(n=3).judge([[[0.1, 0.1, 0.01], [0.9, 0.9, 0.01], circle]])


def test_a_negative_radius_does_not_make_the_box_smaller():
    with pytest.raises(Reject, match="negative radius"):
        CirclePackingRectangle(n=2).judge([[[0.0, 0.0, 1.0], [3.0, 0.0, -0.5]]])


def test_circles_without_size_and_another_number_of_circles_are_refused():
    with pytest.raises(Reject, match="all radii are 0"):
        CirclePackingRectangle(n=1).judge([[[0.5, 0.5, 0.0]]])
    with pytest.raises(Reject, match="21 entries"):
        CirclePackingRectangle().judge([[[0.5, 0.5, 0.5]]])


@pytest.mark.parametrize("n", [0, 101])
def test_a_wrong_n_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        CirclePackingRectangle(n=n)


@pytest.mark.parametrize(("name", "least"), [("polish", 2.15), pytest.param("hop", 2.25, marks=pytest.mark.slow)])
def test_an_idiom_in_the_seed_gives_a_better_packing_that_is_strictly_valid(name, least):
    [idiom] = [one for one in CirclePackingRectangle.idioms if one.name == name]
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return centers, radii\n"
    program = Program.of("\n".join(idiom.imports) + "\n" + CirclePackingRectangle.seed.replace(end, code + end))
    problem = CirclePackingRectangle()
    packing = json.loads(json.dumps(InProcess.of(problem, program)(21)))
    assert problem.judge([packing]).value == float(truth(packing)) > least


def test_circles_are_drawn_in_a_box_that_touches_them():
    problem = CirclePackingRectangle(n=2)
    outputs = [[[10.0, 10.0, 2.0], [14.0, 10.0, 2.0]]]
    [box] = shapes(problem, outputs, "rect", "edge")
    first, second = shapes(problem, outputs, "ellipse", "area")
    assert box["width"] == pytest.approx(2 * box["height"], abs=0.02)
    assert first["cx"] - first["rx"] == pytest.approx(box["x"], abs=0.02)
    assert second["cx"] + second["rx"] == pytest.approx(box["x"] + box["width"], abs=0.02)
