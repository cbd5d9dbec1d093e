"""T4, which is made for macOS: all of it that does not need a Mac, with a stand-in for Seatbelt's own program."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import SandboxError
from evoengine.sandboxes import _seatbelt, _tiers, probe
from evoengine.sandboxes._seatbelt import profile
from evoengine.sandboxes.base import Outcome
from evoengine.sandboxes.jail import Jail
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import SandboxContract, job_of
from evoengine.types import Cause, Limits
from tests.sandboxes.without import Without

pytestmark = pytest.mark.slow

STAND_IN = f"""#!{sys.executable}
import os, sys
name, profile, *command = sys.argv[1:]
if name != "-p" or not profile.startswith("(version 1)\\n(deny default)\\n"):
    sys.exit(64)
os.execv(command[0], command)
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="plays a Mac on Linux")


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine taken for a Mac whose Seatbelt holds nothing."""
    stand_in = tmp_path / "sandbox-exec"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    monkeypatch.setattr(_tiers, "_PLATFORM", "darwin")
    monkeypatch.setattr(_seatbelt, "SANDBOX_EXEC", str(stand_in))


@pytest.fixture
def sandbox(mac: None) -> Iterator[Jail]:
    made = Without(tier="T4", without=("seatbelt",))  # otherwise the proof keeps everybody out
    yield made
    made.shutdown()


@on_linux
class TestPortable(SandboxContract):
    """The warm process without what only Linux has."""

    # memory and CPU time are looked at from time to time, and not held: what these do is over before
    test_the_cpu_limit_holds_for_all_calls_together = None
    test_a_candidate_that_takes_too_much_memory_runs_out_of_it = None


def ran(sandbox: Jail | Unconfined, text: str, *arguments: Any, **limits: Any) -> Outcome:
    return asyncio.run(sandbox.run(job_of(text, arguments, limits=Limits(**limits))))


def test_the_profile_denies_all_but_reading_some_folders() -> None:
    lines = profile(["/opt/python", "/opt/python"], "/opt/python/bin/python3").splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert lines.count('(allow file-read* (subpath "/opt/python"))') == 1
    assert '(allow process-exec (literal "/opt/python/bin/python3"))' in lines
    assert [line for line in lines if "write" in line] == ['(allow file-write-data (literal "/dev/null"))']
    assert not any(word in line for line in lines for word in ("network", "mach", "iokit", "(allow default)"))


def test_a_path_cannot_change_the_profile() -> None:
    text = profile(['/a") (allow default) ("', "/b\\"], "/python")
    assert '(subpath "/a\\") (allow default) (\\"")' in text
    assert '(subpath "/b\\\\")' in text
    with pytest.raises(SandboxError, match="control characters"):
        profile(["/a\n(allow default)"], "/python")


@on_linux
def test_on_linux_it_is_refused_and_says_what_there_is() -> None:
    with pytest.raises(SandboxError, match="T4 needs macOS; on linux there are: T1, T2, T3"):
        Jail(tier="T4").open(job_of("def f():\n    return 1\n"))
    assert "T4" not in {found.tier for found in probe()}


def test_on_a_mac_the_other_tiers_are_refused(mac: None) -> None:
    with pytest.raises(SandboxError, match="T2 needs Linux; on darwin there are: T4"):
        Jail(tier="T2").open(job_of("def f():\n    return 1\n"))


@on_linux
def test_a_seatbelt_that_does_not_hold_lets_nobody_in(mac: None) -> None:
    [found] = probe()
    assert (found.tier, found.works) == ("T4", False)
    assert "the walls do not hold here: open a file of the machine, write a file, send over the network" in found.why


def test_without_seatbelts_own_program_nobody_is_let_in(mac: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_seatbelt, "SANDBOX_EXEC", "/no/such/sandbox-exec")
    with pytest.raises(SandboxError, match="/no/such/sandbox-exec is not there"):
        Jail(tier="T4").open(job_of("def f():\n    return 1\n"))


@on_linux
def test_a_child_calls_nothing_that_only_linux_has_and_holds_its_channel_alone(sandbox: Jail) -> None:
    text = (
        "import os, sys\n"
        "def f():\n"
        "    fds = sorted(map(int, os.listdir('/proc/self/fd')))\n"
        "    return [sorted(name for name in sys.modules if name.startswith('evoengine')), fds]\n"
    )
    outcome = ran(sandbox, text)
    assert outcome.tier == "T4"
    # the last descriptor is that of the listing itself
    assert outcome.outputs == ([["evoengine_runner", "evoengine_walls", "evoengine_zygote"], [0, 1, 2, 3, 4]],)


@on_linux
def test_memory_that_is_held_for_a_while_is_seen(sandbox: Jail) -> None:
    text = "import time\ndef f():\n    held = bytearray(b'x') * 2 ** 28\n    time.sleep(60)\n"
    assert ran(sandbox, text, memory_mib=64, wall_seconds=30.0).cause is Cause.OUT_OF_MEMORY


@on_linux
def test_a_candidate_may_have_no_processes(sandbox: Jail) -> None:
    with pytest.raises(SandboxError, match="it may have none"):
        sandbox.open(job_of("def f():\n    return 1\n", limits=Limits(processes=1)))


@on_linux
def test_a_mac_runs_what_is_trusted_without_walls(mac: None) -> None:
    made = Unconfined()
    try:
        assert ran(made, "def f():\n    return 1\n").outputs == (1,)
    finally:
        made.shutdown()
