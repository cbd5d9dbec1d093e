"""Bytes of memory that OpenEvolve's database takes for a program of 2 KB; run by OpenEvolve's own Python.

    OPENEVOLVE_PYTHON benchmarks/rivals/openevolve_memory.py PROGRAMS

Gives one line of JSON. Programs are added at different places of a map that has room for them.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
from pathlib import Path

from openevolve.config import DatabaseConfig
from openevolve.database import Program, ProgramDatabase

SOURCE = "x = 1  # evolved\n" * 120


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(programs: int) -> dict[str, float]:
    """The growth from a thousand programs to so many more."""
    rng = random.Random(0)
    config = DatabaseConfig(population_size=1_000_000, feature_dimensions=["a", "b"], feature_bins=400)
    config.diversity_reference_size = 0
    base = ProgramDatabase(config)

    def add(count: int, first: int) -> None:
        for number in range(first, first + count):
            metrics = {"combined_score": rng.random(), "a": rng.random(), "b": rng.random()}
            base.add(Program(id=str(number), code=f"# {number}\n{SOURCE}", language="python", metrics=metrics))

    add(1000, 0)
    before, held = resident(), len(base.programs)
    add(programs, 1000)
    kept = len(base.programs) - held
    return {"programs": kept, "bytes_per_program": (resident() - before) / kept}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(main(int(sys.argv[1]))))
