import json
import math
from fractions import Fraction

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

ErdosMinimumOverlap = shipped("erdos_minimum_overlap").ErdosMinimumOverlap


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return ErdosMinimumOverlap()


def overlap(exact):
    """The largest overlap of heights with mean 1/2, in rationals, from the definition: both are 0 outside."""
    count = len(exact)
    assert sum(exact) * 2 == count
    return max(
        sum(exact[i] * (1 - exact[i + shift]) for i in range(max(0, -shift), min(count, count - shift)))
        for shift in range(1 - count, count)
    ) * Fraction(2, count)


def truth(heights):
    """The overlap of the heights with their mean brought to 1/2: by scaling them, or their complements, down."""
    exact, count = list(map(Fraction, heights)), len(heights)
    if 2 * sum(exact) >= count:
        return overlap([one * count / (2 * sum(exact)) for one in exact])
    rest = count - sum(exact)
    return overlap([1 - (1 - one) * count / (2 * rest) for one in exact])


height = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.5, 1e-200, 5e-324, 1 - 2**-53, 1 / 3]) | st.integers(0, 1)


@given(st.lists(height, min_size=1, max_size=9))
def test_the_value_is_an_upper_bound_of_the_exact_one_and_close_to_it(heights):
    value, exact = Fraction(ErdosMinimumOverlap().judge([heights]).value), truth(heights)
    assert exact <= value <= exact + (len(heights) + 64) * Fraction(2) ** -52


def test_the_value_of_many_steps_is_an_upper_bound_too():
    heights = np.random.default_rng(0).random(120).round(6).tolist()
    value, exact = Fraction(ErdosMinimumOverlap().judge([heights]).value), truth(heights)
    assert exact <= value <= exact + Fraction(1, 10**12)


def test_the_published_function_scores_what_was_published():
    heights = published("erdos_minimum_overlap_95", of="functions")
    score = ErdosMinimumOverlap().judge([heights])
    assert len(heights) == 95
    assert score.value == pytest.approx(0.38092303510845016, abs=1e-14)
    assert truth(heights) <= score.value


def test_a_function_that_is_one_half_everywhere_scores_one_half():
    assert ErdosMinimumOverlap().judge([[0.5] * 20]).value == pytest.approx(0.5, abs=1e-14)


def test_a_block_in_the_middle_half_scores_one_half():
    """Of [0, 2], the block [1/2, 3/2] overlaps with a half of its complement when it is moved by 1/2 or more."""
    assert ErdosMinimumOverlap().judge([[0, 1, 1, 0]]).value == pytest.approx(0.5, abs=1e-14)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_a_function_and_its_mirror_image_score_the_same(heights):
    one, other = (ErdosMinimumOverlap().judge([way]).value for way in (heights, heights[::-1]))
    assert one == pytest.approx(other, abs=1e-14)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_nothing_scores_less_than_what_is_proven_to_be_impossible(heights):
    assert ErdosMinimumOverlap().judge([heights]).value > 0.379005  # White 2022, arXiv:2201.05704


@pytest.mark.parametrize("level", [0.0, 1e-12, 0.4, 0.6, 1.0])
def test_a_mean_that_is_not_one_half_is_made_one_half_and_gains_nothing(level):
    assert ErdosMinimumOverlap().judge([[level] * 8]).value == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(
    "heights",
    [[], [-1e-300, 1.0], [0.0, 1 + 2**-52], [1.0, True], [0.5, math.nan], [0.5, "0"], [0.5] * 4001, [[0.5]], [0, 2]],
)
def test_bad_heights_are_refused(heights):
    with pytest.raises(Reject):
        ErdosMinimumOverlap().judge([heights])


def test_a_reported_value_beside_the_heights_is_refused():
    with pytest.raises(Reject):
        ErdosMinimumOverlap().judge([[[0.5, 0.5], 0.38]])


@pytest.mark.parametrize("longest", [0, 4001])
def test_a_wrong_longest_is_a_setting_error(longest):
    with pytest.raises(SettingError, match="longest"):
        ErdosMinimumOverlap(longest=longest)


def test_the_steps_are_drawn_with_their_heights():
    [function] = shapes(ErdosMinimumOverlap(), [[0.25, 1.0, 0.5]], "polygon", "area")
    corners = function["points"]
    low, high = max(y for _, y in corners), min(y for _, y in corners)
    assert [round((low - y) / (low - high), 2) for _, y in corners] == [0, 0.25, 0.25, 1, 1, 0.5, 0.5, 0]


def test_as_many_steps_as_there_may_be_fit_into_a_picture():
    rng = np.random.default_rng(0)
    assert isinstance(picture_of(ErdosMinimumOverlap(), json.dumps([rng.random(4000).tolist()])), Picture)
