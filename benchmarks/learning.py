r"""Whether a mutator learns at test time, and whether controls do not: advantages side by side on one small problem.

    python -m benchmarks.learning                        # the table: about 30 CPU minutes
    python -m benchmarks.learning --arms grpo,shuffled --seeds 1 --updates 40

Each run is a whole campaign (real store, real jail, a model of transformers that is trained in the process) that
begins with the same tiny model; it knows the form of an edit, and nothing of what is better. "held out" is how often
the policy improves 256 programs that no campaign and no safeguard ever saw, before and after; "best" is the best score
that the campaign found (1 is the most there is). A run is given so many updates of 72 rollouts. Writes
`benchmarks/results/learning.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ARMS: dict[str, dict[str, Any]] = {
    "frozen": {},
    "grpo": {"advantage": "grpo"},
    "mc_grpo": {"advantage": "mc_grpo"},
    "entropic": {"advantage": "entropic"},
    "parent": {"advantage": "parent", "reward": "delta"},
    "shuffled": {"advantage": str(ROOT / "tests" / "rl" / "shuffled.py")},
}
TRAINER = {
    "use": "full",
    "learning_rate": 7e-4,
    "group": 9,
    "groups": 8,
    "control": 0.0,
    "reward": "relu_delta",
    "ladder": {"lazy": 1},
    "guard": {"probes": 48, "samples": 2, "every": 5, "window": 1},
}
"""Of all arms that learn. One in fourteen edits is better by chance, so idle edits are not punished further."""
SIZE = 72


def run(arm: str, seed: int, updates: int) -> dict[str, Any]:
    """One campaign: what it found, and what its policy had learnt."""
    import torch

    from evoengine import Campaign
    from evoengine.events import Event, Updated
    from tests.motif import Motif, SetBlock, improvement, novice

    torch.set_num_threads(1)
    start = improvement(None, seed)
    began = time.process_time()
    facts: list[dict[str, Any]] = []

    def told(event: Event) -> None:
        if isinstance(event, Updated):
            facts.append(dict(event.facts))

    with tempfile.TemporaryDirectory() as folder:
        mutator = {"mutator": "frozen"} if arm == "frozen" else {}
        campaign = Campaign(
            Motif(hidden=seed, looks=48),
            name="motif",
            store=f"sqlite:///{folder}/motif.db",
            seed=seed,
            operators=[SetBlock()],
            generator={"use": "transformers", "model": novice(), "dtype": "float32"},
            trainer={**TRAINER, **ARMS[arm]},
            selector="uniform",
            islands=1,
            inspirations=0,
            gates=[],
            guidance=False,
            lessons=False,
            watchers=[told],
            **mutator,
        )
        with campaign:
            campaign.run(evaluations=1 + SIZE * updates)
            best = campaign.best()
            row = campaign.store.campaign("motif")
            assert row is not None
            made = campaign.store.updates(row)
        policy = Path(folder) / "motif.db-policies" / "motif" / "policies" / made[-1].policy if made else None
        end = improvement(policy, seed)
    assert best is not None
    children = os.times()
    return {
        "arm": arm,
        "seed": seed,
        "held_out_before": start[0],
        "held_out": end[0],
        "valid": end[1],
        "best": best.scored.score,
        "rollbacks": facts[-1]["rollbacks"] if facts else 0.0,
        "unique": fmean(one["unique_children"] for one in facts[-10:]) if facts else None,
        "entropy": fmean(one["entropy"] for one in facts[-10:]) if facts else None,
        "cpu_seconds": time.process_time() - began + children.children_user + children.children_system,
    }


def main() -> None:
    """Runs what is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--arms", default=",".join(ARMS))
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--updates", type=int, default=120)
    asked.add_argument("--at-once", type=int, default=2, help="runs at the same time, of one thread each")
    asked.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "learning.json")
    asked.add_argument("--one", help=argparse.SUPPRESS)
    told = asked.parse_args()
    if told.one:
        arm, seed = told.one.split(":")
        print(json.dumps(run(arm, int(seed), told.updates)))
        return
    from tests.motif import novice

    novice()  # made once, not by two at a time
    arms = told.arms.split(",")

    def apart(arm: str, seed: int) -> dict[str, Any]:
        command = [
            sys.executable,
            "-m",
            "benchmarks.learning",
            "--one",
            f"{arm}:{seed}",
            "--updates",
            str(told.updates),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800, check=False
        )
        if done.returncode:
            sys.exit(done.stderr)
        row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        print(_line(row), flush=True)
        return row

    print(f"{'arm':<10}{'seed':>5}{'held out before':>17}{'after':>8}{'times':>7}{'valid':>7}{'best':>8}{'unique':>8}"
          f"{'entropy':>9}{'rollbacks':>11}{'CPU s':>7}")  # fmt: skip
    with ThreadPoolExecutor(told.at_once) as pool:
        rows = list(pool.map(lambda one: apart(*one), [(arm, seed) for arm in arms for seed in range(told.seeds)]))
    print()
    for arm in arms:
        own = [row for row in rows if row["arm"] == arm]
        before, after, best, cpu = (
            fmean(row[key] for row in own) for key in ("held_out_before", "held_out", "best", "cpu_seconds")
        )
        print(f"{arm:<10} mean: held out {before:.3f} -> {after:.3f}, best {best:.3f}, {cpu:.0f} CPU s")
    told.out.write_text(
        json.dumps(
            {
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
                "updates": told.updates,
                "rollouts_each": SIZE,
                "trainer": TRAINER,
                "rows": rows,
            },
            indent=1,
        )
    )


def _line(row: dict[str, Any]) -> str:
    unique, entropy = (f"{row[key]:.2f}" if row[key] is not None else "-" for key in ("unique", "entropy"))
    times = row["held_out"] / row["held_out_before"] if row["held_out_before"] else float("inf")
    return (f"{row['arm']:<10}{row['seed']:>5}{row['held_out_before']:>17.3f}{row['held_out']:>8.3f}{times:>7.1f}"
            f"{row['valid']:>7.2f}{row['best']:>8.3f}{unique:>8}{entropy:>9}{row['rollbacks']:>11.0f}"
            f"{row['cpu_seconds']:>7.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
