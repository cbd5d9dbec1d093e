import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.pictures import Picture, picture_of
from evoengine.problem import Reject
from evoengine.testing import ProblemContract
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

AutocorrelationSecond = shipped("autocorrelation_second").AutocorrelationSecond


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return AutocorrelationSecond()


def truth(heights):
    """The ratio in rationals: integrals over the pieces of the autoconvolution, by Simpson's rule, which is exact."""
    exact, count = list(map(Fraction, heights)), len(heights)
    knots = [Fraction(0)]
    for shift in range(2 * count - 1):
        knots.append(sum(exact[i] * exact[shift - i] for i in range(max(0, shift - count + 1), min(count, shift + 1))))
    knots.append(Fraction(0))
    pieces = list(pairwise(knots))
    square = sum((a**2 + 4 * ((a + b) / 2) ** 2 + b**2) / 6 for a, b in pieces)
    return square / (sum((a + b) / 2 for a, b in pieces) * max(knots))


height = st.floats(0, 1e308) | st.sampled_from([0.0, 1.0, 1e-200, 5e-324, 1e-162, 1e300]) | st.integers(0, 9)


@given(st.lists(height, min_size=1, max_size=8).filter(any))
def test_the_value_is_a_lower_bound_of_the_exact_one_and_close_to_it(heights):
    value, exact = Fraction(AutocorrelationSecond().judge([heights]).value), truth(heights)
    assert exact * (1 - (6 * len(heights) + 40) * Fraction(2) ** -53) <= value <= exact


def test_the_value_of_many_steps_is_a_lower_bound_too():
    heights = np.random.default_rng(0).random(100).round(6).tolist()
    value, exact = Fraction(AutocorrelationSecond().judge([heights]).value), truth(heights)
    assert exact * (1 - Fraction(1, 10**12)) <= value <= exact


def test_the_published_function_scores_what_was_published():
    heights = published("autocorrelation_second_50", of="functions")
    score = AutocorrelationSecond().judge([heights])
    assert len(heights) == 50
    assert score.value == pytest.approx(0.8962799441554083, abs=1e-13)
    assert score.value <= truth(heights)


@given(st.integers(1, 200))
def test_a_flat_function_scores_two_thirds(count):
    assert AutocorrelationSecond().judge([[0.7] * count]).value == pytest.approx(2 / 3, rel=1e-12)


def test_no_function_scores_one():
    rng = np.random.default_rng(1)
    for _ in range(50):
        assert AutocorrelationSecond().judge([rng.exponential(1.0, rng.integers(1, 99)).tolist()]).value < 1


@given(st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=20), st.integers(-900, 900))
def test_scaling_by_a_power_of_two_changes_nothing(heights, power):
    scaled = [math.ldexp(one, power) for one in heights]
    assert AutocorrelationSecond().judge([scaled]).value == AutocorrelationSecond().judge([heights]).value


@pytest.mark.parametrize(
    "heights", [[], [0.0], [0, 0, 0], [1.0, -1e-300], [1.0, True], [1.0, math.nan], [1.0, "2"], [1.0] * 4001, [[1.0]]]
)
def test_bad_heights_are_refused(heights):
    with pytest.raises(Reject):
        AutocorrelationSecond().judge([heights])


def test_a_reported_value_beside_the_heights_is_refused():
    with pytest.raises(Reject):
        AutocorrelationSecond().judge([[[1.0, 1.0], 0.99]])


@pytest.mark.parametrize("longest", [0, 4001])
def test_a_wrong_longest_is_a_setting_error(longest):
    with pytest.raises(SettingError, match="longest"):
        AutocorrelationSecond(longest=longest)


def test_the_steps_are_drawn_with_their_heights_and_the_autoconvolution_over_them():
    problem = AutocorrelationSecond()
    [function] = shapes(problem, [[1.0, 4.0, 2.0]], "polygon", "area")
    corners = function["points"]
    low, high = max(y for _, y in corners), min(y for _, y in corners)
    assert [round((low - y) / (low - high), 2) for _, y in corners] == [0, 0.25, 0.25, 1, 1, 0.5, 0.5, 0]
    [folded] = shapes(problem, [[1.0, 4.0, 2.0]], "polyline", "edge")
    heights = [round((low - y) / (low - high), 2) for _, y in folded["points"]]
    assert heights == [0, 0.05, 0.4, 1, 0.8, 0.2, 0]  # 1, 8, 20, 16, 4 by their largest


def test_as_many_steps_as_there_may_be_fit_into_a_picture():
    rng = np.random.default_rng(0)
    assert isinstance(picture_of(AutocorrelationSecond(), json.dumps([rng.random(4000).tolist()])), Picture)
