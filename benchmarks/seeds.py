"""One problem over several seeds: the best value of each, beside the best known and the hand-written floor.

python benchmarks/seeds.py circle_packing --seeds 5 --seconds 1200
python benchmarks/seeds.py circle_packing --seeds 5 --seconds 1200 --set 'operators=["structural","tune"]'
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Prints a line for each seed, and the median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1200.0)
    parser.add_argument("--until-score", type=float)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    extra = [part for setting in options.settings for part in ("--set", setting)]
    if options.until_score is not None:
        extra += ["--until-score", str(options.until_score)]
    found = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "evoengine", "run", options.problem, "--seed", str(seed), "--quiet",
                 "--store", f"sqlite:///{Path(folder) / 'run.db'}", "--seconds", str(options.seconds),
                 "--format", "json", *extra],
                capture_output=True, text=True, timeout=options.seconds * 1.2 + 120, check=False,
            )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr)
        summary = json.loads(done.stdout)
        found.append(summary["best_score"])
        print(
            f"seed {seed}: {summary['best_score']!r} at record {summary['best_number']}, "
            f"{summary['evaluations']} evaluations, {summary['seconds']:.0f} s",
            flush=True,
        )
    print(f"median {statistics.median(found)!r}; best known {summary['best_known']}, by hand {summary['floor']}")


if __name__ == "__main__":
    main()
