"""How a campaign went: its best value so far, and what it is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evoengine.chronicle import Chronicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best value from a record on, until the next."""

    number: int
    value: float
    """The problem's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A value to compare with, the problem's own, and where it is from."""

    name: str
    value: float
    source: str


def best_so_far(chronicle: Chronicle, most: int | None = None) -> list[Best]:
    """Each best of its time, in order, and the last again at the last record; of many `most`, evenly."""
    numbers = chronicle.champions()
    if most is not None and len(numbers) > most:
        numbers = numbers[np.round(np.linspace(0, len(numbers) - 1, most)).astype(np.int64)]
    found = [Best(number=int(number), value=_value(chronicle, int(number))) for number in numbers]
    if found and found[-1].number < chronicle.count:
        found.append(Best(number=chronicle.count, value=found[-1].value))
    return found


def references(chronicle: Chronicle) -> list[Reference]:
    """The best value known of the problem, and what was reached by hand, where the problem tells them."""
    named = (("best known", chronicle.about["best_known"]), ("by hand", chronicle.about["floor"]))
    return [
        Reference(name=name, value=float(anchor["value"]), source=str(anchor["source"]))
        for name, anchor in named
        if anchor is not None
    ]


def hours_at(chronicle: Chronicle, number: int) -> float:
    """When a record was stored, in hours since the first; NaN where the store does not know."""
    at = chronicle.columns["at"]
    return float(at[number - 1] - at[0]) / 3600


def _value(chronicle: Chronicle, number: int) -> float:
    score = chronicle.score(number)
    return math.nan if score is None else chronicle.shown(score)
