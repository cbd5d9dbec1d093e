"""A long run of honest and hostile candidates: does the trusted side leak anything, is every honest answer right?

    python -m benchmarks.soak [--evaluations 20000] [--sandbox jail:T2] [--every 1000] [--format json]

Run it from the repository's root. Of the candidates 5 % crash, 5 % hang and 5 % flood; the rest return a number that
depends on their arguments and on their seed, which is checked. Two lanes, one process each, share the evaluations. A
lane looks at itself and at all processes below it before the sandbox is opened, after a first stretch in which about
every kind of candidate has run, every so often, at the end, and after the sandbox was shut down. The run fails (exit
status 1) if a wrong answer or an unexpected cause came back, if descriptors, processes, files or cgroups have become
more since the first stretch, or memory by more than `GROWTH_MIB`, or if anything is left after the shutdown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import family
from benchmarks.sandbox import sandbox_of
from evoengine.cli.output import print_rows
from evoengine.sandboxes.base import CandidateError, Job, Sandbox
from evoengine.types import Limits, Program

ROOT = Path(__file__).resolve().parents[1]
LANES = 2
GROWTH_MIB = 8.0
"""What a lane, or the processes below it, may grow by: fragmentation, and buffers that were once needed."""
PLACES = ("/tmp", "/var/tmp", "/dev/shm")

HONEST = """
import random
import numpy as np

def f(x):
    print("working on", x[0])
    return [float(np.sum(np.asarray(x) ** 2)), random.random()]
"""

SHORT = Limits(cpu_seconds=0.05, wall_seconds=20.0, memory_mib=256, output_mib=1.0)
IDLE = Limits(cpu_seconds=5.0, wall_seconds=0.25, memory_mib=256, output_mib=1.0)
ROOMY = Limits(cpu_seconds=5.0, wall_seconds=60.0, memory_mib=256, output_mib=1.0)
TIME = ("timed_out", "stalled")
MUCH = ("flooded", "rejected", "timed_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A candidate that misbehaves, and the causes that may follow."""

    name: str
    body: str
    causes: tuple[str, ...]
    limits: Limits = ROOMY


CRASHING = (
    Hostile(name="raises", body="return {}['missing']", causes=("crashed",)),
    Hostile(name="recurses", body="return f(x)", causes=("crashed",)),
    Hostile(name="exits", body="os._exit(3)", causes=("crashed",)),
    Hostile(name="aborts", body="os.abort()", causes=("crashed", "forbidden")),
    Hostile(name="dies of a bad address", body="ctypes.string_at(8)", causes=("crashed", "forbidden")),
    Hostile(name="takes all memory", body="return len(bytearray(2 ** 34))", causes=("out_of_memory", "crashed")),
    Hostile(name="closes everything", body="os.closerange(0, 64)\n    return 1", causes=("crashed", "forbidden")),
)
HANGING = (
    Hostile(name="loops", body="while True: pass", causes=TIME, limits=SHORT),
    Hostile(name="loops in C", body="sum(range(10 ** 15))", causes=TIME, limits=SHORT),
    Hostile(name="sleeps", body="time.sleep(1000)", causes=TIME, limits=IDLE),
    Hostile(name="stops itself", body="os.kill(os.getpid(), 19)\n    time.sleep(1000)", causes=(*TIME, "forbidden"),
            limits=IDLE),
    Hostile(name="waits for itself", body="os.read(os.pipe()[0], 1)", causes=(*TIME, "forbidden"), limits=IDLE),
)  # fmt: skip
FLOODING = (
    Hostile(name="prints without end", body="while True: print('x' * 9999)", causes=MUCH, limits=SHORT),
    Hostile(name="writes without end", body="while True: os.write(2, b'x' * 65536)", causes=MUCH, limits=SHORT),
    Hostile(name="answers too much", body="return 'x' * 2 ** 21", causes=MUCH),
    Hostile(name="answers too many numbers", body="return np.zeros(2 ** 18)", causes=MUCH),
    Hostile(name="answers too many lists", body="return [[]] * 2 ** 20", causes=MUCH),
    Hostile(name="floods its channel", body="while True: os.write(3, bytes(65536))", causes=MUCH),
    Hostile(name="drips on its channel", body="while True: os.write(3, b'\\xff')", causes=MUCH, limits=SHORT),
    Hostile(name="leaves files", causes=("crashed",), limits=SHORT,
            body="\n    ".join(f"try: open('{place}/TOKEN' + str(x[0]), 'w').write('x')\n    except OSError: pass"
                               for place in PLACES) + "\n    os._exit(5)"),
)  # fmt: skip
SHARES = ((0.05, CRASHING), (0.05, HANGING), (0.05, FLOODING))


# A lane.


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a lane holds at one moment; "below" are the processes that it has started, and theirs."""

    lane: int
    evaluations: int
    descriptors: int
    rss_mib: float
    processes_below: int
    zombies: int
    descriptors_below: int
    rss_mib_below: float
    files: int
    cgroups: int


def snapshot(lane: int, evaluations: int, token: str) -> Snapshot:
    """What this process and those below it hold now."""
    me, *below = family(os.getpid())
    files = [name for place in PLACES for name in os.listdir(place) if token in name]
    return Snapshot(
        lane=lane,
        evaluations=evaluations,
        descriptors=me.descriptors,
        rss_mib=me.rss_mib,
        processes_below=len(below),
        zombies=sum(one.state == "Z" for one in below),
        descriptors_below=sum(one.descriptors for one in below),
        rss_mib_below=sum(one.rss_mib for one in below),
        files=len(files) + len(os.listdir(tempfile.gettempdir())),
        cgroups=_cgroups(),
    )


def _cgroups() -> int:
    """Folders of this process's own in any hierarchy of cgroups."""
    mine = f"evoengine-{os.getpid()}-"
    return sum(name.startswith(mine) for _, folders, _ in os.walk("/sys/fs/cgroup") for name in folders)


def hostile_of(rng: random.Random) -> Hostile | None:
    """What a candidate does that is not honest; None for the honest ones."""
    drawn = rng.random()
    for share, kinds in SHARES:
        if drawn < share:
            return rng.choice(kinds)
        drawn -= share
    return None


def fault(sandbox: Sandbox, number: int, token: str) -> tuple[str, str]:
    """The cause that evaluation `number` ended with ("ok" without one), and what is wrong with that."""
    rng = random.Random(f"soak/{number}")
    hostile = hostile_of(rng)
    x = [float(number), *(rng.random() for _ in range(6))]
    if hostile is None:
        expected = [sum(value * value for value in x), random.Random(number).random()]
        cause, answer = _run(sandbox, HONEST, x, number, ROOMY)
        right = cause == "ok" and abs(answer[0] - expected[0]) < 1e-9 * expected[0] and answer[1] == expected[1]
        return cause, "" if right else f"honest candidate {number}: {cause}, {answer} instead of {expected}"
    text = f"import ctypes, os, time\nimport numpy as np\n\ndef f(x):\n    {hostile.body.replace('TOKEN', token)}\n"
    cause, answer = _run(sandbox, text, x, number, hostile.limits)
    right = cause in hostile.causes
    return cause, "" if right else f"candidate {number} that {hostile.name}: {cause} {str(answer)[:200]!r}"


def _run(sandbox: Sandbox, text: str, x: list[float], seed: int, limits: Limits) -> tuple[str, Any]:
    job = Job(program=Program.of(text), entry="f", limits=limits, seed=seed, preload=("numpy",))
    with sandbox.open(job) as session:
        try:
            session.load()
            return "ok", session.batch([(x,)], plain=True)[0]
        except CandidateError as error:
            return str(error.cause), error.feedback


def run_lane(lane: int, name: str, evaluations: int, every: int, token: str) -> None:
    """Runs one lane's share and prints what it sees, a JSON object a line."""
    _say(snapshot=asdict(snapshot(lane, 0, token)))
    sandbox: Sandbox = sandbox_of(name)
    causes: Counter[str] = Counter()
    warm = min(evaluations // 2, 500)
    for done, number in enumerate(range(lane, evaluations * LANES, LANES), 1):
        cause, wrong = fault(sandbox, number, token)
        causes[cause] += 1
        if wrong:
            _say(wrong=wrong)
        if done in (warm, evaluations) or done % every == 0:
            _say(snapshot=asdict(snapshot(lane, done, token)))
    sandbox.shutdown()
    _say(causes=causes)
    _say(snapshot=asdict(snapshot(lane, evaluations, token)))


def _say(**what: Any) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


# The run.


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What a run came to. `faults` is empty when nothing leaked and every answer was right."""

    snapshots: list[Snapshot]
    causes: dict[str, int]
    faults: list[str]
    seconds: float


def soak(name: str, evaluations: int, every: int) -> Soak:
    """Runs this many evaluations in two lanes of a sandbox, `plugin` or `plugin:tier`."""
    token = f"soak{os.getpid()}x"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        lanes = [_started(lane, name, evaluations, every, token, Path(place)) for lane in range(LANES)]
        lines = [json.loads(line) for lane in lanes for line in lane.communicate()[0].splitlines()]
    left = [Path(place, name) for place in PLACES for name in os.listdir(place) if token in name]
    for path in left:
        path.unlink()
    snapshots = [Snapshot(**line["snapshot"]) for line in lines if "snapshot" in line]
    faults = [line["wrong"] for line in lines if "wrong" in line]
    faults += [f"lane {number} ended with {lane.returncode}" for number, lane in enumerate(lanes) if lane.returncode]
    for lane in range(LANES):
        faults += leaks([one for one in snapshots if one.lane == lane])
    causes: Counter[str] = Counter()
    for line in lines:
        causes.update(line.get("causes", {}))
    if causes.total() != evaluations // LANES * LANES:
        faults.append(f"{causes.total()} evaluations were done instead of {evaluations}")
    seconds = time.monotonic() - began
    return Soak(snapshots=snapshots, causes=dict(causes.most_common()), faults=faults, seconds=seconds)


def _started(lane: int, name: str, evaluations: int, every: int, token: str, place: Path) -> subprocess.Popen[str]:
    folder = place / str(lane)
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.soak", "--sandbox", name, "--lane", str(lane), "--token", token]
    command += ["--evaluations", str(evaluations // LANES), "--every", str(max(1, every // LANES))]
    environment = {**os.environ, "TMPDIR": str(folder), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )


def leaks(seen: Sequence[Snapshot]) -> list[str]:
    """What one lane holds more of than it should: first snapshot before, second after a while, last after shutdown."""
    if len(seen) < 4:
        return ["a lane did not tell what it holds"]
    before, warm, *_, last, after = seen
    found = []
    for name in ("descriptors", "processes_below", "zombies", "descriptors_below", "files", "cgroups"):
        first, then, left = (getattr(one, name) for one in (warm, last, after))
        if then > first:
            found.append(f"lane {before.lane}: {name} rose from {first} to {then}")
        if left > getattr(before, name):
            found.append(
                f"lane {before.lane}: {name} were {getattr(before, name)} before, and {left} after the shutdown"
            )
    if max(one.zombies for one in seen):
        found.append(f"lane {before.lane}: there were zombies")
    for name in ("rss_mib", "rss_mib_below"):
        first, then = getattr(warm, name), getattr(last, name)
        if then > first + GROWTH_MIB:
            found.append(f"lane {before.lane}: {name} rose from {first:.1f} to {then:.1f}")
    return found


def main() -> None:
    """Runs, prints, and exits with 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=20_000)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--sandbox", default="jail", help="plugin or plugin:tier")
    parser.add_argument("--format", choices=["table", "json", "csv"], default="table")
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.lane is not None:
        run_lane(given.lane, given.sandbox, given.evaluations, given.every, given.token)
        return
    found = soak(given.sandbox, given.evaluations, given.every)
    if given.format == "json":
        print(json.dumps(asdict(found), indent=2))
    else:
        print_rows([_rounded(asdict(one)) for one in found.snapshots], given.format)
        told = ", ".join(f"{count} {cause}" for cause, count in found.causes.items())
        print(f"{given.sandbox}: {told}; {found.seconds:.0f} s", file=sys.stderr)
    for one in found.faults:
        print(f"FAULT {one}", file=sys.stderr)
    print(f"{len(found.faults)} faults", file=sys.stderr)
    sys.exit(1 if found.faults else 0)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in row.items()}


if __name__ == "__main__":
    main()
