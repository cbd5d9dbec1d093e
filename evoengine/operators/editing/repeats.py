"""New lines that go on with the program's own: copied further than the lines that they take the place of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evoengine.operators.editing.syntax import without_comments
from evoengine.operators.editing.trees import Splice

_BRACKETS = re.compile(r"[\s\[\](){},;:'\"]*")
_BEYOND = 60
"""Lines of the program beyond an edit that are looked at."""


def repeated(
    program: Sequence[str], splices: Sequence[Splice], old: Sequence[str], new: Sequence[str], *, python: bool
) -> str | None:
    """A new line at an end of an edit's REPLACE part that the program has right beyond the SEARCH part; or None.

    An end that both parts share is meant as it is: only one that was copied further than the SEARCH part tells
    that the copying was a mistake.

    Args:
        program: its lines.
        splices: what the edit does to them.
        old: the SEARCH part.
        new: the REPLACE part.
        python: whether lines may differ in comments too.
    """
    searched, written = ([line.strip() for line in part if line.strip()] for part in (old, new))
    if not written:
        return None
    start, end = splices[0].start, splices[-1].end
    come: list[str] = []
    at = start
    for splice in splices:
        come += [*program[at : splice.start], *splice.lines]
        at = splice.end
    if searched[-1] != written[-1]:
        twice = _shared(come, program[end : end + _BEYOND], 1, python=python)
        if twice is not None:
            return twice
    if searched[0] != written[0]:
        return _shared(come, program[max(start - _BEYOND, 0) : start], -1, python=python)
    return None


def _key(line: str) -> str:
    """A line with its indent, whatever its spaces, quotes and the comma at its end."""
    said = line.lstrip(" \t")
    return line[: len(line) - len(said)] + "".join(said.split()).replace("'", '"').rstrip(",")


def _shared(lines: Sequence[str], beyond: Sequence[str], step: int, *, python: bool) -> str | None:
    """A telling line among the last of the new ones (step 1) or the first (-1) that are those beyond; or None."""
    readings = [(lines, beyond)]
    if python:
        bare, others = without_comments(lines), without_comments(beyond)
        if bare is not None and others is not None:
            readings.append((bare, others))
    for reading in readings:
        one, other = ([_key(line) for line in part if line.strip()][::step] for part in reading)
        for size in range(1, min(len(one), len(other)) + 1):
            if one[-size:] == other[:size]:
                telling = [line.strip() for line in other[:size] if not _BRACKETS.fullmatch(line)]
                if telling:
                    return telling[0]
    return None
