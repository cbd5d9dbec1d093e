"""Several models as one: each prompt goes to the one it names, or to one drawn by weight."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from typing import Any

from pydantic import PrivateAttr, field_validator

from evoengine.generators.base import Generator
from evoengine.plugins import build
from evoengine.types import Completion, Prompt


class Ensemble(Generator):
    """Models by name. The draw follows from the prompt's seed alone, so that a run can be repeated.

    An operator with an arm for each model names the model in its prompts; the campaign's bandit then learns which
    model is worth its price. Prompts that name none are shared out by weight.

    Attributes:
        members: by name, each the name of a generator or `{"use": name, setting: value}`.
        weights: by name, at least 0; 1 where a member has none.
    """

    members: Mapping[str, Any]
    weights: Mapping[str, float] = {}

    _stack: AsyncExitStack = PrivateAttr(default_factory=AsyncExitStack)

    @field_validator("members")
    @classmethod
    def _some(cls, members: Mapping[str, Any]) -> Mapping[str, Any]:
        if not members:
            raise ValueError("expected at least one member")
        return members

    @field_validator("weights")
    @classmethod
    def _usable(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        if any(not 0.0 <= weight < float("inf") for weight in weights.values()):
            raise ValueError("a weight is a finite number from 0")
        return weights

    def model_post_init(self, context: Any, /) -> None:
        unknown = sorted(set(self.weights) - set(self.members))
        if unknown:
            raise ValueError(f"weights name {unknown[0]!r}, which is no member ({', '.join(self.members)})")
        if not any(self._shares):
            raise ValueError("at least one weight must be above 0")
        super().model_post_init(context)

    @cached_property
    def _shares(self) -> list[float]:
        return [self.weights.get(name, 1.0) for name in self.members]

    @cached_property
    def _generators(self) -> dict[str, Generator]:
        return {name: build("generators", given) for name, given in self.members.items()}

    def settings(self) -> dict[str, Any]:
        members = {name: {"use": _name(self.members[name]), **one.settings()} for name, one in self._generators.items()}
        return {"members": members, "weights": dict(self.weights)}

    async def __aenter__(self) -> Ensemble:
        async with AsyncExitStack() as stack:
            for generator in self._generators.values():
                await stack.enter_async_context(generator)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def cores(self) -> int:
        return sum(generator.cores for generator in self._generators.values())

    @property
    def policy(self) -> str:
        return "+".join(f"{name}:{generator.policy}" for name, generator in self._generators.items())

    def most_money(self, tokens: int) -> float:
        return max(generator.most_money(tokens) for generator in self._generators.values())

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        return await self._chosen(prompt).sample(prompt, n)

    def _chosen(self, prompt: Prompt) -> Generator:
        if prompt.model is not None and prompt.model in self._generators:
            return self._generators[prompt.model]
        [name] = random.Random(prompt.seed or 0).choices(list(self._generators), self._shares)
        return self._generators[name]


def _name(given: Any) -> str:
    match given:
        case str():
            return given
        case Mapping():
            return str(given["use"])
    return type(given).__name__
