"""The process that attacks are tried on, with two around it: `python -m evoengine.selfcheck.runner`.

The outermost keeps the bounds and clears up; the middle one is the first of its namespaces and tells how the innermost
ended; that one is the engine. Reads an order from stdin: {"sandbox": settings, "attacks": [names], "corpus": folder,
"folder": folder to make, "user": id | null}. Writes lines of JSON to stdout: {"ready": true}, {"verdict": {...}} for
each attack in order, {"error": text} when the sandbox itself fails, {"ended": text} when the engine died.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

import numpy as np

from evoengine import plugins
from evoengine.errors import EvoengineError
from evoengine.selfcheck import enclosure
from evoengine.selfcheck.corpus import Attack, attacks
from evoengine.selfcheck.judging import Judge
from evoengine.selfcheck.watching import below, listen_for_signals
from evoengine.selfcheck.world import World

_SPOILED = {"engine", "processes", "canaries"}
"""What an engine is not used any more after."""
_FIRST_IDS = range(10_000, 30_000)
"""The engine's process id is one of these: no process in namespaces of a sandbox will have it, to be hit in its stead.

By chance which one, so that what is derived from process ids (a user id, say) is not shared with another check.
"""


def main() -> None:
    """Keeps the bounds: the outermost process."""
    order = json.load(sys.stdin)
    calls = enclosure.kernel()
    signal.signal(signal.SIGTERM, _end)
    calls.prctl(calls.PR_SET_PDEATHSIG, signal.SIGTERM)
    calls.prctl(calls.PR_SET_CHILD_SUBREAPER, 1)
    chosen = {attack.name: attack for attack in attacks(Path(order["corpus"]))}
    wanted = [chosen[name] for name in order["attacks"]]
    plugins.load("sandboxes", order["sandbox"]["use"])  # imported now: another user may not be able to read it
    np.ones(1).sum()
    groups = enclosure.Groups()
    try:
        alone = enclosure.separate(calls)
        first = os.fork()
        if first == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _first(order, wanted, calls, alone)
        os.waitpid(first, 0)
    finally:
        enclosure.sweep(groups, below(os.getpid()))
        groups.close()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of handlers
    sys.exit(1)


def _first(order: dict[str, Any], wanted: list[Attack], calls: ModuleType, alone: bool) -> NoReturn:
    """The first process of the namespaces: starts the engine, and tells how it ended."""
    try:
        calls.prctl(calls.PR_SET_PDEATHSIG, signal.SIGKILL)
        if alone:
            enclosure.furnish(calls, [] if order["user"] is None else enclosure.readable_to_all())
            enclosure.count_from(secrets.choice(_FIRST_IDS))
        engine = os.fork()
        if engine == 0:
            _engine(order, wanted, calls)
        while True:
            pid, status = os.waitpid(-1, os.WUNTRACED)
            if pid != engine:
                continue
            if os.WIFSTOPPED(status):
                _say(ended="the engine was stopped")
            elif os.WIFSIGNALED(status):
                _say(ended=f"the engine was killed by {signal.Signals(os.WTERMSIG(status)).name}")
            elif os.WEXITSTATUS(status):
                _say(ended=f"the engine ended with status {os.WEXITSTATUS(status)}")
            break
    except OSError as error:
        _say(error=f"the engine under test could not be enclosed: {error}")
    finally:
        os._exit(0)


def _engine(order: dict[str, Any], wanted: list[Attack], calls: ModuleType) -> NoReturn:
    """The engine: judges the attacks until one spoils it."""
    status = 1
    try:
        calls.prctl(calls.PR_SET_CHILD_SUBREAPER, 1)
        enclosure.bound()
        enclosure.become(calls, order["user"])
        calls.prctl(calls.PR_SET_PDEATHSIG, signal.SIGKILL)
        listen_for_signals()
        _judge(order, wanted)
        status = 0
    except EvoengineError as error:
        _say(error=str(error))
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if status:
            sys.excepthook(*sys.exc_info())
        os._exit(status)


def _judge(order: dict[str, Any], wanted: list[Attack]) -> None:
    left = list(wanted)
    number = 0
    while left:
        number += 1
        world = World(Path(order["folder"]) / str(number))
        sandbox = plugins.build("sandboxes", order["sandbox"])
        try:
            judge = Judge(sandbox, world)
            _say(ready=True)
            while left:
                verdict = judge.verdict(left.pop(0))
                _say(verdict=asdict(verdict))
                if _SPOILED & set(verdict.found):
                    return
                if not verdict.held:
                    break
        finally:
            sandbox.shutdown()
            world.close()


def _say(**line: Any) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    main()
