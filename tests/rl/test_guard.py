"""When learning is undone, by what a guard has seen; and which update learns from what."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import TrainerError
from evoengine.plugins import build
from evoengine.probing import Probes
from evoengine.proposing import Proposal
from evoengine.rl.advantage import Advantage, Advantages, Returns
from evoengine.rl.batching import Gathered, gathered
from evoengine.rl.guard import Guard, Look, Verdict, Watch
from evoengine.rl.rollouts import Exchange, Group, Outcome, Rollout
from evoengine.rl.training import Training
from evoengine.types import Brief, Candidate, Cause, Cost, Draft, Elite, Failed, Program, Scored


def look(rate: float, violations: float = 0.0, count: int = 100) -> Look:
    improved = [1.0] * round(rate * count) + [0.0] * (count - round(rate * count))
    return Look(improved=improved, gains=(), violations=violations)


def verdicts(guard: Guard, rates: Sequence[float]) -> list[Verdict]:
    watch = Watch()
    return [watch.looked(guard, update, look(rate)) for update, rate in enumerate(rates)]


def test_a_rate_that_rises_or_wavers_is_kept() -> None:
    assert set(verdicts(Guard(window=1), [0.1, 0.3, 0.28, 0.4, 0.35, 0.4])) == {Verdict.KEEP}


def test_a_rate_that_falls_by_more_than_its_share_and_its_error_is_rolled_back() -> None:
    assert verdicts(Guard(window=1, drop=0.3), [0.1, 0.5, 0.2])[-1] is Verdict.ROLL_BACK
    few = Watch()
    guard = Guard(window=1, drop=0.3)
    assert [few.looked(guard, at, look(rate, count=4)) for at, rate in enumerate([0.5, 0.25])][-1] is Verdict.KEEP


def test_only_the_mean_of_a_window_tells_of_a_fall() -> None:
    assert verdicts(Guard(window=3), [0.1, 0.4, 0.5, 0.6, 0.1])[-1] is Verdict.KEEP
    assert verdicts(Guard(window=3), [0.1, 0.4, 0.5, 0.6, 0.1, 0.1])[-1] is Verdict.ROLL_BACK


def test_after_a_fall_the_best_update_is_the_one_to_go_back_to_and_the_window_begins_anew() -> None:
    watch, guard = Watch(), Guard(window=1)
    for update, rate in enumerate([0.1, 0.3, 0.5, 0.45, 0.1]):
        verdict = watch.looked(guard, update, look(rate))
    assert verdict is Verdict.ROLL_BACK
    assert watch.best_update == 2
    assert (watch.rolled_back, watch.rate, watch.rates) == (1, 0.5, [])


def test_children_that_try_what_is_forbidden_count_as_a_fall_however_good_the_others_are() -> None:
    watch, guard = Watch(), Guard(window=1, violations=0.2)
    assert watch.looked(guard, 0, look(0.1, violations=0.1)) is Verdict.KEEP
    assert watch.looked(guard, 1, look(0.5, violations=0.29)) is Verdict.KEEP
    assert watch.looked(guard, 2, look(0.9, violations=0.31)) is Verdict.ROLL_BACK


def test_what_is_tried_between_looks_adds_up_to_a_fall() -> None:
    watch, guard = Watch(), Guard(window=1, violations=0.25)
    watch.looked(guard, 0, look(0.1, violations=0.125, count=8))
    told = [watch.constrained(guard, [True, False]) for _ in range(3)]
    assert told == [Verdict.KEEP] * 3, "three of the last eight children are as many as may be"
    assert watch.constrained(guard, [False, True]) is Verdict.ROLL_BACK
    assert watch.constrained(guard, [True] * 3) is Verdict.KEEP, "those of the policy that was given up do not count"


def test_what_was_tried_long_ago_is_forgotten() -> None:
    watch, guard = Watch(), Guard(window=1, violations=0.25)
    watch.looked(guard, 0, look(0.1, count=8))
    tried = [[True, True], [False] * 6, [True, True], [False] * 6, [True, True, True]]
    assert [watch.constrained(guard, few) for few in tried] == [Verdict.KEEP] * 4 + [Verdict.ROLL_BACK]


def test_weights_are_trained_no_further_after_too_many_falls() -> None:
    watch, guard = Watch(), Guard(window=1, rollbacks=1)
    for rate in (0.5, 0.1, 0.1):
        assert not watch.frozen(guard)
        watch.looked(guard, 1, look(rate))
    assert watch.frozen(guard)


@pytest.mark.parametrize(("valid", "entropy"), [(0.1, 2.0), (0.9, 0.1)])
def test_a_collapse_has_to_last(valid: float, entropy: float) -> None:
    watch, guard = Watch(), Guard(valid=0.3, entropy=0.2, patience=2)
    seen = [watch.trained(guard, *batch) for batch in [(0.9, 2.0), (valid, entropy), (0.9, 2.0), (valid, entropy),
                                                       (valid, entropy)]]  # fmt: skip
    assert seen == [Verdict.KEEP] * 4 + [Verdict.RESET]
    assert watch.reset == 1


def test_a_gain_is_out_of_the_ordinary_beside_many_others_only() -> None:
    watch, guard = Watch(), Guard(outlier=3.0)
    watch.gained([1.0] * 49)
    assert watch.most_gain(guard) == math.inf
    watch.gained([2.0, -5.0, 0.0])
    assert watch.most_gain(guard) == 6.0


def test_a_batch_is_weighed_by_whether_the_next_one_did_better_than_those_before() -> None:
    better, worse = Watch(), Watch()
    for mean in (0.1, 0.2, 0.1, 0.2):
        better.weight(mean)
        worse.weight(mean)
    assert better.weight(0.25) == pytest.approx(2.0, abs=1e-3)  # (0.25 - 0.15) / 0.05, and 2 is the most
    assert worse.weight(0.125) == pytest.approx(-0.05, abs=1e-3)  # a tenth of (0.125 - 0.15) / 0.05


@given(st.lists(st.floats(0, 1), max_size=12), st.lists(st.floats(0, 1), max_size=12))
def test_what_a_guard_has_seen_survives_a_checkpoint(rates: list[float], later: list[float]) -> None:
    guard, watch = Guard(window=2, rollbacks=2), Watch()
    for update, rate in enumerate(rates):
        watch.looked(guard, update, look(rate))
        watch.trained(guard, rate, rate)
        watch.gained([rate])
        watch.weight(rate)
    again = Watch(**json.loads(json.dumps(watch.state())))
    for update, rate in enumerate(later, start=len(rates)):
        assert watch.looked(guard, update, look(rate)) == again.looked(guard, update, look(rate))
        assert watch.trained(guard, rate, rate) == again.trained(guard, rate, rate)
        assert watch.weight(rate) == again.weight(rate)
    assert watch == again


# -- what an update learns from --------------------------------------------------------------------------------------


def group(scores: Sequence[float | None], **settings: object) -> Group:
    """Rollouts from record 10 on, of a parent of score 1."""
    given = {"number": 10, "parent": 5, "parent_score": 1.0, "shown": (1.0,), "version": 3, **settings}
    rollouts = tuple(
        Rollout(
            record=10 + place,
            outcome=Outcome.CRASHED if score is None else Outcome.SCORED,
            score=score,
            digest=str(place),
            exchanges=(Exchange(prompt_ids=(1,), token_ids=(2, 3), logprobs=(-1.0, -3.0), policy="p"),),
        )
        for place, score in enumerate(scores)
    )
    return Group(rollouts=rollouts, **given)  # type: ignore[arg-type]


def learnt(groups: Sequence[Group], advantage: Advantage | None = None, **settings: object) -> Gathered:
    given = {"training": Training(), "longest": 8, "version": 3, "most_gain": math.inf, **settings}
    return gathered(
        groups, reward=build("rewards", "delta"), advantage=advantage or build("advantages", "dr_grpo"), **given
    )  # type: ignore[arg-type]


def test_what_became_of_a_batch_is_told() -> None:
    facts = learnt([group([2.0, 0.5, None, 1.0])]).facts
    assert facts["improvement_rate"] == 0.25
    assert facts["valid_rate"] == 0.75
    assert facts["outcome/crashed"] == 0.25
    assert facts["entropy"] == 2.0
    assert facts["completions/mean_length"] == 2.0
    assert facts["reward/mean"] == pytest.approx((1.0 - 0.05 - 0.2 + 0.0) / 4)


def test_groups_of_probes_of_controls_and_of_policies_too_old_teach_nothing() -> None:
    scores = [2.0, 0.5]
    assert len(learnt([group(scores)]).examples) == 2
    assert learnt([group(scores)], left_out=frozenset({5})).examples == ()
    assert learnt([group(scores, control=True)]).examples == ()
    assert learnt([group(scores, version=2)]).examples == ()
    [one, _] = learnt([group(scores, version=2)], training=Training(max_staleness=1)).examples
    assert one.staleness == 1
    assert learnt([group([2.0])]).examples == (), "the estimator needs two"


def test_a_group_whose_rewards_are_equal_is_left_out_and_the_others_are_not() -> None:
    found = learnt([group([1.5, 1.5]), group([2.0, 1.0], number=20)])
    assert len(found.examples) == 2
    assert found.facts["frac_reward_zero_std"] == 0.5


def test_an_estimator_that_gives_no_number_is_an_error_and_no_update() -> None:
    class Nan(Advantage):
        def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
            return [
                Advantages(values=np.full(len(one.rewards), np.nan), kept=np.ones(len(one.rewards), bool), facts={})
                for one in groups
            ]

    with pytest.raises(TrainerError, match="record 10 are not finite"):
        learnt([group([2.0, 1.0])], Nan())


def test_what_an_estimator_drops_is_not_learnt_from() -> None:
    found = learnt([group([3.0, 2.0, 1.0])], build("advantages", "mc_grpo"))
    assert [one.member for one in found.examples] == [0, 2]


def test_a_gain_beyond_the_most_counts_as_the_most_and_is_flagged() -> None:
    found = learnt([group([1000.0, 1.5, 1.0])], most_gain=2.0)
    assert found.flagged == (10,)
    assert max(one.advantage for one in found.examples) < 2.0
    assert found.gains == (999.0, 0.5)


# -- looking at a policy ---------------------------------------------------------------------------------------------


def test_a_look_tells_what_came_of_every_probe_and_who_tried_what_is_forbidden() -> None:
    came: list[Scored | Failed] = [
        Scored(score=3.0), Scored(score=1.0), Scored(score=5.0), Failed(cause=Cause.FORBIDDEN),
        Failed(cause=Cause.UNDECODABLE), Failed(cause=Cause.CRASHED),
    ]  # fmt: skip
    asked: list[tuple[str, int, str]] = []

    async def tried(draft: Draft, policy: str) -> Proposal:
        asked.append((policy, draft.parents[0].number, str(draft.seed_for("turn 0"))))
        candidate = Candidate(content=None, island=0, operator="one")
        return Proposal(candidate=candidate, evaluation=came[len(asked) - 1], cost=Cost(calls=2))

    elites = [Elite(number, Program.of("x"), Scored(score=2.0), ()) for number in (7, 8, 9)]
    brief = Brief(name="b", goal="", entry="f")
    probes = Probes(elites, guard=Guard(samples=2), operator="one", arm="", brief=brief, seed=0)
    seen, facts = asyncio.run(probes.looked_at("p-v3", tried))
    assert [(policy, number) for policy, number, _ in asked] == [("p-v3", number) for number in (7, 8, 9, 7, 8, 9)]
    assert len({seed for *_, seed in asked}) == 6
    assert (seen.rate, seen.violations) == (2 / 6, 1 / 6)
    assert facts == {
        "probe/improvement_rate": 2 / 6, "probe/valid_rate": 3 / 6, "probe/mean_gain": pytest.approx(1.0),
        "probe/violations": 1 / 6, "probe/evaluations": 12.0,
    }  # fmt: skip
    assert probes.numbers == {7, 8, 9}


def test_a_few_children_at_a_time_are_those_of_a_look_in_turns() -> None:
    asked: list[tuple[int, int]] = []

    async def tried(draft: Draft, policy: str) -> Proposal:
        asked.append((draft.parents[0].number, draft.member))
        evaluation = Failed(cause=Cause.FORBIDDEN) if draft.parents[0].number == 8 else Scored(score=1.0)
        return Proposal(
            candidate=Candidate(content=None, island=0, operator="one"), evaluation=evaluation, cost=Cost(calls=2)
        )

    elites = [Elite(number, Program.of("x"), Scored(score=2.0), ()) for number in (7, 8, 9)]
    brief = Brief(name="b", goal="", entry="f")
    probes = Probes(elites, guard=Guard(samples=2, constraints=4), operator="one", arm="", brief=brief, seed=0)
    found = [asyncio.run(probes.constrained(update, "p", tried)) for update in (1, 2)]
    first, second = asked[:4], asked[4:]
    assert set(first) | set(second) == {(number, member) for number in (7, 8, 9) for member in (0, 1)}
    assert [forbidden for forbidden, _ in found] == [[number == 8 for number, _ in few] for few in (first, second)]
    assert found[0][1]["probe/evaluations"] == 8.0
