"""Baselines at the same budget: each does what it says, and one seed gives one archive with all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine import Campaign
from evoengine.errors import CampaignError, SettingError
from evoengine.generators.scripted import Scripted
from evoengine.mutators import MUTATORS, Chain, FirstSeed, Lineup
from evoengine.parts import PLAIN_OPERATORS
from evoengine.types import SEED, Prompt, Record, Scored
from tests.campaigns.language import peak_answers
from tests.conftest import evoengine
from tests.strategies import histories

BASELINES = [name for name in MUTATORS if name != "evolve"]


class Gone(Scripted):
    """A model that cannot be reached."""

    async def __aenter__(self) -> Gone:
        raise AssertionError("the model was started")


def campaign_of(mutator: str = "evolve", name: str = "one", **settings: Any) -> Campaign:
    given = {"generator": Scripted(answers=peak_answers), "sandbox": "none", "workers": 1, **settings}
    return Campaign("peak", name=name, store="sqlite:///evo.db", mutator=mutator, **given)


def ran(mutator: str = "evolve", evaluations: int = 80, **settings: Any) -> tuple[list[Record], str]:
    """The log and the digest."""
    with campaign_of(mutator, **settings) as campaign:
        campaign.run(evaluations=evaluations)
        row = campaign.store.campaign(campaign.name)
        assert row is not None
        return list(campaign.store.replay(row)), campaign.digest()


def first_prompts(records: list[Record]) -> list[Prompt]:
    return [record.candidate.turns[0].prompt for record in records if record.candidate.turns]


def test_best_of_n_asks_the_same_of_the_first_seed_every_time_with_another_seed_of_the_sampler(folder: Path) -> None:
    operators = [{"use": "rewrite", "models": ["a", "b"]}, "diff"]
    records, _ = ran("best-of-n", guidance=True, lessons=True, operators=operators)
    prompts = first_prompts(records)
    assert len(prompts) > 50
    assert len({repr(replace(prompt, seed=None)) for prompt in prompts}) == 1
    assert len({prompt.seed for prompt in prompts}) == len(prompts)
    assert {record.candidate.parents for record in records if record.candidate.operator != SEED} == {(1,)}
    assert len({record.candidate.operator for record in records}) == 2
    assert not any(record.candidate.guidance or record.candidate.lessons for record in records)


@pytest.mark.parametrize("window", [1, 5])
def test_sequential_improves_the_latest_scored_record_that_it_sees_and_shows_what_led_there(
    folder: Path, window: int
) -> None:
    records, _ = ran("sequential", window=window, inspirations=3, operators=["rewrite"], gates=[])
    scored = [record.number for record in records if isinstance(record.evaluation, Scored)]
    parents = {record.number: record.candidate.parents[0] for record in records if record.candidate.parents}
    assert len(parents) > 50
    for number, parent in parents.items():
        seen = max(1, number - window)
        assert parent == max(one for one in scored if one <= seen)
    last = records[-1].candidate
    shown = last.turns[0].prompt.messages[1]["content"]
    ancestor = parents[last.parents[0]]
    assert f"#{ancestor}" in shown
    assert f"#{parents[ancestor]}" in shown


def test_the_floor_asks_no_model_whatever_the_operators(folder: Path) -> None:
    records, _ = ran("floor", operators=["rewrite", {"use": "tune", "batch": 9}], guidance=True, name="a")
    assert not any(record.candidate.turns or record.cost.tokens for record in records)
    made = {record.candidate.operator.partition(".")[0] for record in records}
    assert made <= {SEED, *PLAIN_OPERATORS}
    assert len(made) > 2
    with campaign_of("floor", "b", operators=["rewrite", {"use": "tune", "batch": 9}]) as campaign:
        operators = campaign.identity()["operators"]
    assert [one["use"] for one in operators] == list(PLAIN_OPERATORS)
    assert operators[1]["batch"] == 9


def test_what_a_baseline_does_not_use_is_not_started(folder: Path) -> None:
    with campaign_of("floor", generator=Gone()) as campaign:
        campaign.run(evaluations=5)
        row = campaign.store.campaign(campaign.name)
    assert row is not None
    assert row.settings["about"]["generator"] is None
    with campaign_of("sequential", "other", guidance=True, lessons=True) as campaign:
        assert not {"guidance", "lessons"} & set(campaign.identity())


def test_frozen_is_the_campaign_itself_where_nothing_is_trained(folder: Path) -> None:
    frozen, evolved = ran("frozen", name="a")[1], ran("evolve", name="b")[1]
    assert frozen == evolved


@pytest.mark.parametrize("mutator", BASELINES)
@pytest.mark.slow
def test_workers_and_interruptions_do_not_change_what_a_baseline_finds(folder: Path, mutator: str) -> None:
    settings = {"window": 4, "operators": ["rewrite", "diff"]}
    whole, digest = ran(mutator, name="whole", **settings)
    for evaluations in (20, 37, 80):
        parts, again = ran(mutator, evaluations, name="parts", workers=2, snapshot_every=7, **settings)
    assert again == digest
    assert [(one.number, one.candidate, one.evaluation) for one in parts] == [
        (one.number, one.candidate, one.evaluation) for one in whole
    ]


@pytest.mark.parametrize(("before", "after"), [("evolve", "floor"), ("sequential", "evolve"), ("frozen", "best-of-n")])
def test_a_campaign_goes_on_with_its_own_mutator_only(folder: Path, before: str, after: str) -> None:
    ran(before, 10)
    with campaign_of(after) as campaign, pytest.raises(CampaignError, match=f'mutator = "{before}", now .*"{after}"'):
        campaign.run(evaluations=20)


def test_the_setting_is_no_part_of_what_older_campaigns_were_started_with(folder: Path) -> None:
    with campaign_of() as campaign:
        assert "mutator" not in campaign.identity()
    with campaign_of("frozen") as campaign:
        assert campaign.identity()["mutator"] == "frozen"


def test_an_unknown_mutator_is_refused_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(SettingError, match=r"frozen, best-of-n, sequential, floor.*Did you mean 'sequential'"):
        campaign_of("sequentil")


@pytest.mark.slow
def test_a_baseline_is_run_and_resumed_from_the_command_line(folder: Path) -> None:
    store = ("--store", "sqlite:///evo.db", "--sandbox", "none", "--quiet")
    done = evoengine("run", "peak", "--mutator", "sequential", *store, "--evaluations", "20", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = evoengine("resume", "peak", "--store", "sqlite:///evo.db", "--quiet", "--evaluations", "40", cwd=folder)
    assert done.returncode == 0, done.stderr
    other = evoengine("run", "peak", *store, "--evaluations", "60", cwd=folder)
    assert other.returncode == 1
    assert "mutator" in other.stderr
    unknown = evoengine("run", "peak", "--mutator", "best", *store, cwd=folder)
    assert unknown.returncode == 2
    assert "best-of-n" in unknown.stderr


@settings(deadline=None)
@given(histories(), st.data())
def test_a_lineup_taken_up_from_its_state_goes_on_as_if_it_had_never_stopped(
    history: list[Record], data: st.DataObject
) -> None:
    kept = data.draw(st.integers(1, len(history)))
    window = data.draw(st.integers(1, 20))
    elites = {
        record.number: (record.candidate.content, record.evaluation)
        for record in history
        if isinstance(record.evaluation, Scored) and record.candidate.content is not None
    }

    def fresh() -> list[Lineup]:
        return [FirstSeed(), Chain(window=window, history=2)]

    for whole, first, second in zip(fresh(), fresh(), fresh(), strict=True):
        for record in history:
            whole.take(record)
        for record in history[:kept]:
            first.take(record)
        second.restore(first.state(), elites)
        for record in history[kept:]:
            second.take(record)
        assert second.selection() == whole.selection()
        assert second.state() == whole.state()
