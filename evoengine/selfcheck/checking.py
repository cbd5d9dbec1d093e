"""Tries the attacks on a sandbox of this machine, in processes that are bounded and can be given up."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

from evoengine.errors import SandboxError
from evoengine.paths import bundled
from evoengine.selfcheck.corpus import Attack, attacks
from evoengine.selfcheck.judging import Verdict
from evoengine.selfcheck.world import ENVIRONMENT

_START_SECONDS = 180.0
_PATIENCE_SECONDS = 90.0
_END_SECONDS = 30.0
_PACKAGE = Path(__file__).resolve().parents[2]


def self_check(
    sandbox: Mapping[str, Any] | str = "jail",
    *,
    only: str | Sequence[str] | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
    user: int | None = None,
    corpus: Path | None = None,
) -> list[Verdict]:
    """The verdict on each attack, in the order of their numbers.

    Attacks run below a process of their own, in namespaces and control groups where the machine lets us, and always
    under limits; when one spoils the engine that it was tried on, the rest is tried on a new one.

    Args:
        sandbox: its name, or `{"use": name, setting: value, ...}`.
        only: patterns of attacks' names (`07*`); by default all.
        on_verdict: called with each verdict as it comes.
        user: a user id to do it as, for root; by default who this process is. With one given, 0 as well, the
            interpreter is made readable to every user within the bounds, wherever it lies.
        corpus: a folder of attacks, by default the one that ships with evoengine.

    Raises:
        SandboxError: the sandbox does not work here, even without an attack; or there is nothing to try.
        PluginError: a header of the corpus is wrong.
    """
    settings = {"use": sandbox} if isinstance(sandbox, str) else dict(sandbox)
    folder = bundled("attacks") if corpus is None else corpus
    patterns = [only] if isinstance(only, str) else only
    left = [
        attack
        for attack in attacks(folder)
        if attack.possible and (patterns is None or any(fnmatch(attack.name, one) for one in patterns))
    ]
    if not left:
        raise SandboxError(f"no attack in {folder} is called {only!r}; try '01*', or leave it out")
    verdicts: list[Verdict] = []
    while left:
        for verdict in _tried(settings, left, folder, user):
            left = left[1:]
            verdicts.append(verdict)
            if on_verdict is not None:
                on_verdict(verdict)
    return verdicts


def _tried(settings: dict[str, Any], left: Sequence[Attack], corpus: Path, user: int | None) -> Iterator[Verdict]:
    """Verdicts on the first of these, at least one, until the engine is spoiled."""
    with tempfile.TemporaryDirectory(prefix="evoengine-selfcheck-", ignore_cleanup_errors=True) as place:
        os.chmod(place, 0o711 if user is None else 0o777)
        order = {
            "sandbox": settings,
            "attacks": [attack.name for attack in left],
            "corpus": str(corpus),
            "folder": place,
            "user": user,
        }
        with _engine(order, Path(place)) as (lines, told):
            ready, given = False, 0
            for line in lines(_START_SECONDS):
                match line:
                    case {"ready": True}:
                        ready = True
                    case {"verdict": verdict}:
                        given += 1
                        yield Verdict(**{**verdict, "found": tuple(verdict["found"])})
                    case {"error": why} if not ready:
                        raise SandboxError(f"the sandbox does not work here: {why}")
                    case {"ended": why} if not ready:
                        raise SandboxError(f"the engine under test did not start: {why}: {told()}")
                    case {"error": why} | {"ended": why}:
                        if given < len(left):
                            yield Verdict(name=left[given].name, held=False, why=why, found=("engine",))
                        return
            if not ready:
                raise SandboxError(f"the engine under test did not start: {told()}")
            if not given:
                yield Verdict(name=left[0].name, held=False, why="the engine hung or vanished", found=("engine",))


@contextmanager
def _engine(
    order: dict[str, Any], place: Path
) -> Iterator[tuple[Callable[[float], Iterator[dict[str, Any]]], Callable[[], str]]]:
    """A new process to try attacks on: the lines that it writes, and what it has to say when it fails."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        ENVIRONMENT: f"stolen-environment-{secrets.token_hex(16)}",
    }
    with tempfile.TemporaryFile() as errors, subprocess.Popen(
        [sys.executable, "-m", "evoengine.selfcheck.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment,
        start_new_session=True,
        bufsize=0,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        output = process.stdout

        def told() -> str:
            errors.seek(0)
            return errors.read()[-2000:].decode(errors="replace").strip()

        try:
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
            yield (lambda seconds: _lines(output, seconds)), told
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(exist_ok=True)


def _lines(output: IO[bytes], seconds: float) -> Iterator[dict[str, Any]]:
    """Lines of JSON until the end, or until none comes for too long."""
    held = b""
    while True:
        until = time.monotonic() + seconds
        while b"\n" not in held:
            ready, _, _ = select.select([output], [], [], max(0.0, until - time.monotonic()))
            data = os.read(output.fileno(), 65536) if ready else b""
            if not data:
                return
            held += data
        line, _, held = held.partition(b"\n")
        yield json.loads(line)
        seconds = _PATIENCE_SECONDS
