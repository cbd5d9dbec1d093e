"""A whole campaign with a real model on real vLLM: a small one, trained on the spot to make random edits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, Program
from evoengine.operators._answers import Fault, edited
from evoengine.plugins import build
from evoengine.prompts import Subject
from evoengine.types import Draft, Prompt, Record, Scored
from plugins.generators.replay import Replay
from tests.models import needs
from tests.trained import Sixes, editor, operator, templates

SAMPLES = 160


@pytest.fixture(scope="module", autouse=True)
def _there() -> None:
    needs("torch", "transformers", "vllm")


def campaign_of(folder: Path, generator: Any, name: str = "sixes", **settings: Any) -> Campaign:
    asking = operator(templates(folder / "templates"))
    given = {"operators": [asking], "generator": generator, "gates": ["syntax"], "guidance": False, "lessons": False,
             "inspirations": 0, "islands": 2, "window": 16, **settings}  # fmt: skip
    return Campaign(Sixes(), name=name, store=f"{folder}/{name}.db", **given)


def vllm() -> Any:
    return {"use": "vllm", "model": editor(), "dtype": "float32", "max_model_len": 512,
            "kv_cache_memory_bytes": 128_000_000, "logprobs": True}  # fmt: skip


async def without_selection(prompt: Prompt, seed: Program) -> float:
    """The best score of as many answers to the seed's own prompt."""
    subject, problem = Subject.of(seed), Sixes()
    async with build("generators", vllm()) as generator:
        answers = await asyncio.gather(*(generator.sample(prompt, 8) for _ in range(SAMPLES // 8)))
    best = -100.0
    for place, answer in enumerate(one for some in answers for one in some):
        child = edited(answer.text, subject)
        if not isinstance(child, Fault):
            assert isinstance(child, Program), place
            space: dict[str, Any] = {}
            exec(child.text, space)  # what the model learnt to write is digits in brackets
            best = max(best, problem.judge([space["solve"]()]).value)
    return best


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_trained_model_on_vllm_drives_a_campaign_above_the_seed_and_above_its_own_samples(tmp_path: Path) -> None:
    with campaign_of(tmp_path, vllm()) as campaign:
        draft, prompt = campaign.prompt()
        campaign.run(evaluations=SAMPLES)
        best, digest = campaign.best(), campaign.digest()
        row = campaign.store.campaign("sixes")
        assert row is not None
        records = list(campaign.store.replay(row))
    assert best is not None
    assert prompt is not None
    assert len(records) <= SAMPLES
    asked = [record for record in records if record.candidate.turns]
    scored = [record for record in asked if isinstance(record.evaluation, Scored)]
    assert len(scored) > len(asked) / 2, "the model has not learnt the form of an edit"
    assert_recorded(asked)
    seed_score, sampled = draft.parents[0].scored.score, spread(prompt, draft)
    assert best.scored.score > seed_score
    assert best.scored.score > sampled
    with campaign_of(tmp_path, Replay(store=f"{tmp_path}/sixes.db"), "again", workers=1) as campaign:
        campaign.run(evaluations=SAMPLES)
        assert campaign.digest() == digest


def spread(prompt: Prompt, draft: Draft) -> float:
    seed = draft.parents[0].content
    assert isinstance(seed, Program)
    return asyncio.run(without_selection(prompt, seed))


def assert_recorded(asked: list[Record]) -> None:
    """Every answer is kept with its tokens and their log-probabilities, as training needs them."""
    for record in asked:
        for turn in record.candidate.turns:
            answer = turn.completion
            assert len(answer.token_ids) == len(answer.logprobs) == answer.tokens > 0
            assert all(value <= 0.0 for value in answer.logprobs)
            assert answer.prompt_tokens > 0
