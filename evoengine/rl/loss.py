"""The interface of policy losses. Tensors are torch's; this module does not import it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from evoengine.component import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The batch that a micro-batch is a part of: what sums are divided by, so that its division changes nothing.

    Attributes:
        sequences: how many in the whole batch.
        tokens: sampled tokens that are trained on, in the whole batch.
        longest: the longest answer that the sampler may give, in tokens.
    """

    sequences: int
    tokens: int
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Micro:
    """Some sequences of a batch, padded to the longest answer: float32 tensors (B, T) unless said otherwise.

    Attributes:
        logprobs: of the sampled tokens under the policy that is trained; carries the gradient.
        behaviour: the same under the policy that sampled them.
        advantages: (B,).
        mask: 1 for the tokens that are trained on, 0 for padding and what is left out; what stands there elsewhere,
            NaN included, has no influence.
        reference: as `logprobs` under the frozen base; None where nothing asks for it.
        entropy: of the policy's distribution at each token, in nats, carrying the gradient; None where nothing asks.
        proximal: as `behaviour`, under the policy that this update began with; only `tis_clip` looks at it. None
            where that is the policy that is trained: in the first (and mostly only) step on a batch.
    """

    logprobs: Any
    behaviour: Any
    advantages: Any
    mask: Any
    reference: Any | None = None
    entropy: Any | None = None
    proximal: Any | None = None


class Loss(Component, ABC):
    """The surrogate whose gradient improves the policy."""

    @abstractmethod
    def of(self, micro: Micro, whole: Whole) -> tuple[Any, dict[str, Any]]:
        """The loss, a scalar with gradient, and what is worth looking at.

        The losses of the micro-batches of a batch sum up to that of the whole, however it is divided.

        Returns:
            The loss, and facts by name: detached scalar tensors, each a *sum* over this micro-batch's trained
            tokens, which the trainer adds up and divides by `whole.tokens`; of names that end in `_max` the maximum.

        Raises:
            ValueError: the reference or the entropy is needed and not there.
        """

    @property
    @abstractmethod
    def needs_reference(self) -> bool:
        """Whether `Micro.reference` has to be there."""

    @property
    @abstractmethod
    def needs_entropy(self) -> bool:
        """Whether `Micro.entropy` has to be there."""
