"""Evaluations a second on a Ray cluster of one and of three worker machines, with one core slot each.

Run as `python -m benchmarks.cluster [--seconds S] [--json FILE]`; needs the extra `ray`. All machines are processes of
this one. An evaluation sleeps for 50 ms, so that what is measured is the cluster's own part and not the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from evoengine.executors.ray import Ray
from evoengine.types import Content, Judgement, Program, Scored

_NAP = 0.05
_STORE_BYTES = 80 * 2**20


@dataclass
class Napping:
    """An evaluator that sleeps."""

    seconds: float = _NAP

    def evaluate(self, content: Content, **given: object) -> Judgement:  # noqa: ARG002
        """Sleeps, and gives a score."""
        time.sleep(self.seconds)
        return Judgement(evaluation=Scored(score=1.0))

    def end_trials(self) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to close."""


async def rate(address: str, workers: int, seconds: float) -> float:
    """Evaluations a second, 16 being asked for at any time as by a campaign with its usual window."""
    executor = Ray(address=address, workers=workers, patience=60)
    executor.prepare(Napping())
    async with executor:
        await warm(executor, workers)
        done, end = 0, time.monotonic() + seconds

        async def asker(number: int) -> None:
            nonlocal done
            while time.monotonic() < end:
                await executor.evaluate(Program.of(f"{number}"))
                done += 1

        began = time.monotonic()
        await asyncio.gather(*(asker(number) for number in range(16)))
        return done / (time.monotonic() - began)


async def warm(executor: Ray, workers: int) -> None:
    """Waits until all workers are there: until so many evaluations take no longer than one."""
    while True:
        began = time.monotonic()
        await asyncio.gather(*(executor.evaluate(Program.of("warm")) for _ in range(workers)))
        if time.monotonic() - began < 1.8 * _NAP:
            return


def main() -> None:
    """Measures one machine, three, and one again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": _STORE_BYTES, "include_dashboard": False},
    )
    try:
        for _ in range(3):
            cluster.add_node(num_cpus=1, object_store_memory=_STORE_BYTES)
        rates = {}
        for name, workers in (("one", 1), ("three", 3), ("one again", 1)):
            rates[name] = asyncio.run(rate(cluster.address, workers, given.seconds))
            print(f"{name:10} {rates[name]:7.2f} evaluations a second", flush=True)
    finally:
        cluster.shutdown()
    ratio = rates["three"] / max(rates["one"], rates["one again"])
    print(f"three machines to the better one: {ratio:.3f} times")
    if given.json is not None:
        about = {"python": platform.python_version(), "ray": ray.__version__, "cores": os.cpu_count()}
        given.json.write_text(
            json.dumps({**about, "nap_seconds": _NAP, "rates": rates, "ratio": ratio}, indent=2) + "\n"
        )


if __name__ == "__main__":
    # Run by name, this module is `__main__`; what is pickled wants it under its own name.
    from benchmarks import cluster

    cluster.main()
