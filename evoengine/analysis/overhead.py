"""Measuring the engine itself: nothing is evaluated, everything else is real.

Rates are of this machine at this moment; compare them only with what is measured in the same run.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from evoengine.archives.grid import Grid
from evoengine.stores.sqlite import Sqlite
from evoengine.types import Candidate, Cost, Feature, Program, Record, Scored

_SOURCE = "x = 1\n" + "# " + "evolved " * 240 + "\n"
"""About 2 KB, as a typical candidate has."""


def archive_rates(programs: int, operations: int = 100_000) -> tuple[float, float]:
    """Adds and samples a second at an archive that holds so many elites.

    Half of the adds improve their cell, half are rejected. A sample is one uniform draw of one elite.
    """
    side = max(2, round(programs**0.5))
    archive = Grid()
    archive.open((Feature(name="a", low=0.0, high=1.0, bins=side), Feature(name="b", low=0.0, high=1.0, bins=side)))
    rng, program = random.Random(0), Program.of(_SOURCE)
    places = [(a, b) for a in range(side) for b in range(side)]
    rng.shuffle(places)
    for number, (a, b) in enumerate(places, start=1):
        archive.add(number, program, _scored(0.5, a, b, side))
    offers = [_scored(rng.random(), rng.randrange(side), rng.randrange(side), side) for _ in range(operations)]
    began = time.perf_counter()
    for number, offer in enumerate(offers, start=len(places) + 1):
        archive.add(number, program, offer)
    added = operations / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(operations):
        archive.sample(rng)
    return added, operations / (time.perf_counter() - began)


def _scored(score: float, a: int, b: int, side: int) -> Scored:
    return Scored(score=score, features={"a": (a + 0.5) / side, "b": (b + 0.5) / side})


def append_rate(records: int, batch: int, folder: Path | None = None) -> float:
    """Records a second that a store acknowledges, each with a program of its own of 2 KB."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = Sqlite(url=f"sqlite:///{place}/store.db")
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
