"""What reinforcement learning takes from a campaign: groups of answers to one prompt, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What became of a rollout; all but `SCORED` have no score of their own."""

    SCORED = "scored"
    NO_EDIT = "no_edit"
    """The answer held nothing that could be applied."""
    NO_CHANGE = "no_change"
    """The child is its parent."""
    DUPLICATE = "duplicate"
    """The child was recorded before its group was asked for."""
    REPEATED = "repeated"
    """The child is that of another rollout of the same batch, whose score it shares."""
    CRASHED = "crashed"
    """It failed while it ran, or over a limit."""
    REJECTED = "rejected"
    """The judge, or a gate before it, turned it down."""
    UNVERIFIED = "unverified"
    """Its score did not hold when it was judged again."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One turn of a rollout, as the sampler saw it.

    Attributes:
        prompt_ids: (P,), of the whole conversation up to the answer.
        token_ids: (T,), of the answer, with the token that ended it.
        logprobs: (T,), of the policy that sampled them, at temperature 1 and before top-p and the like.
        policy: its name.
        cut: whether the answer ended because it was too long.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    policy: str
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What one proposal of a group came to.

    Attributes:
        record: its number.
        score: "higher is better"; None where the outcome has none. A `REPEATED` one has that of the other.
        digest: content address of the child; None where there is none.
        exchanges: the turns that made the child.
    """

    record: int
    outcome: Outcome
    score: float | None
    digest: str | None
    exchanges: tuple[Exchange, ...]

    @property
    def tokens(self) -> int:
        """How many were sampled."""
        return sum(len(one.token_ids) for one in self.exchanges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rollouts of the same parent and the same rendered first prompt, independent of each other.

    Attributes:
        number: of its first record.
        parent: the record that was to be improved.
        parent_score: "higher is better".
        shown: the scores of all programs in the prompt, the parent's among them.
        version: of the policy that was asked; 0 is the one that the campaign began with.
        control: whether version 0 was asked to compare with, and not because there was no later one.
    """

    number: int
    parent: int
    parent_score: float
    shown: tuple[float, ...]
    version: int
    rollouts: tuple[Rollout, ...]
    control: bool = False
