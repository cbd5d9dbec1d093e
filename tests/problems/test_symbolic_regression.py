import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.shipped import shipped

module = shipped("symbolic_regression")
SymbolicRegression = module.SymbolicRegression


@pytest.fixture(params=["nguyen_5", "nguyen_7", "nguyen_10", "nguyen_12", "pagie_1", "feynman_i_6_20a"])
def name(request):
    return request.param


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return SymbolicRegression()


class TestContractOfTwoVariables(ProblemContract):
    @pytest.fixture
    def problem(self):
        return SymbolicRegression(target="pagie_1")


EXACT = {
    "nguyen_5": lambda x: math.sin(x**2) * math.cos(x) - 1,
    "nguyen_7": lambda x: math.log((x + 1) * (x**2 + 1)),
    "nguyen_10": lambda x, y: math.sin(x + y) + math.sin(x - y),
    "nguyen_12": lambda x, y: x**3 * (x - 1) + y * (y / 2 - 1),
    "pagie_1": lambda x, y: x**4 / (1 + x**4) + y**4 / (1 + y**4),
    "feynman_i_6_20a": lambda x: statistics.NormalDist().pdf(x),
}


@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_the_targets_formula_written_in_another_way_has_all_twelve_digits(name, stage):
    score = SymbolicRegression(target=name).play(InProcess(EXACT[name]), stage)
    assert score.value == pytest.approx(12.0, abs=1e-6)
    assert score.metrics["correlation"] == pytest.approx(1.0)


@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_predicting_the_mean_has_no_digits(name, stage):
    problem = SymbolicRegression(target=name)
    mean = statistics.fmean(EXACT[name](*point) for point in problem.inputs(stage))
    assert problem.judge([mean] * len(problem.inputs(stage))).value == pytest.approx(0.0, abs=1e-9)


@given(st.floats(1e-5, 1e5), st.booleans())
def test_a_tenth_of_the_error_is_two_more_digits(size, flip):
    problem = SymbolicRegression()
    wanted = [EXACT["nguyen_7"](*point) for point in problem.inputs()]
    shift = -size if flip else size
    score = problem.judge([one + shift for one in wanted])
    variance = statistics.pvariance(wanted)
    assert score.value == pytest.approx(-math.log10(size**2 / variance + 1e-12), abs=1e-3)


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3), st.booleans())
def test_a_formula_that_is_right_but_for_scale_and_offset_correlates_fully(scale, offset, flip):
    problem = SymbolicRegression()
    scale = -scale if flip else scale
    score = problem.judge([scale * EXACT["nguyen_7"](*point) + offset for point in problem.inputs()])
    assert score.metrics["correlation"] == pytest.approx(-1.0 if flip else 1.0)
    assert abs(score.metrics["correlation"]) <= 1.0


def test_the_points_are_plain_numbers_inside_their_range_and_held_out_ones_reach_beyond():
    train, held_out = (SymbolicRegression().inputs(stage) for stage in ("train", "held_out"))
    assert all(type(x) is float and 0 <= x <= 2 for (x,) in train)
    assert max(held_out)[0] > 3
    assert not set(train) & set(held_out)


def test_the_points_tell_nothing_of_the_target():
    assert all(len(point) == 2 for point in SymbolicRegression(target="nguyen_10").inputs())


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=64, max_size=64))
def test_any_finite_predictions_score_between_minus_and_plus_twelve_digits(predicted):
    score = SymbolicRegression().judge(predicted)
    assert -12.001 <= score.value <= 12
    assert -1 <= score.metrics["correlation"] <= 1
    assert all(-12.001 <= one <= 12 for one in score.instances.values())


@pytest.mark.parametrize("bad", [math.nan, math.inf, True, "0.5", None, [0.5], {"nmse": 0.0}, 10**20])
def test_one_bad_prediction_spoils_the_answer(bad):
    outputs = [0.5] * 64
    outputs[40] = bad
    with pytest.raises(Reject):
        SymbolicRegression().judge(outputs)


@pytest.mark.parametrize("count", [0, 1, 63, 65, 95])
def test_another_number_of_predictions_is_refused(count):
    with pytest.raises(Reject):
        SymbolicRegression().judge([0.5] * count)


def test_an_unknown_target_is_a_setting_error():
    with pytest.raises(SettingError, match="target"):
        SymbolicRegression(target="nguyen_99")
