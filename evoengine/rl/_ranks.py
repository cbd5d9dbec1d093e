"""The processes of a trainer that has several devices: one for each, all doing the same at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Self

from evoengine.component import Component
from evoengine.errors import EvoengineError, TrainerError

_GRACE_SECONDS = 20.0
"""How long the others may take to fail, too, after one has failed."""
_END_SECONDS = 5.0
_READS = frozenset({"save", "logprobs"})
"""What leaves the weights as they are, so that one process may fail at it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a process makes its trainer from.

    Attributes:
        module: of its class.
        file: of the module, for where no import by name finds it.
        name: of the class.
        settings: as JSON values.
    """

    module: str
    file: str
    name: str
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, trainer: Component) -> Self:
        """What makes a trainer like this one."""
        kind = type(trainer)
        file = str(getattr(sys.modules[kind.__module__], "__file__", None) or "")
        return cls(module=kind.__module__, file=file, name=kind.__name__, settings=trainer.settings())

    def made(self) -> Any:
        """The trainer.

        Raises:
            TrainerError: its class cannot be had in this process.
        """
        try:
            module = import_module(self.module)
        except ModuleNotFoundError as error:
            spec = spec_from_file_location(self.module, self.file) if self.file else None
            if spec is None or spec.loader is None:
                raise TrainerError(f"no other process can load {self.module}: {error}") from error
            module = module_from_spec(spec)
            sys.modules[self.module] = module
            spec.loader.exec_module(module)
        if not hasattr(module, self.name):
            raise TrainerError(f"several devices need the trainer {self.name} in a file, as plugins are.")
        return getattr(module, self.name)(**self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Which of the processes one is.

    Attributes:
        rank: from 0.
        count: of all.
        meeting: a file by which they find one another.
        threads: of torch's on the CPU, for each.
    """

    rank: int
    count: int
    meeting: str
    threads: int


class Ranks:
    """Processes that each hold a part of one trainer's weights.

    They end with this one however it ends, and are out of reach of Ctrl-C. What they wait for of one another
    they wait for as long as torch's process groups do.

    Raises:
        TrainerError: one of them cannot be started.
    """

    def __init__(self, count: int, setup: Setup, threads: int) -> None:
        self._folder = TemporaryDirectory(prefix="evoengine-ranks-")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lines: list[Any] = []
        """`Connection`s."""
        try:
            for rank in range(count):
                meeting = str(Path(self._folder.name) / "meeting")
                self._start(Seat(rank=rank, count=count, meeting=meeting, threads=threads), setup)
        except OSError as error:
            self.end()
            raise TrainerError(f"cannot start the processes of {count} devices: {error}") from error

    def ask(self, method: str, *given: Any) -> Any:
        """Has all of them call a method of their trainer; gives what the first one's returned.

        Raises:
            TrainerError: the method raised it, or something else in one of them; or one of them ended. If they do not
                agree on what the weights are now, all have been ended.
            OSError: what was to be written cannot be.
        """
        if not self._lines:
            raise TrainerError("the trainer's processes have ended: start the same run again.")
        try:
            for line in self._lines:
                line.send((method, given))
        except OSError:
            raise self._died() from None
        waiting = {line: rank for rank, line in enumerate(self._lines)}
        answers: dict[int, Any] = {}
        failures: dict[int, Exception] = {}
        until: float | None = None
        while waiting:
            ready: list[Any] = wait(list(waiting), None if until is None else max(0.0, until - time.monotonic()))
            if not ready:
                break
            for line in ready:
                rank = waiting.pop(line)
                try:
                    answers[rank] = line.recv()
                except (EOFError, OSError):
                    raise self._died() from None
                if isinstance(answers[rank], Exception):
                    failures[rank] = answers[rank]
                    until = until or time.monotonic() + _GRACE_SECONDS
        if not failures:
            return answers[0]
        first = failures[min(failures)]
        if not waiting and (len(failures) == len(self._lines) or method in _READS):
            raise first
        self.end()
        raise TrainerError(
            f"process {min(failures)} of {len(self._processes)} failed alone: {first} All have been ended, since their "
            f"weights are not one policy's any more: start the same run again, it goes on from its last checkpoint."
        ) from first

    def end(self) -> None:
        """Ends all of them, within seconds; may be called again."""
        for line in self._lines:
            line.close()
        self._lines.clear()
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()  # each of them ends itself when this one is gone, or seems so
        until = time.monotonic() + _END_SECONDS
        for process in self._processes:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    def _start(self, seat: Seat, setup: Setup) -> None:
        ours, theirs = Pipe()
        with theirs:
            self._lines.append(ours)
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-c", f"from evoengine.rl._ranks import serve; serve({theirs.fileno()})"],
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
                    stdin=subprocess.PIPE,
                    stdout=2,  # what a library prints must not mix with the results on stdout
                    pass_fds=[theirs.fileno()],
                    process_group=0,
                )
            )
        ours.send((seat, setup))

    def _died(self) -> TrainerError:
        """Ends all of them; says which one ended first."""
        time.sleep(0.2)  # its exit status comes a moment after the end of its line
        ended = [(rank, one.poll()) for rank, one in enumerate(self._processes)]
        # The others see their neighbour go and end with an error of their own; a signal is where it began.
        told = [f"process {rank} of {len(ended)} {_said(code)}" for rank, code in ended if code and code < 0]
        told = told or [f"process {rank} of {len(ended)} {_said(code)}" for rank, code in ended if code is not None]
        self.end()
        return TrainerError(
            f"{'; '.join(told) or 'a process of the trainer hung up'}. The others have been ended, too: see what they "
            f"wrote above, and start the same run again; it goes on from its last checkpoint."
        )


def serve(descriptor: int) -> None:
    """What one of the processes does: it joins the others, and then calls what it is asked to until nobody asks."""
    Thread(target=_end_with_the_campaign, daemon=True).start()
    line: Connection[Any, Any] = Connection(descriptor)
    trainer = None
    seat, setup = line.recv()
    while True:
        try:
            method, given = line.recv()
        except EOFError:
            return
        answer: Any
        try:
            if trainer is None:
                trainer = setup.made()
                trainer.join(seat)
            answer = getattr(trainer, method)(*given)
        except (TrainerError, OSError) as error:
            answer = error
        except EvoengineError as error:
            answer = TrainerError(str(error))
        except Exception as error:  # it would end this process, and whoever asked is to hear of it
            answer = TrainerError(f"{type(error).__name__}: {error}")
        line.send(answer)


def _end_with_the_campaign() -> None:
    """Ends this process, in whatever it is, when the one that started it closes its end of the pipe or is gone."""
    os.read(0, 1)
    os._exit(0)


def _said(code: int) -> str:
    if code == -9:
        return "was killed (signal 9), as the system does where memory is short"
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
