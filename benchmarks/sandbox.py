"""What an evaluation in the sandbox costs, beside a bare fork and a fresh interpreter, all in one run.

    python -m benchmarks.sandbox [--seconds 3] [--rounds 5] [--format json] [--sandbox none] [--sandbox jail:T2]

Run it from the repository's root. An evaluation of a sandbox opens a session, loads the program (a function of a few
numbers, written with numpy), calls it once, checks the answer and closes. Beside it stand

- `fork`: a warm process that has imported numpy forks a child, which sets resource limits, runs the same program and
  sends its answer through a pipe: what a sandbox without any protection would cost at the least;
- `fresh`: a new interpreter for each evaluation, which imports numpy.

Each contender has two lanes, one process each and each kept on a core of its own (as the executor does), that work at
the same time; contenders take turns, so that whatever else the machine does falls on all of them. Rates are of both
lanes together, the median over rounds; ratios are the median of each round's own ratio. CPU time is that of the lane
and of every process below it (the warm one that candidates are forked from, and by it, through the time of children
waited for, the candidates): user and system time
from /proc/PID/stat. "play" is one call of an open session with three numbers, in one lane while the other rests.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import cpu_seconds

ROOT = Path(__file__).resolve().parents[1]
LANES = 2
PROGRAM = "import numpy as np\n\n\ndef f(x):\n    return float(np.sum(np.asarray(x) ** 2))\n"
NUMBERS = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
PLAYED = "def f(a, b, c):\n    return a * b + c\n"
PLAYS = 3000
MEMORY_MIB = 512

_FRESH = (
    "import json, sys\nimport numpy\n"
    "space = {}\nexec(compile(sys.argv[1], 'main.py', 'exec'), space)\n"
    "print(json.dumps(space['f'](*json.loads(sys.argv[2]))))\n"
)

Evaluate = Callable[[list[float]], float]


# What a lane does.


def bare_fork(x: list[float]) -> float:
    """The answer of a forked child of this process, under resource limits."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            _limit()
            space: dict[str, Any] = {}
            exec(compile(PROGRAM, "main.py", "exec"), space)
            os.write(writer, json.dumps(space["f"](x)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read()
    os.wait4(pid, 0)
    return float(json.loads(text))


def _limit() -> None:
    for kind, value in (
        (resource.RLIMIT_AS, 2**33),
        (resource.RLIMIT_CPU, 10),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(kind, (value, value))


def fresh_interpreter(x: list[float]) -> float:
    """The answer of a new interpreter."""
    command = [sys.executable, "-I", "-c", _FRESH, PROGRAM, json.dumps([x])]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout)


def sandbox_of(name: str) -> Any:
    """The sandbox that is called `plugin` or `plugin:tier`."""
    from evoengine.plugins import build

    plugin, _, tier = name.partition(":")
    return build("sandboxes", {"use": plugin} | ({"tier": tier} if tier else {}))


def in_sandbox(sandbox: Any) -> Evaluate:
    """Evaluations in a sandbox."""
    from evoengine.sandboxes.base import Job
    from evoengine.types import Limits, Program

    program, limits = Program.of(PROGRAM), Limits(memory_mib=MEMORY_MIB)

    def evaluate(x: list[float]) -> float:
        with sandbox.open(Job(program=program, entry="f", limits=limits, preload=("numpy",))) as session:
            session.load()
            [answer] = session.batch([(x,)])
        return float(answer)

    return evaluate


def played(sandbox: Any) -> list[float]:
    """Seconds of each of `PLAYS` calls of one session."""
    from evoengine.sandboxes.base import Job
    from evoengine.types import Limits, Program

    limits = Limits(memory_mib=MEMORY_MIB)
    with sandbox.open(Job(program=Program.of(PLAYED), entry="f", limits=limits, preload=("numpy",))) as session:
        session.load()
        found = []
        for number in range(PLAYS):
            began = time.perf_counter()
            [answer] = session.batch([(float(number), 0.5, 1.0)], plain=True)
            found.append(time.perf_counter() - began)
            _check(answer, number * 0.5 + 1.0)
    return found


def _check(answer: float, expected: float) -> None:
    if answer != expected:
        raise SystemExit(f"an evaluation gave {answer!r} instead of {expected!r}")


def timed(evaluate: Evaluate, seconds: float) -> list[float]:
    """Seconds of each evaluation, over a while."""
    found: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        first = float(len(found))
        answer = evaluate([first, *NUMBERS])
        found.append(time.perf_counter() - began)
        _check(answer, first**2 + sum(x * x for x in NUMBERS))
    return found


def lane(name: str) -> None:
    """Serves one contender: seconds to evaluate for, or "play", by line; answers with the latencies."""
    import numpy  # noqa: F401  # a warm process has it

    sandbox = None
    evaluate: Evaluate
    match name:
        case "fork":
            evaluate = bare_fork
        case "fresh":
            evaluate = fresh_interpreter
        case _:
            sandbox = sandbox_of(name)
            evaluate = in_sandbox(sandbox)
    timed(evaluate, 0.2)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(played(sandbox) if line == "play\n" else timed(evaluate, float(line))), flush=True)
    if sandbox is not None:
        sandbox.shutdown()


# What the run does with its lanes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What the lanes of one contender did in one round."""

    latencies: list[float]
    rate: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A contender's figures; times in ms but for `play_us`.

    Attributes:
        of_fork: its rate by that of `fork`, by the clock.
        of_fork_by_cpu: the same on cores that do nothing else: the CPU time of `fork` by its own.
        of_fresh: its rate by that of `fresh`.
    """

    who: str
    per_second: float
    of_fork: float | None = None
    of_fork_by_cpu: float | None = None
    of_fresh: float | None = None
    median_ms: float
    p99_ms: float
    least_ms: float
    cpu_ms: float
    play_us: float | None = None
    play_p99_us: float | None = None


class Contender:
    """The lanes of one contender."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.segments: list[Segment] = []
        self.plays: list[float] = []
        command = [sys.executable, "-m", "benchmarks.sandbox", "--lane", who]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._lanes = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
            )
            for _ in range(LANES)
        ]
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) >= LANES:  # as the executor does where there is a core for each lane
            for process, core in zip(self._lanes, cores, strict=False):
                os.sched_setaffinity(process.pid, {core})

    def __enter__(self) -> Contender:
        for process in self._lanes:
            self._heard(process)
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._lanes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._lanes:
            process.wait(60)

    def segment(self, seconds: float) -> None:
        """Both lanes evaluate for a while."""
        before = self._cpu_seconds()
        for process in self._lanes:
            self._tell(process, str(seconds))
        found = [json.loads(self._heard(process)) for process in self._lanes]
        cpu = self._cpu_seconds() - before
        latencies = [one for of_lane in found for one in of_lane]
        rate = sum(len(of_lane) / sum(of_lane) for of_lane in found)
        self.segments.append(Segment(latencies=latencies, rate=rate, cpu_ms=1000 * cpu / len(latencies)))

    def play(self) -> None:
        """One lane calls one session over and over."""
        if self.who not in ("fork", "fresh"):
            self._tell(self._lanes[0], "play")
            self.plays += json.loads(self._heard(self._lanes[0]))

    def row(self, fork: Contender, fresh: Contender) -> Row:
        """The figures of all rounds."""
        latencies = sorted(1000 * one for segment in self.segments for one in segment.latencies)
        plays = sorted(1e6 * one for one in self.plays)
        return Row(
            who=self.who,
            per_second=statistics.median(segment.rate for segment in self.segments),
            of_fork=self._ratio(fork),
            of_fork_by_cpu=self._cpu_ratio(fork),
            of_fresh=self._ratio(fresh),
            median_ms=statistics.median(latencies),
            p99_ms=_quantile(latencies, 0.99),
            least_ms=latencies[0],
            cpu_ms=statistics.median(segment.cpu_ms for segment in self.segments),
            play_us=statistics.median(plays) if plays else None,
            play_p99_us=_quantile(plays, 0.99) if plays else None,
        )

    def _ratio(self, other: Contender) -> float | None:
        pairs = zip(self.segments, other.segments, strict=True)
        return None if other is self else statistics.median(mine.rate / its.rate for mine, its in pairs)

    def _cpu_ratio(self, other: Contender) -> float | None:
        pairs = zip(self.segments, other.segments, strict=True)
        return None if other is self else statistics.median(its.cpu_ms / mine.cpu_ms for mine, its in pairs)

    def _cpu_seconds(self) -> float:
        return sum(cpu_seconds(process.pid) for process in self._lanes)

    def _tell(self, process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(f"{line}\n")
        process.stdin.flush()

    def _heard(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"a lane of {self.who!r} ended; what it said is above")
        return line


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def offered() -> list[str]:
    """The sandboxes that work on this machine: without protection, and in each tier."""
    from evoengine.sandboxes import probe

    return ["none", *(f"jail:{found.tier}" for found in probe() if found.works)]


def rows_of(names: Sequence[str], *, seconds: float, rounds: int) -> list[Row]:
    """The figures of the two yardsticks and of these sandboxes."""
    with ExitStack() as stack:
        contenders = [stack.enter_context(Contender(name)) for name in ("fork", "fresh", *names)]
        for number in range(rounds):
            for contender in contenders:
                contender.segment(seconds)
            for contender in contenders:
                contender.play()
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
        fork, fresh = contenders[:2]
        return [contender.row(fork, fresh) for contender in contenders]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each contender in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sandbox", action="append", help="plugin or plugin:tier; all that work when left out")
    parser.add_argument("--format", choices=["table", "json", "csv"], default="table")
    parser.add_argument("--lane", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.lane:
        lane(given.lane)
        return
    from evoengine.cli.output import print_rows

    rows = rows_of(given.sandbox or offered(), seconds=given.seconds, rounds=given.rounds)
    short = given.format == "table"
    print_rows([_rounded(asdict(row)) if short else asdict(row) for row in rows], given.format)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in row.items()}


if __name__ == "__main__":
    main()
