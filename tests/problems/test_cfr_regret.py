from __future__ import annotations

import math

import numpy as np
import pytest

from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("cfr_regret")
CfrRegret, Game, GAMES = module.CfrRegret, module.Game, module.GAMES
KUHN, LEDUC = (GAMES["train"][name] for name in ("kuhn", "leduc"))


class Small(CfrRegret):
    """With Kuhn poker only, which is enough for what does not depend on the game."""

    def model_post_init(self, context):
        super().model_post_init(context)
        self._made.update({stage: {"kuhn": Game(KUHN)} for stage in ("train", "held_out")})


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return Small()


def cfr(t, memory, regret, policy, reach, legal):
    sums, other = np.split(memory, 2)
    sums = sums + regret
    return np.concatenate([sums, other, np.maximum(sums, 0.0), reach * policy])


def cfr_plus(t, memory, regret, policy, reach, legal):
    sums, other = np.split(memory, 2)
    sums = np.maximum(sums + regret, 0.0)
    return np.concatenate([sums, other, sums, t * reach * policy])


@pytest.mark.parametrize(("rules", "sets", "known"), [(KUHN, 6, 0.4583333333333333), (LEDUC, 144, 2.373611111111111)])
def test_the_uniform_policy_is_as_exploitable_as_others_found(rules, sets, known):
    # OpenSpiel (Lanctot et al. 2019, arXiv:1908.09453) gives these in the tests of its exploitability
    game = Game(rules)
    assert [side.sets for side in game.sides] == [sets, sets]
    assert game.exploitability(tuple(side.uniform() for side in game.sides)) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1 / 3])
def test_kuhns_equilibria_cannot_be_exploited_and_lose_one_in_18(alpha):
    # Kuhn 1950: the first player bets the jack with probability alpha, the king with 3 alpha, ...
    game = Game(KUHN)
    first = {("J", ""): alpha, ("K", ""): 3 * alpha, ("Q", ""): 0.0}
    answers = {"J": 0.0, "Q": alpha + 1 / 3, "K": 1.0}
    one, two = np.zeros((6, 3)), np.zeros((6, 3))
    for card, said in ((c, s) for c in "JQK" for s in ("", "cr")):
        found = sets_of(game, 0, "JQK".index(card), said)
        if said == "":
            one[found] = 1 - first[card, said], first[card, said], 0.0
        else:
            one[found] = answers[card], 1.0 - answers[card], 0.0
    for card, called, bet in (("J", 0.0, 1 / 3), ("Q", 1 / 3, 0.0), ("K", 1.0, 1.0)):
        two[sets_of(game, 1, "JQK".index(card), "c")] = 1 - bet, bet, 0.0
        two[sets_of(game, 1, "JQK".index(card), "r")] = called, 1.0 - called, 0.0
    reaches = [side.reach(policy) for side, policy in zip(game.sides, (one, two), strict=True)]
    assert game.exploitability((one, two)) == pytest.approx(0.0, abs=1e-12)
    assert reaches[0] @ game.payoff @ reaches[1] == pytest.approx(-1 / 18)


def sets_of(game, player, card, said):
    return game._sets[player][card, -1, said]


def test_the_seed_is_counterfactual_regret_minimisation_and_cfr_plus_is_better():
    problem = CfrRegret()
    seed = problem.play(InProcess.of(problem, problem.seeds()[0]))
    assert seed.value == problem.play(InProcess(cfr)).value
    assert problem.play(InProcess(cfr_plus)).value < seed.value - 0.5


def test_regrets_of_a_policy_sum_to_nothing_under_the_policy():
    rng = np.random.default_rng(1)
    game = Game(LEDUC)
    policies = [side.normalised(rng.random(side.legal.shape)) for side in game.sides]
    regrets = game.sides[0].regrets(policies[0], game.sides[1].reach(policies[1]))
    assert np.abs((regrets * policies[0]).sum(axis=1)).max() < 1e-12
    assert np.abs(regrets).max() > 0.01


def test_all_that_is_held_out_are_games_that_are_not_trained_on():
    assert not set(map(repr, GAMES["train"].values())) & set(map(repr, GAMES["held_out"].values()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: np.append(answer, 0.0),
        lambda answer: answer * math.nan,
        lambda answer: np.where(np.arange(len(answer)) == 0, np.inf, answer),
        lambda answer: [True] * len(answer),
        lambda answer: {"exploitability": 0.0},
        lambda answer: answer - 1.0,
        lambda answer: answer + 1e200,
    ],
)
def test_a_bad_answer_in_a_late_iteration_is_refused(spoil):
    def step(t, memory, *rest):
        answer = cfr(t, memory, *rest)
        return spoil(answer) if t == 60 else answer

    with pytest.raises(Reject):
        Small().play(InProcess(step))


def test_weights_of_what_is_no_action_are_ignored():
    def step(t, memory, regret, policy, reach, legal):
        answer = cfr(t, memory, regret, policy, reach, legal)
        answer[len(memory) :] *= 1e-250
        return answer + np.concatenate([np.zeros(2 * len(legal)), 1e100 * (1 - legal), 1e100 * (1 - legal)])

    assert Small().play(InProcess(step)).value == pytest.approx(Small().play(InProcess(cfr)).value, abs=1e-9)


def test_a_candidate_that_writes_into_its_arguments_does_not_change_the_game():
    def vandal(t, *arrays):
        answer = cfr(t, *arrays)
        for one in arrays:
            one[:] = 3.0
        return answer

    problem = Small()
    honest, spoilt = (problem.play(InProcess(one)).value for one in (cfr, vandal))
    assert spoilt == honest
    assert problem.play(InProcess(cfr)).value == honest


def test_weights_near_the_largest_allowed_do_not_overflow():
    def step(t, memory, *rest):
        answer = cfr(t, memory, *rest)
        answer[len(memory) :] *= 1e99
        return answer

    assert math.isfinite(Small().play(InProcess(step)).value)
