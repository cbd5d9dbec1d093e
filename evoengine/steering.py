"""What people decide while a campaign goes on: pins, notes, goals, quarantine, and programs of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from evoengine.errors import CampaignError
from evoengine.randomness import Stream
from evoengine.types import Action, ActionKind, Brief, Content, Elite, Record, Scored

HUMAN = "human"
"""The operator of records that a person made."""
_PINNED_RATE = 0.1
"""How often a pinned elite is the parent, while there is one."""
LONGEST = 4000
"""Characters of a note or a goal."""


class Steering:
    """The decisions so far, as they follow from the records."""

    def __init__(self) -> None:
        self.done: list[tuple[int, Action]] = []
        """Every decision with the number of its record, in order."""
        self._pinned: dict[int, Elite] = {}

    @property
    def last(self) -> int:
        """The place in the store's queue of the last decision that became a record; 0 for none."""
        return max((action.place for _, action in self.done), default=0)

    @property
    def pinned(self) -> tuple[Elite, ...]:
        """The pinned elites, in the order of their numbers."""
        return tuple(self._pinned[number] for number in sorted(self._pinned))

    @property
    def goals(self) -> tuple[str, ...]:
        """What language models are told beside the problem's own goal."""
        goals: list[str] = []
        for _, action in self.done:
            match action.kind:
                case ActionKind.GOAL:
                    goals.append(action.text)
                case ActionKind.CLEAR:
                    goals.clear()
        return tuple(goals)

    def take(self, record: Record, recalled: Callable[[int], tuple[Content, Scored]]) -> None:
        """Takes in a record that a person made.

        Args:
            record: with an action.
            recalled: gives the content and score of an earlier record, or raises `KeyError`.
        """
        action = record.candidate.action
        assert action is not None
        self.done.append((record.number, action))
        match action.kind:
            case ActionKind.PIN if action.target is not None and not action.vain:
                self._pinned[action.target] = Elite(action.target, *recalled(action.target), ())
            case ActionKind.UNPIN if action.target is not None:
                self._pinned.pop(action.target, None)
            case ActionKind.QUARANTINE:
                for number in action.barred:
                    self._pinned.pop(number, None)

    def parent(self, rng: Stream) -> Elite | None:
        """A pinned elite, if it is the turn of one to be the parent."""
        pinned = self.pinned
        return rng.choice(pinned) if pinned and rng.random() < _PINNED_RATE else None

    def told(self, brief: Brief) -> str:
        """The notes of a brief, with the goals that people set."""
        goals = "\n".join(f"- {goal}" for goal in self.goals)
        if not goals:
            return brief.notes
        own = f"{brief.notes}\n\n" if brief.notes else ""
        return f"{own}What the people who run this search want now:\n{goals}"

    def state(self) -> dict[str, Any] | None:
        """As JSON values; None where nobody decided anything."""
        if not self.done:
            return None
        return {
            "done": [[number, action.told()] for number, action in self.done],
            "pinned": sorted(self._pinned),
        }

    def restore(self, state: Mapping[str, Any] | None, elites: Mapping[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`, given contents and scores of the record numbers that it names."""
        if state is None:
            return
        self.done = [(number, Action.heard(told)) for number, told in state["done"]]
        self._pinned = {number: Elite(number, *elites[number], ()) for number in state["pinned"]}


def descendants(target: int, parents: Iterable[tuple[int, tuple[int, ...]]]) -> tuple[int, ...]:
    """A record and all that were made from it, directly or not.

    Args:
        target: the record.
        parents: of the records after it, in order: number and parents.
    """
    found = {target}
    for number, made_from in parents:
        if not found.isdisjoint(made_from):
            found.add(number)
    return tuple(sorted(found))


def refuse_nonsense(action: Action, last: int) -> None:
    """Refuses a decision that no campaign could take.

    Args:
        action: the decision.
        last: the number of the campaign's last record.

    Raises:
        CampaignError: it is one.
    """
    kind, target = action.kind, action.target
    needed = kind not in (ActionKind.GOAL, ActionKind.CLEAR, ActionKind.SUBMIT)
    if needed and target is None:
        raise CampaignError(f"{kind} is about a record; say which one.")
    if target is not None and not 1 <= target <= last:
        raise CampaignError(f"{kind} names record {target}; the campaign's records are 1 to {last}.")
    if (kind is ActionKind.SUBMIT) != (action.content is not None):
        raise CampaignError(f"{kind} takes {'a program' if kind is ActionKind.SUBMIT else 'no program'}.")
    if kind in (ActionKind.GOAL, ActionKind.NOTE) and not action.text.strip():
        raise CampaignError(f"{kind} needs a text.")
    if len(action.text) > LONGEST:
        raise CampaignError(f"the text has {len(action.text)} characters; {LONGEST} are the most.")
