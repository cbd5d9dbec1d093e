"""Campaigns that ask a model: what is asked and answered is kept, and can be played again without the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoengine import Campaign
from evoengine.errors import GeneratorError, NoAnswer
from evoengine.generators.base import Generator
from evoengine.generators.scripted import Scripted
from evoengine.operators.base import Conversation, Operator
from evoengine.stores.sqlite import Sqlite
from evoengine.types import Completion, Draft, Failed, Program, Prompt, Record
from plugins.generators.replay import Replay


class Ask(Operator):
    """Asks the model for the three numbers, twice, and takes the second answer."""

    def breed(self, draft: Draft) -> Conversation:
        text = draft.parents[0].content.text  # type: ignore[union-attr]
        yield Prompt(messages=({"role": "user", "content": f"think about\n{text}"},))
        answer = yield Prompt(messages=({"role": "user", "content": f"change\n{text}"},), temperature=0.7)
        assert isinstance(answer, Completion)
        return Program.of(f"def numbers():\n    return [{answer.text}]\n")


def numbers(prompt: Prompt, seed: int) -> str:
    return ", ".join(str((seed * k) % 97 / 97) for k in (3, 5, 7))


def records_of(folder: Path, name: str) -> list[Record]:
    store = Sqlite(url=f"sqlite:///{folder}/{name}.db")
    store.open()
    row = store.campaign("peak")
    assert row is not None
    records = list(store.replay(row))
    store.close()
    return records


def digest(folder: Path, generator: Generator, name: str, workers: int = 1) -> str:
    with Campaign(
        "peak", store=f"{folder}/{name}.db", operators=[Ask()], generator=generator, workers=workers, sandbox="none"
    ) as campaign:
        campaign.run(evaluations=40)
        return campaign.digest()


@pytest.mark.slow
def test_a_campaign_is_played_again_bit_for_bit_without_its_model(folder: Path) -> None:
    told = digest(folder, Scripted(answers=numbers), "first")
    assert digest(folder, Replay(store=f"{folder}/first.db"), "second", workers=2) == told
    assert digest(folder, Scripted(answers=lambda prompt, seed: numbers(prompt, seed + 1)), "third") != told


def test_what_was_asked_and_answered_is_kept_with_its_price(folder: Path) -> None:
    digest(folder, Scripted(answers=numbers), "first")
    records = [record for record in records_of(folder, "first") if record.candidate.turns]
    assert len(records) > 10
    for record in records:
        first, second = record.candidate.turns
        assert first.prompt.seed != second.prompt.seed
        assert second.completion.text == numbers(second.prompt, second.prompt.seed or 0)
        tokens = sum(turn.completion.tokens + turn.completion.prompt_tokens for turn in (first, second))
        assert record.cost.tokens == tokens > 0


@pytest.mark.slow
def test_a_replay_of_another_campaign_says_what_is_wrong(folder: Path) -> None:
    with Campaign("peak", store=f"{folder}/plain.db", operators=["structural"], sandbox="none") as campaign:
        campaign.run(evaluations=5)
    for store, told in (("plain.db", "never asked a model"), ("none.db", "has: none")):
        with pytest.raises(GeneratorError, match=told):
            digest(folder, Replay(store=f"{folder}/{store}"), "other")


class Mute(Scripted):
    """Has no answer to every third prompt."""

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        if (prompt.seed or 0) % 3 == 0:
            raise NoAnswer("too long")
        return await super().sample(prompt, n)


def test_a_prompt_without_an_answer_costs_a_record_and_not_the_campaign(folder: Path) -> None:
    digest(folder, Mute(answers=numbers), "mute")
    failed = [one.evaluation for one in records_of(folder, "mute") if isinstance(one.evaluation, Failed)]
    assert any(one.feedback == "no answer: too long" for one in failed)


def test_an_operator_that_asks_where_there_is_no_model_is_an_error_of_the_settings(folder: Path) -> None:
    with (
        Campaign("peak", store=f"{folder}/x.db", operators=[Ask()], sandbox="none") as campaign,
        pytest.raises(Exception, match="generator"),
    ):
        campaign.run(evaluations=5)
