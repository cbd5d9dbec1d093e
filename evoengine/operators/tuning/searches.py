"""Searches over a vector of numbers under a budget of judged calls. Each starts from the best point known."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias

from evoengine.operators.tuning.lifting import Lifted
from evoengine.randomness import Stream
from evoengine.types import Answer, Evaluation, Program, Scored, Trials

Tries: TypeAlias = Generator[Trials, Answer, list[float]]
Search: TypeAlias = Callable[["Climb", Stream], Generator[Trials, Answer, None]]

_WORST = 1e300
"""What a failed trial counts as where a number is needed; only its rank matters."""
_FEW = 12
"""Up to so many coordinates CMA-ES finds its own step size within the budget, and may begin with a large one."""
_FAR = 0.2
"""The share of moves of the local search that are larger than its step size: the way out of a local optimum."""
_SEPARABLE = 60
"""From so many coordinates on, CMA-ES adapts variances only."""


class Climb:
    """What a tuning run has spent and found.

    Args:
        program: whose main file is replaced by the lifted text.
        lifted: the coordinates (K,).
        score: of the starting point.
        budget: judged calls that may be spent.
        batch: points in one request, at most.
        patience: calls after which to give up if nothing but the starting score was ever seen.
    """

    def __init__(
        self, program: Program, lifted: Lifted, *, score: float, budget: int, batch: int, patience: int
    ) -> None:
        self.lifted = lifted
        self.program = program.with_text(lifted.text())
        self.best = lifted.start
        self.first = self.score = score
        self.left = budget
        self.patience = patience
        self.batch = batch
        self.flat = True
        """Whether every trial yet had the starting score, or failed."""

    @property
    def scales(self) -> tuple[float, ...]:
        """The unit of each coordinate (K,)."""
        return tuple(one.scale for one in self.lifted.coordinates)

    @property
    def going(self) -> bool:
        """Whether there is budget left, and a sign that the score depends on the coordinates."""
        return self.left > 0 and not (self.flat and self.patience <= 0)

    def tried(self, points: Sequence[Sequence[float]]) -> Tries:
        """The scores of points (P, K), minus infinity for those that failed; fewer than P when the budget ends."""
        scores: list[float] = []
        while self.going and len(scores) < len(points):
            room = min(self.batch, self.left, len(points) - len(scores))
            chunk = [self.lifted.conformed(point) for point in points[len(scores) : len(scores) + room]]
            answers: Sequence[Evaluation] = yield Trials(program=self.program, points=chunk)
            self.left -= len(chunk)
            self.patience -= len(chunk)
            for point, answer in zip(chunk, answers, strict=True):
                score = answer.score if isinstance(answer, Scored) else -math.inf
                scores.append(score)
                self.flat = self.flat and score in (self.first, -math.inf)
                if score > self.score:
                    self.best, self.score = point, score
        return scores


def cmaes(climb: Climb, rng: Stream) -> Generator[Trials, Answer, None]:
    """CMA-ES (Hansen and Ostermeier 2001, doi:10.1162/106365601750190398), restarted with other step sizes.

    Separable (Ros and Hansen 2008, doi:10.1007/978-3-540-87700-4_30) in many dimensions. The first step size is
    log-uniform, so that repeated runs from a program's best known point search on different scales.
    """
    import numpy as np
    from cmaes import CMA, SepCMA

    if len(climb.best) < 2:
        yield from pattern(climb, rng)
        return
    scales = np.array(climb.scales)
    low = np.array([one.low for one in climb.lifted.coordinates])
    high = np.array([one.high for one in climb.lifted.coordinates])
    while climb.going:
        origin = np.array(climb.best)
        bounds = np.stack([(low - origin) / scales - 1e-9, (high - origin) / scales + 1e-9], axis=1)
        sigma = 10.0 ** (rng.uniform(-1.3, 0.0) if len(scales) <= _FEW else rng.uniform(-2.0, -0.5))
        kind = CMA if len(scales) <= _SEPARABLE else SepCMA
        optimizer = kind(mean=np.zeros(len(scales)), sigma=sigma, bounds=bounds, seed=rng.randrange(2**32))
        size, idle, known = optimizer.population_size, 0, climb.score
        while climb.going and not optimizer.should_stop() and idle < 10 + 30 * len(scales) // size:
            asked = [optimizer.ask() for _ in range(size)]
            scores = yield from climb.tried([list(origin + scales * one) for one in asked])
            if len(scores) < size:
                return
            costs = [_WORST if score == -math.inf else -score for score in scores]
            optimizer.tell(list(zip(asked, costs, strict=True)))
            idle, known = (idle + 1, known) if climb.score <= known else (0, climb.score)


def pattern(climb: Climb, rng: Stream) -> Generator[Trials, Answer, None]:
    """Pattern search (Hooke and Jeeves 1961, doi:10.1145/321062.321069) with a step size for each coordinate.

    After each round of single moves the whole round is repeated once more, as the pattern.
    """
    size = 10.0 ** rng.uniform(-2.0, -0.3)
    steps = [
        (1.0 if rng.random() < 0.5 else -1.0) * (max(1.0, size * one.scale) if one.whole else size * one.scale)
        for one in climb.lifted.coordinates
    ]
    units = climb.lifted.coordinates
    places, idle = list(range(len(steps))), 0
    while climb.going and idle < 6 and any(abs(steps[place]) > 1e-9 * units[place].scale for place in places):
        base = climb.best
        rng.shuffle(places)
        for place in places:
            for step in (steps[place], -steps[place]):
                if (yield from _advanced(climb, place, step)):
                    steps[place] = 1.6 * step
                    break
            else:
                steps[place] *= 0.5
                if units[place].whole and abs(steps[place]) < 0.6:
                    steps[place] = math.copysign(float(rng.choice((1, 2, 3, 5))), steps[place])
        if climb.best == base:
            idle += all(one.whole for one in units)
        else:
            idle = 0
            yield from climb.tried([[2 * new - old for new, old in zip(climb.best, base, strict=True)]])


def _advanced(climb: Climb, place: int, step: float) -> Generator[Trials, Answer, bool]:
    """Whether one coordinate moved by a step is better; a step that its range takes back is not tried."""
    point, known = list(climb.best), climb.score
    point[place] += step
    if climb.lifted.conformed(point) != climb.best:
        yield from climb.tried([point])
    return climb.score > known


def random(climb: Climb, rng: Stream) -> Generator[Trials, Answer, None]:
    """All coordinates moved at once from the best point, by a scale that is drawn anew for every point."""
    while climb.going:
        points = []
        for _ in range(min(climb.batch, 4)):
            size = 10.0 ** rng.uniform(-3.0, 0.0)
            points.append(_stepped(climb, climb.best, rng, range(len(climb.best)), size))
        yield from climb.tried(points)


def local(climb: Climb, rng: Stream) -> Generator[Trials, Answer, None]:
    """A few coordinates moved at a time: a (1+1) evolution strategy with the 1/5th rule (Rechenberg 1973).

    Mostly a run of neighbours, which in a list of points is one point or a few; at times any few, or all.
    """
    size = 10.0 ** rng.uniform(-2.0, -0.5)
    here, score = climb.best, climb.score
    while climb.going:
        far = rng.random() < _FAR
        step = 10.0 ** rng.uniform(math.log10(size), 0.0) if far else size
        point = climb.lifted.conformed(_stepped(climb, here, rng, _few(len(here), rng), step))
        [found] = (yield from climb.tried([point])) or [-math.inf]
        if found >= score:
            here = point  # also sideways: where a minimum over many is judged, most moves change nothing
        if not far and found != score:
            size = min(1.0, size * 1.5) if found > score else max(1e-7, size * 1.5**-0.25)
        score = max(score, found)


def _few(count: int, rng: Stream) -> Sequence[int]:
    chance = rng.random()
    length = min(count, 1 + min(int(rng.expovariate(0.6)), 12))
    if chance < 0.6:
        first = rng.randrange(count - length + 1)
        return range(first, first + length)
    return range(count) if chance > 0.95 else rng.sample(range(count), length)


def _stepped(climb: Climb, here: Sequence[float], rng: Stream, places: Sequence[int], size: float) -> list[float]:
    point = list(here)
    for place in places:
        one = climb.lifted.coordinates[place]
        step = rng.gauss(0.0, 1.0) * size * one.scale
        point[place] += math.copysign(max(1.0, round(abs(step))), step) if one.whole else step
    return point
