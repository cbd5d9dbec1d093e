"""The contract of advantages, for all that ship; golden values worked out by hand, or by scipy from the definition."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from evoengine.errors import SettingError
from evoengine.plugins import build, plugins
from evoengine.rl.advantage import Advantage, Returns
from evoengine.testing import AdvantageContract, returns_of_rewards, scores_of

pytestmark = pytest.mark.slow

VARIANTS = [
    {"use": "grpo"},
    {"use": "dr_grpo"},
    {"use": "grpo_batchstd"},
    {"use": "rloo"},
    {"use": "mc_grpo"},
    {"use": "mc_grpo", "least_scale": 0.5, "cap": 1.0},
    {"use": "entropic"},
    {"use": "entropic", "kl_target": 0.1},
    {"use": "entropic_centered"},
    {"use": "entropic_centered", "validity": 2.5},
    {"use": "parent"},
    {"use": "parent", "norm": "std"},
    {"use": "parent", "norm": "whiten"},
    {"use": "opob"},
]
NAMES = sorted({variant["use"] for variant in VARIANTS})
WITH_BASELINE = [name for name in NAMES if name != "parent"]
apart = st.lists(st.integers(0, 80).map(lambda eighths: eighths / 8), min_size=2, max_size=12)
"""Equal, or so far apart that the rounding of a shift neither makes nor breaks ties."""
rewards_of_any = st.lists(st.floats(-0.05, 10) | st.sampled_from([0.0, 1.0]), min_size=2, max_size=12)


def test_every_advantage_that_ships_is_among_the_variants() -> None:
    assert {plugin.name for plugin in plugins("advantages")} == set(NAMES)


class TestEveryAdvantage(AdvantageContract):
    @pytest.fixture(params=VARIANTS, ids=str)
    def advantage(self, request: pytest.FixtureRequest) -> Advantage:
        made = build("advantages", request.param)
        assert isinstance(made, Advantage)
        return made


def one(given, rewards, **arrays):
    [found] = build("advantages", given).of([returns_of_rewards(rewards, **arrays)])
    return found


def values(given, rewards, **arrays):
    return one(given, rewards, **arrays).values


# golden values


def test_grpo_divides_by_the_sample_deviation() -> None:
    # mean 3, squares 4 + 1 + 0 + 9 = 14, over n - 1 = 3
    assert values("grpo", [1, 2, 3, 6]) == pytest.approx(np.array([-2, -1, 0, 3]) / (math.sqrt(14 / 3) + 1e-4))


def test_dr_grpo_does_not_divide() -> None:
    assert values("dr_grpo", [1, 2, 3, 6]).tolist() == [-2, -1, 0, 3]


def test_grpo_batchstd_divides_by_the_deviation_of_all_groups_together() -> None:
    # 1, 2, 3, 6, 10, 14: mean 6, squares 25 + 16 + 9 + 0 + 16 + 64 = 130, over 5
    first, second = build("advantages", "grpo_batchstd").of(
        [returns_of_rewards([1, 2, 3, 6]), returns_of_rewards([10, 14])]
    )
    scale = math.sqrt(26) + 1e-4
    assert first.values == pytest.approx(np.array([-2, -1, 0, 3]) / scale)
    assert second.values == pytest.approx(np.array([-2, 2]) / scale)


def test_rloo_takes_off_the_mean_of_the_others() -> None:
    # 1 - 11/3, 2 - 10/3, 3 - 9/3, 6 - 6/3
    assert values("rloo", [1, 2, 3, 6]) == pytest.approx([-8 / 3, -4 / 3, 0, 4])


def test_mc_grpo_measures_in_median_deviations_and_drops_the_pivot() -> None:
    # median 3, deviations 2, 1, 0, 3, 5 with median 2 (half the deviation, sqrt(8.5) / 2 = 1.46, is less); times 5 / 4
    found = one("mc_grpo", [1, 2, 3, 6, 8])
    assert found.values == pytest.approx([-1.25, -0.625, 0, 1.875, 3.125])
    assert found.kept.tolist() == [True, True, False, True, True]
    assert found.facts == {"mc_scale": 2.0}


def test_mc_grpo_keeps_an_even_group_without_a_pivot_whole() -> None:
    found = one("mc_grpo", [0.0, 4.0])  # median 2, every deviation 2, half the standard deviation sqrt(2)
    assert found.values.tolist() == [-1, 1]
    assert found.kept.all()


def test_mc_grpo_of_one_success_is_bounded() -> None:
    # the median deviation is 0; in units of half the deviation, 1/6, the success is 6, times 9 over 1
    assert values("mc_grpo", [0.0] * 8 + [1.0]).tolist() == [0.0] * 8 + [5.0]
    assert values({"use": "mc_grpo", "cap": 100.0}, [0.0] * 8 + [1.0])[-1] == pytest.approx(54)


def test_mc_grpo_does_not_blow_up_what_is_next_to_nothing() -> None:
    # differences of 1e-9 over the least scale of 1e-3, times 3 / 2
    assert values("mc_grpo", [0.0, 1e-9, 2e-9]) == pytest.approx([-1.5e-6, 0.0, 1.5e-6])


def by_definition(rewards):
    """The weights of TTT-Discover's objective, its beta found by another method than the code's."""
    rewards = np.array(rewards, dtype=float)

    def divergence(beta):
        logits = beta * (rewards - rewards.max())
        log_q = logits - np.log(np.exp(logits).sum())
        return float((np.exp(log_q) * (log_q + math.log(len(rewards)))).sum())

    beta = brentq(lambda x: divergence(x) - math.log(2), 0.0, 1e6, xtol=1e-14, rtol=1e-14)
    return beta, np.exp(beta * (rewards - rewards.max()))


def leave_one_out(e):
    return [e[i] / (sum(e[j] for j in range(len(e)) if j != i) / (len(e) - 1)) - 1 for i in range(len(e))]


@pytest.mark.parametrize(
    "rewards", [[k / 7 for k in range(8)], [0, 0.2, 0.2, 0.5, 0.9, 1.0, 1.0, 0.1, 0.3], [3, 1, 2, 0]]
)
def test_entropic_follows_its_definition(rewards) -> None:
    beta, e = by_definition(rewards)
    found = one("entropic", rewards)
    assert found.values == pytest.approx(np.minimum(leave_one_out(e), len(rewards) - 1), rel=1e-6)
    assert found.facts == {"beta_entropic": pytest.approx(beta, rel=1e-6), "entropic_fallback": 0.0}


def test_entropic_of_one_success_in_eight_is_that_of_the_source_but_for_the_cap() -> None:
    # q ln(8 q) + (1 - q) ln(8 (1 - q) / 7) = ln 2 gives q = 0.628: 7 q / (1 - q) - 1 = 10.8, cut to 8 - 1
    share = brentq(lambda q: q * math.log(8 * q) + (1 - q) * math.log(8 * (1 - q) / 7) - math.log(2), 0.2, 0.99)
    assert 7 * share / (1 - share) - 1 == pytest.approx(10.8, abs=0.05)
    loser = (1 - share) / (7 * share)
    found = values("entropic", [0.0] * 7 + [1.0])
    assert found[-1] == 7.0
    assert found[:-1] == pytest.approx([loser / ((1 + 6 * loser) / 7) - 1] * 7, rel=1e-6)
    assert found[0] == pytest.approx(-0.61, abs=0.005)


def test_entropic_centered_weighs_the_valid_and_rewards_validity() -> None:
    rewards = [0.0, 0.1, 0.4, 0.9, 1.0]
    _, e = by_definition(rewards)
    found = values("entropic_centered", [-0.4, *rewards, -0.1, -0.2], valid=[False, *[True] * 5, False, False])
    assert found[[0, 6, 7]] == pytest.approx([-5 / 8] * 3)
    assert found[1:6] == pytest.approx(e / e.mean() - 1 + 3 / 8, rel=1e-6)
    double = {"use": "entropic_centered", "validity": 2.0}
    assert values(double, [-0.4, *rewards], valid=[False, *[True] * 5])[0] == pytest.approx(-2 * 5 / 6)


def test_a_harmful_child_must_not_be_worse_than_none() -> None:
    with pytest.raises(SettingError, match="validity"):
        build("advantages", {"use": "entropic_centered", "validity": 0.9})


def test_the_parent_is_the_baseline() -> None:
    assert values("parent", [0.5, -0.1]).tolist() == [0.5, -0.1]
    assert values("parent", [0.3]).tolist() == [0.3]


def test_the_parents_advantages_by_the_deviation_of_the_batch() -> None:
    # 1, 2, 3, 6 in two groups: mean 3, deviation sqrt(14 / 3)
    batch = [returns_of_rewards([1.0]), returns_of_rewards([2.0, 3.0, 6.0])]
    scale = math.sqrt(14 / 3)
    for norm, expected in (("std", [1, 2, 3, 6]), ("whiten", [-2, -1, 0, 3])):
        first, second = build("advantages", {"use": "parent", "norm": norm}).of(batch)
        assert [*first.values, *second.values] == pytest.approx(np.array(expected) / scale)


def test_opob_weighs_the_baseline_by_squared_ratios_and_lengths() -> None:
    # weights 1^2 * 10 and 2^2 * 5: b = (10 * 1 + 20 * 3) / 30 = 7 / 3
    found = one("opob", [1.0, 3.0], ratios=[1.0, 2.0], tokens=[10.0, 5.0])
    assert found.values == pytest.approx([-4 / 3, 2 / 3])
    assert found.facts == {"baseline": pytest.approx(7 / 3)}


# laws


@pytest.mark.parametrize("name", WITH_BASELINE)
@settings(deadline=None)
@given(rewards=apart, shift=st.floats(-100, 100))
def test_a_constant_added_to_a_group_changes_nothing(name: str, rewards: list[float], shift: float) -> None:
    shifted = [reward + shift for reward in rewards]
    assert values(name, shifted) == pytest.approx(values(name, rewards), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", WITH_BASELINE)
def test_score_and_delta_have_the_same_advantages(name: str) -> None:
    scores = scores_of([2.25, 0.5, 3.0, 1.0, 1.5], parent=1.25)
    score, delta = (values(name, list(build("rewards", reward).of(scores))) for reward in ("score", "delta"))
    assert score == pytest.approx(delta, abs=1e-9)


@pytest.mark.parametrize("name", ["grpo", "dr_grpo", "grpo_batchstd", "rloo", "entropic_centered"])
@settings(deadline=None)
@given(rewards=rewards_of_any, data=st.data())
def test_advantages_that_are_centred_sum_up_to_zero(name: str, rewards: list[float], data: st.DataObject) -> None:
    valid = data.draw(st.lists(st.booleans(), min_size=len(rewards), max_size=len(rewards)))
    found = values(name, rewards, valid=valid)
    assert abs(found.sum()) <= 1e-9 * max(1.0, np.abs(found).max())


@settings(deadline=None)
@given(rewards=rewards_of_any, data=st.data())
def test_opob_sums_up_to_zero_by_its_weights(rewards: list[float], data: st.DataObject) -> None:
    ratios = data.draw(st.lists(st.floats(0.01, 20), min_size=len(rewards), max_size=len(rewards)))
    tokens = data.draw(st.lists(st.floats(1, 1000), min_size=len(rewards), max_size=len(rewards)))
    found = values("opob", rewards, ratios=ratios, tokens=tokens)
    weights = np.array(ratios) ** 2 * np.array(tokens)
    assert (weights * found).sum() / weights.sum() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", ["entropic", "entropic_centered"])
@settings(deadline=None)
@given(rewards=apart, scale=st.sampled_from([1e-12, 1e-3, 7.0, 1e12]))
def test_the_scale_of_rewards_does_not_matter_to_exponential_weights(name, rewards, scale) -> None:
    found, scaled = one(name, rewards), one(name, [scale * reward for reward in rewards])
    assert scaled.facts["entropic_fallback"] == found.facts["entropic_fallback"]
    if not found.facts["entropic_fallback"]:
        assert scaled.values == pytest.approx(found.values, rel=1e-6, abs=1e-9)
        assert scaled.facts["beta_entropic"] == pytest.approx(found.facts["beta_entropic"] / scale, rel=1e-6)


@settings(deadline=None)
@given(rewards=rewards_of_any)
def test_the_weights_of_entropic_are_never_more_than_the_group_is_large(rewards: list[float]) -> None:
    found = one("entropic", rewards)
    if not found.facts["entropic_fallback"]:
        assert (found.values <= len(rewards) - 1).all()
        assert (found.values >= -1.0).all()


# guards


@pytest.mark.parametrize("name", WITH_BASELINE)
@settings(deadline=None)
@given(reward=st.floats(-10, 10), size=st.integers(2, 9))
def test_equal_rewards_have_advantages_of_exactly_zero(name: str, reward: float, size: int) -> None:
    assert values(name, [reward] * size).tolist() == [0.0] * size


def test_whitened_equal_rewards_have_advantages_of_exactly_zero() -> None:
    assert values({"use": "parent", "norm": "whiten"}, [0.1] * 3).tolist() == [0.0] * 3
    assert values({"use": "parent", "norm": "std"}, [0.1] * 3).tolist() == [0.1] * 3
    assert values({"use": "parent", "norm": "std"}, [0.1]).tolist() == [0.1]


@pytest.mark.parametrize(
    ("rewards", "why"),
    [
        ([0.0, 1.0], "in a group of two the divergence ends at ln 2"),
        ([0.0, 0.0, 1.0, 1.0], "with half of them the best it does, too"),
        ([0.0, 1.0, 1.0], "and with more it ends before"),
        ([1.0, 1.0 - 1e-14, 0.0], "which rounding does not change"),
    ],
)
@pytest.mark.parametrize("name", ["entropic", "entropic_centered"])
def test_without_a_finite_beta_advantages_are_deviations_from_the_mean(name, rewards, why) -> None:
    found = one(name, rewards)
    assert found.values == pytest.approx(np.array(rewards) - np.mean(rewards)), why
    assert found.facts == {"entropic_fallback": 1.0}


def test_few_valid_rollouts_have_deviations_from_the_mean() -> None:
    rewards = [-0.4, -0.4, 0.0, -0.4, 1.0, -0.4, -0.4, -0.4]
    valid = [reward >= 0 for reward in rewards]
    for name in ("entropic", "entropic_centered"):
        found = one(name, rewards, valid=valid)
        assert found.values == pytest.approx(np.array(rewards) - np.mean(rewards))
        assert found.facts == {"entropic_fallback": 1.0}


def test_a_group_without_a_valid_rollout_still_has_an_order() -> None:
    found = values("entropic_centered", [-0.4, -0.1, -0.1], valid=[False] * 3)
    assert found == pytest.approx([-0.2, 0.1, 0.1])


def test_rewards_that_differ_by_next_to_nothing_have_finite_weights() -> None:
    for rewards in ([0.0, 5e-324, 1e-323, 0.0, 0.0], [0.0, -1e-300, -1.0, -1.0, -1.0, -1.0], [0, 1e-13, 1, 1 - 1e-13]):
        for name in ("entropic", "entropic_centered"):
            found = one(name, rewards)
            assert np.isfinite(found.values).all()
            assert np.isfinite(list(found.facts.values())).all()


def test_opob_of_weights_that_are_all_zero_takes_the_plain_mean() -> None:
    assert values("opob", [1.0, 3.0], ratios=[0.0, 0.0]).tolist() == [-1, 1]
    assert values("opob", [1.0, 3.0], tokens=[0.0, 0.0]).tolist() == [-1, 1]


def test_opob_of_huge_ratios_is_finite() -> None:
    assert values("opob", [1.0, 3.0], ratios=[1e300, 1e300]).tolist() == [-1, 1]


def test_too_small_a_group_takes_no_part_in_the_batch() -> None:
    large, lone = returns_of_rewards([1.0, 2.0, 3.0, 6.0]), returns_of_rewards([1000.0])
    [alone] = build("advantages", "grpo_batchstd").of([large])
    found = build("advantages", "grpo_batchstd").of([lone, large, lone])
    assert found[1].values.tolist() == alone.values.tolist()
    assert not found[0].kept.any()
    assert not found[2].kept.any()
    assert build("advantages", "grpo_batchstd").of([lone]) != []


def test_rewards_that_are_huge_but_finite_are_no_trouble() -> None:
    for variant in VARIANTS:
        assert np.isfinite(values(variant, [1e100, -1e100, 0.0, 5.0, 1e99])).all()


def test_a_group_is_not_changed_by_the_others_but_for_the_batchs_deviation() -> None:
    first: Returns = returns_of_rewards([0.0, 0.3, 0.1, 0.9, 0.2])
    other = replace(first, rewards=first.rewards * 40.0)
    for name in set(NAMES) - {"grpo_batchstd"}:
        advantage = build("advantages", name)
        assert advantage.of([first, other])[0].values.tolist() == advantage.of([first])[0].values.tolist()
