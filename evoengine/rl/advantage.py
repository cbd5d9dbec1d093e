"""The interface of advantage estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evoengine.component import Component
from evoengine.rl.reward import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """The rewards of one group and what an estimator may weigh them by; all arrays (n,), n >= 1.

    Attributes:
        rewards: finite.
        valid: whether the rollout is worth its child's score, and not what its outcome is; booleans.
        tokens: how many tokens were sampled.
        ratios: the importance ratio of the whole rollout, of the policy that is trained to the one that sampled it; 1
            where they are the same.
    """

    rewards: Array
    valid: NDArray[np.bool_]
    tokens: Array
    ratios: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Advantages:
    """What an estimator made of one group.

    Attributes:
        values: (n,), finite.
        kept: (n,), booleans: which rollouts are trained on.
        facts: what is worth looking at, by name (the temperature that `entropic` found).
    """

    values: Array
    kept: NDArray[np.bool_]
    facts: dict[str, float]


class Advantage(Component, ABC):
    """Says by how much each rollout of a group did better than was to be expected.

    Attributes:
        smallest: rollouts that a group needs at least; smaller ones are not trained on.
    """

    smallest: ClassVar[int] = 2

    def of(self, groups: Sequence[Returns]) -> list[Advantages]:
        """The advantages of each group of a batch, in the same order.

        Raises:
            ValueError: the arrays of a group differ in shape; a reward is not finite, or so large (1e100) that its
                square would not be; a ratio or a number of tokens is not finite, or negative.
        """
        for place, group in enumerate(groups):
            _check(place, group)
        enough = [group for group in groups if len(group.rewards) >= self.smallest]
        estimated = iter(self.estimated(enough) if enough else ())
        return [
            next(estimated)
            if len(group.rewards) >= self.smallest
            else Advantages(
                values=np.zeros(len(group.rewards)), kept=np.zeros(len(group.rewards), dtype=bool), facts={}
            )
            for group in groups
        ]

    @abstractmethod
    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        """As `of`, for groups (one at least) that have been checked and are large enough."""


def _check(place: int, group: Returns) -> None:
    shapes = {array.shape for array in (group.rewards, group.valid, group.tokens, group.ratios)}
    if len(shapes) != 1 or len(group.rewards.shape) != 1 or not len(group.rewards):
        raise ValueError(f"group {place}: expected arrays (n,) of one length above 0, got {sorted(shapes)}")
    for name, array, most in (
        ("rewards", np.abs(group.rewards), 1e100),
        ("tokens", group.tokens, 1e100),
        ("ratios", group.ratios, np.finfo(np.float64).max),
    ):
        wrong = ~((array >= 0) & (array <= most))  # so that NaN is wrong
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(
                f"group {place}: {name}[{at}] is {getattr(group, name)[at]}; expected a finite number"
                f"{'' if name == 'rewards' else ' that is not negative'} of at most {most:g}"
            )


def centred(rewards: Array) -> Array:
    """The rewards (n,) less their mean; all exactly 0 where they are equal, which a plain mean's rounding would miss.

    A trainer leaves out batches without any advantage, and takes a rounding error of 1e-17 for one.
    """
    above = rewards - rewards[0]
    centre: Array = above - above.mean()
    return centre


def all_kept(values: Array, **facts: float) -> Advantages:
    """These values, all of them trained on."""
    return Advantages(values=values, kept=np.ones(len(values), dtype=bool), facts=facts)
