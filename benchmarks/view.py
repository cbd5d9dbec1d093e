"""How long each page of `evoengine view` takes on a large store: `python benchmarks/view.py [--records 1000000]`.

Makes the store (a language model's answers among its records), serves it as `evoengine view` does, waits until the
campaign has been read, and asks for every page over HTTP; also for the first page while nothing is read yet.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from evoengine.bandit import Bandit
from evoengine.cli.output import print_rows
from evoengine.islands import Islands
from evoengine.plugins import build
from evoengine.stores.base import Store
from evoengine.types import Candidate, Cause, Completion, Cost, Failed, Program, Prompt, Record, Scored, Turn
from evoengine.web.serving import serve

_BATCH = 5000
_PAGES = (
    "/",
    "/campaigns/1",
    "/campaigns/1?by=time",
    "/campaigns/1/progress",
    "/campaigns/1/map",
    "/campaigns/1/map?at={half}",
    "/campaigns/1/map?island=2&at={odd}",
    "/campaigns/1/records",
    "/campaigns/1/records?operator=diff&sort=best",
    "/campaigns/1/records?outcome=crashed&page=50",
    "/campaigns/1/records/{half}",
    "/campaigns/1/records/{last}",
    "/campaigns/1/records/{last}/lineage",
    "/campaigns/1/operators",
    "/campaigns/1/contexts",
    "/campaigns/1/training",
    "/campaigns/1/failures",
    "/search?q=step_7",
)


def main() -> None:
    """Prints a row for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store: Store = build("stores", {"use": "sqlite", "url": f"sqlite:///{folder}/evo.db"})
        store.open()
        began = time.monotonic()
        fill(store, given.records)
        size = (Path(folder) / "evo.db").stat().st_size / 2**20
        print(f"{given.records} records, {size:.0f} MiB, made in {time.monotonic() - began:.0f} s")
        address: list[str] = []
        ready = threading.Event()

        def said(where: str) -> None:
            address.append(where.rstrip("/"))
            ready.set()

        threading.Thread(target=serve, args=(store,), kwargs={"port": 0, "ready": said}, daemon=True).start()
        ready.wait(60)
        time.sleep(1)
        first = seconds(f"{address[0]}/campaigns/1")
        began = time.monotonic()
        while_reading = []
        while not is_read(address[0]):
            while_reading.append(seconds(f"{address[0]}/campaigns/1/map"))
            time.sleep(0.5)
        print(f"first page, nothing read: {1000 * first:.0f} ms; read in {time.monotonic() - began:.0f} s", end="")
        if while_reading:
            middle, longest = statistics.median(while_reading), max(while_reading)
            print(f"; the map meanwhile: median {1000 * middle:.0f} ms, longest {1000 * longest:.0f} ms", end="")
        print()
        places = {"half": given.records // 2, "odd": given.records // 3 + 777, "last": given.records}
        rows = []
        for page in _PAGES:
            where = address[0] + page.format(**places)
            taken = [1000 * seconds(where) for _ in range(given.repeats)]
            row = {"page": page, "first_ms": taken[0], "median_ms": statistics.median(taken), "longest_ms": max(taken)}
            rows.append({key: round(value) if isinstance(value, float) else value for key, value in row.items()})
        print_rows(rows, "table")


def is_read(address: str) -> bool:
    """Whether all records of the campaign were taken in."""
    import json

    with urllib.request.urlopen(f"{address}/campaigns/1/progress") as answer:
        told = json.loads(answer.read())
    return bool(told["read"] == told["last"])


def seconds(address: str) -> float:
    """How long the first byte of a page takes."""
    began = time.monotonic()
    with urllib.request.urlopen(address) as answer:
        answer.read(1)
        taken = time.monotonic() - began
        answer.read()
    return taken


def fill(store: Store, count: int) -> None:
    """A campaign of so many records, a fifth of them answers of a model."""
    features = [
        {"name": "width", "low": 0.0, "high": 1.0, "bins": 50},
        {"name": "height", "low": 0.0, "high": 1.0, "bins": 50},
        {"name": "depth", "low": 0.0, "high": 1.0, "bins": 4},
    ]
    about = {
        "goal": "g",
        "direction": "maximize",
        "features": features,
        "speaking": ["diff"],
        "best_known": None,
        "floor": None,
    }
    settings = {
        "about": about, "islands": Islands().settings(), "bandit": Bandit().settings(), "archive": {"use": "grid"},
        "guidance": {},
    }  # fmt: skip
    row = store.create(name="large", problem="p", fingerprint="f", seed=1, settings=settings)
    records = made(count)
    for start in range(0, count, _BATCH):
        store.append(row, [next(records) for _ in range(min(_BATCH, count - start))])


def made(count: int) -> Iterator[Record]:
    """Records whose scores rise slowly."""
    rng = random.Random(1)
    prompt = Prompt(messages=({"role": "user", "content": "Improve this program. " * 20},))
    body = "".join(f"    step_{line} = {line} * x + step\n" for line in range(30))
    for number in range(1, count + 1):
        asked = number % 5 == 0
        completion = Completion(text=f"answer {number} " * 20, policy="model-a", tokens=200, prompt_tokens=100)
        content = Program.of(f"def f(x):\n    step = {number}\n{body}    return step\n")
        scored = Scored(
            score=rng.random() ** 2 + number / count,
            features={"width": rng.random(), "height": rng.random(), "depth": rng.random()},
        )
        yield Record(
            number=number,
            candidate=Candidate(
                content=content,
                island=-1 if number == 1 else number % 4,
                operator="seed" if number == 1 else "diff" if asked else "tune",
                parents=() if number == 1 else (rng.randint(max(1, number - 5000), number - 1),),
                turns=(Turn(prompt=prompt, completion=completion),) if asked else (),
            ),
            evaluation=Failed(cause=Cause.CRASHED, feedback="no") if rng.random() < 0.2 and number > 1 else scored,
            cost=Cost(calls=1, tokens=300 if asked else 0, seconds=0.01),
            tier="T1",
        )


if __name__ == "__main__":
    main()
