"""The interface of generators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, Self, runtime_checkable

from evoengine.component import Component
from evoengine.errors import GeneratorError
from evoengine.types import Completion, Prompt


@runtime_checkable
class Trainable(Protocol):
    """Settings of generators whose policies can be trained: what is sampled must be what the policy says by itself."""

    model: str
    logprobs: bool
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None


class Generator(Component, ABC):
    """Answers prompts with a language model. Opened once for each run, in the campaign's process.

    Many prompts are asked at once; whoever cannot take so many lets them wait. A call that is cancelled gives up
    its work in the model too, where that can be done.
    """

    recorded: ClassVar[bool] = False
    """Whether its answers were given before, so that no policy is needed for them."""

    async def __aenter__(self) -> Self:
        """Loads or reaches the model.

        Raises:
            GeneratorError: it cannot be had.
            MissingExtra: an optional dependency is not installed.
        """
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Lets go of the model."""

    @property
    @abstractmethod
    def policy(self) -> str:
        """The name of the weights that answer now, as completions carry it."""

    @property
    def cores(self) -> int:
        """How many of this machine's cores it keeps busy while it answers, 0 before it is opened."""
        return 0

    def most_money(self, tokens: int) -> float:  # noqa: ARG002  # one's own machine sends no bill
        """What so many tokens cost at most, read or written, US dollars."""
        return 0.0

    async def load(self, policy: str, path: str) -> None:
        """Loads a policy and lets it answer from now on; whoever is being answered is answered to the end.

        A LoRA adapter stands beside the model and the policies before it. A whole model takes the model's place: it
        waits until nobody is being answered, and whoever asks meanwhile is answered by it. The model that was opened
        and all policies before it cannot be asked any more.

        Args:
            policy: a name that no weights had before. A name means the same weights for ever: records and
                the prefix cache rely on it.
            path: its folder, as `save_pretrained` of peft writes an adapter and that of transformers a model.

        Raises:
            GeneratorError: this generator or its model cannot, or the name is taken.
        """
        raise GeneratorError(
            f"the generator {type(self).__name__} cannot load the policy {policy!r} from {path!r}; "
            f"vllm, transformers and openai can."
        )

    @abstractmethod
    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        """`n` independent completions.

        Where the prompt has a seed, completion k of several is that of seed + k alone, as far as the model
        can repeat itself at all.

        Raises:
            NoAnswer: there is none to this prompt (too long, refused, given up after many tries).
            GeneratorError: there will be none to any prompt until a person has done something. That the prompt
                names a policy that nobody loaded is such a case: it is a fault of the set-up, not of the prompt,
                and would cost one record after another.
        """
