"""Answers from a script: for tests, and for trying operators without a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evoengine.generators.base import Generator
from evoengine.types import Completion, Prompt


class Scripted(Generator):
    """Answers each prompt with a function of it, or with one of some fixed texts, chosen by the prompt's seed.

    Attributes:
        answers: texts, or a function from prompt and seed to text.
    """

    answers: Sequence[str] | Callable[[Prompt, int], str] = ("",)

    def settings(self) -> dict[str, Any]:
        return {} if callable(self.answers) else {"answers": list(self.answers)}

    @property
    def policy(self) -> str:
        return "scripted"

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        return [self._completion(prompt, (prompt.seed or 0) + k) for k in range(n)]

    def _completion(self, prompt: Prompt, seed: int) -> Completion:
        answers = self.answers
        text = answers(prompt, seed) if callable(answers) else answers[seed % len(answers)]
        asked = sum(len(message["content"].split()) for message in prompt.messages)
        return Completion(text=text, policy=self.policy, prompt_tokens=asked, tokens=len(text.split()), finish="stop")
