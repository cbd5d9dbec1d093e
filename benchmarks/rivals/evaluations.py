"""Evaluations a second of a program that does nothing, two at a time; run by the engine's own Python.

    PYTHON benchmarks/rivals/evaluations.py openevolve|shinka SECONDS

Gives one line of JSON. OpenEvolve's evaluator imports the program into its own process; ShinkaEvolve's local jobs
start an interpreter for each. Neither holds the program in a sandbox.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAM = "def f(x):\n    return x + 1\n"

OPENEVOLVE = """
import importlib.util
def evaluate(path):
    spec = importlib.util.spec_from_file_location("program", path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return {"combined_score": float(program.f(1) == 2)}
"""

SHINKA = """
import sys
from shinka.core import run_shinka_eval
run_shinka_eval(
    program_path=sys.argv[1], results_dir=sys.argv[2], experiment_fn_name="f", num_runs=1,
    get_experiment_kwargs=lambda i: {"x": 1}, validate_fn=lambda found: (found == 2, None),
    aggregate_metrics_fn=lambda found: {"combined_score": float(found[0] == 2)},
)
"""


async def openevolve(folder: Path, seconds: float) -> int:
    """How many in so many seconds."""
    from openevolve.config import EvaluatorConfig
    from openevolve.evaluator import Evaluator

    (folder / "evaluator.py").write_text(OPENEVOLVE)
    config = EvaluatorConfig(parallel_evaluations=2, cascade_evaluation=False)
    evaluator = Evaluator(config, str(folder / "evaluator.py"))
    end, done = time.perf_counter() + seconds, 0

    async def lane() -> None:
        nonlocal done
        while time.perf_counter() < end:
            found = await evaluator.evaluate_program(PROGRAM, str(done))
            assert found["combined_score"] == 1.0
            done += 1

    await asyncio.gather(lane(), lane())
    return done


def shinka(folder: Path, seconds: float) -> int:
    """How many in so many seconds."""
    (folder / "evaluate.py").write_text(SHINKA)
    (folder / "main.py").write_text(PROGRAM)
    end = time.perf_counter() + seconds

    def lane(name: str) -> int:
        done = 0
        while time.perf_counter() < end:
            results = folder / f"{name}-{done}"
            command = [sys.executable, str(folder / "evaluate.py"), str(folder / "main.py"), str(results)]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            assert json.loads((results / "metrics.json").read_text())["combined_score"] == 1.0
            done += 1
        return done

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lane, ("a", "b")))


def main(engine: str, seconds: float) -> dict[str, float]:
    """The rate."""
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        folder = Path(place)
        done = asyncio.run(openevolve(folder, seconds)) if engine == "openevolve" else shinka(folder, seconds)
        return {"evaluations": done, "per_second": done / (time.perf_counter() - began)}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115
    result = main(sys.argv[1], float(sys.argv[2]))
    print(json.dumps(result), file=out)
