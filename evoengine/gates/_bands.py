"""An index of rows of bytes that finds those which differ from a given one in few places, without a scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TAIL = 1024
"""Rows that are not in order yet; they are looked through, which takes some tens of microseconds."""
_CHUNK = 4096
"""Rows whose keys are made, or that are compared, at a time."""


class Bands:
    """Rows of `width` bytes, each with a record's number, a size and a group.

    A row is cut into one band more than its places may differ, so that of two rows that are near enough one band is
    the same (the pigeonhole principle; Manku et al. 2007, doi:10.1145/1242572.1242592). Keys of bands stand in sorted
    arrays. New rows are merged in by `_TAIL` at a time: what a row costs at most grows with the rows, but on average
    by a few microseconds at a hundred thousand.

    Args:
        width: bytes of a row.
        differing: in how many places rows of the same group may differ to be near.
    """

    def __init__(self, *, width: int, differing: int) -> None:
        self._width, self._differing = width, differing
        self._starts = np.unique(np.linspace(0, width, differing + 1, endpoint=False).astype(np.intp))
        self._factors = mixed(np.arange(1, width + 1, dtype=np.uint64)) | np.uint64(1)
        self._count = self._settled = 0
        self._numbers = np.empty(64, dtype=np.uint32)
        self._minima = np.empty((64, width), dtype=np.uint8)
        self._sizes = np.empty(64, dtype=np.uint32)
        self._groups = np.empty(64, dtype=np.uint64)
        self._keys: list[NDArray[np.uint64]] = [np.empty(0, dtype=np.uint64) for _ in self._starts]
        self._owners: list[NDArray[np.uint32]] = [np.empty(0, dtype=np.uint32) for _ in self._starts]

    def __len__(self) -> int:
        return self._count

    @property
    def numbers(self) -> NDArray[np.uint32]:
        """(N,) of records."""
        return self._numbers[: self._count]

    @property
    def minima(self) -> NDArray[np.uint8]:
        """(N, width)."""
        return self._minima[: self._count]

    @property
    def sizes(self) -> NDArray[np.uint32]:
        """(N,)."""
        return self._sizes[: self._count]

    @property
    def groups(self) -> NDArray[np.uint64]:
        """(N,)."""
        return self._groups[: self._count]

    def add(self, number: int, minima: NDArray[np.uint8], size: int, group: int) -> None:
        """Adds a row."""
        self._reserve(1)
        at = self._count
        self._numbers[at], self._minima[at], self._sizes[at], self._groups[at] = number, minima, size, group
        self._count += 1
        if self._count - self._settled >= _TAIL:
            self._settle()

    def extend(
        self,
        numbers: NDArray[np.uint32],
        minima: NDArray[np.uint8],
        sizes: NDArray[np.uint32],
        groups: NDArray[np.uint64],
    ) -> None:
        """Adds N rows."""
        self._reserve(len(numbers))
        new = slice(self._count, self._count + len(numbers))
        self._numbers[new], self._minima[new], self._sizes[new], self._groups[new] = numbers, minima, sizes, groups
        self._count = new.stop
        self._settle()

    def first(self, minima: NDArray[np.uint8], size: int, group: int) -> tuple[int, float] | None:
        """The number of the oldest near row of the group, and the share of places that agree; None if none is near.

        Rows whose sizes alone tell that they have too little in common are not near.
        """
        found = [self._near(np.arange(self._settled, self._count), minima, size, group)]
        if self._settled:
            keys = self._keys_of(minima[None, :], np.array([group], dtype=np.uint64))[0]
            for key, known, owners in zip(keys, self._keys, self._owners, strict=True):
                low = int(known.searchsorted(key, "left"))
                high = low + int(known[low:].searchsorted(key, "right"))
                for start in range(low, high, _CHUNK):
                    found.append(self._near(owners[start : min(start + _CHUNK, high)], minima, size, group))
        near = [row for row in found if row is not None]
        if not near:
            return None
        row = min(near)
        return int(self._numbers[row]), float((self._minima[row] == minima).mean())

    def _near(self, rows: NDArray[Any], minima: NDArray[np.uint8], size: int, group: int) -> int | None:
        """The first of some rows that is near."""
        rows = rows[self._groups[rows] == np.uint64(group)]
        if not len(rows):
            return None
        least = 1 - self._differing / self._width
        sizes = self._sizes[rows]
        rows = rows[np.minimum(sizes, size) >= least * np.maximum(sizes, size)]
        rows = rows[np.count_nonzero(self._minima[rows] != minima, axis=1) <= self._differing]
        return int(rows.min()) if len(rows) else None

    def _reserve(self, more: int) -> None:
        have = len(self._numbers)
        if self._count + more <= have:
            return
        room = max(2 * have, self._count + more)
        for name in ("_numbers", "_minima", "_sizes", "_groups"):
            old = getattr(self, name)
            new = np.empty((room, *old.shape[1:]), dtype=old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)

    def _settle(self) -> None:
        """Puts the rows of the tail where their keys belong."""
        for start in range(self._settled, self._count, _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, self._count), dtype=np.uint32)
            every = self._keys_of(self._minima[rows], self._groups[rows])
            self._merge(rows, every)
        self._settled = self._count

    def _merge(self, rows: NDArray[np.uint32], every: NDArray[np.uint64]) -> None:
        for band in range(len(self._starts)):
            order = np.argsort(every[:, band], kind="stable")
            keys = every[order, band]
            places = self._keys[band].searchsorted(keys, "right")
            self._keys[band] = np.insert(self._keys[band], places, keys)
            self._owners[band] = np.insert(self._owners[band], places, rows[order])

    def _keys_of(self, minima: NDArray[np.uint8], groups: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The keys of the bands of N rows: (N, bands)."""
        weighed = (minima.astype(np.uint64) + np.uint64(1)) * self._factors
        sums = np.add.reduceat(weighed, self._starts, axis=1)
        return mixed(sums ^ groups[:, None])


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number well stirred: the finaliser of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed
