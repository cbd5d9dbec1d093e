"""What goes wrong at the edges of a campaign costs nothing that was recorded, and is told in one line."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import PrivateAttr

from evoengine import Campaign, Context, Feature, Problem, Program, Score, Stage
from evoengine.errors import CampaignError, ProblemError, SettingError
from evoengine.events import Committed, Event
from evoengine.executors.inline import Inline
from evoengine.generators.scripted import Scripted
from evoengine.operators.base import Conversation, Operator
from evoengine.problem import Player, Reject
from evoengine.reading import Reading
from evoengine.stopping import Records
from evoengine.types import Candidate, Cause, Draft, Failed, Record, Scored, Trials
from tests.campaigns.numbers import Numbers, campaign_of


def records_of(campaign: Campaign) -> list[Record]:
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    return list(campaign.store.replay(row))


def test_a_watcher_that_raises_is_dropped_and_the_run_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Event] = []

    def broken(event: Event) -> None:
        if isinstance(event, Committed) and event.record.number == 5:
            raise OSError("no such screen")

    with campaign_of(tmp_path, watchers=[broken, told.append]) as campaign:
        assert campaign.run(stop=Records(20)) == "20 records are there"
    assert "no such screen" in caplog.text
    assert [event.record.number for event in told if isinstance(event, Committed)] == list(range(1, 21))


class Busy(Scripted):
    """Keeps two cores busy, as it says."""

    @property
    def cores(self) -> int:
        return 2


class Told(Inline):
    """Remembers what it was told."""

    _told: list[int] = PrivateAttr(default_factory=list)

    def give_way(self, cores: int) -> None:
        self._told.append(cores)


def test_the_executor_is_told_how_many_cores_the_models_keep_busy(tmp_path: Path) -> None:
    executor = Told()
    several = {"use": "ensemble", "members": {"one": Busy(), "other": Busy()}}
    with campaign_of(tmp_path, executor=executor, generator=several, task_model=Busy()) as campaign:
        campaign.run(stop=Records(2))
    assert executor._told == [6]
    both, same = Told(), Busy()
    with campaign_of(tmp_path / "same", executor=both, generator=same, task_model=same) as campaign:
        campaign.run(stop=Records(2))
    assert both._told == [2]


class Surrogate(Numbers):
    def judge(self, outputs: list[Any]) -> Score:
        if outputs[0] == 1:
            return Score(1.0, feedback="caf\u00e9 \ud800", instances={"\udfff": 1.0})
        raise Reject("got \ud800\0\x1b[31m")


def test_feedback_that_has_no_utf8_form_is_kept_and_breaks_nothing(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Surrogate()) as campaign:
        campaign.run(stop=Records(6))
    with campaign_of(tmp_path, Surrogate()) as campaign:
        campaign.run(stop=Records(8))
        first, second, *_ = records_of(campaign)
    assert first.evaluation.feedback == "caf\u00e9 \ud800"
    assert isinstance(first.evaluation, Scored)
    assert dict(first.evaluation.instances) == {"\udfff": 1.0}
    assert second.evaluation == Failed(cause=Cause.REJECTED, feedback="got \ud800\0\x1b[31m")


class Huge(Numbers):
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    features = (Feature(name="size", low=0, high=100, bins=50),)

    def judge(self, outputs: list[Any]) -> Score:
        return Score(1.7e308, size=float(outputs[0]))


def test_scores_whose_sum_is_no_float_do_not_end_a_campaign(tmp_path: Path) -> None:
    for wanted in (30, 60):
        with campaign_of(tmp_path, Huge(), snapshot_every=5) as campaign:
            campaign.run(stop=Records(wanted))
            assert campaign.progress.records == wanted


def test_told_records_that_could_not_be_replayed_are_refused_before_they_are_stored(tmp_path: Path) -> None:
    child = Program.of("def number():\n    return 7\n")
    fine = Candidate(content=child, island=0, operator="mine", parents=(1,))
    judged = Scored(score=7.0, features={"length": 20.0})
    with campaign_of(tmp_path) as campaign:
        for candidate, evaluation, says in (
            (fine, Scored(score=7.0), "lacks the problem's features length"),
            (replace(fine, parents=(2,)), judged, "names parent 2; the campaign's records are 1 to 1"),
            (replace(fine, content=None), judged, "no content"),
            (replace(fine, operator="seed"), judged, "name another"),
        ):
            with pytest.raises(CampaignError, match=says):
                campaign.tell(candidate, evaluation)
        assert campaign.tell(fine, judged).number == 2
    with campaign_of(tmp_path) as campaign:
        assert campaign.progress.records == 2


def test_seeds_are_recorded_before_what_is_told_first(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.tell(Candidate(content=None, island=0, operator="mine"), Failed(cause=Cause.UNDECODABLE))
        assert [record.candidate.operator for record in records_of(campaign)] == ["seed", "mine"]
        campaign.run(stop=Records(5))


def test_a_run_after_asks_follows_from_the_log_alone(tmp_path: Path) -> None:
    with campaign_of(tmp_path, name="plain") as campaign:
        campaign.run(stop=Records(30))
        plain = campaign.digest()
    with campaign_of(tmp_path, name="asked") as campaign:
        for _ in range(4):
            campaign.ask()
        assert campaign.run(stop=Records(30)) == "30 records are there"
        assert campaign.digest() == plain


class Moody(Numbers):
    name = "moody"
    seed = "import random\ndef number():\n    return random.random()\n"
    repeats = 5


def test_a_noisy_seed_is_believed_no_sooner_than_its_children(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Moody()) as campaign:
        campaign.run(stop=Records(1))
        assert records_of(campaign)[0].cost.calls == 5


class Forgets(Numbers):
    features = (Feature(name="size", low=0, high=100, bins=5),)

    def judge(self, outputs: list[Any]) -> Score:
        return Score(float(outputs[0]), size=1.0) if outputs[0] % 2 else Score(1e6)


def test_a_judge_that_sometimes_forgets_a_feature_costs_those_candidates_only(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Forgets()) as campaign:
        campaign.run(stop=Records(9))
        records = records_of(campaign)
    assert [isinstance(record.evaluation, Scored) for record in records] == [True, False] * 4 + [True]
    assert "has a feature 'size'" in records[1].evaluation.feedback


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"direction": "maximise"}, "direction is 'maximise'; write 'maximize' or 'minimize'"),
        ({"seed": 5}, "seed is no text"),
        ({"seed": ()}, "seed is empty"),
        ({"stages": (Stage(name="unseen", held_out=True),)}, "one that is not held out"),
        ({"repeats": 0}, "at least 1"),
    ],
)
def test_a_problem_that_says_wrong_things_of_itself_is_refused_when_it_is_made(
    attributes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ProblemError, match=says):
        type("Wrong", (Numbers,), attributes)()


def test_a_problem_without_a_seed_is_told_so() -> None:
    class Bare(Problem):
        name = "bare"
        goal = "nothing"

    with pytest.raises(ProblemError, match="Bare has no 'seed'; give it one"):
        Bare()


@pytest.mark.parametrize("setting", [{"window": 0}, {"seed": 2**63}, {"inspirations": -1}, {"seed": 1.5}])
def test_numbers_out_of_range_are_refused_at_once(tmp_path: Path, setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="takes a whole number from"):
        campaign_of(tmp_path, **setting)


class Playbook(Problem):
    name = "playbook"
    goal = "a long text"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    seed = (Context(sections={"instructions": "be brief"}), Context(sections={"instructions": "be brief"}))
    features = (Feature(name="length", low=0, high=100, bins=5),)
    stages = (Stage(name="seen"), Stage(name="unseen", held_out=True))

    def play(self, candidate: Player, stage: str = "seen") -> Score:
        assert isinstance(candidate.content, Context)
        text = candidate.content.sections["instructions"]
        return Score(float(len(text)) + (stage == "unseen"), instances={"one": 2.0})


class Shorter(Operator):
    def breed(self, draft: Draft) -> Conversation:
        parent = draft.parents[0].content
        assert isinstance(parent, Context)
        return Context(sections={"instructions": parent.sections["instructions"][:-1] or "x", "n": str(draft.number)})
        yield


def test_contexts_are_evolved_and_everything_is_shown_in_the_problems_own_direction(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/contexts.db"
    with Campaign(Playbook(), store=store, operators=[Shorter()], executor=Inline(), islands=1, window=1) as campaign:
        assert campaign.run(until_score=4, evaluations=300) == "the target 4 is reached"
        row = campaign.store.campaign("playbook")
        assert row is not None
        reading = Reading(campaign.store, row)
        summary = reading.summary()
        described = reading.described(reading.record(summary["best_number"]))
    assert summary["best_score"] == described["score"] == 4.0
    assert described["instances"] == {"one": 2.0}
    assert described["checks"] == {"unseen": 5.0}
    assert described["content"]["sections"]["instructions"] == "be b"
    assert math.isfinite(summary["qd_score"])


class Dear(Operator):
    """Pays a number of trials, as many as the proposal's number has it."""

    def most_calls(self, arm: str) -> int:
        return 40

    def breed(self, draft: Draft) -> Conversation:
        points = [()] * (draft.number * 7 % 41)
        yield Trials(program=Program.of("def number():\n    return 1\n"), points=points)
        return Program.of(f"def number():\n    return {draft.number}\n")


@pytest.mark.parametrize("window", [1, 16])
@pytest.mark.slow
def test_a_budget_is_overspent_by_the_last_proposal_only(tmp_path: Path, window: int) -> None:
    settings: dict[str, Any] = {"executor": Inline(), "window": window}
    for evaluations in (100, 333):
        store = f"sqlite:///{tmp_path}/dear{evaluations}.db"
        with Campaign(Numbers(), store=store, operators=[Dear()], **settings) as campaign:
            campaign.run(evaluations=evaluations)
            *before, last = [record.cost.calls for record in records_of(campaign)]
            assert sum(before) < evaluations <= sum(before) + last == campaign.progress.evaluations
            whole = campaign.digest()
    with Campaign(Numbers(), name="parts", store=store, operators=[Dear()], **settings) as campaign:
        for evaluations in (50, 200, 333):
            campaign.run(evaluations=evaluations)
        assert campaign.digest() == whole
