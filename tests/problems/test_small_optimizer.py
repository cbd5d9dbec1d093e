from __future__ import annotations

import math

import numpy as np
import pytest

from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("small_optimizer")
SmallOptimizer = module.SmallOptimizer
ALL = {**module.made("train"), **module.made("held_out")}


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return SmallOptimizer(steps=20)


def descent(step, progress, gradient, parameters, memory):
    return np.concatenate([-0.01 * gradient, memory])


def adam(step, progress, gradient, parameters, memory):
    first, second = np.split(memory, 2)
    first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
    size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
    return np.concatenate([-0.1 * first / (1 - 0.9**step) / size, first, second])


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_those_of_the_losses(name):
    task, rng = ALL[name], np.random.default_rng(2)
    at = task.start + 0.1 * rng.normal(size=task.start.shape)
    chosen = rng.integers(0, task.examples, 9)
    _, gradient = task.loss(at, chosen)
    assert gradient.shape == at.shape
    for _ in range(4):
        way = rng.normal(size=at.shape)
        high, low = (task.loss(at + sign * 1e-6 * way, chosen)[0] for sign in (1, -1))
        assert gradient @ way == pytest.approx((high - low) / 2e-6, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_mini_batches_are_of_the_same_loss(name):
    task = ALL[name]
    whole = task.loss(task.start, slice(None))
    parts = [task.loss(task.start, np.array([k])) for k in range(task.examples)]
    assert np.mean([value for value, _ in parts]) == pytest.approx(whole[0])
    assert np.mean([gradient for _, gradient in parts], axis=0) == pytest.approx(whole[1], abs=1e-9)


def test_adam_is_better_than_small_steps_and_no_step_reaches_nothing():
    problem = SmallOptimizer()
    still = problem.play(InProcess(lambda step, progress, gradient, *rest: np.zeros(3 * len(gradient))))
    assert still.value == 0.0
    assert problem.play(InProcess(adam)).value < problem.play(InProcess(descent)).value - 0.3 < -0.3


def test_running_away_costs_a_task_no_more_than_the_worst_and_no_number_is_infinite():
    def away(step, progress, gradient, parameters, memory):
        return np.concatenate([1e300 * np.sign(gradient + 1e-300), memory])

    score = SmallOptimizer(steps=20).play(InProcess(away))
    assert max(score.instances.values()) == 3.0
    assert all(math.isfinite(value) for value in (score.value, *score.metrics.values()))


def test_what_is_returned_as_memory_is_given_back_for_the_same_task_alone():
    seen = []

    def counting(step, progress, gradient, parameters, memory):
        seen.append((step, len(gradient), set(memory.tolist())))
        return np.concatenate([0.0 * gradient, np.full(2 * len(gradient), float(step * len(gradient)))])

    SmallOptimizer(steps=4).play(InProcess(counting))
    assert all(memory == {float((step - 1) * size)} for step, size, memory in seen)
    assert {step for step, _, _ in seen} == {1, 2, 3, 4}


def test_a_candidate_that_writes_into_its_arguments_does_not_change_the_run():
    def vandal(step, progress, *arrays):
        answer = adam(step, progress, *arrays)
        for one in arrays:
            one[:] = 0.5
        return answer

    problem = SmallOptimizer(steps=20)
    honest, spoilt = (problem.play(InProcess(one)) for one in (adam, vandal))
    assert spoilt.instances == honest.instances


def test_the_lowest_point_of_a_valley_is_not_where_every_valley_has_it():
    # a constant that is added until it is reached would else be the best rule
    for stage, name in (("train", "valley"), ("held_out", "long_valley")):
        task = module.made(stage)[name]
        ones = task.loss(np.ones_like(task.start), slice(None))[0]
        assert ones > 1.0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: np.append(answer, 0.0),
        lambda answer: answer * math.nan,
        lambda answer: answer - math.inf,
        lambda answer: [True] * len(answer),
        lambda answer: {"loss": 0.0},
        lambda answer: [answer.tolist()],
    ],
)
def test_a_bad_answer_late_in_a_run_is_refused(spoil):
    def update(step, *rest):
        answer = adam(step, *rest)
        return spoil(answer) if step == 19 else answer

    with pytest.raises(Reject):
        SmallOptimizer(steps=20).play(InProcess(update))


def test_no_task_that_is_held_out_is_trained_on():
    starts = [{task.start.tobytes() for task in module.made(stage).values()} for stage in ("train", "held_out")]
    assert not starts[0] & starts[1]
