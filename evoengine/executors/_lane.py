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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

from evoengine.errors import EvoengineError, ExecutorError

LENGTH = struct.Struct("<Q")

_METHODS = ("evaluate", "answer", "end_trials")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a lane needs before it can unpickle its evaluator.

    Attributes:
        path: `sys.path` of the process that made it.
        plugins: name and file of modules that no import by name would find.
        evaluator: a pickle of it.
    """

    path: tuple[str, ...]
    plugins: tuple[tuple[str, str], ...]
    evaluator: bytes


def pickled(value: object) -> bytes:
    """A message; by cloudpickle where pickle cannot."""
    try:
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        import cloudpickle

        data = cloudpickle.dumps(value)
    return LENGTH.pack(len(data)) + data


def loaded_plugins() -> tuple[tuple[str, str], ...]:
    """Name and file of the plugin modules of this process, in the order of their import."""
    # not getattr: there are modules that answer to every name, such as torch.classes
    spaces = ((name, getattr(module, "__dict__", {})) for name, module in list(sys.modules.items()))
    found = ((name, space.get("__evoengine_plugin__")) for name, space in spaces)
    return tuple((name, str(path)) for name, path in found if path is not None)


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
                answer = pickled((False, _portable(error)))
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
    sys.path[:] = setup.path
    sys.meta_path.append(_Plugins(dict(setup.plugins)))
    return pickle.loads(setup.evaluator)


class _Plugins(MetaPathFinder):
    """Finds the plugin modules that the other process had loaded, when what is unpickled asks for one.

    Only then: a plugin of another campaign, or one whose file is gone by now, is no concern of this evaluator.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        file = self._files.get(fullname)
        if file is None:
            return None
        # as evoengine.plugins.load_module: a problem's folder is a package, whose modules it may import
        folder = [os.path.dirname(file)] if os.path.basename(file) == "problem.py" else None
        return spec_from_file_location(
            fullname, file, loader=_Loader(fullname, file), submodule_search_locations=folder
        )


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__evoengine_plugin__ = self.path  # type: ignore[attr-defined]
        super().exec_module(module)


def _portable(error: EvoengineError) -> EvoengineError:
    """The same error, if it survives the journey; else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an error class whose arguments are not its constructor's
        return ExecutorError(f"{type(error).__name__}: {error}")
    return error


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
