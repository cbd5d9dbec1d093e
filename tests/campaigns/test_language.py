"""Campaigns that ask a language model: guidance, lessons, budgets, and the same log whatever happens."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, Context, Program
from evoengine.errors import CampaignError, SettingError
from evoengine.generators.base import Generator
from evoengine.generators.scripted import Scripted
from evoengine.reading import Reading
from evoengine.types import EVERY_ISLAND, GUIDANCE, SEED, Cause, Completion, Failed, Prompt, Record, Scored
from plugins.generators.replay import Replay
from tests.campaigns.language import peak_answers

SPEAKING = ["diff", "rewrite", "crossover", "repair", "critique", "plan", "reflect", "explore"]


def campaign_of(folder: Path, name: str = "one", **settings: Any) -> Campaign:
    given = {"operators": SPEAKING, "generator": Scripted(answers=peak_answers), "gates": [], "sandbox": "none",
             "workers": 1, "snapshot_every": 40, **settings}  # fmt: skip
    return Campaign("peak", store=f"{folder}/{name}.db", **given)


def records_of(campaign: Campaign) -> list[Record]:
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    return list(campaign.store.replay(row))


def reading(campaign: Campaign) -> Reading:
    return Reading.named(campaign.store, campaign.name)


def told(records: list[Record]) -> list[Any]:
    """All that a log says, but for how long things took."""
    return [(one.number, one.candidate, one.evaluation, one.cost.calls, one.cost.tokens) for one in records]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], str]:
    """The log and the digest of 150 evaluations."""
    from tests.conftest import PEAK

    folder = tmp_path_factory.mktemp("language")
    (folder / "peak.py").write_text(PEAK)
    given: dict[str, Any] = {"operators": SPEAKING, "generator": Scripted(answers=peak_answers), "gates": []}
    with Campaign(f"{folder}/peak.py", store=f"{folder}/whole.db", sandbox="none", workers=1, **given) as campaign:
        campaign.run(evaluations=150)
        return records_of(campaign), campaign.digest()


def test_every_operator_makes_children_and_what_was_asked_is_kept(whole: tuple[list[Record], str]) -> None:
    records, _ = whole
    made = Counter(record.candidate.operator for record in records if isinstance(record.evaluation, Scored))
    assert set(made) == {SEED, "guide", *SPEAKING}
    assert all(record.candidate.turns for record in records if record.candidate.operator != SEED)
    assert any(record.candidate.note for record in records)
    assert {one.evaluation.cause for one in records if isinstance(one.evaluation, Failed)} >= {Cause.UNDECODABLE}


def test_guidance_is_recorded_beside_the_programs_and_never_among_them(whole: tuple[list[Record], str]) -> None:
    records, _ = whole
    contexts = [record for record in records if isinstance(record.candidate.content, Context)]
    assert {record.candidate.island for record in contexts} == {GUIDANCE}
    assert {record.candidate.operator for record in contexts} == {SEED, "guide"}
    numbers = {record.number for record in contexts}
    programs = [record for record in records if record.candidate.island not in (GUIDANCE, EVERY_ISLAND)]
    assert {record.candidate.guidance for record in programs} <= numbers
    assert not numbers & {parent for record in programs for parent in record.candidate.parents}


@pytest.mark.slow
@pytest.mark.parametrize("parts", [[60, 61, 100, 150], [100, 150]])
def test_a_run_in_parts_gives_the_log_of_the_run_in_one(
    folder: Path, whole: tuple[list[Record], str], parts: list[int]
) -> None:
    for evaluations in parts:
        with campaign_of(folder, workers=2) as campaign:
            campaign.run(evaluations=evaluations)
            records, digest = records_of(campaign), campaign.digest()
    assert told(records) == told(whole[0])
    assert digest == whole[1]


@pytest.mark.slow
def test_a_recorded_campaign_is_played_again_without_its_model(folder: Path, whole: tuple[list[Record], str]) -> None:
    with campaign_of(folder) as campaign:
        campaign.run(evaluations=150)
    with campaign_of(folder, "again", generator=Replay(store=f"{folder}/one.db"), workers=2) as campaign:
        campaign.run(evaluations=150)
        assert campaign.digest() == whole[1]


def test_lessons_are_shown_and_held_back_and_counted(folder: Path) -> None:
    with campaign_of(folder) as campaign:
        campaign.run(evaluations=150)
        records = records_of(campaign)
        lessons = reading(campaign).lessons()
    shown = Counter(number for record in records for number in record.candidate.lessons)
    held_back = Counter(number for record in records for number in record.candidate.withheld)
    assert shown
    assert held_back
    for lesson in lessons:
        assert (lesson["shown"], lesson["withheld"]) == (shown[lesson["number"]], held_back[lesson["number"]])
    one = next(record for record in records if record.candidate.lessons)
    lesson = next(lesson for lesson in lessons if lesson["number"] == one.candidate.lessons[0])
    assert f"observed: {lesson['observed']}" in one.candidate.turns[0].prompt.messages[1]["content"]


def test_without_guidance_and_lessons_there_are_none(folder: Path) -> None:
    with campaign_of(folder, guidance=False, lessons=False) as campaign:
        campaign.run(evaluations=60)
        records = records_of(campaign)
        assert reading(campaign).lessons() == []
    assert all(isinstance(record.candidate.content, Program | None) for record in records)
    assert not any(record.candidate.lessons or record.candidate.guidance for record in records)


def test_a_campaign_without_a_model_has_neither(folder: Path) -> None:
    with Campaign("peak", store=f"{folder}/plain.db", sandbox="none", workers=1) as campaign:
        campaign.run(evaluations=40)
        assert len([one for one in records_of(campaign) if one.candidate.operator == SEED]) == 1
        assert "guidance" not in campaign.identity()


def test_one_s_own_guidance_is_what_a_campaign_begins_with(folder: Path) -> None:
    with campaign_of(folder, guidance={"contexts": ["Count further."], "rate": 0.0}) as campaign:
        campaign.run(evaluations=30)
        records = records_of(campaign)
    assert [one.candidate.content for one in records if one.candidate.island == GUIDANCE] == [
        Context(sections={"strategy": "Count further."})
    ]
    asked = [one.candidate.turns[0].prompt.messages[1]["content"] for one in records if one.candidate.turns]
    assert all("# Guidance\nCount further." in text for text in asked)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_budget_of_tokens_ends_before_the_same_record_and_keeps_what_was_begun(folder: Path, workers: int) -> None:
    with campaign_of(folder, workers=workers) as campaign:
        assert campaign.run(tokens=20_000) == "20000 tokens are spent"
        records = records_of(campaign)
    spent = [sum(one.cost.tokens for one in records[:last]) for last in range(len(records) + 1)]
    assert spent[-2] < 20_000 <= spent[-1]


def test_a_prompt_goes_before_those_of_later_records_and_the_log_does_not_tell(folder: Path) -> None:
    orders: dict[int | None, int] = {}

    def noted(prompt: Prompt, seed: int) -> str:
        orders[prompt.seed] = prompt.order
        return peak_answers(prompt, seed)

    with campaign_of(folder, generator=Scripted(answers=noted)) as campaign:
        campaign.run(evaluations=40)
        records = records_of(campaign)
    turns = [(record.number, turn.prompt) for record in records for turn in record.candidate.turns]
    assert [number for number, _ in turns] == [orders[prompt.seed] for _, prompt in turns]
    assert {prompt.order for _, prompt in turns} == {0}


class Dear(Scripted):
    """A script that sends bills."""

    def most_money(self, tokens: int) -> float:
        return tokens * 1e-5

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        from dataclasses import replace

        found = await super().sample(prompt, n)
        return [replace(one, money=(one.prompt_tokens + one.tokens) * 1e-5) for one in found]


@pytest.mark.slow
def test_a_budget_of_money_ends_before_the_same_record_and_keeps_what_was_begun(folder: Path) -> None:
    with campaign_of(folder, generator=Dear(answers=peak_answers), workers=2) as campaign:
        assert campaign.run(money=0.2) == "0.2 dollars are spent"
        spent = [one.cost.money for one in records_of(campaign)]
    assert sum(spent[:-1]) < 0.2 <= sum(spent)


@pytest.mark.slow
def test_lessons_go_from_one_campaign_to_another(folder: Path) -> None:
    with campaign_of(folder) as campaign:
        campaign.run(evaluations=80)
        (folder / "lessons.jsonl").write_text(reading(campaign).exported_lessons(5))
    lines = [json.loads(line) for line in (folder / "lessons.jsonl").read_text().splitlines()]
    assert len(lines) == 5
    with campaign_of(folder, "other", lessons={"known": folder / "lessons.jsonl", "withhold": 0.0}) as campaign:
        campaign.run(evaluations=30)
        records = records_of(campaign)
    first = next(one for one in records if one.candidate.lessons)
    assert min(first.candidate.lessons) < 0
    assert any(line["observed"] in first.candidate.turns[0].prompt.messages[1]["content"] for line in lines)


def test_a_file_that_holds_no_lessons_is_told(folder: Path) -> None:
    (folder / "lessons.jsonl").write_text("{}\n")
    with campaign_of(folder, lessons={"known": folder / "lessons.jsonl"}) as campaign, pytest.raises(
        SettingError, match=r"lessons\.jsonl is no file of lessons.*--export"
    ):  # fmt: skip
        campaign.run(evaluations=30)


@pytest.mark.slow
def test_a_campaign_with_guidance_goes_on_with_it_or_not_at_all(folder: Path) -> None:
    with campaign_of(folder) as campaign:
        campaign.run(evaluations=20)
    with campaign_of(folder, guidance=False) as campaign, pytest.raises(CampaignError, match="guidance"):
        campaign.run(evaluations=30)


def test_readers_do_not_take_guidance_for_programs(folder: Path) -> None:
    with campaign_of(folder, guidance={"contexts": ["a", "b"], "rate": 0.3}) as campaign:
        campaign.run(evaluations=40)
        best = campaign.best()
        assert best is not None
        told = reading(campaign)
        assert told.summary()["best_number"] == best.number
        assert told.summary()["archive_digest"] == campaign.digest()
        assert all(isinstance(elite.content, Program) for elite in told.elites())
        assert all(isinstance(elite.content, Context) for elite in told.guidance())


@pytest.mark.slow
def test_costs_are_told_by_operator_and_model(folder: Path) -> None:
    with campaign_of(folder) as campaign:
        campaign.run(evaluations=100)
        records, costs = records_of(campaign), reading(campaign).costs()
    assert sum(row["tokens"] for row in costs) == sum(one.cost.tokens for one in records) > 0
    assert sum(row["records"] for row in costs) == len(records)
    assert {row["model"] for row in costs if row["operator"] != SEED} == {"scripted"}
    scores = {one.number: one.evaluation.score for one in records if isinstance(one.evaluation, Scored)}
    for row in costs:
        own = [one for one in records if one.candidate.operator == row["operator"]]
        better = [one for one in own if one.number in scores and one.candidate.parents
                  and scores[one.number] > scores[one.candidate.parents[0]]]  # fmt: skip
        assert row["improved"] == (0 if row["operator"] == "guide" else len(better))


class Slow(Generator):
    """Is asked by many at once, and says how many."""

    most: int = 0
    asked: int = 0

    @property
    def policy(self) -> str:
        return "slow"

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        import asyncio

        self.asked += 1
        self.most = max(self.most, self.asked)
        await asyncio.sleep(0.02)
        self.asked -= 1
        return await Scripted(answers=peak_answers).sample(prompt, n)


def test_prompts_in_flight_are_bounded_by_the_window_and_not_by_the_cores(folder: Path) -> None:
    slow = Slow()
    with campaign_of(folder, generator=slow, workers=1, window=24) as campaign:
        campaign.run(evaluations=80)
    assert slow.most == 24


GATES = ["syntax", "minhash", "reintroduced"]


@pytest.mark.slow
def test_with_gates_the_log_is_the_same_for_any_number_of_workers_and_parts(folder: Path) -> None:
    with campaign_of(folder, gates=GATES) as campaign:
        campaign.run(evaluations=120)
        whole = told(records_of(campaign))
    for evaluations in (50, 51, 120):
        with campaign_of(folder, "parts", gates=GATES, workers=2) as campaign:
            campaign.run(evaluations=evaluations)
            parts = told(records_of(campaign))
    assert parts == whole


def twins(prompt: Prompt, seed: int) -> str:
    """Programs that differ in their comments only."""
    return f"```python\ndef numbers():\n    # {seed}\n    return [0.3, 0.4, 0.5]\n```"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.slow
def test_of_twins_in_flight_one_is_judged_and_the_others_are_refused(folder: Path, workers: int) -> None:
    given: dict[str, Any] = {"operators": ["rewrite"], "generator": Scripted(answers=twins), "guidance": False}
    with campaign_of(folder, gates=["syntax"], workers=workers, window=16, **given) as campaign:
        campaign.run(evaluations=24)
        records = records_of(campaign)[1:]
    assert isinstance(records[0].evaluation, Scored)
    assert all(isinstance(one.evaluation, Failed) and one.evaluation.cause is Cause.DUPLICATE for one in records[1:])
    assert [one.cost.calls for one in records] == [1] + [0] * (len(records) - 1)
    assert "record 2" in records[-1].evaluation.feedback


@pytest.mark.slow
def test_what_a_model_says_of_near_copies_is_kept_with_the_record(folder: Path) -> None:
    def answers(prompt: Prompt, seed: int) -> str:
        if "yes" in prompt.messages[-1]["content"].lower() and "```" not in prompt.messages[0]["content"]:
            return "no: only a comment differs" if seed % 2 else "yes: it does something else"
        return peak_answers(prompt, seed)

    with campaign_of(folder, gates=[{"use": "judge", "near": 0.0}], generator=Scripted(answers=answers)) as campaign:
        campaign.run(evaluations=40)
        records = records_of(campaign)
    refused = [one for one in records if isinstance(one.evaluation, Failed) and one.evaluation.cause is Cause.SIMILAR]
    assert refused
    assert all("only a comment differs" in one.evaluation.feedback for one in refused)
    assert all("no: only a comment" in one.candidate.turns[-1].completion.text for one in refused)
