"""What makes proposals in the place of evolution: the baselines that a campaign is compared with.

Each spends the same budget on the same problem, and leaves out one thing: training (`frozen`), selection
(`best-of-n`), the population (`sequential`), the language model (`floor`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from evoengine.errors import SettingError
from evoengine.types import GUIDANCE, SEED, Content, Elite, Record, Scored, Selection

EVOLVE = "evolve"
FROZEN = "frozen"
BEST_OF_N = "best-of-n"
SEQUENTIAL = "sequential"
FLOOR = "floor"
MUTATORS = {
    EVOLVE: "islands choose parents; a trainer, where there is one, updates the model",
    FROZEN: "the same with a trainer that never updates",
    BEST_OF_N: "every proposal is made from the first seed, with the same prompt",
    SEQUENTIAL: "every proposal improves the latest one that has a score",
    FLOOR: "islands choose parents; no language model is asked",
}
UNGUIDED = (BEST_OF_N, SEQUENTIAL, FLOOR)
"""Those whose prompts, if any, carry neither guidance nor lessons: these choose among what other proposals brought."""


def known_mutator(name: str) -> str:
    """The name, if it is that of a mutator.

    Raises:
        SettingError: it is not.
    """
    if name not in MUTATORS:
        near = get_close_matches(name, MUTATORS, n=1) if isinstance(name, str) else []
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"there is no mutator {name!r}; there are: {', '.join(MUTATORS)}.{hint}")
    return name


class Lineup(ABC):
    """Says what the next proposal is made from, in the place of islands' selectors; a fold over the records.

    Attributes:
        remembers: whether a prompt shows what was made of its parent lately.
    """

    remembers: ClassVar[bool]

    @abstractmethod
    def take(self, record: Record) -> None:
        """Takes in the next record."""

    @abstractmethod
    def selection(self) -> Selection:
        """What a proposal is made from. Something has a score."""

    @abstractmethod
    def state(self) -> Any:
        """What a later `restore` needs, as a JSON value; elites by record number."""

    @abstractmethod
    def restore(self, state: Any, elites: Mapping[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`, given contents and scores of the record numbers that it names."""


class FirstSeed(Lineup):
    """The first seed that has a score, and nothing beside it, whatever came of earlier proposals."""

    remembers = False

    def __init__(self) -> None:
        self._seed: Elite | None = None

    def take(self, record: Record) -> None:
        if self._seed is None and record.candidate.operator == SEED:
            self._seed = _elite(record)

    def selection(self) -> Selection:
        assert self._seed is not None
        return Selection(parents=(self._seed,))

    def state(self) -> Any:
        return None if self._seed is None else self._seed.number

    def restore(self, state: Any, elites: Mapping[int, tuple[Content, Scored]]) -> None:
        self._seed = None if state is None else _restored(state, elites)


class Chain(Lineup):
    """The latest record that has a score, better or worse than its parent, with its ancestors by first parents.

    A proposal sees the records up to the window before it, so that a window above 1 makes so many chains side by
    side; a window of 1 makes one.

    Args:
        window: of the campaign.
        history: how many ancestors are shown, the nearest first.
    """

    remembers = True

    def __init__(self, *, window: int, history: int) -> None:
        self._window, self._history = window, history
        self._lines: deque[tuple[Elite, ...]] = deque()
        """Records with a score, oldest first, each with its ancestors behind it."""

    def take(self, record: Record) -> None:
        elite = _elite(record)
        if elite is not None:
            known = {line[0].number: line for line in self._lines}
            before = known.get(record.candidate.parents[0], ()) if record.candidate.parents else ()
            self._lines.append((elite, *before[: self._history]))
        # a proposal in flight has the latest of some state since then as its parent; older ones have no more children
        while len(self._lines) > 1 and self._lines[1][0].number <= record.number - self._window:
            self._lines.popleft()

    def selection(self) -> Selection:
        [latest, *ancestors] = self._lines[-1]
        return Selection(parents=(latest,), inspirations=tuple(ancestors))

    def state(self) -> Any:
        return [[elite.number for elite in line] for line in self._lines]

    def restore(self, state: Any, elites: Mapping[int, tuple[Content, Scored]]) -> None:
        self._lines = deque(tuple(_restored(number, elites) for number in line) for line in state)


def lineup_of(mutator: str, *, window: int, history: int) -> Lineup | None:
    """What decides a mutator's parents; None where islands do.

    Args:
        mutator: its name.
        window: of the campaign.
        history: how many other elites an operator is shown.
    """
    match mutator:
        case "best-of-n":
            return FirstSeed()
        case "sequential":
            return Chain(window=window, history=history)
        case _:
            return None


def _elite(record: Record) -> Elite | None:
    content, evaluation = record.candidate.content, record.evaluation
    if content is None or not isinstance(evaluation, Scored) or record.candidate.island == GUIDANCE:
        return None
    return Elite(number=record.number, content=content, scored=evaluation, cell=())


def _restored(number: int, elites: Mapping[int, tuple[Content, Scored]]) -> Elite:
    content, scored = elites[number]
    return Elite(number=number, content=content, scored=scored, cell=())
