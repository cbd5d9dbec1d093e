r"""The engine's own cost beside its rivals', all in one run on one machine.

    python -m venv /tmp/rivals && /tmp/rivals/bin/pip install openevolve==0.4.0 ribs==0.12.0 shinka-evolve==0.0.7
    PYTHONPATH=. python benchmarks/engine.py --rivals /tmp/rivals/bin/python --store /tmp/million.db

Prints a table and writes `benchmarks/results/engine.json`. Without `--rivals` their rows are left out, without
`--store` the opening of a million records. "wall" is by the clock and suffers from whatever else the machine does;
"cpu" is by the process's own CPU time, which is what a quiet core would give where nothing waits for a disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from evoengine.analysis.overhead import append_rate, full_archive, offers
from evoengine.analysis.surroundings import surroundings
from evoengine.campaign import Campaign
from evoengine.evaluator import Evaluator
from evoengine.events import Progress
from evoengine.executors.base import Executor
from evoengine.overhead import measured_campaign
from evoengine.plugins import build
from evoengine.problem import Problem, Score
from evoengine.stopping import Records, Stop
from evoengine.types import Program, Scored

HERE = Path(__file__).parent
REPEATS = 3
SEGMENT = 5000
"""Records in one measurement of the whole engine: one state is kept on the way."""
_SYNCHRONOUS: tuple[Literal["normal", "full"], ...] = ("normal", "full")
PATIENCE = 180.0
"""Seconds that OpenEvolve is given for one size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `wall` and `cpu` are rates, items a second, but for openings (seconds) and memory (KiB)."""

    what: str
    who: str
    size: int
    wall: float
    cpu: float | None = None
    target: str = ""


def records_rows(sizes: tuple[int, ...] = (1_000, 10_000, 100_000)) -> list[Row]:
    """Records of a campaign a second, stored durably, at several sizes; segments take turns.

    The smallest campaign is made anew for every repeat; of the others each repeat measures the next segment. The
    start and the end of a run are left out.
    """
    found: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        grown: dict[int, Campaign] = {}
        for repeat in range(REPEATS):
            for size in sizes:
                if size == sizes[0] or repeat == 0:
                    url = f"sqlite:///{place}/{size}-{repeat}.db"
                    grown[size] = stack.enter_context(measured_campaign(url))
                    grown[size].run(stop=Records(size))
            for size in sizes:
                found[size].append(_segment(grown[size]))
    rows = [
        Row(what="records of a campaign", who="evoengine", size=size, target=">= 3,000 a second",
            wall=statistics.median(wall for wall, _ in rates), cpu=statistics.median(cpu for _, cpu in rates))
        for size, rates in found.items()
    ]  # fmt: skip
    pairs = list(zip(found[sizes[-1]], found[sizes[0]], strict=True))
    rows.append(
        Row(what="the last of these rates by the first", who="evoengine", size=sizes[-1], target=">= 0.8",
            wall=statistics.median(large[0] / small[0] for large, small in pairs),
            cpu=statistics.median(large[1] / small[1] for large, small in pairs))
    )  # fmt: skip
    return rows


class _Clock(Stop):
    """Ends a run after a segment, and knows how fast it was."""

    def __init__(self) -> None:
        self._marks: list[tuple[int, float, float]] = []

    def reason(self, progress: Progress) -> str | None:
        now = progress.records, time.perf_counter(), time.process_time()
        if not self._marks or now[0] >= self._marks[0][0] + SEGMENT:
            self._marks.append(now)
        return "measured" if len(self._marks) == 2 else None

    @property
    def rates(self) -> tuple[float, float]:
        """Records a second, wall and CPU."""
        [first, second] = self._marks
        made = second[0] - first[0]
        return made / (second[1] - first[1]), made / (second[2] - first[2])


def _segment(campaign: Campaign) -> tuple[float, float]:
    clock = _Clock()
    campaign.run(stop=clock)
    return clock.rates


def openevolve_rows(python: str) -> list[Row]:
    """Iterations of OpenEvolve a second; the controller's CPU bounds it whatever its workers do."""
    rows = []
    for programs, iterations in ((0, 200), (1_000, 200), (10_000, 10)):
        found = _told(python, "rivals/openevolve_loop.py", str(programs), str(iterations))
        if found is None:
            break
        rows.append(
            Row(what="iterations", who="openevolve", size=programs, wall=found["per_second"],
                cpu=found["controller_cpu_per_second"])
        )  # fmt: skip
    return rows


def archive_rows(ribs_python: str | None, sizes: tuple[int, ...] = (1_000, 100_000, 1_000_000)) -> list[Row]:
    """Adds (half of them improving) and uniform samples a second of full archives, ours and pyribs' in turn."""
    rows = []
    for size in sizes:
        rows += _own_archive(size)
        found = _told(ribs_python, "rivals/ribs_archive.py", str(size)) if ribs_python else None
        for name, what in (("add_single", "add one"), ("add_32", "add 32 at once"),
                           ("sample_1", "sample one"), ("sample_32", "sample 32 at once")):  # fmt: skip
            if found is not None:
                rows.append(Row(what=what, who="pyribs", size=size, wall=found[name], cpu=found[f"{name}_cpu"]))
    return rows


def _own_archive(size: int, operations: int = 200_000) -> list[Row]:
    archive, made = full_archive(size), offers(size, operations)
    program, rng = Program.of("x = 1\n"), random.Random(0)

    def add() -> None:
        for number, offer in enumerate(made, start=size + 1):
            archive.add(number, program, offer)

    def sample() -> None:
        for _ in range(operations):
            archive.sample(rng)

    def sample_32() -> None:
        for _ in range(operations // 32):
            archive.sample(rng, 32)

    rows = []
    for what, work, target in (("add one", add, ">= 300,000"), ("sample one", sample, ">= 300,000"),
                               ("sample 32 at once", sample_32, "")):  # fmt: skip
        began, cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        rows.append(Row(what=what, who="evoengine", size=size, wall=operations / wall, cpu=operations / cpu,
                        target=target))  # fmt: skip
    return rows


def append_rows(records: int = 20_000) -> list[Row]:
    """Durable appends in batches of 32, programs of 2 KB."""
    rows = []
    for synchronous in _SYNCHRONOUS:
        rates = [append_rate(records, batch=32, synchronous=synchronous) for _ in range(REPEATS)]
        rows.append(Row(what=f"durable appends by 32, synchronous={synchronous}", who="evoengine", size=records,
                        wall=statistics.median(rates), target=">= 20,000"))  # fmt: skip
    return rows


def opening_rows(store: Path) -> list[Row]:
    """Seconds from the start of a process to the first draft on a million records."""
    subprocess.run([sys.executable, str(HERE / "million.py"), "make", str(store)], check=True)
    os.sync()  # what was made a moment ago is written first, not while it is opened
    found = [_told(sys.executable, "million.py", "open", str(store), repr(time.time())) for _ in range(REPEATS)]
    opened = [one for one in found if one is not None]
    return [
        Row(what="seconds to the first draft", who="evoengine", size=opened[0]["records"], target="< 3 s",
            wall=statistics.median(one["seconds"] for one in opened),
            cpu=statistics.median(one["cpu_seconds"] for one in opened))
    ]  # fmt: skip


def _told(python: str, script: str, *arguments: str) -> dict[str, Any] | None:
    """What a script in another process says; None when it takes too long."""
    try:
        done = subprocess.run(
            [python, str(HERE / script), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"{script} {' '.join(arguments)} took more than {PATIENCE:g} s and was ended", file=sys.stderr)
        return None
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def evaluation_rows(rivals: str | None, seconds: float = 10.0) -> list[Row]:
    """Evaluations of a program that does nothing, two at a time: ours in the jail, the others' as they run them."""
    rows = [Row(what="evaluations, jailed", who="evoengine", size=2, wall=asyncio.run(_evaluations(seconds)))]
    for who in ("openevolve", "shinka") if rivals else ():
        assert rivals is not None
        found = _told(rivals, "rivals/evaluations.py", who, str(seconds))
        if found is not None:
            rows.append(Row(what="evaluations, without a sandbox", who=who, size=2, wall=found["per_second"]))
    return rows


class _Successor(Problem):
    name = "successor"
    goal = "one more"
    entry = "f"
    seed = "def f(x):\n    return x + 1\n"

    def inputs(self, stage: str = "full") -> list[tuple[int]]:  # noqa: ARG002
        return [(1,)]

    def judge(self, outputs: list[Any]) -> Score:
        return Score(float(outputs == [2]))


async def _evaluations(seconds: float) -> float:
    problem = _Successor()
    executor: Executor = build("executors", {"use": "local", "workers": 2})
    executor.prepare(Evaluator(problem, build("sandboxes", "jail")))
    [content] = problem.seeds()
    async with executor:
        await asyncio.gather(executor.evaluate(content), executor.evaluate(content))  # what is made once
        began, done = time.perf_counter(), 0

        async def lane() -> None:
            nonlocal done
            while time.perf_counter() < began + seconds:
                found = await executor.evaluate(content)
                assert isinstance(found.evaluation, Scored)
                assert found.evaluation.score == 1.0
                done += 1

        await asyncio.gather(lane(), lane())
        return done / (time.perf_counter() - began)


def shinka_rows(rivals: str) -> list[Row]:
    """Adds to ShinkaEvolve's database and samples of it; each is stored durably, as ours are."""
    rows = []
    for size in (100, 1_000):
        found = _told(rivals, "rivals/shinka_database.py", str(size), "10")
        for name, what in (("add", "durable adds, one by one"), ("sample", "sample a parent with inspirations")):
            if found is not None:
                rows.append(Row(what=what, who="shinka", size=int(found["programs"]), wall=found[name],
                                cpu=found[f"{name}_cpu"]))  # fmt: skip
    return rows


def memory_rows(rivals: str | None) -> list[Row]:
    """KiB of memory that a program of 2 KB takes, in a process of its own."""
    rows = []
    asked = [("evoengine", sys.executable, "memory.py", 100_000)]
    if rivals:
        asked += [("openevolve", rivals, "rivals/openevolve_memory.py", 10_000)]
    for who, python, script, size in asked:
        found = _told(python, script, str(size))
        if found is not None:
            rows.append(Row(what="KiB of memory a program", who=who, size=int(found["programs"]),
                            wall=found["bytes_per_program"] / 1024))  # fmt: skip
    found = _told(rivals, "rivals/shinka_database.py", "2000", "10") if rivals else None
    if found is not None:
        rows.append(Row(what="KiB of memory a program", who="shinka", size=int(found["programs"]),
                        wall=found["bytes_per_program"] / 1024))  # fmt: skip
    return rows


def rival_versions(rivals: str) -> dict[str, str]:
    """Of the packages that are compared with."""
    listed = subprocess.run(
        [rivals, "-c", "from importlib.metadata import version as v\n"
         "for n in ('openevolve', 'ribs', 'shinka-evolve'):\n try: print(n, v(n))\n except Exception: pass"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return dict(line.split() for line in listed.stdout.splitlines())


def main() -> None:
    """Measures, prints, writes."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rivals", help="a Python that has openevolve, ribs and shinka-evolve")
    asked.add_argument("--store", type=Path, help="where the store of a million records is or will be made (4 GB)")
    asked.add_argument("--out", type=Path, default=HERE / "results" / "engine.json")
    given = asked.parse_args()
    before = surroundings()
    if given.rivals:
        before["versions"] |= rival_versions(given.rivals)
    parts: list[Callable[[], list[Row]]] = [records_rows, append_rows]
    if given.rivals:
        parts += [partial(openevolve_rows, given.rivals), partial(shinka_rows, given.rivals)]
    parts += [partial(evaluation_rows, given.rivals), partial(memory_rows, given.rivals)]
    parts.append(partial(archive_rows, given.rivals))
    if given.store:
        parts.append(partial(opening_rows, given.store))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    print(f"{'what':<44} {'who':<11} {'size':>9} {'wall':>12} {'cpu':>12}  target", flush=True)
    for part in parts:  # each is shown and kept when it is there: the whole takes some minutes
        made = part()
        rows += made
        for row in made:
            print(_line(row), flush=True)
        told = {**before, "load_after": os.getloadavg(), "rows": [asdict(row) for row in rows]}
        given.out.write_text(json.dumps(told, indent=1) + "\n")


def _line(row: Row) -> str:
    wall, cpu = ("" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
                 for value in (row.wall, row.cpu))  # fmt: skip
    return f"{row.what:<44} {row.who:<11} {row.size:>9,} {wall:>12} {cpu:>12}  {row.target}"


if __name__ == "__main__":
    main()
