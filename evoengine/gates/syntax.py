"""A gate against programs that are there already, but for comments, layout and the names of locals."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import PrivateAttr

from evoengine.gates._forms import form_of
from evoengine.gates._packed import packed, unpacked
from evoengine.gates.base import Gate
from evoengine.types import Cause, Content, Failed, Record

_UNJUDGED = frozenset({Cause.DUPLICATE, Cause.NO_CHANGE, Cause.SIMILAR, Cause.REINTRODUCED, Cause.UNJUDGED})
"""Causes that tell nothing of what a content is worth."""


class Syntax(Gate):
    """Refuses a child whose normalised syntax is that of an earlier one.

    In Python programs comments, docstrings, layout and local names do not count, in all their files. In other texts
    blank lines and white space at the ends of lines do not; in contexts no difference of white space does. Only
    records that were judged are compared: what another gate refused for the sake of its parent may come back from
    another parent.

    Two forms that differ are taken for one with a chance of 2^-64. A form may depend on the version of Python: a
    campaign that goes on under another one no longer knows what it had before.
    """

    _first: dict[int, int] = PrivateAttr(default_factory=dict)
    """Digest of a form to the first record that had it."""

    def open(self) -> None:
        self._first = {}

    def take(self, record: Record) -> None:
        content, evaluation = record.candidate.content, record.evaluation
        judged = not (isinstance(evaluation, Failed) and evaluation.cause in _UNJUDGED)
        if content is not None and judged:
            self._first.setdefault(form_of(content), record.number)

    def refusal(self, child: Content) -> Failed | None:
        number = self._first.get(form_of(child))
        if number is None:
            return None
        return Failed(
            cause=Cause.DUPLICATE,
            feedback=f"the same as record {number}, but for what changes nothing: comments, layout, names of locals",
        )

    def state(self) -> Any:
        count = len(self._first)
        return {
            "digests": packed(np.fromiter(self._first.keys(), dtype=np.uint64, count=count)),
            "numbers": packed(np.fromiter(self._first.values(), dtype=np.uint32, count=count)),
        }

    def restore(self, state: Any) -> None:
        digests, numbers = unpacked(state["digests"], np.uint64), unpacked(state["numbers"], np.uint32)
        self._first = dict(zip(digests.tolist(), numbers.tolist(), strict=True))
