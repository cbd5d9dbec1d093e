"""The contract of rewards, for all that ship, and what each of them is worth by its formula, worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from evoengine.errors import SettingError
from evoengine.plugins import build, plugins
from evoengine.rl.reward import Reward
from evoengine.testing import RewardContract, scores_of

VARIANTS = [
    {"use": "score"},
    {"use": "delta"},
    {"use": "relu_delta"},
    {"use": "improved"},
    {"use": "improved", "tolerance": 0.5},
    {"use": "logit_delta"},
    {"use": "logit_delta", "low": -3.0, "high": 5.0, "epsilon": 1e-300},
    {"use": "power_norm"},
    {"use": "power_norm", "low": -1.0, "high": 2.635, "alpha": 3.0, "scale": 5.0},
    {"use": "rank"},
    {"use": "potential"},
]


def test_every_reward_that_ships_is_among_the_variants() -> None:
    assert {plugin.name for plugin in plugins("rewards")} == {variant["use"] for variant in VARIANTS}


class TestEveryReward(RewardContract):
    @pytest.fixture(params=VARIANTS, ids=str)
    def reward(self, request: pytest.FixtureRequest) -> Reward:
        made = build("rewards", request.param)
        assert isinstance(made, Reward)
        return made


def worth(given, children, parent, shown=()):
    return build("rewards", given).of(scores_of(children, parent=parent, shown=shown)).tolist()


def test_a_score_is_worth_itself() -> None:
    assert worth("score", [2.5, -1.0], parent=7.0) == [2.5, -1.0]


def test_gains_and_losses_over_the_parent() -> None:
    assert worth("delta", [2.5, 1.0, 0.5], parent=1.0) == [1.5, 0.0, -0.5]
    assert worth("relu_delta", [2.5, 1.0, 0.5], parent=1.0) == [1.5, 0.0, 0.0]


def test_an_improvement_has_to_pass_the_tolerance() -> None:
    assert worth("improved", [1.0 + 2e-6, 1.0 + 5e-7, 1.0, 0.0], parent=1.0) == [1.0, 0.0, 0.0, 0.0]
    assert worth({"use": "improved", "tolerance": 0.0}, [1.0 + 5e-7, 1.0], parent=1.0) == [1.0, 0.0]


def test_log_odds_follow_the_source_inside_the_range() -> None:
    # log(s (1 - p) / (p (1 - s))): 0.8 after 0.5 is log 4, 0.2 after 0.5 is -log 4, 0.9 after 0.8 log(9 / 4)
    assert worth("logit_delta", [0.8, 0.5, 0.2], parent=0.5) == pytest.approx(
        [math.log(4), 0.0, -math.log(4)], abs=1e-4
    )
    assert worth("logit_delta", [0.9], parent=0.8) == pytest.approx([math.log(9 / 4)], abs=1e-4)


def test_log_odds_are_bounded_where_the_source_is_infinite() -> None:
    lost, won = worth("logit_delta", [0.0, 1.0], parent=0.5)
    assert won == -lost == pytest.approx(math.log(0.5 / 1e-6), rel=1e-4)
    assert worth("logit_delta", [0.0, 1.0], parent=0.0) == pytest.approx([0.0, math.log(1e6)], abs=1e-5)
    assert worth("logit_delta", [1.0], parent=1.0) == [0.0]


def test_log_odds_in_another_range() -> None:
    # from -3 to 5 the score 3 lies at 0.75 and 1 at 0.5: the odds are 3 to 1
    given = {"use": "logit_delta", "low": -3.0, "high": 5.0}
    assert worth(given, [3.0], parent=1.0) == pytest.approx([math.log(3)], abs=1e-4)
    assert worth(given, [99.0], parent=1.0) == worth(given, [5.0], parent=1.0)


def test_the_power_of_the_place_in_the_range() -> None:
    given = {"use": "power_norm", "low": 1.0, "high": 3.0, "alpha": 3.0, "scale": 5.0}
    assert worth(given, [0.0, 1.0, 2.0, 3.0, 9.0], parent=0.0) == [0.0, 0.0, 0.625, 5.0, 5.0]  # 5 / 2^3


@pytest.mark.parametrize("name", ["power_norm", "logit_delta"])
@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (-1e308, 1e308)])
def test_a_range_without_a_width_is_refused(name: str, low: float, high: float) -> None:
    with pytest.raises(SettingError, match="low < high"):
        build("rewards", {"use": name, "low": low, "high": high})


def test_a_rank_is_the_share_of_the_others_that_are_beaten() -> None:
    assert worth("rank", [5.0, -1.0, 1e9, 2.0, 3.0], parent=0.0) == [0.75, 0.0, 1.0, 0.25, 0.5]
    assert worth("rank", [1.0, 1.0, 2.0], parent=0.0) == [0.25, 0.25, 1.0]
    assert worth("rank", [7.0], parent=0.0) == [0.5]


def test_the_potential_is_the_mean_of_what_was_shown() -> None:
    assert worth("potential", [4.0, 2.0], parent=1.0, shown=[1.0, 2.0, 6.0]) == [1.0, -1.0]
    assert worth("potential", [4.0], parent=1.0, shown=[1.0]) == worth("delta", [4.0], parent=1.0)


def test_potentials_add_up_to_the_way_from_the_first_to_the_last() -> None:
    line = [0.5, 2.0, 1.25, 3.0]
    steps = [worth("potential", [after], parent=before)[0] for before, after in pairwise(line)]
    assert sum(steps) == line[-1] - line[0]


@pytest.mark.parametrize("name", ["delta", "relu_delta", "potential", "improved"])
def test_differences_of_huge_scores_are_finite(name: str) -> None:
    huge = np.finfo(np.float64).max
    [won, lost] = worth(name, [huge, -huge], parent=-huge, shown=[-huge, -huge, -huge])
    assert won > 0.0 >= lost
    assert math.isfinite(won)
