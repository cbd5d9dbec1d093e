"""What was learnt from changes: kept, retrieved where it fits, and kept on only if showing it helps."""

from __future__ import annotations

import json
import math
import random
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from evoengine.component import Component
from evoengine.errors import SettingError
from evoengine.types import Content, Context, Failed, Lesson, Note, Program, Record, Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.int32]

_DIMENSIONS = 64
_TOKEN = re.compile(r"[A-Za-z_]\w+")
_CHARS = 500
_IMAGINED = 2.0
"""Tries with, and without, that every lesson begins with, at the average reward."""


@dataclass(slots=True)
class _Held:
    """A lesson with what came of showing it and of not showing it."""

    lesson: Lesson
    vector: Vector
    shown: float = 0.0
    reward_shown: float = 0.0
    withheld: float = 0.0
    reward_withheld: float = 0.0


@dataclass(slots=True)
class _Memory:
    held: dict[int, _Held] = field(default_factory=dict)
    proposals: float = 0.0
    reward: float = 0.0

    @property
    def mean(self) -> float:
        return (self.reward + 0.5) / (self.proposals + 1.0)


class Lessons(Component):
    """A fold over records: the notes that models wrote of their changes, beside what was observed.

    A lesson is retrieved where the program that it was learnt on is like the one to be changed (cosine of hashed
    words; Weinberger et al. 2009, arXiv:0902.2206). Of the lessons retrieved each is held back in a share of cases,
    so that what showing it is worth is known from an experiment and not from the company it keeps.

    Attributes:
        shown: how many a proposal is shown at most; 0 for none.
        withhold: the share of cases in which one that fits is held back.
        capacity: lessons beyond this many make the one that helped least go.
        known: a file of lessons of another campaign (`evoengine lessons NAME --export FILE`).
    """

    shown: int = Field(default=3, ge=0)
    withhold: float = Field(default=0.25, ge=0.0, le=0.9)
    capacity: int = Field(default=200, ge=1)
    known: Path | None = None

    @cached_property
    def _memory(self) -> _Memory:
        return _Memory()

    def open(self) -> None:
        """Forgets everything but the lessons of other campaigns.

        Raises:
            SettingError: their file cannot be read.
        """
        self._memory.held = {}
        self._memory.proposals = self._memory.reward = 0.0
        if self.known is not None:
            for number, (lesson, text) in enumerate(_read(self.known), start=1):
                self._memory.held[-number] = _Held(replace(lesson, number=-number), _vector(text))

    def take(self, record: Record, parent: float | None, reward: float) -> None:
        """Takes in a record: its own note, and the lessons that it was or was not shown.

        Args:
            record: any.
            parent: the score of its first parent, if it has one.
            reward: what it brought, 0 to 1.
        """
        memory, candidate = self._memory, record.candidate
        memory.proposals += 1.0
        memory.reward += reward
        for number in candidate.lessons:
            if number in memory.held:
                memory.held[number].shown += 1.0
                memory.held[number].reward_shown += reward
        for number in candidate.withheld:
            if number in memory.held:
                memory.held[number].withheld += 1.0
                memory.held[number].reward_withheld += reward
        lesson = lesson_of(record, parent)
        if lesson is not None and candidate.content is not None:
            memory.held[record.number] = _Held(lesson, _vector(_text(candidate.content)))
            if len(memory.held) > self.capacity:
                least = min(memory.held.values(), key=lambda one: (self._utility(one), one.lesson.number))
                del memory.held[least.lesson.number]

    def choose(self, content: Content, rng: random.Random) -> tuple[tuple[Lesson, ...], tuple[int, ...]]:
        """Lessons to be shown with a program, the most fitting first, and the numbers of those held back."""
        held = list(self._memory.held.values())
        if not held or not self.shown:
            return (), ()
        vector = _vector(_text(content))
        worth = [_likeness(vector, one.vector) + self._utility(one) for one in held]
        order = sorted(range(len(held)), key=lambda place: (-worth[place], held[place].lesson.number))
        chosen = [held[place].lesson for place in order[: self.shown]]
        kept = [rng.random() >= self.withhold for _ in chosen]
        shown = tuple(lesson for lesson, keep in zip(chosen, kept, strict=True) if keep)
        return shown, tuple(lesson.number for lesson, keep in zip(chosen, kept, strict=True) if not keep)

    def _utility(self, one: _Held) -> float:
        """The mean reward with the lesson less that without it, each from two imagined tries up."""
        imagined = _IMAGINED * self._memory.mean
        return (one.reward_shown + imagined) / (one.shown + _IMAGINED) - (one.reward_withheld + imagined) / (
            one.withheld + _IMAGINED
        )

    def _ranked(self) -> list[_Held]:
        return sorted(self._memory.held.values(), key=lambda one: (-self._utility(one), one.lesson.number))

    def best(self) -> list[Lesson]:
        """All lessons, the most useful first."""
        return [one.lesson for one in self._ranked()]

    def standing(self) -> list[dict[str, Any]]:
        """Every lesson with its counts, the most useful first, as JSON values."""
        return [
            {
                "number": one.lesson.number,
                **asdict(one.lesson.note),
                "observed": one.lesson.observed,
                "gain": one.lesson.gain,
                "shown": int(one.shown),
                "withheld": int(one.withheld),
                "utility": self._utility(one),
            }
            for one in self._ranked()
        ]

    def state(self) -> Any:
        """What `restore` needs, as a JSON value."""
        memory = self._memory
        held = [
            [
                asdict(one.lesson),
                b64encode(one.vector.tobytes()).decode(),
                [one.shown, one.reward_shown, one.withheld, one.reward_withheld],
            ]
            for one in memory.held.values()
        ]
        return {"held": held, "proposals": memory.proposals, "reward": memory.reward}

    def restore(self, state: Any) -> None:
        """Takes up a `state`."""
        import numpy as np

        memory = self._memory
        memory.held, memory.proposals, memory.reward = {}, state["proposals"], state["reward"]
        for told, vector, counts in state["held"]:
            lesson = Lesson(**{**told, "note": Note(**told["note"])})
            memory.held[lesson.number] = _Held(lesson, np.frombuffer(b64decode(vector), dtype=np.int32), *counts)


def lesson_of(record: Record, parent: float | None) -> Lesson | None:
    """What a record teaches; None when no model said what it meant to do.

    Args:
        record: any.
        parent: the score of its first parent, if it has one.
    """
    note = record.candidate.note
    if note is None or not (note.hypothesis or note.change):
        return None
    gain = None
    match record.evaluation:
        case Scored(score=score) if parent is not None:
            gain = score - parent
            what = "better" if gain > 0 else "worse" if gain < 0 else "no different"
            observed = f"{what} (by {abs(gain):.6g})" if gain else what
        case Scored():
            observed = "scored"
        case Failed(cause=cause, feedback=feedback):
            last = feedback.strip().splitlines()[-1:] or [""]
            observed = f"failed: {cause} {last[0]}".rstrip()
    short = Note(hypothesis=note.hypothesis[:_CHARS], change=note.change[:_CHARS], predicted=note.predicted[:_CHARS])
    return Lesson(number=record.number, note=short, observed=observed[:_CHARS], gain=gain)


def exported(lessons: Iterable[tuple[Lesson, Content]]) -> str:
    """Lessons with the programs that they were learnt on, one line of JSON each."""
    return "".join(
        json.dumps({**asdict(lesson.note), "observed": lesson.observed, "gain": lesson.gain, "program": _text(content)})
        + "\n"
        for lesson, content in lessons
    )


def _read(path: Path) -> list[tuple[Lesson, str]]:
    found = []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            program, observed, gain = str(told.pop("program")), str(told.pop("observed")), told.pop("gain")
            found.append((Lesson(number=0, note=Note(**told), observed=observed, gain=gain), program))
    except OSError as error:
        raise SettingError(f"lessons.known: {path} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingError(
            f"lessons.known: {path} is no file of lessons ({error}); write one with `evoengine lessons NAME --export`."
        ) from None
    return found


def _text(content: Content) -> str:
    match content:
        case Program(files=files):
            return "\n".join(files.values())
        case Context(sections=sections):
            return "\n".join(sections.values())


def _vector(text: str) -> Vector:
    """A text's words, hashed and counted with a sign: (64,), whole numbers, so that every machine ranks alike."""
    import numpy as np

    vector = np.zeros(_DIMENSIONS, dtype=np.int32)
    for word in set(_TOKEN.findall(text)):
        hashed = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=2).digest()
        vector[hashed[0] % _DIMENSIONS] += 1 if hashed[1] & 1 else -1
    return vector


def _likeness(one: Vector, other: Vector) -> float:
    """The cosine of the angle between two vectors, 0 where one is empty."""
    return int(one @ other) / math.sqrt(max(1, int(one @ one) * int(other @ other)))
