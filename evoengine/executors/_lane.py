"""A worker process of the `local` executor: `python -m evoengine.executors._lane FD`.

FD is a stream socket to the process that started this one. Messages in both directions are pickles, each
preceded by its length (little-endian uint64): both ends are the engine. The first message is a `Setup`, then
`(method, args, kwargs)` of the evaluator; every one is answered with `(True, result)` or `(False, error)`.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from evoengine.errors import EvoengineError, ExecutorError
from evoengine.shipping import Finder, move, portable

LENGTH = struct.Struct("<Q")

_METHODS = ("evaluate", "answer", "end_trials")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a lane needs before it can unpickle its evaluator.

    Attributes:
        path: `sys.path` of the process that made it; None on another machine, which has its own.
        plugins: name and file of modules that no import by name would find.
        evaluator: a pickle of it.
        moved: where files of another machine lay there and lie here.
    """

    path: tuple[str, ...] | None
    plugins: tuple[tuple[str, str], ...]
    evaluator: bytes
    moved: tuple[tuple[str, str], ...] = ()


def pickled(value: object) -> bytes:
    """A message; by cloudpickle where pickle cannot."""
    try:
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        import cloudpickle

        data = cloudpickle.dumps(value)
    return LENGTH.pack(len(data)) + data


def main(fd: int) -> None:
    """Serves evaluations until the other end goes away."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=fd)
    evaluator: Any = None
    try:
        while (message := _received(connection)) is not None:
            try:
                request = pickle.loads(message)
                if isinstance(request, Setup):
                    evaluator, result = _set_up(request), None
                else:
                    method, args, kwargs = request
                    if method not in _METHODS:
                        raise ExecutorError(f"a lane has no method {method!r}")
                    result = getattr(evaluator, method)(*args, **kwargs)
                answer = pickled((True, result))
            except EvoengineError as error:
                answer = pickled((False, portable(error)))
            except Exception:  # whatever a judge's module does when it is unpickled; the other end shows it
                answer = pickled((False, ExecutorError(f"an evaluation broke off:\n{traceback.format_exc()}")))
            connection.sendall(answer)
    except OSError:  # the other end is gone
        pass
    finally:
        if evaluator is not None:
            with suppress(EvoengineError):
                evaluator.close()


def _set_up(setup: Setup) -> Any:
    if setup.path is not None:
        sys.path[:] = setup.path
    sys.meta_path.append(Finder(dict(setup.plugins)))
    move(dict(setup.moved))
    return pickle.loads(setup.evaluator)


def _received(connection: socket.socket) -> bytes | None:
    head = _exactly(connection, LENGTH.size)
    return None if head is None else _exactly(connection, LENGTH.unpack(head)[0])


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    held = bytearray()
    while len(held) < size:
        data = connection.recv(min(size - len(held), 1 << 20))
        if not data:
            return None
        held += data
    return bytes(held)


def _die_with_parent() -> None:
    """Asks the kernel to end this process with its parent, in the middle of an evaluation too.

    To the kernel the parent is the thread that started this process: the one that runs the event loop.
    """
    if sys.platform == "linux":
        import ctypes

        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)


def arguments(fd: int) -> Sequence[str]:
    """The command line that starts a lane."""
    return [sys.executable, "-m", "evoengine.executors._lane", str(fd)]


if __name__ == "__main__":
    # Run by name, this module is `__main__`; what is unpickled wants it under its own name.
    from evoengine.executors import _lane as lane

    lane.main(int(sys.argv[1]))
