"""Each layer of the jail taken out in turn: what it holds then gets through, and with it does not."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evoengine.errors import SandboxError
from evoengine.paths import bundled
from evoengine.sandboxes import _forkserver
from evoengine.sandboxes._probe import best_tier
from evoengine.sandboxes.base import Outcome
from evoengine.sandboxes.jail import Jail
from evoengine.testing import job_of
from evoengine.types import Cause, Limits

READS = "def f():\n    return len(open('/etc/passwd').read()) > 0\n"
STATS = "import os\ndef f():\n    return os.path.exists('/etc/passwd')\n"
SENDS = "import socket\ndef f():\n    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).fileno() > 0\n"
IS_ROOT = "import os\ndef f():\n    return os.getuid() == 0\n"
GROWS = "def f():\n    return len(bytearray(2 ** 27)) == 2 ** 27\n"
GROWS_TOGETHER = """
import os
def f():
    ends = []
    for _ in range(6):
        told, telling = os.pipe()
        if os.fork() == 0:
            held = bytearray(b"x") * (48 * 2 ** 20)
            os.write(telling, b"+" if held else b"-")
            import time
            time.sleep(1000)
        os.close(telling)
        ends.append(told)
    return all(os.read(told, 1) == b"+" for told in ends)
"""


@contextmanager
def jail(tier: str, *without: str) -> Iterator[Jail]:
    made = Jail(tier=tier)
    made._without = without
    try:
        yield made
    finally:
        made.shutdown()


def ran(text: str, tier: str, *without: str, limits: Limits | None = None) -> Outcome:
    with jail(tier, *without) as made:
        return asyncio.run(made.run(job_of(text, (), limits=limits or Limits(memory_mib=64, wall_seconds=20.0))))


def works(tier: str) -> bool:
    try:
        with jail(tier) as made:
            made.open(job_of("def f():\n    return 1\n")).close()
    except SandboxError:
        return False
    return True


@pytest.mark.parametrize(
    ("layer", "tier", "text", "held"),
    [
        ("landlock", "T3", READS, lambda outcome: outcome.cause is Cause.FORBIDDEN),
        ("seccomp", "T3", SENDS, lambda outcome: outcome.cause is Cause.FORBIDDEN),
        ("namespaces", "T2", STATS, lambda outcome: outcome.outputs == (False,)),
        ("user", "T2", IS_ROOT, lambda outcome: outcome.outputs == (False,)),
        ("limits", "T2", GROWS, lambda outcome: outcome.cause is Cause.OUT_OF_MEMORY),
    ],
)
def test_what_a_layer_holds_gets_through_without_it(
    layer: str, tier: str, text: str, held: Callable[[Outcome], bool]
) -> None:
    assert held(ran(text, tier))
    if works(tier) and (layer != "user" or os.getuid() == 0):
        assert ran(text, tier, layer).outputs == (True,)


def test_a_control_group_counts_the_memory_of_all_processes_together() -> None:
    limits = Limits(memory_mib=128, processes=6, wall_seconds=20.0)
    if best_tier() == "T1":  # each process alone stays far below the limit
        assert ran(GROWS_TOGETHER, "T1", limits=limits).cause is Cause.OUT_OF_MEMORY
        assert ran(GROWS_TOGETHER, "T1", "cgroup", limits=limits).outputs == (True,)


@pytest.mark.skipif(os.getuid() != 0, reason="an ordinary user has no capabilities to lose")
def test_root_without_capabilities_as_in_many_containers_has_a_tier_too() -> None:
    script = (
        "import asyncio, sys\n"
        f"sys.path.insert(0, {str(bundled('sandbox'))!r})\n"
        "import kernel\n"
        "from evoengine.sandboxes.jail import Jail\n"
        "from evoengine.testing import job_of\n"
        "for one in sorted(kernel.capabilities()):\n"
        "    kernel.prctl(24, one)  # PR_CAPBSET_DROP: programs do not get it back\n"
        "kernel.keep_capabilities(set())\n"
        "jail = Jail()\n"
        "outcome = asyncio.run(jail.run(job_of('import os\\ndef f():\\n    return os.getuid()\\n', ())))\n"
        "jail.shutdown()\n"
        "print(outcome.tier, outcome.outputs)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "T3 (0,)\n", done.stderr


BREAKS = {
    "seccomp.py": ("_EPERM, _ENOSYS = 0x7FFF0000, 0x00050001", "_EPERM, _ENOSYS = 0x7FFF0000, 0x7FFF0000"),
    "walls.py": ("kernel.landlock_restrict(rules, self._flags)", "pass"),
}


@pytest.mark.parametrize("file", BREAKS)
def test_a_wall_that_does_not_hold_lets_nobody_in(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "sandbox"
    shutil.copytree(bundled("sandbox"), broken)
    text = (broken / file).read_text()
    assert BREAKS[file][0] in text
    (broken / file).write_text(text.replace(*BREAKS[file]))
    monkeypatch.setattr(_forkserver, "bundled", lambda _: broken)
    with jail("T3") as made, pytest.raises(SandboxError, match="the walls do not hold here"):
        made.open(job_of("def f():\n    return 1\n"))


def test_a_child_that_cannot_put_up_its_walls_is_the_sandboxs_own_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "sandbox"
    shutil.copytree(bundled("sandbox"), broken)
    text = (broken / "walls.py").read_text()
    (broken / "walls.py").write_text(text.replace("        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)\n", ""))
    monkeypatch.setattr(_forkserver, "bundled", lambda _: broken)
    with jail("T3") as made, pytest.raises(SandboxError):
        made.open(job_of("def f():\n    return 1\n"))
