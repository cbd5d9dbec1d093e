"""What the rollouts of a group are worth, by outcome, lazy level, noise, length and score."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.plugins import build
from evoengine.rl.ladder import Ladder, returns_of
from evoengine.rl.reward import Array, Reward, Scores
from evoengine.rl.rollouts import Exchange, Group, Outcome, Rollout

LONGEST = 100
OTHERS = [one for one in Outcome if one is not Outcome.SCORED]


def rollout(outcome=Outcome.SCORED, score=None, lengths=(10,)) -> Rollout:
    exchanges = tuple(
        Exchange(prompt_ids=(1,), token_ids=(2,) * length, logprobs=(-1.0,) * length, policy="p") for length in lengths
    )
    return Rollout(record=1, outcome=outcome, score=score, digest=None, exchanges=exchanges)


def group(*rollouts: Rollout, parent: float = 1.0) -> Group:
    return Group(number=1, parent=1, parent_score=parent, shown=(parent,), version=0, rollouts=rollouts)


def returns(*rollouts: Rollout, reward="delta", longest=LONGEST, parent=1.0, **settings):
    return returns_of(group(*rollouts, parent=parent), build("rewards", reward), Ladder(**settings), longest)


def worth(*rollouts: Rollout, **settings):
    return returns(*rollouts, **settings).rewards.tolist()


def test_each_outcome_has_its_rung() -> None:
    found = returns(*[rollout(outcome) for outcome in Outcome], lazy=3)
    by_outcome = dict(zip(Outcome, found.rewards.tolist(), strict=True))
    assert by_outcome == {
        Outcome.SCORED: -0.4,  # without a score it is the worst of all
        Outcome.NO_EDIT: -0.4,
        Outcome.NO_CHANGE: -0.3,
        Outcome.DUPLICATE: -0.3,
        Outcome.REPEATED: -0.3,
        Outcome.CRASHED: -0.2,
        Outcome.REJECTED: -0.1,
        Outcome.UNVERIFIED: -0.1,
    }
    assert not found.valid.any()


def test_each_rung_is_a_setting() -> None:
    names = ["no_edit", "no_change", "duplicate", "crashed", "rejected", "unverified"]
    rungs = {name: -2.0 - place for place, name in enumerate(names)}
    assert worth(*[rollout(Outcome(name)) for name in names], **rungs) == list(rungs.values())


@pytest.mark.parametrize(
    ("lazy", "no_change", "duplicate", "repeated"),
    [(0, 0.5, 0.5, 0.5), (1, -0.3, 0.5, 0.5), (2, -0.3, -0.25, 0.5), (3, -0.3, -0.25, -0.25)],
)
def test_what_is_idle_is_worth_its_rung_and_everything_else_its_score(lazy, no_change, duplicate, repeated) -> None:
    idle = [Outcome.NO_CHANGE, Outcome.DUPLICATE, Outcome.REPEATED]
    found = returns(*[rollout(one, score=1.5) for one in idle], lazy=lazy, duplicate=-0.25)
    assert found.rewards.tolist() == [no_change, duplicate, repeated]
    assert found.valid.tolist() == [one > 0 for one in (no_change, duplicate, repeated)]


def test_what_is_not_idle_but_has_no_score_is_worth_as_much_as_a_rejected_one() -> None:
    idle = [Outcome.NO_CHANGE, Outcome.DUPLICATE, Outcome.REPEATED]
    assert worth(*[rollout(one) for one in idle], lazy=0, rejected=-0.15) == [-0.15] * 3


@pytest.mark.parametrize("outcome", [Outcome.NO_EDIT, Outcome.CRASHED, Outcome.REJECTED, Outcome.UNVERIFIED])
def test_a_score_does_not_lift_what_failed(outcome: Outcome) -> None:
    assert worth(rollout(outcome, score=9.0), lazy=0) == worth(rollout(outcome), lazy=0)


def test_a_valid_child_is_worth_its_reward_between_harmful_and_most() -> None:
    found = returns(*[rollout(score=score) for score in (0.0, 0.97, 1.0, 3.0, 50.0)], most=4.0)
    assert found.rewards == pytest.approx([-0.05, -0.03, 0.0, 2.0, 4.0])
    assert found.valid.all()


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("outcome", [Outcome.SCORED, Outcome.REPEATED])
def test_a_score_that_is_not_finite_is_worth_the_least(score: float, outcome: Outcome) -> None:
    found = returns(rollout(outcome, score=score), rollout(score=2.0), crashed=-0.7)
    assert found.rewards.tolist() == [-0.7, 1.0]
    assert found.valid.tolist() == [False, True]


class Broken(Reward):
    def of(self, scores: Scores) -> Array:
        return np.where(scores.children > 1.0, np.nan, scores.children)


def test_a_reward_that_is_not_finite_is_worth_the_least() -> None:
    rollouts = group(rollout(Outcome.NO_EDIT), rollout(score=2.0), rollout(score=0.5))
    found = returns_of(rollouts, Broken(), Ladder(), LONGEST)
    assert found.rewards.tolist() == [-0.4, -0.4, 0.5]
    assert found.valid.tolist() == [False, False, True]


def test_gains_and_losses_within_the_noise_are_worth_nothing() -> None:
    scores = [rollout(score=score) for score in (1.25, 1.26, 0.75, 0.5)]
    assert worth(*scores, noise=0.25, harmful=-0.09, rejected=-0.1) == pytest.approx([0.0, 0.26, 0.0, -0.09])
    assert worth(*scores, noise=0.25, reward="improved") == [0.0, 1.0, 0.0, 0.0]
    assert worth(*scores, noise=0.25, reward="score") == [1.0, 1.26, 1.0, 0.5]


def test_only_what_counts_is_shown_to_the_reward() -> None:
    # of three ranked children the failures are none
    rollouts = [rollout(Outcome.CRASHED), rollout(score=3.0), rollout(score=1.0), rollout(Outcome.REPEATED, score=2.0)]
    assert worth(*rollouts, reward="rank") == [-0.2, 1.0, 0.0, 0.5]


def test_long_answers_cost_from_a_share_of_the_longest_on() -> None:
    lengths = (1, 80, 90, 100, 130)
    found = worth(*[rollout(score=3.0, lengths=(one,)) for one in lengths], length_cost=0.5)
    assert found == pytest.approx([2.0, 2.0, 1.75, 1.5, 1.5])
    failed = worth(*[rollout(Outcome.CRASHED, lengths=(one,)) for one in lengths], length_cost=0.5)
    assert failed == pytest.approx([-0.2, -0.2, -0.45, -0.7, -0.7])


def test_the_longest_turn_of_a_rollout_is_what_costs() -> None:
    found = returns(rollout(score=3.0, lengths=(60, 60)), rollout(score=3.0, lengths=(20, 100)), length_cost=0.5)
    assert found.rewards == pytest.approx([2.0, 1.5])
    assert found.tokens.tolist() == [120.0, 120.0]


def test_a_rollout_without_an_answer_costs_nothing() -> None:
    found = returns(rollout(Outcome.NO_EDIT, lengths=()), length_cost=0.5)
    assert found.rewards.tolist() == [-0.4]
    assert found.tokens.tolist() == [0.0]


@settings(deadline=None)
@given(
    rollouts=st.lists(
        st.builds(
            rollout,
            st.sampled_from(Outcome),
            st.none() | st.floats() | st.floats(0, 2),
            st.lists(st.integers(0, 150), max_size=3),
        ),
        min_size=1,
        max_size=8,
    ),
    lazy=st.integers(0, 3),
    noise=st.floats(0, 1),
    cost=st.floats(0, 5),
    name=st.sampled_from(["score", "delta", "rank", "logit_delta", "improved"]),
)
def test_a_valid_child_is_worth_more_than_any_other(rollouts, lazy, noise, cost, name) -> None:
    found = returns(*rollouts, reward=name, lazy=lazy, noise=noise, length_cost=cost)
    assert np.isfinite(found.rewards).all()
    assert (found.rewards[found.valid] >= -0.05).all()
    assert (found.rewards[~found.valid] <= -0.1).all()
    assert found.ratios.tolist() == [1.0] * len(rollouts)


@pytest.mark.parametrize("name", ["no_edit", "no_change", "duplicate", "crashed", "rejected", "unverified"])
@pytest.mark.parametrize("value", [-0.05, 0.0])
def test_a_rung_as_high_as_a_harmful_child_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"expected {name} < harmful < most"):
        Ladder(**{name: value})


def test_a_ladder_without_room_above_harmful_is_refused() -> None:
    with pytest.raises(SettingError, match="harmful < most"):
        Ladder(harmful=1.0, most=1.0)


@pytest.mark.parametrize("name", sorted(set(Ladder.model_fields) - {"lazy"}))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_setting_that_is_not_finite_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=name):
        Ladder(**{name: value})


def test_ratios_are_handed_on_and_have_to_fit() -> None:
    two = group(rollout(score=1.0), rollout(score=2.0))
    found = returns_of(two, build("rewards", "delta"), Ladder(), LONGEST, ratios=np.array([0.5, 2.0]))
    assert found.ratios.tolist() == [0.5, 2.0]
    with pytest.raises(ValueError, match="one ratio for each of 2"):
        returns_of(two, build("rewards", "delta"), Ladder(), LONGEST, ratios=np.array([1.0]))


def test_an_empty_group_and_a_longest_answer_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="expected rollouts"):
        returns_of(replace(group(), rollouts=()), build("rewards", "delta"), Ladder(), LONGEST)
    with pytest.raises(ValueError, match="expected rollouts"):
        returns_of(group(rollout(score=1.0)), build("rewards", "delta"), Ladder(), 0)
