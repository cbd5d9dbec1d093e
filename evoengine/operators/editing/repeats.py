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
    above, below = list(program[max(start - _BEYOND, 0) : start][::-1]), list(program[end : end + _BEYOND])
    return (
        _shared(come, below, _stays(searched[::-1], written[::-1]), python=python)
        or _shared(come[::-1], above, _stays(searched, written), python=python)
        or (_begun_again(above, searched, written) if python else None)
    )


def _begun_again(above: Sequence[str], searched: Sequence[str], written: Sequence[str]) -> str | None:
    """The first new line, where it begins a block and the program's line right above begins the same; or None.

    At whatever depth: the lines below may have been found at another one than they were written at.
    """
    before = next((line for line in above if line.strip()), "")
    same = _key(before.strip()) == _key(written[0])
    shown = bool(searched) and searched[0] == written[0]
    return written[0] if same and not shown and written[0].endswith(":") else None


def _stays(searched: Sequence[str], written: Sequence[str]) -> list[str]:
    """The lines that both parts begin with."""
    count = 0
    while count < min(len(searched), len(written)) and searched[count] == written[count]:
        count += 1
    return list(searched[:count])


def _key(line: str) -> str:
    """A line with its indent, whatever its spaces, quotes and the comma at its end."""
    said = line.lstrip(" \t")
    return line[: len(line) - len(said)].expandtabs(4) + "".join(said.split()).replace("'", '"').rstrip(",")


def _shared(come: Sequence[str], beyond: Sequence[str], stays: Sequence[str], *, python: bool) -> str | None:
    """A telling line among the last of what an edit leaves, where these are the lines beyond; or None.

    Args:
        come: what the edit leaves where it changes something.
        beyond: the program's lines from there on.
        stays: the lines at this end of both of its parts, the outermost first. More than these have to be the same.
        python: whether lines may differ in comments too.
    """
    solid = [at for at, line in enumerate(beyond) if line.strip()][: len(stays)]
    if solid and [beyond[at].strip() for at in solid] == list(stays[::-1]):
        come, beyond = [*come, *beyond[: solid[-1] + 1]], beyond[solid[-1] + 1 :]
    readings = [(come, beyond)]
    if python:
        bare, others = without_comments(come), without_comments(beyond)
        if bare is not None and others is not None:
            readings.append((bare, others))
    for reading in readings:
        one, other = ([_key(line) for line in part if line.strip()] for part in reading)
        for size in range(len(stays) + 1, min(len(one), len(other)) + 1):
            if one[-size:] == other[:size]:
                telling = [line.strip() for line in other[:size] if not _BRACKETS.fullmatch(line)]
                if telling:
                    return telling[0]
    return None
