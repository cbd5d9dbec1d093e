"""The interface of trainers: whoever changes the mutator's weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evoengine.rl.rollouts import Exchange
from evoengine.rl.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One turn to learn from.

    Attributes:
        advantage: of the rollout that it belongs to.
        staleness: how many updates the policy is ahead of the one that sampled it.
        member: which of a population's members sampled it; 0 where there is no population.
    """

    exchange: Exchange
    advantage: float
    staleness: int = 0
    member: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one update learns from.

    Attributes:
        number: of the update, from 1.
        examples: of all groups.
        longest: tokens that an answer may have at most.
        seed: for whatever is random in the update.
    """

    number: int
    examples: Sequence[Example]
    longest: int
    seed: int


class Trainer(Training, ABC):
    """Holds the weights that are trained, and changes them; one at a time, in a thread of the campaign's process.

    What it does follows from its settings, the state that was restored and the batches, to the bit on one machine.
    """

    population: ClassVar[bool] = False
    """Whether every rollout of a group is sampled under weights of its own."""
    adapts: ClassVar[bool] = True
    """Whether policies are adapters, so that one model can answer under several of them at once."""

    @abstractmethod
    def open(self, model: str, initial: str | None) -> None:
        """Loads the model and makes what is trained; nothing has been learnt yet.

        Args:
            model: its name on the Hugging Face hub, or its folder.
            initial: the folder of the LoRA adapter that the campaign begins with, if it does with one.

        Raises:
            MissingExtra: torch, transformers or peft is not installed.
            TrainerError: the model cannot be had, or does not suit the settings.
        """

    @abstractmethod
    def close(self) -> None:
        """Lets go of the model."""

    @abstractmethod
    def step(self, batch: Batch) -> dict[str, float]:
        """One update; gives what is worth looking at, by name.

        A batch without examples, or whose advantages are all 0, changes nothing, the optimizer's state included.

        Raises:
            TrainerError: a number is not finite, or there is no memory; the weights are what they were before.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes the policy as `Generator.load` reads it (`folder/policy`), and beside it all that `restore` needs.

        The folder is new and empty; whoever asks moves it to its place when it is whole.
        """

    @abstractmethod
    def restore(self, folder: Path) -> None:
        """Takes up what `save` wrote: weights, optimizer and random state, to the bit.

        Raises:
            TrainerError: it is of other settings or of another model, or cannot be read.
        """

    @abstractmethod
    def revert(self, folder: Path | None, rate: float) -> None:
        """Takes up the weights that `save` wrote and begins anew with the optimizer, at a learning rate times `rate`.

        Args:
            folder: None for the weights that the campaign began with.
            rate: of all reverts so far together, above 0.
        """

    @abstractmethod
    def logprobs(self, exchanges: Sequence[Exchange]) -> list[list[float]]:
        """The log-probabilities (T,) of each exchange's tokens under the weights of now, for audits."""

    def members(self, folder: Path, count: int) -> Mapping[int, Path]:  # noqa: ARG002
        """Writes the policies of a population, each in its folder `member-K` of `folder`, K from 0 to `count` - 1.

        Returns:
            Their folders by member.
        """
        return {}
