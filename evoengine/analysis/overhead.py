"""Measuring the engine itself: nothing is evaluated, everything else is real.

Rates are of this machine at this moment; compare them only with what is measured in the same run.
"""

from __future__ import annotations

import math
import random
import tempfile
import time
from pathlib import Path
from typing import Literal

from evoengine.archives.grid import Grid
from evoengine.stores.sqlite import Sqlite
from evoengine.types import Candidate, Cost, Feature, Program, Record, Scored

_SOURCE = "x = 1\n" + "# " + "evolved " * 240 + "\n"
"""About 2 KB, as a typical candidate has."""


def archive_rates(programs: int, operations: int = 100_000) -> tuple[float, float]:
    """Adds and samples a second at an archive that holds so many elites.

    Half of the adds improve their cell, half are rejected. A sample is one uniform draw of one elite.
    """
    archive, rng, program = full_archive(programs), random.Random(0), Program.of(_SOURCE)
    made = offers(programs, operations)
    began = time.perf_counter()
    for number, offer in enumerate(made, start=len(archive) + 1):
        archive.add(number, program, offer)
    added = operations / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(operations):
        archive.sample(rng)
    return added, operations / (time.perf_counter() - began)


def full_archive(programs: int) -> Grid:
    """A square archive of about so many cells, all of them owned with a score of 0.5."""
    side = _side(programs)
    archive = Grid()
    archive.open((Feature(name="a", low=0.0, high=1.0, bins=side), Feature(name="b", low=0.0, high=1.0, bins=side)))
    program = Program.of(_SOURCE)
    places = [(a, b) for a in range(side) for b in range(side)]
    random.Random(0).shuffle(places)
    for number, (a, b) in enumerate(places, start=1):
        archive.add(number, program, _scored(0.5, a, b, side))
    return archive


def offers(programs: int, count: int) -> list[Scored]:
    """Scores in cells of such an archive, by lot: half of them are above, half below all that came before."""
    rng, side = random.Random(0), _side(programs)
    scores = (0.5 + (place + 1) / count if rng.random() < 0.5 else 0.25 for place in range(count))
    return [_scored(score, rng.randrange(side), rng.randrange(side), side) for score in scores]


def _side(programs: int) -> int:
    return max(2, round(math.sqrt(programs)))


def _scored(score: float, a: int, b: int, side: int) -> Scored:
    return Scored(score=score, features={"a": (a + 0.5) / side, "b": (b + 0.5) / side})


def append_rate(
    records: int, batch: int, folder: Path | None = None, synchronous: Literal["normal", "full"] = "normal"
) -> float:
    """Records a second that a store acknowledges, each with a program of its own of 2 KB."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = Sqlite(url=f"sqlite:///{place}/store.db", synchronous=synchronous)
        store.open()
        row = store.create(name="rate", problem="none", fingerprint="", seed=0, settings={})
        made = synthetic_records(records)
        began = time.perf_counter()
        for start in range(0, records, batch):
            store.append(row, made[start : start + batch])
        rate = records / (time.perf_counter() - began)
        store.close()
    return rate


def synthetic_records(count: int, first: int = 1) -> list[Record]:
    """Scored records with programs of about 2 KB that differ."""
    rng = random.Random(first)
    return [
        Record(
            number=number,
            candidate=Candidate(
                content=Program.of(f"# {number}\n{_SOURCE}"), island=number % 4, operator="none", parents=(1,)
            ),
            evaluation=Scored(score=rng.random(), features={"a": rng.random(), "b": rng.random()}),
            cost=Cost(calls=1),
        )
        for number in range(first, first + count)
    ]
