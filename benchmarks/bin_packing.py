"""How far held-out excess falls from best fit's within five CPU minutes, without a language model.

Each run is confined to one core for 300 seconds of wall time, so that all its processes together use at most
300 CPU seconds. Prints one line for each family and seed, and medians.

    python benchmarks/bin_packing.py --seeds 5 --seconds 300 --cores 0,1
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

BASE = [sys.executable, "-m", "evoengine"]


def held_out_of_seed(family: str) -> float:
    """Best fit's excess on the held-out instances, %."""
    from evoengine.evaluator import Evaluator
    from evoengine.plugins import build
    from evoengine.types import Scored

    problem = build("problems", {"use": "online_bin_packing", "family": family})
    evaluator = Evaluator(problem=problem, sandbox=build("sandboxes", "jail"))
    evaluation = evaluator.evaluate(problem.seeds()[0], stage="held_out").evaluation
    evaluator.close()
    assert isinstance(evaluation, Scored)
    return float(problem.signed(evaluation.score))


def run(family: str, seed: int, seconds: float, cores: Queue[str], extra: list[str]) -> dict[str, Any]:
    """One campaign on one core."""
    core = cores.get()
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                ["taskset", "-c", core, *BASE, "run", "online_bin_packing", "--workers", "1", "--seed", str(seed),
                 "--store", f"sqlite:///{Path(folder) / 'run.db'}", "--seconds", str(seconds - 10), "--quiet",
                 "--set", f"problem.family={family}", "--format", "json", *extra],
                capture_output=True, text=True, timeout=seconds + 120, check=False,
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr)
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary
    finally:
        cores.put(core)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--cores", default="0,1")
    parser.add_argument("--families", default="or3,weibull")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    cores: Queue[str] = Queue()
    names = options.cores.split(",")
    for name in names:
        cores.put(name)
    extra = [part for setting in options.settings for part in ("--set", setting)]
    for family in options.families.split(","):
        before = held_out_of_seed(family)
        print(f"{family}: best fit's held-out excess {before:.3f} %", flush=True)
        falls = []

        def one(seed: int, family: str = family) -> tuple[int, dict[str, Any]]:
            return seed, run(family, seed, options.seconds, cores, extra)

        with ThreadPoolExecutor(len(names)) as pool:
            for seed, summary in pool.map(one, range(options.seeds)):
                after = summary["best_on_held_out"]
                falls.append(1 - after / before)
                print(
                    f"  seed {seed}: train {summary['best_score']:.3f} %, held out {after:.3f} %, "
                    f"fall {falls[-1]:.0%}, {summary['evaluations']} evaluations",
                    flush=True,
                )
        print(f"  median fall of held-out excess: {statistics.median(falls):.0%}", flush=True)


if __name__ == "__main__":
    main()
