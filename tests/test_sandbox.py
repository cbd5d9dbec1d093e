"""Candidates in plain processes: the contract of all sandboxes, and what only processes can do."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evoengine.errors import SandboxError
from evoengine.sandboxes.base import CandidateError, Job, Outcome
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import SandboxContract, job_of
from evoengine.types import Cause, Limits, Program


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Unconfined]:
    sandbox = Unconfined()
    yield sandbox
    sandbox.shutdown()


class TestUnconfined(SandboxContract):
    pass


def ran(sandbox: Unconfined, job: Job) -> Outcome:
    return asyncio.run(sandbox.run(job))


def gone(pid: int) -> bool:
    """Whether a process ends within a generous time."""
    for _ in range(400):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.025)
    return False


def nothing_runs_below(sandbox: Unconfined) -> bool:
    """Whether the warm process, which inherits all orphans, has no child: asked of a candidate, whose parent it is."""
    text = (
        "import os\n"
        "def f():\n"
        "    parents = []\n"
        "    for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "        try:\n"
        "            parents.append(int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1]))\n"
        "        except OSError:\n"
        "            pass\n"
        "    return parents.count(os.getppid())\n"
    )
    return ran(sandbox, job_of(text, ())).outputs == (1,)


needs_fork = pytest.mark.skipif(os.getuid() != 0, reason="for other users the kernel forbids candidates to fork")

DAEMONS = """
import os, time
def f():
    pids = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            time.sleep(1000)
        pids.append(pid)
    return pids
"""


@needs_fork
def test_daemons_are_killed_with_the_candidate_that_started_them(sandbox: Unconfined) -> None:
    with sandbox.open(job_of(DAEMONS)) as session:
        session.load()
        [pids] = session.batch([()])
        assert len(pids) == 3
    assert all(gone(pid) for pid in pids)
    assert nothing_runs_below(sandbox)


@needs_fork
def test_a_child_that_holds_the_pipes_does_not_delay_the_end(sandbox: Unconfined) -> None:
    text = "import os, time\ndef f():\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(3)\n"
    outcome = ran(sandbox, job_of(text, (), limits=Limits(wall_seconds=300)))
    assert outcome.cause is Cause.CRASHED
    assert "status 3" in outcome.feedback


@needs_fork
def test_a_bounded_fork_bomb_leaves_nothing(sandbox: Unconfined) -> None:
    text = (
        "import os, time\n"
        "def f():\n"
        "    for _ in range(6):\n        os.fork()\n        os.setpgid(0, 0) if os.getsid(0) != os.getpid() else None\n"
        "    time.sleep(1000)\n"
    )
    outcome = ran(sandbox, job_of(text, (), limits=Limits(wall_seconds=0.5)))
    assert outcome.cause is Cause.STALLED
    assert ran(sandbox, job_of("def f():\n    return 1\n", ())).outputs == (1,)
    assert nothing_runs_below(sandbox)


def test_a_candidate_starts_in_a_session_of_its_own_with_nothing_but_its_channel_open(sandbox: Unconfined) -> None:
    text = (
        "import os\n"
        "def f():\n"
        "    return [os.getsid(0) == os.getpid(), os.getcwd(), sorted(map(int, os.listdir('/proc/self/fd')))]\n"
    )
    # The last descriptor is that of the listing itself.
    assert ran(sandbox, job_of(text, ())).outputs == ([True, "/", [0, 1, 2, 3, 4]],)


def test_a_candidate_cannot_fill_the_disk(sandbox: Unconfined, tmp_path: Path) -> None:
    path = tmp_path / "written"
    outcome = ran(
        sandbox, job_of(f"def f():\n    with open({str(path)!r}, 'w') as file:\n        file.write('x')\n", ())
    )
    assert outcome.cause is Cause.CRASHED
    assert "File too large" in outcome.feedback or "Permission denied" in outcome.feedback
    assert not path.exists() or path.stat().st_size == 0


def test_a_candidate_cannot_open_descriptors_without_end(sandbox: Unconfined) -> None:
    text = "def f():\n    return len([open('/dev/null') for _ in range(1000)])\n"
    assert "Too many open files" in ran(sandbox, job_of(text, ())).feedback


@pytest.mark.parametrize(
    "garbage",
    [
        "b'\\xff' * 100",
        "b'\\x02\\0\\0\\0\\0\\0\\0\\0{}'",
        "b'\\x03\\0\\0\\0\\0\\0\\0\\0NaN'",
        "b'\\x09\\0\\0\\0\\0\\0\\0\\0{\"a\":[1]}'",
        'b\'\\x16\\0\\0\\0\\0\\0\\0\\0{"answers":[],"f8":[]}\'',
        "b'\\xff\\xff\\xff\\x7f\\0\\0\\0\\0' + bytes(100)",
    ],
)
def test_garbage_on_the_result_channel_costs_the_candidate_only(sandbox: Unconfined, garbage: str) -> None:
    text = f"import os, time\ndef f():\n    os.write(3, {garbage})\n    time.sleep(1000)\n"
    outcome = ran(sandbox, job_of(text, ()))
    assert outcome.cause is Cause.REJECTED
    assert ran(sandbox, job_of("def f():\n    return 1\n", ())).outputs == (1,)


def test_a_flood_on_the_result_channel_ends(sandbox: Unconfined) -> None:
    text = "import os\ndef f():\n    while True:\n        os.write(3, b'\\0' * 65536)\n"
    assert ran(sandbox, job_of(text, ())).cause is Cause.REJECTED


def test_a_candidate_that_kills_the_warm_process_costs_only_itself(sandbox: Unconfined) -> None:
    outcome = ran(
        sandbox, job_of("import os, time\ndef f():\n    os.kill(os.getppid(), 9)\n    time.sleep(1000)\n", ())
    )
    assert outcome.cause is Cause.CRASHED
    for _ in range(2):
        assert ran(sandbox, job_of("def f():\n    return 1\n", ())).outputs == (1,)


def test_a_candidate_that_stops_the_warm_process_costs_only_itself(
    sandbox: Unconfined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evoengine.sandboxes._forkserver._REPLY_SECONDS", 0.5)
    text = "import os, signal\ndef f():\n    os.kill(os.getppid(), signal.SIGSTOP)\n    os._exit(1)\n"
    assert ran(sandbox, job_of(text, ())).cause is Cause.CRASHED
    monkeypatch.undo()
    for _ in range(2):
        assert ran(sandbox, job_of("def f():\n    return 1\n", ())).outputs == (1,)


def test_a_sandbox_may_allow_less_memory_than_a_problem() -> None:
    sandbox = Unconfined(memory_mib=64)
    text = "def f(n):\n    return len(bytearray(n))\n"
    for most, cause in ((256, Cause.OUT_OF_MEMORY), (32, Cause.OUT_OF_MEMORY)):
        assert ran(sandbox, job_of(text, (2**27,), limits=Limits(memory_mib=most))).cause is cause
    assert ran(sandbox, job_of(text, (2**25,), limits=Limits(memory_mib=256))).outputs == (2**25,)
    assert ran(sandbox, job_of(text, (2**26,), limits=Limits(memory_mib=32))).cause is Cause.OUT_OF_MEMORY
    sandbox.shutdown()


def test_jobs_may_be_run_side_by_side(sandbox: Unconfined) -> None:
    async def both() -> list[Outcome]:
        jobs = [job_of(f"def f():\n    return {number}\n", ()) for number in range(8)]
        return await asyncio.gather(*(sandbox.run(job) for job in jobs))

    assert [outcome.outputs for outcome in asyncio.run(both())] == [(number,) for number in range(8)]


def test_a_candidate_may_read_a_large_argument_slowly_or_not_at_all(sandbox: Unconfined) -> None:
    argument = list(range(300_000))
    assert ran(sandbox, job_of("def f(x):\n    return len(x)\n", (argument,))).outputs == (300_000,)
    deaf = "import os\nos.dup2(os.open('/dev/null', 0), 3)\ndef f(x):\n    return 1\n"
    assert ran(sandbox, job_of(deaf, (argument,))).cause is Cause.CRASHED


def test_strings_hash_alike_in_every_warm_process() -> None:
    text = "def f():\n    return list({str(i) for i in range(100)})\n"
    found = []
    for _ in range(2):
        sandbox = Unconfined()
        found.append(ran(sandbox, job_of(text, ())).outputs)
        sandbox.shutdown()
    assert found[0] == found[1]


def test_a_module_that_cannot_be_preloaded_is_the_sandboxs_own_failure() -> None:
    sandbox = Unconfined()
    job = Job(program=Program.of("def f():\n    return 1\n"), entry="f", preload=("no_such_module",))
    with pytest.raises(SandboxError, match="no_such_module"):
        sandbox.open(job)
    sandbox.shutdown()


def test_a_session_that_is_over_says_so(sandbox: Unconfined) -> None:
    session = sandbox.open(job_of("def f():\n    raise ValueError\n"))
    session.load()
    with pytest.raises(CandidateError):
        session.batch([()])
    with pytest.raises(SandboxError, match="over"):
        session.load()


def test_arguments_that_are_no_data_are_the_callers_mistake(sandbox: Unconfined) -> None:
    with sandbox.open(job_of("def f(x):\n    return 1\n")) as session:
        session.load()
        with pytest.raises(ValueError, match="Out of range"):
            session.batch([(float("nan"),)])
        with pytest.raises(TypeError):
            session.batch([({1},)])
        assert session.batch([(0,)]) == [1]


def test_two_sessions_live_side_by_side(sandbox: Unconfined) -> None:
    with (
        sandbox.open(job_of("def f():\n    return 1\n")) as one,
        sandbox.open(job_of("def f():\n    return 2\n")) as two,
    ):
        one.load()
        two.load()
        assert (one.batch([()]), two.batch([()])) == ([1], [2])


def test_a_sandbox_in_use_pickles_as_its_settings(sandbox: Unconfined) -> None:
    assert ran(sandbox, job_of("def f():\n    return 1\n", ())).outputs == (1,)
    copy = pickle.loads(pickle.dumps(sandbox))
    assert copy.settings() == sandbox.settings()
    assert ran(copy, job_of("def f():\n    return 2\n", ())).outputs == (2,)
    copy.shutdown()


def test_shutting_down_ends_the_warm_process_and_open_sessions() -> None:
    sandbox = Unconfined()
    session = sandbox.open(job_of("import os\ndef f():\n    return [os.getpid(), os.getppid()]\n"))
    session.load()
    [pids] = session.batch([()])
    sandbox.shutdown()
    assert all(gone(pid) for pid in pids)
    session.close()


def test_nothing_survives_a_killed_engine() -> None:
    text = (
        "import os, time\n"
        "def f():\n"
        "    daemon = os.getpid()\n"
        "    if os.getuid() == 0:\n"
        "        daemon = os.fork()\n"
        "        if daemon == 0:\n            os.setsid()\n            time.sleep(1000)\n"
        "    return [os.getpid(), os.getppid(), daemon]\n"
        "def g():\n    while True: pass\n"
    )
    script = (
        "from evoengine.sandboxes.none import Unconfined\n"
        "from evoengine.testing import job_of\n"
        f"session = Unconfined().open(job_of({text!r}))\n"
        "session.load()\n"
        "print(*session.batch([()])[0], flush=True)\n"
        "session.batch([()], 'g')\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        pids = [int(pid) for pid in engine.stdout.readline().split()]
        assert len(pids) == 3
        engine.kill()
    assert all(gone(pid) for pid in pids)
