"""Training beside the search: what is asked, what is learnt from, and what keeps it from going wrong."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evoengine import Campaign, Context, Feature, Problem, Score
from evoengine.errors import ProblemError, SettingError, TrainerError
from evoengine.events import Event, Updated
from evoengine.operators.base import Conversation, Operator
from evoengine.rl.gathering import AGAIN, UNVERIFIED
from evoengine.stores.base import Update
from evoengine.types import Cause, Content, Draft, Failed, Judgement, Program, Prompt, Record, Scored, Stage
from plugins.generators.replay import Replay
from tests.rl.dial import Dial, Heights, Step, Trusting, Turn, campaign_of, turn

pytestmark = pytest.mark.slow

STEP = 12
"""Records in a step: three groups of four."""


def records_of(campaign: Campaign) -> list[Record]:
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    return list(campaign.store.replay(row))


def updates_of(campaign: Campaign) -> list[Update]:
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    return campaign.store.updates(row)


def ran(
    folder: Path, steps: float, trainer: Turn | None = None, **settings: Any
) -> tuple[list[Record], list[Update], str]:
    """A campaign of so many steps: its records, updates and digest."""
    folder.mkdir(exist_ok=True)
    with campaign_of(folder, trainer, **settings) as campaign:
        campaign.run(evaluations=1 + round(steps * STEP))
        return records_of(campaign), updates_of(campaign), campaign.digest()


def told(updates: list[Update]) -> list[tuple[Any, ...]]:
    """Updates without what a clock measured."""
    return [
        (one.number, one.record, one.policy, {key: value for key, value in one.facts.items() if "seconds" not in key})
        for one in updates
    ]


# -- what is asked ---------------------------------------------------------------------------------------------------


def test_the_members_of_a_group_are_asked_the_same_and_answer_each_for_itself(tmp_path: Path) -> None:
    records, *_ = ran(tmp_path, 4)
    groups: dict[int | None, list[Record]] = {}
    for record in records[1:]:
        groups.setdefault(record.candidate.group, []).append(record)
    assert len(groups) == 12
    assert None not in groups
    for number, members in groups.items():
        turns = [record.candidate.turns[0] for record in members]
        assert number == members[0].number
        assert len(members) == 4
        assert len({record.candidate.parents for record in members}) == 1
        assert len({turn.prompt.messages[0]["content"] for turn in turns}) == 1
        assert len({turn.prompt.seed for turn in turns}) == 4
        assert all(turn.completion.prompt_ids and turn.completion.logprobs for turn in turns)


def test_no_member_of_a_step_sees_what_another_came_to(tmp_path: Path) -> None:
    records, *_ = ran(tmp_path, 5)
    for record in records[1:]:
        step = (record.number - 2) // STEP
        assert all(parent <= 1 + step * STEP for parent in record.candidate.parents)


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_a_step_asks_the_policy_of_the_update_that_its_staleness_allows(tmp_path: Path, lag: int) -> None:
    trainer = turn(max_staleness=lag)
    records, updates, _ = ran(tmp_path, 6, trainer)
    for record in records[1:]:
        step = (record.number - 2) // STEP + 1
        version = max(0, step - 1 - lag)
        asked = "dial" if version == 0 else f"heights-v{version}"
        assert record.candidate.version == version
        assert record.candidate.turns[0].completion.policy == asked
    assert [one.number for one in updates] == [1, 2, 3, 4, 5, 6]
    assert [one.facts["staleness"] for one in updates] == [min(lag, number) for number in range(6)]
    assert all(one.staleness <= lag for batch in trainer.batches for one in batch.examples)


def test_learning_raises_the_share_of_improvements_above_that_of_a_policy_that_stays(tmp_path: Path) -> None:
    _, updates, _ = ran(tmp_path, 8, turn(group=4, groups=6, rate=1.0))
    shares = [one.facts["share"] or 0.0 for one in updates]
    assert shares[0] > 0.3
    assert shares[-1] > 0.8


def test_a_share_of_the_groups_asks_the_first_policy_and_teaches_nothing(tmp_path: Path) -> None:
    trainer = turn(control=0.5)
    records, updates, _ = ran(tmp_path, 8, trainer)
    later = [record for record in records if record.number > 1 + STEP]
    control = [record for record in later if record.candidate.control]
    assert 0.2 < len(control) / len(later) < 0.8
    assert {record.candidate.turns[0].completion.policy for record in control} == {"dial"}
    assert all("dial" not in record.candidate.turns[0].completion.policy for record in later if record not in control)
    taught = {one.exchange.policy for batch in trainer.batches[1:] for one in batch.examples}
    assert "dial" not in taught
    assert any("control/improvement_rate" in one.facts for one in updates)


# -- determinism, resume, replay -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_staleness": 1},
        {"control": 0.3, "guard": {"probes": 2, "every": 2}},
        {"allocation": "deviation"},
        {"guard": {"probes": 0, "reweigh": True}},
    ],
)
def test_stopped_and_taken_up_again_it_is_the_same_campaign(tmp_path: Path, settings: dict[str, Any]) -> None:
    whole = ran(tmp_path / "whole", 6, turn(**settings))
    folder = tmp_path / "parts"
    folder.mkdir()
    for steps in (0.4, 1.0, 2.7, 2.9, 4.0, 6.0):
        with campaign_of(folder, turn(**settings), snapshot_every=5) as campaign:
            campaign.run(evaluations=1 + round(steps * STEP))
            parts = records_of(campaign), updates_of(campaign), campaign.digest()
    assert parts[2] == whole[2]
    assert told(parts[1]) == told(whole[1])
    assert [record.candidate for record in parts[0]] == [record.candidate for record in whole[0]]


def test_what_a_trained_policy_said_is_replayed_without_a_trainer(tmp_path: Path) -> None:
    records, _, digest = ran(tmp_path, 5, turn(control=0.3))
    trainer = turn(control=0.3)
    again = Replay(store=f"{tmp_path}/heights.db")
    with campaign_of(tmp_path, trainer, again, name="again") as campaign:
        campaign.run(evaluations=1 + 5 * STEP)
        assert campaign.digest() == digest
        assert len(records_of(campaign)) == len(records)
    assert trainer.calls == []


def test_a_resume_loads_the_policies_that_work_in_flight_asks_and_no_others(tmp_path: Path) -> None:
    ran(tmp_path, 5.5, turn(max_staleness=1))
    generator = Dial()
    with campaign_of(tmp_path, turn(max_staleness=1), generator) as campaign:
        campaign.run(evaluations=1 + round(5.7 * STEP))
    assert generator.loaded == ["dial", "heights-v4", "heights-v5"]


def test_an_update_that_fails_ends_the_run_with_its_reason_and_a_later_run_makes_it(tmp_path: Path) -> None:
    whole = ran(tmp_path / "whole", 4)

    def fails(number: int) -> None:
        if number == 3:
            raise TrainerError("out of memory: lower micro_tokens.")

    with campaign_of(tmp_path, turn(before=fails)) as campaign:
        with pytest.raises(TrainerError, match="lower micro_tokens"):
            campaign.run(evaluations=1 + 4 * STEP)
        assert [one.number for one in updates_of(campaign)] == [1, 2]
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=1 + 4 * STEP)
        assert campaign.digest() == whole[2]


# -- checkpoints -----------------------------------------------------------------------------------------------------


def folder_of(tmp_path: Path) -> Path:
    return tmp_path / "heights.db-policies" / "heights"


def test_lost_checkpoints_are_made_anew_from_the_log(tmp_path: Path) -> None:
    whole = ran(tmp_path / "whole", 6)
    ran(tmp_path, 4.5)
    shutil.rmtree(folder_of(tmp_path))
    parts = ran(tmp_path, 6)
    assert parts[2] == whole[2]
    assert told(parts[1]) == told(whole[1])


def test_a_lost_checkpoint_is_asked_for_where_the_log_was_not_read_from_its_start(tmp_path: Path) -> None:
    with campaign_of(tmp_path, snapshot_every=2 * STEP) as campaign:
        campaign.run(evaluations=1 + round(8.5 * STEP))
    shutil.rmtree(folder_of(tmp_path))
    with campaign_of(tmp_path) as campaign, pytest.raises(TrainerError, match="update 5, and its checkpoint is not in"):
        campaign.run(evaluations=1 + 9 * STEP)


def test_a_checkpoint_of_other_records_is_refused(tmp_path: Path) -> None:
    ran(tmp_path / "one", 3, seed=1)
    ran(tmp_path / "two", 3, seed=2)
    shutil.rmtree(folder_of(tmp_path / "two"))
    shutil.copytree(folder_of(tmp_path / "one"), folder_of(tmp_path / "two"), symlinks=True)
    with campaign_of(tmp_path / "two", seed=2) as campaign, pytest.raises(TrainerError, match="seed = 1"):
        campaign.run(evaluations=1 + 4 * STEP)
    for state in folder_of(tmp_path / "two").glob("v*/state.json"):
        state.write_text(state.read_text().replace('"seed": 1', '"seed": 2'))
    with (
        campaign_of(tmp_path / "two", seed=2) as campaign,
        pytest.raises(TrainerError, match="records up to there are"),
    ):
        campaign.run(evaluations=1 + 4 * STEP)


def test_checkpoints_that_nobody_needs_are_removed(tmp_path: Path) -> None:
    ran(tmp_path, 8, turn(keep=1, max_staleness=1))
    kept = sorted(path.name for path in folder_of(tmp_path).glob("v*"))
    assert kept == ["v5", "v6", "v7", "v8"]
    assert len(list((folder_of(tmp_path) / "policies").iterdir())) == 4


def test_a_campaign_of_any_name_has_a_folder_and_policies_of_plain_names(tmp_path: Path) -> None:
    with campaign_of(tmp_path, name="../a b/é.1") as campaign:
        campaign.run(evaluations=1 + 2 * STEP)
        policies = [one.policy for one in updates_of(campaign)]
    [folder] = (tmp_path / "heights.db-policies").iterdir()
    assert policies == [f"{folder.name}-v1", f"{folder.name}-v2"]
    assert folder.name.replace("-", "").replace("_", "").isalnum()


# -- safeguards ------------------------------------------------------------------------------------------------------


def test_a_step_in_which_nothing_was_better_or_worse_changes_nothing(tmp_path: Path) -> None:
    trainer = turn()
    _, updates, _ = ran(tmp_path, 3, trainer, generator=Dial(unclear=1.0))
    assert not [call for call in trainer.calls if call.startswith("step")]
    assert [one.facts["skipped"] for one in updates] == [1.0, 1.0, 1.0]
    assert {one.facts["frac_reward_zero_std"] for one in updates} == {1.0}


def test_advantages_are_cut_to_the_cap(tmp_path: Path) -> None:
    trainer = turn(advantage_cap=0.125)
    _, updates, _ = ran(tmp_path, 3, trainer)
    seen = {abs(one.advantage) for batch in trainer.batches for one in batch.examples}
    assert max(seen) == 0.125
    assert (updates[0].facts["advantage/capped"] or 0) > 0


class Flattering(Heights):
    """Says more at a first look than at any later one."""

    name = "flattering"
    _seen: dict[int, int] = {}

    def judge(self, outputs: list[Any]) -> Score:
        height = int(outputs[0])
        self._seen[height] = self._seen.get(height, 0) + 1
        flattered = 1000.0 if self._seen[height] == 1 and height > 101 else 0.0
        return Score(height + flattered, last=height % 10)


def test_a_new_best_that_does_not_hold_when_it_is_judged_again_earns_nothing(tmp_path: Path) -> None:
    trainer = turn(verify=True)
    with campaign_of(tmp_path, trainer, problem=Flattering(), evaluator=None) as campaign:
        campaign.run(evaluations=1 + STEP)
        checks = {(check.number, check.stage): check.evaluation for check in campaign.checks()}
        [update] = updates_of(campaign)
        best = max(records_of(campaign), key=lambda one: getattr(one.evaluation, "score", -1.0))
    again = checks[best.number, AGAIN]
    assert isinstance(again, Scored)
    assert again.score < 1000
    assert (best.number, UNVERIFIED) in checks
    assert update.facts["unverified"] == sum(stage == UNVERIFIED for _, stage in checks)
    assert (update.facts["outcome/unverified"] or 0) > 0


class Sited(Step):
    """Makes programs whose answer tells the process that they were forked from: where `None` lies in its memory."""

    def breed(self, draft: Draft) -> Conversation:
        yield from super().breed(draft)
        return Program.of(f"def number():\n    return id(None)  # {draft.number} {draft.member}\n")


def test_a_new_best_is_judged_again_in_a_jail_that_has_held_no_other(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "problem": Heights(top=2**64),
        "operators": [Sited()],
        "sandbox": "jail",
        "evaluator": None,
    }
    with campaign_of(tmp_path, turn(verify=True), **given) as campaign:
        campaign.run(evaluations=1 + STEP)
        checks = {check.number: check.evaluation for check in campaign.checks() if check.stage == AGAIN}
        [_, first, *others] = records_of(campaign)
    assert first.tier in ("T1", "T2", "T3", "T4")
    assert isinstance(first.evaluation, Scored)
    scores = {getattr(one.evaluation, "score", None) for one in others}
    assert scores == {first.evaluation.score}, "the search's own children come of one process"
    again = checks[first.number]
    assert isinstance(again, Scored), "it is held to the same rules, and runs"
    assert again.score != first.evaluation.score


class HeldOut(Heights):
    """Turns what ends in an even digit down on a stage that selection never sees."""

    name = "held_out"
    stages = (Stage(name="full"), Stage(name="unseen", held_out=True))

    def inputs(self, stage: str = "full") -> list[tuple[()]]:
        self.__dict__["now"] = stage
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        if self.__dict__["now"] == "unseen":
            assert outputs[0] % 2, "an even number"
        return super().judge(outputs)


def test_a_new_best_has_to_hold_on_held_out_stages(tmp_path: Path) -> None:
    trainer = turn(verify=True)
    with campaign_of(tmp_path, trainer, problem=HeldOut(), evaluator=None) as campaign:
        campaign.run(evaluations=1 + 4 * STEP)
        checks = campaign.checks()
        records = {record.number: record for record in records_of(campaign)}
    unverified = [check.number for check in checks if check.stage == UNVERIFIED]
    heights = {int(records[number].candidate.content.text.split()[-1]) for number in unverified}  # type: ignore[union-attr]
    assert heights
    assert all(height % 2 == 0 for height in heights)
    assert any(check.stage == "unseen" and isinstance(check.evaluation, Scored) for check in checks)


def spoils(trainer: Callable[[], Turn], at: int) -> Callable[[int], None]:
    """Turns the dial down before an update."""

    def before(number: int) -> None:
        if number == at:
            trainer()._share = 0.001  # what a bad update does

    return before


def test_a_policy_that_does_worse_on_the_probes_is_taken_back_to_the_best(tmp_path: Path) -> None:
    trainer = turn(guard={"probes": 4, "samples": 8, "every": 1, "window": 1, "patience": 10**6}, groups=6, rate=1.0)
    trainer.before = spoils(lambda: trainer, 6)
    _, updates, _ = ran(tmp_path, 16, trainer)
    rolled = [one for one in updates if one.policy.endswith("-roll_back")]
    assert [one.number for one in rolled] == [6]
    [call] = [call for call in trainer.calls if call.startswith("revert")]
    assert call != "revert first"
    assert trainer._slow == 0.5
    assert (updates[6].facts["share"] or 0.0) > 0.5, "what is learnt on begins with the best policy, not the spoilt one"
    assert updates[5].facts["rollbacks"] == 1.0


def test_after_too_many_falls_the_weights_stay_and_the_search_goes_on(tmp_path: Path) -> None:
    trainer = turn(guard={"probes": 4, "samples": 8, "every": 1, "window": 1, "rollbacks": 0, "patience": 10**6},
                   groups=6, rate=1.0)  # fmt: skip
    trainer.before = spoils(lambda: trainer, 4)
    records, updates, _ = ran(tmp_path, 16, trainer)
    assert [one.facts["skipped"] for one in updates][:4] == [0.0] * 4
    assert {one.facts["skipped"] for one in updates[4:]} == {1.0}
    assert records[-1].candidate.version == 7


def test_a_policy_that_has_collapsed_is_reset_and_the_archive_stays(tmp_path: Path) -> None:
    trainer = turn(guard={"probes": 0, "entropy": 0.5, "patience": 2}, rate=3.0)
    with campaign_of(tmp_path, trainer) as campaign:
        best = []
        campaign.watchers.append(lambda event: best.append(campaign.best()) if isinstance(event, Updated) else None)
        campaign.run(evaluations=1 + 10 * STEP)
        updates = updates_of(campaign)
    reset = [one.number for one in updates if one.policy.endswith("-reset")]
    assert reset
    assert "revert first" in trainer.calls
    scores = [elite.scored.score for elite in best if elite is not None]
    assert scores == sorted(scores)


def test_the_probes_are_never_learnt_from_and_enter_no_archive(tmp_path: Path) -> None:
    class Probed(Heights):
        name = "probed"

        def probes(self) -> list[str]:
            return [f"def number():\n    return {height}\n" for height in (5000, 6000)]

    with campaign_of(tmp_path, turn(guard={"probes": 2, "every": 1}), problem=Probed()) as campaign:
        campaign.run(evaluations=1 + 3 * STEP)
        best, updates = campaign.best(), updates_of(campaign)
    assert best is not None
    assert best.scored.score < 1000
    assert all("probe/improvement_rate" in one.facts for one in updates)
    assert "first_probe/improvement_rate" in updates[0].facts


class Turning(Trusting):
    """Holds children of probes to have tried what is forbidden, while `away` says so."""

    away: bool = False

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        assert isinstance(content, Program)
        if self.away and 4900 < int(content.text.split()[-1]) < 5100:
            return Judgement(evaluation=Failed(cause=Cause.FORBIDDEN), calls=1)
        return super().evaluate(content, above=above, stage=stage)


def test_each_update_asks_what_the_policy_tries_and_one_that_drifts_is_taken_back_between_looks(tmp_path: Path) -> None:
    class Probed(Heights):
        name = "probed"

        def probes(self) -> list[str]:
            return [f"def number():\n    return {height}\n" for height in (5000, 5030)]

    problem = Probed()
    judge = Turning(problem)
    guard = {"probes": 2, "samples": 4, "every": 10, "constraints": 2, "violations": 0.4, "patience": 10**6}
    trainer = turn(guard=guard)

    def drifts(number: int) -> None:
        judge.away = number >= 4

    trainer.before = drifts
    _, updates, _ = ran(tmp_path, 6, trainer, problem=problem, evaluator=judge)
    tried = [(one.facts["probe/violations"], one.facts["probe/evaluations"]) for one in updates]
    assert tried == [(0.0, 2.0)] * 3 + [(1.0, 2.0)] * 3
    rolled = [one.number for one in updates if one.policy.endswith("-roll_back")]
    assert rolled == [5], "four of the last eight, and no more than 0.4 of them may"


def test_elites_that_became_probes_teach_nothing(tmp_path: Path) -> None:
    some, none = turn(guard={"probes": 1000, "every": 1000}), turn()
    _, probed, _ = ran(tmp_path / "some", 6, some, selector="uniform")
    _, others, _ = ran(tmp_path / "none", 6, none, selector="uniform")
    assert {one.facts["groups"] for one in others} == {3.0}
    assert min(one.facts["groups"] or 0 for one in probed) < 3.0
    assert some.batches, "most elites are there to be learnt from"


def test_a_gain_out_of_the_ordinary_is_flagged_and_counts_no_more_than_the_largest_ordinary_one(tmp_path: Path) -> None:
    class Leap(Heights):
        name = "leap"

        def judge(self, outputs: list[Any]) -> Score:
            height = int(outputs[0])
            return Score(height + (10**6 if height > 150 else 0), last=height % 10)

    _, updates, _ = ran(tmp_path, 40, turn(rate=2.0, groups=6, reward="delta"), problem=Leap())
    assert sum(one.facts["flagged"] or 0 for one in updates) > 0
    assert max(one.facts["reward/mean"] or 0 for one in updates) < 10


class Worded(Problem):
    """A context, judged by what a model says under it."""

    name = "worded"
    goal = "a context"
    seed = Context(sections={"words": "0"})
    features = (Feature(name="length", low=0, high=100, bins=5),)

    def converse(self, context: Context) -> Conversation:
        answer = yield Prompt(messages=({"role": "user", "content": context.sections["words"]},))
        return Score(float(len(context.sections["words"])) + (answer.text == "up"))


class Reword(Operator):
    """Asks for a word, and adds it."""

    speaks: ClassVar[bool] = True

    def breed(self, draft: Draft) -> Conversation:
        context = draft.parents[0].content
        assert isinstance(context, Context)
        answer = yield Prompt(messages=({"role": "user", "content": "a word"},))
        return Context(sections={"words": f"{context.sections['words']} {answer.text} {draft.member}"})


def test_the_model_that_contexts_are_judged_by_is_not_the_one_that_learns(tmp_path: Path) -> None:
    with campaign_of(tmp_path, problem=Worded(), operators=[Reword()], evaluator=None) as campaign:
        campaign.run(evaluations=1 + 4 * STEP)
        turns = [turn for record in records_of(campaign) for turn in record.candidate.turns]
        assert updates_of(campaign)
    assert {turn.completion.policy for turn in turns if turn.judging} == {"dial"}
    assert "worded-v2" in {turn.completion.policy for turn in turns if not turn.judging}


def test_a_batch_that_did_well_is_learnt_from_once_more_where_that_is_asked_for(tmp_path: Path) -> None:
    trainer = turn(guard={"probes": 0, "patience": 10**6, "reweigh": True})
    _, updates, _ = ran(tmp_path, 8, trainer)
    again = [one for one in updates if one.facts.get("reweighed")]
    calls = Counter(call for call in trainer.calls if call.startswith("step"))
    assert again
    assert {calls[f"step {one.number}"] for one in again} == {2}


# -- what is refused -------------------------------------------------------------------------------------------------


def test_what_cannot_be_trained_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"temperature is 0\.5"):
        campaign_of(tmp_path, generator=Dial(temperature=0.5))
    with pytest.raises(SettingError, match="groups of 2 rollouts at least"):
        campaign_of(tmp_path, turn(group=1))
    with pytest.raises(SettingError, match="needs a generator"):
        Campaign(Heights(), store=f"{tmp_path}/x.db", trainer=turn(), operators=["structural"])
    campaign_of(tmp_path, turn(group=1, advantage="parent")).close()


class Whole(Turn):
    """A trainer after whose updates the policies before are gone."""

    adapts: ClassVar[bool] = False


def test_a_trainer_of_the_model_itself_is_refused_where_the_model_has_to_be_asked_as_it_was(tmp_path: Path) -> None:
    def whole(**settings: Any) -> Whole:
        return Whole(**{"group": 4, "groups": 3, "control": 0.0, **settings})

    with pytest.raises(SettingError, match="control = 0 and max_staleness = 0"):
        campaign_of(tmp_path, whole(control=0.1))
    with pytest.raises(SettingError, match="control = 0 and max_staleness = 0"):
        campaign_of(tmp_path, whole(max_staleness=1))
    with pytest.raises(SettingError, match="judge asks the model for its opinion"):
        campaign_of(tmp_path, whole(), gates=["judge"])
    with pytest.raises(SettingError, match="the problem asks the model for its opinion"):
        campaign_of(tmp_path, whole(), problem=Worded(), operators=[Reword()], evaluator=None)
    campaign_of(tmp_path, whole()).close()


def test_a_campaign_whose_seed_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    trainer = turn()
    with campaign_of(tmp_path, trainer, problem=Heights(top=50)) as campaign:
        with pytest.raises(ProblemError, match="no seed of problem"):
            campaign.run(evaluations=100)
        assert campaign.store.campaigns() == []
    assert trainer.calls == [], "nothing was loaded"


def test_another_trainer_is_another_campaign(tmp_path: Path) -> None:
    ran(tmp_path, 1)
    with campaign_of(tmp_path, turn(group=6)) as campaign, pytest.raises(Exception, match="was started with trainer"):
        campaign.run(evaluations=100)


def test_the_policies_of_updates_are_told_as_they_are_made(tmp_path: Path) -> None:
    events: list[Event] = []
    with campaign_of(tmp_path) as campaign:
        campaign.watchers.append(events.append)
        campaign.run(evaluations=1 + 3 * STEP)
    updates = [one for one in events if isinstance(one, Updated)]
    assert [one.number for one in updates] == [1, 2, 3]
    assert Counter(name for one in updates for name in one.facts)["improvement_rate"] == 3
