"""OpenEvolve's loop with a language model that costs nothing; run by OpenEvolve's own Python.

    OPENEVOLVE_PYTHON benchmarks/rivals/openevolve_loop.py PROGRAMS ITERATIONS

Gives one line of JSON: iterations a second, wall and the controller's CPU, with so many programs in its
database at the start. The model answers at once with a whole new program (full rewrites); the evaluator draws a score.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from openevolve.config import Config, LLMModelConfig
from openevolve.controller import OpenEvolve
from openevolve.database import Program
from openevolve.llm.base import LLMInterface

SOURCE = "x = 1  # evolved\n" * 120
"""About 2 KB, as in the engine's own measurement."""

EVALUATOR = """
import random
def evaluate(path):
    return {"combined_score": random.random(), "a": random.random(), "b": random.random()}
"""


class Instant(LLMInterface):
    """Answers every prompt with a program that it never gave before."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.model = "instant"  # OpenEvolve's log looks for it

    async def generate(self, prompt: str, **kwargs: Any) -> str:  # noqa: ARG002
        return f"```python\n# {os.getpid()} {next(self._numbers)}\n{SOURCE}```"

    async def generate_with_context(self, system_message: str, messages: list[dict[str, str]], **kwargs: Any) -> str:  # noqa: ARG002
        return await self.generate("")


def instant(_: Any) -> Instant:
    """The client that OpenEvolve's `init_client` hook is given."""
    return Instant()


def configuration() -> Config:
    """Two workers, as many islands as is its default, features that the evaluator reports."""
    config = Config()
    config.diff_based_evolution = False
    config.random_seed = 0
    config.checkpoint_interval = 10**9
    config.log_level = "ERROR"
    config.max_code_length = 100_000
    config.llm.models = [LLMModelConfig(name="instant", init_client=instant, weight=1.0)]
    config.llm.evaluator_models = [LLMModelConfig(name="instant", init_client=instant, weight=1.0)]
    config.evaluator.parallel_evaluations = 2
    config.evaluator.cascade_evaluation = False
    config.database.population_size = 1_000_000
    config.database.feature_dimensions = ["a", "b"]
    config.database.feature_bins = 100
    return config


async def rate(programs: int, iterations: int) -> dict[str, float]:
    """Iterations a second from the first to the last of a run."""
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "seed.py").write_text("x = 0\n" + SOURCE)
        (folder / "evaluator.py").write_text(EVALUATOR)
        engine = OpenEvolve(str(folder / "seed.py"), str(folder / "evaluator.py"), configuration(), str(folder / "out"))
        for number in range(programs):
            metrics = {"combined_score": rng.random(), "a": rng.random(), "b": rng.random()}
            program = Program(id=str(uuid.uuid4()), code=f"# {number}\n{SOURCE}", language="python", metrics=metrics)
            engine.database.add(program, target_island=number % engine.database.config.num_islands)
        held = len(engine.database.programs)
        began, cpu = time.perf_counter(), time.process_time()
        await engine.run(iterations=iterations)
        seconds, controller = time.perf_counter() - began, time.process_time() - cpu
        made = len(engine.database.programs) - held
    return {
        "programs": programs,
        "iterations": made,
        "per_second": made / seconds,
        "seconds": seconds,
        "controller_cpu_per_second": made / controller,
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    result = asyncio.run(rate(int(sys.argv[1]), int(sys.argv[2])))
    print(json.dumps(result))
