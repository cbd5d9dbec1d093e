"""What every advantage estimator must show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.rl.advantage import Advantage, Returns
from evoengine.testing._laws import INHERITED

_worth = st.floats(-0.05, 10) | st.sampled_from([0.0, 0.0, 1.0]) | st.floats(0, 1e-9)
_rung = st.sampled_from([-0.4, -0.3, -0.2, -0.1])


@st.composite
def groups(draw: st.DrawFn, size: int = 9) -> Returns:
    """Rollouts with and without a score; those with one are worth more, as the ladder has it."""
    valid = draw(st.lists(st.booleans(), min_size=1, max_size=size))
    return returns_of_rewards(
        [draw(_worth if one else _rung) for one in valid],
        valid=valid,
        tokens=[float(draw(st.integers(0, 2000))) for _ in valid],
        ratios=[draw(st.floats(0, 50) | st.just(1.0)) for _ in valid],
    )


def returns_of_rewards(
    rewards: Sequence[float],
    *,
    valid: Sequence[bool] = (),
    tokens: Sequence[float] = (),
    ratios: Sequence[float] = (),
) -> Returns:
    """A group with these rewards; all valid, of 100 tokens and sampled by the policy itself unless said otherwise."""
    count = len(rewards)
    return Returns(
        rewards=np.array(rewards, dtype=float),
        valid=np.array(valid or [True] * count, dtype=bool),
        tokens=np.array(tokens or [100.0] * count, dtype=float),
        ratios=np.array(ratios or [1.0] * count, dtype=float),
    )


class AdvantageContract:
    """What every advantage estimator must show. Needs a fixture `advantage`."""

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(batch=st.lists(groups(), max_size=4))
    def test_every_rollout_has_a_finite_advantage(self, advantage: Advantage, batch: list[Returns]) -> None:
        found = advantage.of(batch)
        assert len(found) == len(batch)
        for one, group in zip(found, batch, strict=True):
            assert one.values.shape == one.kept.shape == group.rewards.shape
            assert one.kept.dtype == np.bool_
            assert np.isfinite(one.values).all()
            assert np.isfinite(list(one.facts.values())).all()

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(batch=st.lists(groups(), min_size=1, max_size=3))
    def test_a_better_reward_never_has_a_lower_advantage(self, advantage: Advantage, batch: list[Returns]) -> None:
        for one, group in zip(advantage.of(batch), batch, strict=True):
            for place, reward in enumerate(group.rewards):
                above = one.values[group.rewards >= reward]
                assert (above >= one.values[place] - 1e-9 * max(1.0, abs(one.values[place]))).all()

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(batch=st.lists(groups(), min_size=1, max_size=3), random=st.randoms(use_true_random=False))
    def test_the_order_of_the_rollouts_does_not_matter(
        self, advantage: Advantage, batch: list[Returns], random: Random
    ) -> None:
        orders = [np.array(random.sample(range(len(group.rewards)), len(group.rewards))) for group in batch]
        shuffled = [
            Returns(
                rewards=group.rewards[order],
                valid=group.valid[order],
                tokens=group.tokens[order],
                ratios=group.ratios[order],
            )
            for group, order in zip(batch, orders, strict=True)
        ]
        for one, other, group, order in zip(advantage.of(batch), advantage.of(shuffled), batch, orders, strict=True):
            assert other.values == pytest.approx(one.values[order], rel=1e-6, abs=1e-9)
            # of equal rewards another one may be left out
            assert sorted(group.rewards[one.kept]) == sorted(group.rewards[order][other.kept])

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(batch=st.lists(groups(), min_size=1, max_size=3))
    def test_too_small_a_group_is_not_trained_on(self, advantage: Advantage, batch: list[Returns]) -> None:
        for one, group in zip(advantage.of(batch), batch, strict=True):
            if len(group.rewards) < advantage.smallest:
                assert not one.kept.any()
                assert not one.values.any()

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(group=groups(), wrong=st.sampled_from([np.nan, np.inf, -np.inf, 1e101, -1e101]), data=st.data())
    def test_a_reward_that_is_not_finite_is_refused(
        self, advantage: Advantage, group: Returns, wrong: float, data: st.DataObject
    ) -> None:
        rewards = group.rewards.copy()
        place = data.draw(st.integers(0, len(rewards) - 1))
        rewards[place] = wrong
        with pytest.raises(ValueError, match=rf"group 1: rewards\[{place}\]"):
            advantage.of([group, replace(group, rewards=rewards)])

    @pytest.mark.parametrize("name", ["ratios", "tokens"])
    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
    def test_a_ratio_or_length_that_cannot_be_is_refused(self, advantage: Advantage, name: str, wrong: float) -> None:
        group = returns_of_rewards([0.0, 1.0, 2.0])
        with pytest.raises(ValueError, match=rf"{name}\[2\]"):
            advantage.of([replace(group, **{name: np.array([1.0, 1.0, wrong])})])

    def test_arrays_that_do_not_fit_are_refused(self, advantage: Advantage) -> None:
        group = returns_of_rewards([0.0, 1.0, 2.0])
        for name in ("valid", "tokens", "ratios"):
            with pytest.raises(ValueError, match="of one length"):
                advantage.of([replace(group, **{name: getattr(group, name)[:2]})])
        with pytest.raises(ValueError, match="of one length"):
            advantage.of([returns_of_rewards([])])

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(batch=st.lists(groups(), min_size=1, max_size=3))
    def test_the_groups_are_left_as_they_are(self, advantage: Advantage, batch: list[Returns]) -> None:
        before = [group.rewards.copy() for group in batch]
        for one in advantage.of(batch):
            np.add(one.values, 1.0, out=one.values)  # what is given belongs to the caller
        for group, rewards in zip(batch, before, strict=True):
            assert (group.rewards == rewards).all()
