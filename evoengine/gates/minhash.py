"""A gate against programs that are nearly there already."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from evoengine.gates._bands import Bands, mixed
from evoengine.gates._forms import hashed, kind_of
from evoengine.gates._packed import packed, unpacked
from evoengine.gates._tokens import is_number, tokens_of
from evoengine.gates.base import Gate
from evoengine.types import Cause, Content, Failed, Record, Scored

_U64 = NDArray[np.uint64]
_ROWS = 512
"""Shingles that are hashed at a time, so that what is worked on stays in the processor's cache."""


class MinHash(Gate):
    """Refuses a child whose token shingles are nearly those of an earlier scored one.

    The share of shingles (runs of `shingle` tokens; comments, layout and docstrings are left out) that two programs
    have in common, of all that either has, is estimated from `permutations` minima (Broder 1997,
    doi:10.1109/SEQUEN.1997.666900), of which the low eight bits are kept (Li and Koenig 2010, arXiv:0910.3349). Bands
    of minima are looked up (Indyk and Motwani 1998, doi:10.1145/276698.276876), one band more than minima may differ:
    so one of them agrees whenever the estimate is high enough, and the lookup misses nothing.

    Only scored records are compared: what is like a program that failed may be its repair.

    One changed token changes `shingle` shingles, so that one small edit leaves a program of n tokens alike to the share
    of (n - shingle) / (n + shingle). Small edits are how evolution works: with the defaults all but a few pass in a
    program of 1.5 kB; in one of 7 kB nearly half of the changes of one operator are refused (`benchmarks/gates.py`).
    Raise the threshold for long programs, lower it where models make too many cosmetic changes.

    Attributes:
        threshold: the estimated share from which a child is refused.
        numbers: whether number literals count. Where they do, programs with other ones (counted, in any order) are
            never similar, as tuning a constant is a real change; where not, all numbers are alike.
    """

    threshold: float = Field(default=0.99, ge=0.8, le=1)
    shingle: int = Field(default=8, ge=1, le=64)
    permutations: int = Field(default=128, ge=16, le=1024)
    numbers: bool = True

    _bands: Bands | None = PrivateAttr(default=None)

    def open(self) -> None:
        self._bands = None

    def take(self, record: Record) -> None:
        content = record.candidate.content
        if content is not None and isinstance(record.evaluation, Scored):
            sketch = self._sketch(content)
            self._index().add(record.number, sketch.minima, sketch.size, sketch.group)

    def refusal(self, child: Content) -> Failed | None:
        sketch = self._sketch(child)
        found = self._index().first(sketch.minima, sketch.size, sketch.group)
        if found is None:
            return None
        number, share = found
        return Failed(
            cause=Cause.SIMILAR,
            feedback=f"like record {number}: {share:.1%} in common, by estimate; {self.threshold:.1%} is too much",
        )

    def state(self) -> Any:
        index = self._index()
        return {
            "numbers": packed(index.numbers),
            "minima": packed(index.minima),
            "sizes": packed(index.sizes),
            "groups": packed(index.groups),
        }

    def restore(self, state: Any) -> None:
        self.open()
        numbers = unpacked(state["numbers"], np.uint32)
        self._index().extend(
            numbers,
            unpacked(state["minima"], np.uint8).reshape(len(numbers), self.permutations),
            unpacked(state["sizes"], np.uint32),
            unpacked(state["groups"], np.uint64),
        )

    def _index(self) -> Bands:
        if self._bands is None:
            differing = int((1 - self.threshold) * self.permutations + 1e-9)
            self._bands = Bands(width=self.permutations, differing=differing)
        return self._bands

    def _sketch(self, content: Content) -> _Sketch:
        return _sketch(content, self.shingle, self.permutations, self.numbers)


class _Sketch(NamedTuple):
    minima: NDArray[np.uint8]
    """(P,)"""
    size: int
    """How many different shingles."""
    group: int
    """Only what has the same is compared: 64 bits of the kind of content, and of the number literals if they count."""


@lru_cache(maxsize=64)
def _sketch(content: Content, shingle: int, permutations: int, numbers: bool) -> _Sketch:
    tokens = tokens_of(content)
    literals = sorted(filter(is_number, tokens)) if numbers else []
    group = hashed("\n".join([kind_of(content), *literals]))
    read = tokens if numbers else ["#" if is_number(token) else token for token in tokens]
    hashes = np.fromiter(map(_token, read), dtype=np.uint64, count=len(read))
    width = min(shingle, len(hashes))
    runs = np.zeros(len(hashes) - width + 1, dtype=np.uint64)
    for place, factor in enumerate(_factors(width)):
        runs += hashes[place : place + len(runs)] * factor
    runs = np.unique(mixed(runs))
    half = (runs >> np.uint64(32)).astype(np.uint32)  # of 32 bits, which processors multiply many at a time
    factors = (_factors(permutations) >> np.uint64(32)).astype(np.uint32)[:, None] | np.uint32(1)
    lowest = np.full(permutations, np.iinfo(np.uint32).max, dtype=np.uint32)
    for start in range(0, len(half), _ROWS):
        values = half[start : start + _ROWS] * factors
        np.minimum(lowest, values.min(axis=1), out=lowest)
    minima = (mixed(lowest.astype(np.uint64)) >> np.uint64(56)).astype(np.uint8)
    minima.flags.writeable = False
    return _Sketch(minima, len(runs), group)


_token = lru_cache(maxsize=1 << 15)(hashed)
"""The hash of a token; programs of a campaign share most of theirs."""


@lru_cache(maxsize=8)
def _factors(count: int) -> _U64:
    """Odd numbers of 64 bits, always the same: (count,)."""
    return mixed(np.arange(1, count + 1, dtype=np.uint64) << np.uint64(8)) | np.uint64(1)
