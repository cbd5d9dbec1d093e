import json
import math
import textwrap
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.pictures import Picture, Undrawn, picture_of
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

Autocorrelation = shipped("autocorrelation").Autocorrelation


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return Autocorrelation()


def truth(heights):
    """The value in rationals, from the definition."""
    exact, count = list(map(Fraction, heights)), len(heights)
    peak = max(
        sum(exact[i] * exact[shift - i] for i in range(max(0, shift - count + 1), min(count, shift + 1)))
        for shift in range(2 * count - 1)
    )
    return 2 * count * peak / sum(exact) ** 2


height = st.floats(0, 1e308) | st.sampled_from([0.0, 1.0, 1e-200, 5e-324, 1e-162, 1e300]) | st.integers(0, 9)


@given(st.lists(height, min_size=1, max_size=9).filter(any))
def test_the_value_is_an_upper_bound_of_the_exact_one_and_close_to_it(heights):
    value, exact = Fraction(Autocorrelation().judge([heights]).value), truth(heights)
    assert exact <= value <= exact * (1 + (len(heights) + 24) * Fraction(2) ** -52)


def test_the_value_of_many_steps_is_an_upper_bound_too():
    heights = np.random.default_rng(0).random(150).round(6).tolist()
    value, exact = Fraction(Autocorrelation().judge([heights]).value), truth(heights)
    assert exact <= value <= exact * (1 + Fraction(1, 10**12))


@pytest.mark.parametrize(("count", "value"), [(600, 1.5052939684401607), (1319, 1.5031635546815612)])
def test_published_functions_score_what_was_published(count, value):
    heights = published(f"autocorrelation_{count}", of="functions")
    assert len(heights) == count
    score = Autocorrelation().judge([heights])
    assert value <= score.value < value + 3e-13
    exact, shift = list(map(Fraction, heights)), int(np.convolve(heights, heights).argmax())
    peak = sum(exact[i] * exact[shift - i] for i in range(max(0, shift - count + 1), min(count, shift + 1)))
    least = 2 * count * peak / sum(exact) ** 2
    assert least <= score.value
    assert float(least) == pytest.approx(value, abs=2e-15)


@given(st.integers(1, 300))
def test_a_flat_function_scores_two(count):
    assert Autocorrelation().judge([[0.7] * count]).value == pytest.approx(2.0, rel=1e-12)


@given(st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=20), st.integers(-900, 900))
def test_scaling_by_a_power_of_two_changes_nothing(heights, power):
    scaled = [math.ldexp(one, power) for one in heights]
    assert Autocorrelation().judge([scaled]).value == Autocorrelation().judge([heights]).value


def test_heights_whose_products_underflow_do_not_score_zero():
    assert Autocorrelation().judge([[1e-200, 3e-200, 1e-200]]).value > 1.5


@pytest.mark.parametrize(
    "heights", [[], [0.0], [0, 0, 0], [1.0, -1e-300], [1.0, True], [1.0, math.nan], [1.0, "2"], [1.0] * 4001, [[1.0]]]
)
def test_bad_heights_are_refused(heights):
    with pytest.raises(Reject):
        Autocorrelation().judge([heights])


def test_a_reported_value_beside_the_heights_is_refused():
    with pytest.raises(Reject):
        Autocorrelation().judge([[[1.0, 1.0], 1.4]])


@pytest.mark.parametrize("longest", [0, 4001])
def test_a_wrong_longest_is_a_setting_error(longest):
    with pytest.raises(SettingError, match="longest"):
        Autocorrelation(longest=longest)


def test_idioms_in_the_seed_give_a_better_function():
    code = "".join(
        textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
        for name in ("jitter", "ascend", "refine")
        for idiom in Autocorrelation.idioms
        if idiom.name == name
    )
    imports = "\n".join(line for idiom in Autocorrelation.idioms for line in idiom.imports)
    end = "    return heights\n"
    program = Program.of(imports + "\n" + Autocorrelation.seed.replace(end, code + end))
    problem = Autocorrelation()
    heights = json.loads(json.dumps(InProcess.of(problem, program)()))
    assert len(heights) == 100
    assert problem.judge([heights]).value < 1.6


def test_the_steps_are_drawn_with_their_heights_and_the_autoconvolution_over_them():
    problem = Autocorrelation()
    [function] = shapes(problem, [[1.0, 4.0, 2.0]], "polygon", "area")
    corners = function["points"]
    low, high = max(y for _, y in corners), min(y for _, y in corners)
    tops = [round((low - y) / (low - high), 2) for _, y in corners]
    assert tops == [0, 0.25, 0.25, 1, 1, 0.5, 0.5, 0]
    [folded] = shapes(problem, [[1.0, 4.0, 2.0]], "polyline", "edge")
    heights = [round((low - y) / (low - high), 2) for _, y in folded["points"]]
    assert heights == [0, 0.05, 0.4, 1, 0.8, 0.2, 0]  # 1, 8, 20, 16, 4 by their largest


@pytest.mark.filterwarnings("error")
def test_heights_that_the_judge_refuses_are_not_drawn():
    undrawn = picture_of(Autocorrelation(), "[[0.0, 0.0]]")
    assert isinstance(undrawn, Undrawn)
    assert "all heights are 0" in undrawn.why


def test_as_many_steps_as_there_may_be_fit_into_a_picture():
    rng = np.random.default_rng(0)
    assert isinstance(picture_of(Autocorrelation(), json.dumps([rng.random(4000).tolist()])), Picture)
