"""pyribs' GridArchive: adds and samples a second; run by a Python that has `ribs`.

    RIBS_PYTHON benchmarks/rivals/ribs_archive.py PROGRAMS

Gives one line of JSON. The archive is full (as many elites as cells), solutions are Python objects, half of
the offers improve their cell.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from ribs.archives import GridArchive

SECONDS = 3.0
"""About how long each figure is measured."""


def rates(programs: int) -> dict[str, float]:
    """Items a second: one at a time and 32 at a time."""
    rng = np.random.default_rng(0)
    side = max(2, round(programs**0.5))
    archive = GridArchive(solution_dim=(), dims=[side, side], ranges=[(0.0, 1.0)] * 2, solution_dtype=object)
    places = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) + 0.5) / side
    for start in range(0, len(places), 100_000):
        part = places[start : start + 100_000]
        archive.add(np.full(len(part), "program", dtype=object), np.full(len(part), 0.5), part)
    batch = np.full(32, "program", dtype=object)

    best = 0.5

    def scores(count: int) -> np.ndarray:
        """Half of them are above, half below all that came before."""
        nonlocal best
        best += 1e-6
        return np.where(rng.random(count) < 0.5, best + 1e-9 * np.arange(count), 0.25)

    def add_single() -> int:
        for place, score in zip(places[rng.integers(len(places), size=200)], scores(200), strict=True):
            archive.add_single("program", score, place)
        return 200

    def add_32() -> int:
        archive.add(batch, scores(32), places[rng.integers(len(places), size=32)])
        return 32

    def sample(size: int) -> int:
        for _ in range(100):
            archive.sample_elites(size)
        return 100 * size

    found: dict[str, float] = {"programs": len(archive)}
    for name, work in (("add_single", add_single), ("add_32", add_32), ("sample_1", lambda: sample(1)),
                       ("sample_32", lambda: sample(32))):  # fmt: skip
        began, cpu, done = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - began < SECONDS:
            done += work()
        found[name] = done / (time.perf_counter() - began)
        found[f"{name}_cpu"] = done / (time.process_time() - cpu)
    return found


if __name__ == "__main__":
    print(json.dumps(rates(int(sys.argv[1]))))
