"""A process that appends without end and says what was acknowledged, and rounds in which it is killed.

python -m tests.killed_writer FILE CAMPAIGN    # prints the number of the last record after each append
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from evoengine.stores.sqlite import Sqlite
from evoengine.types import Candidate, Cost, Program, Record, Scored

ROOT = Path(__file__).resolve().parents[1]


def record(number: int) -> Record:
    """The record of a number: every third has the content of another."""
    text = f"def main():\n    return {number - number % 3}\n" + "# padding\n" * (number % 50)
    return Record(
        number=number,
        candidate=Candidate(content=Program.of(text), island=0, operator="one", parents=(1,)),
        evaluation=Scored(score=number / 7, metrics={"number": float(number)}, feedback="ok"),
        cost=Cost(calls=1),
    )


def write(path: Path, name: str) -> None:
    """Appends batches of 1 to 32 records until it is killed."""
    store = Sqlite(url=f"sqlite:///{path}")
    store.open()
    campaign = store.campaign(name) or store.create(name=name, problem="p", fingerprint="f", seed=1, settings={})
    with store.writer(campaign):
        rng = random.Random(store.last(campaign))
        last = store.last(campaign)
        while True:
            size = rng.randint(1, 32)
            store.append(campaign, [record(last + k) for k in range(1, size + 1)])
            last += size
            sys.stdout.write(f"{last}\n")
            sys.stdout.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a kill left behind.

    Attributes:
        acknowledged: the last record that the process said to be stored.
        found: the last record that is in the store.
        sound: SQLite's integrity check is ok, numbers have no gap, every record is what was appended.
    """

    acknowledged: int
    found: int
    sound: bool


def kill_round(path: Path, rng: random.Random, name: str = "killed") -> Round:
    """Starts a writer, kills it with SIGKILL at a random moment, and looks at what is there."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.killed_writer", str(path), name], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    acknowledged = 0
    try:
        for _ in range(rng.randint(1, 40)):
            acknowledged = int(child.stdout.readline() or acknowledged)
        time.sleep(rng.random() * 0.01)
    finally:
        child.kill()
    for line in child.stdout:  # what was said before the end
        if line.endswith("\n"):
            acknowledged = int(line)
    child.wait()
    child.stdout.close()
    store = Sqlite(url=f"sqlite:///{path}")
    store.open()
    try:
        campaign = store.campaign(name)
        assert campaign is not None
        found = store.last(campaign)
        after = max(0, found - 3000)
        sound = list(store.replay(campaign, after)) == [record(number) for number in range(after + 1, found + 1)]
        with sqlite3.connect(path) as connection:
            [(count,)] = connection.execute("select count(*) from records where campaign = ?", (campaign.id,))
            [(check,)] = connection.execute("pragma integrity_check").fetchall()
        connection.close()
        return Round(acknowledged=acknowledged, found=found, sound=sound and count == found and check == "ok")
    finally:
        store.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
