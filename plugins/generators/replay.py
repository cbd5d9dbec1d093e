"""Answers from a recorded campaign: the same campaign comes out, bit for bit, without a model."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from json import dumps
from typing import ClassVar

from evoengine.errors import GeneratorError, NoAnswer
from evoengine.generators.base import Generator
from evoengine.plugins import build
from evoengine.types import Completion, Prompt


class Replay(Generator):
    """Gives to each prompt the completion that it got then.

    A prompt is recognised by its messages, sampling settings and seed, whatever policy was asked. With the settings
    of the recorded campaign the same prompts come up, and so the same records; the first difference is told by a
    prompt that is unknown.

    Attributes:
        store: URL of the store that holds the recorded campaign.
        campaign: its name; may be left out where there is only one.
    """

    store: str
    campaign: str | None = None

    recorded: ClassVar[bool] = True

    @cached_property
    def _answers(self) -> dict[bytes, Completion]:
        return {}

    async def __aenter__(self) -> Replay:
        scheme, found, _ = self.store.partition("://")
        url = self.store if found else f"sqlite:///{self.store}"
        store = build("stores", {"use": scheme if found else "sqlite", "url": url})
        store.open()
        try:
            rows = store.campaigns()
            chosen = [row for row in rows if self.campaign in (None, row.name)]
            if len(chosen) != 1:
                names = ", ".join(row.name for row in rows) or "none"
                raise GeneratorError(f"replay needs one campaign; {self.store} has: {names}. Name one.")
            for record in store.replay(chosen[0]):
                for turn in record.candidate.turns:
                    self._answers[_key(turn.prompt)] = turn.completion
        finally:
            store.close()
        if not self._answers:
            raise GeneratorError(f"campaign {chosen[0].name!r} in {self.store} never asked a model.")
        return self

    @property
    def policy(self) -> str:
        return "replay"

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        asked = [prompt if k == 0 else replace(prompt, seed=(prompt.seed or 0) + k) for k in range(n)]
        try:
            return [self._answers[_key(one)] for one in asked]
        except KeyError:
            raise NoAnswer("the recorded campaign never asked this; its settings or its code were others") from None


def _key(prompt: Prompt) -> bytes:
    told = [
        [dict(message) for message in prompt.messages],
        *(prompt.temperature, prompt.max_tokens, prompt.stop, prompt.seed, prompt.model, prompt.pattern),
    ]
    return blake2b(dumps(told, sort_keys=True).encode(), digest_size=16).digest()
