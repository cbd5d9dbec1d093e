"""A store of a million records, and how long a new process needs from its start to its first draft.

    python benchmarks/million.py make  FILE [RECORDS]     # once; 4 GB, some minutes
    python benchmarks/million.py open  FILE $(date +%s.%N)  # one line of JSON

The campaign is the one that `evoengine.overhead` measures: one island with room for 160,000 elites, of
which about all are owned. The records are synthetic, and come to the store by its own `append`, to the state by
its own fold; states are kept as often as a campaign keeps them. The newest kept state is always older
than the window, so that the opening replays up to 5,000 records, as it does after a kill.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path

from evoengine.overhead import measured_campaign
from evoengine.stopping import Records
from evoengine.types import Candidate, Cost, Program, Record, Scored

EVERY = 5000
BATCH = 250


def make(path: Path, count: int = 1_000_000) -> None:
    """Makes the store, unless there is one with so many records; one that was begun is continued."""
    rng = random.Random(0)
    with measured_campaign(f"sqlite:///{path}") as campaign:
        campaign.run(stop=Records(1))
        fold, row = campaign._log.fold, campaign._log.stored_row()
        while fold.records < count:
            first = fold.records + 1
            until = min(fold.records - fold.records % BATCH + BATCH, count)
            records = [_record(number, rng) for number in range(first, until + 1)]
            campaign.store.append(row, records)
            for record in records:
                fold.take(record)
            if fold.records % EVERY == 0:
                campaign.store.save_state(row, fold.records, fold.state())


def _record(number: int, rng: random.Random) -> Record:
    return Record(
        number=number,
        candidate=Candidate(
            content=Program.of(f"# {number}\n" + "x = 1  # evolved\n" * 120),
            island=0,
            operator="renumber",
            parents=(rng.randrange(1, number), rng.randrange(1, number)),
        ),
        evaluation=Scored(score=rng.random(), features={"a": rng.random(), "b": rng.random()}),
        cost=Cost(calls=1),
    )


def opened(path: Path, began: float) -> dict[str, float]:
    """Seconds from the start of this process to the first draft, and what was opened.

    Args:
        path: of the store.
        began: when this process was started, seconds since the epoch, as its parent saw it.
    """
    campaign = measured_campaign(f"sqlite:///{path}")
    draft = campaign.ask()
    wall, cpu = time.time() - began, time.process_time()
    found = {
        "seconds": wall,
        "cpu_seconds": cpu,
        "records": campaign.progress.records,
        "elites": len(campaign.islands.archives[0]),
        "next": draft.number,
    }
    campaign.close()
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", path]:
            make(Path(path))
        case ["make", path, count]:
            make(Path(path), int(count))
        case ["open", path, began]:
            print(json.dumps(opened(Path(path), float(began))))
        case _:
            sys.exit(__doc__)
