"""ShinkaEvolve's database: adds and samples a second, and memory a program; run by a Python that has `shinka-evolve`.

    SHINKA_PYTHON benchmarks/rivals/shinka_database.py PROGRAMS SECONDS

Gives one line of JSON. The database is a file, as in its runs, with two islands and its other defaults; programs are of
2 KB, all correct, half of the offers better than all before. No language model, no embeddings.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from shinka.database import DatabaseConfig, Program, ProgramDatabase

SOURCE = "x = 1  # evolved\n" * 120


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def rates(programs: int, seconds: float) -> dict[str, float]:
    """Items a second at about so many programs; each part is cut off after so many seconds."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        base = ProgramDatabase(DatabaseConfig(db_path=str(Path(place) / "programs.db"), num_islands=2))
        best, made = 0.0, 0

        def add() -> None:
            nonlocal best, made
            made += 1
            best += 1e-6
            score = best if rng.random() < 0.5 else rng.random() * best
            base.add(
                Program(
                    id=str(made), code=f"# {made}\n{SOURCE}", combined_score=score, correct=True, generation=made,
                    parent_id=str(rng.randrange(1, made)) if made > 2 else None, public_metrics={"a": rng.random()},
                )
            )  # fmt: skip

        add()
        before, start = resident(), time.perf_counter()
        while made < programs and time.perf_counter() - start < 4 * seconds:
            add()
        held, memory = made, resident() - before
        found: dict[str, float] = {"programs": held, "bytes_per_program": memory / max(1, held)}
        for name, work in (("add", add), ("sample", lambda: base.sample(target_generation=made))):
            began, cpu, done = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - began < seconds:
                work()
                done += 1
            found[name] = done / (time.perf_counter() - began)
            found[f"{name}_cpu"] = done / (time.process_time() - cpu)
        base.close()
    return found


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115  # it prints tables as it samples
    result = rates(int(sys.argv[1]), float(sys.argv[2]))
    print(json.dumps(result), file=out)
