"""A gate against changes that only undo what made an ancestor better."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass

from pydantic import Field

from evoengine.gates.base import Examination, Gate
from evoengine.types import Answer, Cause, Content, Draft, Evaluation, Failed, Lookup, Program, Record, Scored

_IDLE = frozenset(
    {"else:", "else", "try:", "try", "finally:", "finally", "do", "end", "begin", "pass", "continue", "break"}
    | {"return", "return None", "return;", "continue;", "break;", "...", '"""', "'''"}
)
_QUOTED = 3
_WIDEST = 100


class Reintroduced(Gate):
    """Refuses a child that only goes back on what its ancestors gave up for the better.

    Language models keep putting back what was taken out: of the lines that coding agents add in evolution some 30 %
    are those that were deleted before (EvoTrace 2026, arXiv:2605.20086). The first parent's line of descent is walked.
    A line counts as given up where a record no longer had it and scored more than its own parent; the latest time
    decides, so that it may come back once its removal made things worse. What the draft's other parents and its
    inspirations hold is no step back either.

    A child is refused when at least `lines` lines of its change come back like that, and of all lines that it adds or
    takes away at least `share` only undo: they come back, or go out again after they came in on the way. Lines are
    compared without the white space around them; comments, blank lines and the likes of `else:` are left out; where a
    line stands does not matter.

    Attributes:
        depth: how many ancestors of the first parent are looked at.
        share: 0 to 1.
    """

    depth: int = Field(default=8, ge=1, le=1000)
    share: float = Field(default=1.0, gt=0, le=1)
    lines: int = Field(default=2, ge=1)

    def examine(self, child: Content, draft: Draft) -> Examination:
        parent = draft.parents[0]
        have, had = _lines(child), _lines(parent.content)
        added, gone = have - had, had - have
        if added.total() < self.lines:
            return None
        steps = yield from self._steps(parent.number)
        known = {line for one in (*draft.parents[1:], *draft.inspirations) for line in _lines(one.content)}
        back: dict[str, _Step] = {}
        came_in: set[str] = set()
        decided: set[str] = set()
        for step in steps:  # the latest first
            came_in |= step.added.keys()
            for line in step.gone.keys() - decided:
                decided.add(line)
                if step.better and line not in known:
                    back[line] = step
        returned = [line for line in added.elements() if line in back]
        undone = len(returned) + sum(count for line, count in gone.items() if line in came_in)
        if len(returned) < self.lines or undone < self.share * (added.total() + gone.total()):
            return None
        return Failed(cause=Cause.REINTRODUCED, feedback=_told(returned, back))

    def _steps(self, number: int) -> Generator[Lookup, Answer, list[_Step]]:
        """What each record on the line of descent changed, the latest first."""
        steps: list[_Step] = []
        record = yield from _looked_up(number)
        while record is not None and len(steps) < self.depth and record.candidate.parents:
            before = record.candidate.parents[0]
            older = (yield from _looked_up(before)) if before < record.number else None
            if older is None or older.candidate.content is None or record.candidate.content is None:
                break
            have, had = _lines(record.candidate.content), _lines(older.candidate.content)
            better = _score(record.evaluation) > _score(older.evaluation)
            steps.append(
                _Step(older=older.number, newer=record.number, better=better, added=have - had, gone=had - have)
            )
            record = older
        return steps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """From a record to its child."""

    older: int
    newer: int
    better: bool
    added: Counter[str]
    gone: Counter[str]


def _looked_up(number: int) -> Generator[Lookup, Answer, Record | None]:
    found: dict[int, Record] = yield Lookup(numbers=(number,))
    return found.get(number)


def _score(evaluation: Evaluation) -> float:
    return evaluation.score if isinstance(evaluation, Scored) else -math.inf


def _lines(content: Content) -> Counter[str]:
    """The lines of all files or sections that say something, and how often each is there."""
    if isinstance(content, Program):
        texts, comment = content.files.values(), "#" if content.language == "python" else "//"
    else:
        texts, comment = content.sections.values(), None
    stripped = (line.strip() for text in texts for line in text.splitlines())
    return Counter(
        line
        for line in stripped
        if line not in _IDLE
        and any(sign.isalnum() for sign in line)
        and not (comment is not None and line.startswith(comment))
    )


def _told(returned: list[str], back: dict[str, _Step]) -> str:
    """Why, with the record that most of the lines come back from."""
    [(first, _)] = Counter(back[line].newer for line in returned).most_common(1)
    step = next(one for one in back.values() if one.newer == first)
    shown = [line for line in dict.fromkeys(returned) if back[line] is step][:_QUOTED]
    quoted = "\n".join(line if len(line) <= _WIDEST else f"{line[:_WIDEST]}..." for line in shown)
    return (
        f"the change only brings back {len(returned)} lines that were given up for a better score: "
        f"record {step.older} had them and record {step.newer} did not, and scored more. Among them:\n{quoted}"
    )
