"""The bandit finds the arm that improves most for what it costs, forgets, and costs nothing but counts."""

from __future__ import annotations

import random

from evoengine.bandit import Bandit


def shares(bandit: Bandit, draws: int = 2000) -> dict[str, float]:
    rng = random.Random(1)
    chosen = [bandit.choose(rng)[0] for _ in range(draws)]
    return {name: chosen.count(name) / draws for name in sorted(set(chosen))}


def trained(tries: dict[str, tuple[float, int]], rounds: int = 300, **settings: float) -> Bandit:
    bandit = Bandit(**settings)
    bandit.open([(name, "") for name in tries])
    rng = random.Random(0)
    for _ in range(rounds):
        for name, (chance, calls) in tries.items():
            bandit.learn((name, ""), float(rng.random() < chance), calls)
    return bandit


def test_the_arm_that_improves_more_often_is_chosen_more_often() -> None:
    chosen = shares(trained({"good": (0.3, 1), "poor": (0.03, 1)}))
    assert chosen["good"] > 0.85


def test_an_arm_that_costs_fifty_times_as_much_has_to_bring_as_much_more() -> None:
    chosen = shares(trained({"cheap": (0.1, 1), "dear": (0.5, 50)}))
    assert chosen["cheap"] > 0.85


def test_every_arm_keeps_a_share() -> None:
    chosen = shares(trained({"good": (0.5, 1), "never": (0.0, 1)}, explore=0.2))
    assert 0.05 < chosen["never"] < 0.2


def test_what_was_true_long_ago_is_forgotten() -> None:
    bandit = trained({"once": (0.5, 1), "now": (0.0, 1)}, discount=0.99)
    for _ in range(600):
        bandit.learn(("once", ""), 0.0, 1)
        bandit.learn(("now", ""), 0.3, 1)
    assert shares(bandit)["now"] > 0.8


def test_an_arm_that_is_no_longer_there_is_ignored() -> None:
    bandit = trained({"one": (0.5, 1)})
    bandit.learn(("gone", ""), 1.0, 1)
    assert shares(bandit) == {"one": 1.0}


def test_a_kept_state_chooses_the_same() -> None:
    bandit = trained({"a": (0.2, 1), "b": (0.1, 3), "c": (0.4, 9)})
    again = Bandit()
    again.open([("a", ""), ("b", ""), ("c", "")])
    again.restore(bandit.state())
    one, other = random.Random(5), random.Random(5)
    assert [bandit.choose(one) for _ in range(50)] == [again.choose(other) for _ in range(50)]
