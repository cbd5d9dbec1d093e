"""Several models as one."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from evoengine.errors import SettingError
from evoengine.generators.scripted import Scripted
from evoengine.types import Completion, Prompt
from plugins.generators.ensemble import Ensemble

MEMBERS = {"small": Scripted(answers=["s"]), "large": {"use": "scripted", "answers": ["l"]}}


def asked(ensemble: Ensemble, *prompts: Prompt) -> list[str]:
    async def ask() -> list[list[Completion]]:
        async with ensemble:
            return [await ensemble.sample(prompt) for prompt in prompts]

    return [one.text for [one] in asyncio.run(ask())]


def prompt(seed: int, model: str | None = None) -> Prompt:
    return Prompt(messages=({"role": "user", "content": "?"},), seed=seed, model=model)


def test_a_prompt_goes_to_the_model_that_it_names() -> None:
    told = asked(Ensemble(members=MEMBERS), *(prompt(seed, "large") for seed in range(5)), prompt(0, "small"))
    assert told == ["l"] * 5 + ["s"]


def test_prompts_that_name_none_are_shared_out_by_weight_and_in_the_same_way_each_time() -> None:
    prompts = [prompt(seed) for seed in range(2000)]
    told = asked(Ensemble(members=MEMBERS, weights={"large": 3.0}), *prompts)
    assert abs(Counter(told)["l"] / 2000 - 0.75) < 0.04
    assert asked(Ensemble(members=MEMBERS, weights={"large": 3.0}), *prompts) == told
    assert set(asked(Ensemble(members=MEMBERS, weights={"small": 0.0}), *prompts)) == {"l"}


def test_all_models_are_let_go_of_when_one_cannot_be_had() -> None:
    closed = []

    class Closing(Scripted):
        async def __aexit__(self, *exc: object) -> None:
            closed.append(self)

    class Broken(Scripted):
        async def __aenter__(self) -> Broken:
            raise OSError("no such model")

    with pytest.raises(OSError, match="no such model"):
        asked(Ensemble(members={"one": Closing(), "other": Broken()}), prompt(0))
    assert len(closed) == 1


def test_settings_name_every_member() -> None:
    settings = Ensemble(members={"a": {"use": "scripted", "answers": ["x"]}}, weights={"a": 2.0}).settings()
    assert settings == {"members": {"a": {"use": "scripted", "answers": ["x"]}}, "weights": {"a": 2.0}}
    assert asked(Ensemble(**settings), prompt(1)) == ["x"]


@pytest.mark.parametrize(
    "settings",
    [
        {"members": {}},
        {"members": MEMBERS, "weights": {"huge": 1.0}},
        {"members": MEMBERS, "weights": {"small": 0.0, "large": 0.0}},
        {"members": MEMBERS, "weights": {"small": -1.0}},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Ensemble(**settings)
