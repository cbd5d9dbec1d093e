from __future__ import annotations

import math

import numpy as np
import pytest

from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("policy_gradient_loss")
PolicyGradientLoss, Policy, TASKS = module.PolicyGradientLoss, module.Policy, module.TASKS
ALL = {**TASKS["train"], **TASKS["held_out"]}


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return PolicyGradientLoss(updates=5)


def reinforce(log_prob, old, returns, baseline, time, progress):
    return 3.0 * (returns - baseline)


def test_weights_by_the_advantage_learn_and_no_weight_learns_nothing():
    problem = PolicyGradientLoss()
    learnt = problem.play(InProcess(reinforce)).instances
    still = problem.play(InProcess(lambda log_prob, *_: 0.0 * log_prob)).instances
    assert learnt["pole"] > 0.9 > 0.3 > still["pole"]
    assert all(learnt[name] > still[name] + 0.2 for name in learnt)


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_is_that_of_the_log_probabilities(name):
    rng = np.random.default_rng(3)
    policy = Policy(ALL[name])
    policy.theta = rng.normal(size=policy.theta.shape)
    played = policy.played(4, np.random.RandomState(1))
    features, actions = played.features[2], played.actions[2]
    weights, before = rng.normal(size=4), policy.theta.copy()
    policy.ascend(features, actions, weights)
    moved = policy.theta - before
    for place in list(np.ndindex(before.shape))[:8]:
        step = np.zeros_like(before)
        step[place] = 1e-5
        values = []
        for sign in (1, -1):
            policy.theta = before + sign * step
            values.append(policy.log_probs(features, actions) @ weights)
        assert moved[place] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_no_episode_returns_more_than_1_whatever_is_done(name):
    rng = np.random.default_rng(5)
    for scale in (0.0, 1.0, 30.0):
        policy = Policy(ALL[name])
        policy.theta = scale * rng.normal(size=policy.theta.shape)
        played = policy.played(50, np.random.RandomState(7))
        assert np.isfinite(played.features).all()
        assert played.rewards.sum(axis=0).max() <= 1.0 + 1e-12
        assert (np.diff(played.alive, axis=0) <= 0).all()
        assert not played.rewards[played.alive == 0.0].any()


def test_a_candidate_is_told_what_the_weights_are_for():
    asked = []

    def watched(log_prob, old, returns, baseline, time, progress):
        asked.append((log_prob, old, returns, baseline, time, progress))
        return reinforce(log_prob, old, returns, baseline, time, progress)

    PolicyGradientLoss(updates=5).play(InProcess(watched))
    pupils = 3 * 2
    first, second = asked[0], asked[pupils]
    assert (first[0] == first[1]).all()
    assert (second[0] != second[1]).any()
    assert (second[1] == first[1]).all()
    assert {call[5] for call in asked} == {0.0, 0.2, 0.4, 0.6, 0.8}
    for _, _, returns, baseline, time, _ in asked[:pupils]:
        start = time == 0.0
        assert start.sum() == 16
        assert baseline[start] == pytest.approx(returns[start].mean())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: answer * math.nan,
        lambda answer: answer + math.inf,
        lambda answer: [True] * len(answer),
        lambda answer: answer * 0.0 + 1e7,
        lambda answer: {"return": 1.0},
        lambda answer: 1.0,
    ],
)
def test_a_bad_answer_late_in_training_is_refused(spoil):
    def weights(log_prob, old, returns, baseline, time, progress):
        answer = reinforce(log_prob, old, returns, baseline, time, progress)
        return spoil(answer) if progress > 0.7 else answer

    with pytest.raises(Reject):
        PolicyGradientLoss(updates=5).play(InProcess(weights))


def test_weights_as_large_as_allowed_make_policies_certain_and_no_number_infinite():
    score = PolicyGradientLoss(updates=5).play(InProcess(lambda log_prob, *_: 0.0 * log_prob + 1e6))
    assert math.isfinite(score.value)


def test_a_candidate_that_writes_into_its_arguments_does_not_change_what_is_learnt():
    def weighted(log_prob, old, *rest):
        return np.exp(log_prob - old) * reinforce(log_prob, old, *rest)

    def vandal(*arguments):
        answer = weighted(*arguments)
        for one in arguments[:-1]:
            one[:] = 7.0
        return answer

    problem = PolicyGradientLoss(updates=5)
    honest, spoilt = (problem.play(InProcess(one)) for one in (weighted, vandal))
    assert spoilt.instances == honest.instances


def test_no_task_that_is_held_out_is_trained_on():
    assert not set(map(repr, TASKS["train"].values())) & set(map(repr, TASKS["held_out"].values()))
