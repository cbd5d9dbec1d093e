import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.pictures import Picture, picture_of
from evoengine.problem import Reject
from evoengine.testing import ProblemContract
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

AutocorrelationThird = shipped("autocorrelation_third").AutocorrelationThird


class TestContract(ProblemContract):
    @pytest.fixture(params=[False, True], ids=["peak", "absolute"])
    def problem(self, request):
        return AutocorrelationThird(absolute=request.param)


def truth(heights, absolute):
    """The value in rationals, from the definition."""
    exact, count = list(map(Fraction, heights)), len(heights)
    folded = [
        sum(exact[i] * exact[shift - i] for i in range(max(0, shift - count + 1), min(count, shift + 1)))
        for shift in range(2 * count - 1)
    ]
    return 2 * count * max(map(abs, folded) if absolute else folded) / sum(exact) ** 2


height = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1.0, -1.0, 1e-200, -5e-324]) | st.integers(-9, 9)


@pytest.mark.parametrize("absolute", [False, True])
@given(heights=st.lists(height, min_size=1, max_size=9))
def test_the_value_is_an_upper_bound_of_the_exact_one_and_close_to_it(absolute, heights):
    total, size = abs(sum(map(Fraction, heights))), sum(abs(Fraction(one)) for one in heights)
    assume(total > size / 1000)
    value, exact = Fraction(AutocorrelationThird(absolute=absolute).judge([heights]).value), truth(heights, absolute)
    assert exact <= value <= exact + Fraction(1, 10**12) * (2 * len(heights) * (size / total) ** 2)


@pytest.mark.parametrize("absolute", [False, True])
def test_heights_of_very_different_sizes_that_nearly_cancel_do_not_score_too_well(absolute):
    for heights in ([1.0, -1.0, 1e-9], [1e308, -1e308, 1e292], [1e16, 1.0, -1e16], [3.0, -2.9999999999, 1e-13]):
        value = Fraction(AutocorrelationThird(absolute=absolute).judge([heights]).value)
        assert value >= truth(heights, absolute)


def test_a_negative_autoconvolution_counts_only_where_absolute_values_do():
    heights = [1.0, -2.0, 4.0]  # 1, -4, 12, -16, 16
    heights[2] = 3.0  # 1, -4, 10, -12, 9
    assert AutocorrelationThird().judge([heights]).value == pytest.approx(2 * 3 * 10 / 4)
    assert AutocorrelationThird(absolute=True).judge([heights]).value == pytest.approx(2 * 3 * 12 / 4)


def test_the_published_function_scores_what_was_published_without_absolute_values():
    heights = published("autocorrelation_third_400", of="functions")
    assert len(heights) == 400
    assert AutocorrelationThird().judge([heights]).value == pytest.approx(1.4556427953745406, abs=1e-12)


def test_the_published_function_proves_nothing_with_absolute_values():
    """Its autoconvolution is lowest at -4.33, three times as far from 0 as its peak."""
    heights = published("autocorrelation_third_400", of="functions")
    assert AutocorrelationThird(absolute=True).judge([heights]).value == pytest.approx(4.334046524388, abs=1e-11)


@given(st.integers(1, 200), st.sampled_from([0.7, -0.7]))
def test_a_flat_function_of_either_sign_scores_two(count, level):
    assert AutocorrelationThird().judge([[level] * count]).value == pytest.approx(2.0, rel=1e-12)


@given(st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=20), st.integers(-900, 900))
def test_scaling_by_a_power_of_two_changes_nothing(heights, power):
    scaled = [math.ldexp(one, power) for one in heights]
    assert AutocorrelationThird().judge([scaled]).value == AutocorrelationThird().judge([heights]).value


@pytest.mark.parametrize("heights", [[], [1.0, True], [1.0, math.nan], [math.inf], [1.0, "2"], [1.0] * 4001, [[1.0]]])
def test_bad_heights_are_refused(heights):
    with pytest.raises(Reject):
        AutocorrelationThird().judge([heights])


@pytest.mark.parametrize("heights", [[0.0], [1.0, -1.0], [1e308, -1e308], [1e300, -1e300, 1e-300]])
def test_heights_that_sum_to_nothing_are_refused(heights):
    with pytest.raises(Reject, match="sum to 0"):
        AutocorrelationThird().judge([heights])


def test_a_reported_value_beside_the_heights_is_refused():
    with pytest.raises(Reject):
        AutocorrelationThird().judge([[[1.0, 1.0], 1.4]])


@pytest.mark.parametrize("longest", [0, 4001])
def test_a_wrong_longest_is_a_setting_error(longest):
    with pytest.raises(SettingError, match="longest"):
        AutocorrelationThird(longest=longest)


def test_negative_steps_are_drawn_below_the_line():
    problem = AutocorrelationThird()
    [function] = shapes(problem, [[2.0, -1.0, 2.0]], "polygon", "area")
    corners = function["points"]
    zero, top = corners[0][1], min(y for _, y in corners)
    tops = [round((zero - y) / (zero - top), 2) for _, y in corners]
    assert tops == [0, 1, 1, -0.5, -0.5, 1, 1, 0]


def test_as_many_steps_as_there_may_be_fit_into_a_picture():
    rng = np.random.default_rng(0)
    assert isinstance(picture_of(AutocorrelationThird(), json.dumps([rng.normal(1, 1, 4000).tolist()])), Picture)
