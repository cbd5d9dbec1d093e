"""A conversation with a model, from the first prompt to the last correction."""

from __future__ import annotations

from evoengine.types import Prompt


class Chat:
    """Messages that grow turn by turn, so that what was said before stays a prefix of what is asked next.

    Args:
        system: the system message.
        temperature, max_tokens, model: of every prompt.
    """

    def __init__(
        self,
        system: str,
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
        model: str | None = None,
    ) -> None:
        self.system = system
        self._messages: list[dict[str, str]] = [{"role": "system", "content": system}]
        self._temperature, self._max_tokens, self._model = temperature, max_tokens, model

    def asked(self, text: str, temperature: float | None = None) -> Prompt:
        """The prompt that asks this next."""
        self._messages.append({"role": "user", "content": text})
        return Prompt(
            messages=tuple(dict(message) for message in self._messages),
            temperature=self._temperature if temperature is None else temperature,
            max_tokens=self._max_tokens,
            model=self._model,
        )

    def heard(self, text: str) -> None:
        """Takes in the answer to the last prompt."""
        self._messages.append({"role": "assistant", "content": text})
