"""The jail: the contract of all sandboxes in every tier that this machine offers, and what only walls can do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import SandboxError
from evoengine.sandboxes import Probed, probe
from evoengine.sandboxes._session import ForkedSession
from evoengine.sandboxes.base import Outcome, Sandbox
from evoengine.sandboxes.jail import Jail
from evoengine.testing import SandboxContract, job_of
from evoengine.types import Cause, Limits

TIERS: list[Probed] = probe()
WORKING = [one.tier for one in TIERS if one.works]


@pytest.fixture(scope="module", params=WORKING)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Jail]:
    sandbox = Jail(tier=request.param)
    yield sandbox
    sandbox.shutdown()


def test_this_machine_can_hold_a_candidate() -> None:
    assert WORKING, TIERS


class TestJail(SandboxContract):
    @pytest.mark.slow
    def test_a_batch_whose_answers_swell_when_they_are_read_is_a_flood(self, sandbox: Sandbox) -> None:
        super().test_a_batch_whose_answers_swell_when_they_are_read_is_a_flood(sandbox)


def ran(sandbox: Jail, text: str, *arguments: Any, **limits: Any) -> Outcome:
    return asyncio.run(sandbox.run(job_of(text, arguments, limits=Limits(**limits))))


def test_the_tier_is_told(sandbox: Jail) -> None:
    assert ran(sandbox, "def f():\n    return 1\n").tier == sandbox.tier


def test_a_crash_leaves_no_core_for_others_to_read(sandbox: Jail) -> None:
    with sandbox.open(job_of("def f():\n    return 1\n")) as session:
        assert isinstance(session, ForkedSession)
        session.load()
        assert Path(f"/proc/{session.outside}/status").stat().st_uid == 0  # the kernel's mark of what may not be dumped


def test_the_null_device_is_there(sandbox: Jail) -> None:
    text = "def f():\n    with open('/dev/null', 'r+b', buffering=0) as null:\n        null.write(b'x')\n"
    text += "        return null.read().decode()\n"
    assert ran(sandbox, text).outputs == ("",)


@pytest.mark.parametrize(
    "start",
    [
        "os.fork()",
        "threading.Thread(target=print).start()",
        "subprocess.run(['/bin/true'])",
        "os.execv('/bin/true', ['true'])",
    ],
)
def test_nothing_can_be_started(sandbox: Jail, start: str) -> None:
    outcome = ran(sandbox, f"import os, subprocess, threading\ndef f():\n    {start}\n")
    assert outcome.cause in {Cause.FORBIDDEN, Cause.OUT_OF_PROCESSES}


THREADS = """
import threading
def f(n):
    gate = threading.Event()
    started = 0
    for _ in range(n):
        try:
            threading.Thread(target=gate.wait, daemon=True).start()
            started += 1
        except RuntimeError:
            break
    gate.set()
    return started
"""
FORKS = """
import os, time
def f(n):
    started = 0
    for _ in range(n):
        try:
            if os.fork() == 0:
                time.sleep(1000)
        except OSError:
            break
        started += 1
    return started
"""


def holds_to_a_number(sandbox: Jail) -> bool:
    """Whether candidates can be held to a number of processes; where not, allowing any is refused."""
    try:
        ran(sandbox, "def f():\n    return 1\n", processes=1)
    except SandboxError as error:
        if sandbox.tier != "T3" or "number of processes" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("text", [THREADS, FORKS])
def test_a_limit_on_processes_holds_or_is_refused(sandbox: Jail, text: str) -> None:
    if holds_to_a_number(sandbox):
        for most in (1, 5):
            assert ran(sandbox, text, 40, processes=most).outputs == (most,)
            assert ran(sandbox, "def f():\n    return 1\n").outputs == (1,)
    assert ran(sandbox, text, 40).outputs == (0,)


def test_allowed_processes_can_talk_and_be_waited_for(sandbox: Jail) -> None:
    text = (
        "import subprocess, sys\n"
        "def f():\n"
        "    return subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout\n"
    )
    if holds_to_a_number(sandbox):
        assert ran(sandbox, text, processes=4, memory_mib=2048).outputs == ("42\n",)


def test_every_standard_module_can_be_imported(sandbox: Jail) -> None:
    text = (
        "import importlib, sys\n"
        "def f():\n"
        "    failed = []\n"
        "    for name in sorted(sys.stdlib_module_names):\n"
        "        if name.startswith('_') or name in ('antigravity', 'this', 'idlelib', 'turtle', 'tkinter'):\n"
        "            continue\n"
        "        try:\n"
        "            importlib.import_module(name)\n"
        "        except ModuleNotFoundError:\n"
        "            pass\n"
        "        except Exception as error:\n"
        "            failed.append(f'{name}: {error!r}')\n"
        "    return failed\n"
    )
    assert ran(sandbox, text).outputs == ([],)


def test_scipy_works_inside(sandbox: Jail) -> None:
    text = (
        "from scipy.optimize import linprog, minimize\n"
        "def f():\n"
        "    linear = linprog([-1.0, -1.0], A_ub=[[1.0, 2.0]], b_ub=[4.0], bounds=[(0, 3), (0, None)])\n"
        "    return [linear.fun, minimize(lambda x: (x[0] - 2) ** 2, [0.0], method='SLSQP').x.tolist()]\n"
    )
    [[fun, x]] = ran(sandbox, text).outputs  # type: ignore[misc, str-unpack]
    assert fun == pytest.approx(-3.5)
    assert x == pytest.approx([2.0])


def test_a_tier_that_is_not_to_be_had_is_refused_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    from evoengine.sandboxes import _cgroup

    def nowhere() -> dict[str, object]:
        raise SandboxError("no control groups")

    monkeypatch.setattr(_cgroup, "places", nowhere)
    with pytest.raises(SandboxError, match="no control groups"):
        Jail(tier="T1").open(job_of("def f():\n    return 1\n"))
