"""Rounds of `kill -9` during appends: what was acknowledged and then lost.

    python -m benchmarks.kill9 [--rounds 100]

Run it from the repository's root. Each round starts a process that appends batches of 1 to 32 records to the same
file, kills it at a random moment, opens the file and compares.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.killed_writer import kill_round


def main() -> None:
    """Runs the rounds and prints what they found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    lost = unsound = beyond = last = 0
    rng = random.Random(9)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            one = kill_round(Path(folder) / "evo.db", rng)
            lost += max(0, one.acknowledged - one.found)
            unsound += not one.sound
            beyond += one.found > one.acknowledged
            last = one.found
    print(f"{rounds} rounds, {last} records: {lost} acknowledged and lost, {unsound} files with a gap or damage,")
    print(f"{beyond} rounds in which the last batch was stored and its acknowledgement died with the process")
    sys.exit(1 if lost or unsound else 0)


if __name__ == "__main__":
    main()
