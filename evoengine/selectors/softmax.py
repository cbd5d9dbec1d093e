"""Softmax selection over normal scores of the ranks, with a controlled entropy."""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from math import exp, log
from statistics import NormalDist
from typing import Any

from pydantic import Field

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites, Insertion, Record

_QUANTILES = 64
_LEVELS = 32


@dataclass(slots=True)
class _Plateau:
    best: float | None = None
    stalled: int = 0


class Softmax(Selector):
    """An elite with probability proportional to exp(z / T), z being the normal score of its rank.

    Softmax over raw scores (FunSearch, Romera-Paredes et al. 2023, doi:10.1038/s41586-023-06924-6) turns
    uniform when scores bunch up late in a run. Here scores enter by rank only (normal scores after Blom
    1958, z = Phi^-1((N - r + 5/8) / (N + 1/4)) for rank r counted from 1), and the temperature is solved for a
    target entropy, relative to that of the uniform distribution. The target rises from `entropy_low`
    to `entropy_high` over `patience` records of the island without an improvement of its best, and
    falls back at once when one comes. Above 64 elites the distribution is over 64 quantiles. Elites
    with equal scores share their ranks' probability.
    """

    entropy_low: float = Field(default=0.6, gt=0.0, lt=1.0)
    entropy_high: float = Field(default=0.95, gt=0.0, lt=1.0)
    patience: int = Field(default=400, ge=1)

    @cached_property
    def _plateau(self) -> _Plateau:  # cached properties are read ten times faster than private attributes
        return _Plateau()

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        size = len(elites)
        places = min(size, _QUANTILES)
        place = bisect_left(_distribution(places, self._level()), rng.random())
        rank = int((place + rng.random()) * size / places) if places < size else place
        ties = elites.ties(min(rank, size - 1))
        return elites.ranked(ties[int(rng.random() * len(ties))])

    def observe(self, record: Record, insertion: Insertion) -> None:
        score = getattr(record.evaluation, "score", None)
        plateau = self._plateau
        if insertion and score is not None and (plateau.best is None or score > plateau.best):
            plateau.best, plateau.stalled = score, 0
        else:
            plateau.stalled += 1

    def state(self) -> dict[str, Any]:
        return {"best": self._plateau.best, "stalled": self._plateau.stalled}

    def restore(self, state: dict[str, Any]) -> None:
        self._plateau.best, self._plateau.stalled = state["best"], state["stalled"]

    def _level(self) -> float:
        along = min(1.0, self._plateau.stalled / self.patience)
        return round((self.entropy_low + along * (self.entropy_high - self.entropy_low)) * _LEVELS) / _LEVELS


@lru_cache(maxsize=4096)
def _distribution(size: int, target: float) -> tuple[float, ...]:
    """Cumulative probabilities by rank, best first, (size,): the last is 1."""
    if size == 1:
        return (1.0,)
    normal = NormalDist()
    scores = [normal.inv_cdf((size - rank + 0.625) / (size + 0.25)) for rank in range(1, size + 1)]
    cold, hot = 1e-3, 1e3
    for _ in range(30):
        middle = (cold * hot) ** 0.5
        if _entropy(_softmax(scores, middle)) < target * log(size):
            cold = middle
        else:
            hot = middle
    steps = list(accumulate(_softmax(scores, hot)))
    return (*steps[:-1], 1.0)


def _softmax(scores: list[float], temperature: float) -> list[float]:
    weights = [exp((score - scores[0]) / temperature) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]


def _entropy(probabilities: list[float]) -> float:
    return -sum(p * log(p) for p in probabilities if p > 0)
