"""Regret minimisation: a rule that learns to play poker against itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import PrivateAttr

from evoengine.checks import numbers
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits, Stage

from .games import KUHN, LEDUC, WIDTH, Game, Rules

ITERATIONS = 64
SMALLEST = 1e-9
"""Added to the exploitability, so that it has a logarithm."""

GAMES = {
    "train": {
        "kuhn": KUHN,
        "leduc": LEDUC,
        "kuhn_5_cards_bet_2": Rules(ranks=5, bets=(2.0,)),
        "leduc_2_ranks_bets_1_2": Rules(ranks=2, suits=2, bets=(1.0, 2.0), raises=2),
    },
    "held_out": {
        "kuhn_4_cards": Rules(ranks=4),
        "kuhn_8_cards_bet_3_raise": Rules(ranks=8, bets=(3.0,), raises=2),
        "leduc_4_ranks_bets_1_3": Rules(ranks=4, suits=2, bets=(1.0, 3.0), raises=2),
        "leduc_3_suits_bets_2_2": Rules(ranks=3, suits=3, bets=(2.0, 2.0), raises=1),
    },
}
"""By stage."""


class CfrRegret(Problem):
    """Find the regret update and the averaging of counterfactual regret minimisation; minimise exploitability.

    The judge walks the game tree, holds both policies and their averages, and computes best responses exactly.
    """

    name: ClassVar[str] = "cfr_regret"
    goal: ClassVar[str] = (
        "Write step(t, memory, regret, policy, reach, legal) -> one numpy array [memory, weights, average], called for "
        "one player of a two-player poker game in each iteration t = 1, 2, ..., 64. All arguments but t are flat "
        "arrays with 3 rows for every information set (`legal` is 1 for rows that are actions, 0 for padding; "
        "reshape(-1, 3) gives one line for each set): counterfactual regrets of this iteration, the policy they were "
        "got with, and the player's own probability of reaching the set. `memory` has twice that length, starts as "
        "zeros, and is what you returned before. `weights` >= 0 are normalised in each set to the next policy; "
        "`average` >= 0 is added to a sum, and the normalised sum is the answer. Minimise the mean log10 of its "
        "exploitability."
    )
    entry: ClassVar[str] = "step"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="entropy", low=0.0, high=1.0, bins=20),
        Feature(name="last_policy", low=-4.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=4.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    floor: ClassVar[Anchor | None] = Anchor(
        value=-2.26803829226,
        source="discounted CFR with 3/2, 0, 2 (Brown and Sandholm 2019, arXiv:1809.04040), benchmarks/floors.py",
    )

    _made: dict[str, dict[str, Game]] = PrivateAttr(default_factory=dict)

    def play(self, candidate: Player, stage: str = "train") -> Score:
        if stage not in self._made:
            self._made[stage] = {name: Game(rules) for name, rules in GAMES[stage].items()}
        games = self._made[stage]
        learners = {name: tuple(Learner(game, player) for player in (0, 1)) for name, game in games.items()}
        for t in range(1, ITERATIONS + 1):
            for player in (0, 1):
                pairs = [(both[player], both[1 - player]) for both in learners.values()]
                answers = candidate.batch([(t, *one.offer(other)) for one, other in pairs])
                for (one, _), answer in zip(pairs, answers, strict=True):
                    one.take(answer)
        reached = {name: digits(games[name], (one.answer(), two.answer())) for name, (one, two) in learners.items()}
        last = [digits(games[name], (one.policy, two.policy)) for name, (one, two) in learners.items()]
        both = [one for pair in learners.values() for one in pair]
        return Score(
            math.fsum(reached.values()) / len(reached),
            instances=reached,
            entropy=math.fsum(entropy(one) for one in both) / len(both),
            last_policy=math.fsum(last) / len(last),
        )


class Learner:
    """One player of a game: the policy, the sum of policies, and the candidate's memory.

    `offer` and `take` alternate.
    """

    def __init__(self, game: Game, player: int) -> None:
        self.side = game.sides[player]
        self.policy = self.side.uniform()
        self._sum = np.zeros_like(self.policy)
        self._memory = np.zeros(2 * self.policy.size)

    def offer(self, other: Learner) -> tuple[npt.NDArray[Any], ...]:
        """The arguments of the candidate after t. What `take` replaces may be written into."""
        side = self.side
        own = side.reach(self.policy)[:-1].reshape(-1, WIDTH).sum(axis=1)
        regret = side.regrets(self.policy, other.side.reach(other.policy))
        reach = np.repeat(own, WIDTH)
        return self._memory, regret.ravel(), self.policy.ravel(), reach, side.legal.ravel().copy()

    def take(self, answer: Any) -> None:
        """The candidate's answer.

        Raises:
            Reject: it is not as many finite numbers as were asked for, or a weight is negative or huge.
        """
        size = self.policy.size
        found = numbers(answer, 4 * size, what="the answer")
        self._memory, used = found[: 2 * size], found[2 * size :]
        if used.min() < 0.0 or used.max() > 1e100:
            raise Reject(f"weights and averages should be from 0 to 1e100, found {used.min():g} to {used.max():g}")
        self.policy = self.side.normalised(used[:size].reshape(-1, WIDTH))
        self._sum += used[size:].reshape(-1, WIDTH)

    def answer(self) -> npt.NDArray[Any]:
        """The average policy."""
        return self.side.normalised(self._sum)


def digits(game: Game, policies: tuple[npt.NDArray[Any], npt.NDArray[Any]]) -> float:
    """The logarithm of what best responses win, in antes a hand."""
    return math.log10(game.exploitability(policies) + SMALLEST)


def entropy(learner: Learner) -> float:
    """Of the average policy, 0 to 1: the mean over information sets, 1 for uniform."""
    policy, actions = learner.answer(), learner.side.legal.sum(axis=1)
    plogp = policy * np.log(np.where(policy > 0.0, policy, 1.0))
    return float((-plogp.sum(axis=1) / np.log(actions)).mean())
