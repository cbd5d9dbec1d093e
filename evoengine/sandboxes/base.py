"""The interface of sandboxes. Only data crosses it, in both directions."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evoengine.component import Component
from evoengine.types import JSON, Cause, Limits, Program


class CandidateError(Exception):
    """The candidate failed: a fact about it, not about the sandbox.

    Args:
        cause: why.
        feedback: the traceback or a line, cleaned of control characters.
    """

    def __init__(self, cause: Cause, feedback: str = "") -> None:
        super().__init__(f"{cause}: {feedback}")
        self.cause = cause
        self.feedback = feedback


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program to run, and what it may use.

    Attributes:
        entry: the function of its main file that is called.
        calls: argument tuples, for `Sandbox.run`.
        seed: the state of `random` and `numpy.random` that it starts with.
        preload: modules imported before it is run, outside its limits.
        readable: folders that it may read beside the interpreter's.
    """

    program: Program
    entry: str
    calls: Sequence[Sequence[JSON]] = ()
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    preload: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a job came to, measured from outside. `cause` is None when every call was answered."""

    outputs: tuple[JSON, ...] = ()
    cause: Cause | None = None
    feedback: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_mib: float = 0.0
    stdout: str = ""
    stderr: str = ""
    tier: str = ""
    """What it was held by: "T1" to "T4" of the jail, or "none"."""


class Session(ABC):
    """One jailed process with one program in it. Use as a context manager; leaving it kills the process.

    After a `CandidateError` the process is dead and the session over.
    """

    @abstractmethod
    def load(self, knobs: Sequence[float] = ()) -> None:
        """Runs the program's top level afresh, in new modules, with `_knobs_` set to these values.

        The program is compiled once, however often it is loaded. Random state starts anew each time.

        Raises:
            CandidateError: the program failed.
            SandboxError: the sandbox itself failed.
        """

    @abstractmethod
    def batch(self, calls: Sequence[Sequence[Any]], entry: str | None = None, *, plain: bool = False) -> list[Any]:
        """Calls the entry function once for each argument tuple, in order, in one exchange.

        Arguments may be JSON values or one-dimensional float64 numpy arrays. An answer is strict JSON
        (tuples become lists), or a one-dimensional float64 numpy array where the candidate returned one
        of numbers and `plain` is false. The limits of time hold for all calls since the last `load` together.

        Raises:
            CandidateError: a call failed, ran over a limit, or returned what is not plain data.
            SandboxError: the sandbox itself failed.
        """

    @abstractmethod
    def close(self) -> Outcome:
        """Kills the process with all that it started; what was used and printed. May be called again."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Sandbox(Component, ABC):
    """Runs candidates. Opened once for each worker, in the worker's own process."""

    @property
    def held(self) -> str:
        """What candidates are held by: a tier of the jail, or "none"; "" before the first."""
        return ""

    @abstractmethod
    def open(self, job: Job) -> Session:
        """A process with the job's program in it, not yet loaded.

        Raises:
            SandboxError: the sandbox itself failed.
        """

    def shutdown(self) -> None:
        """Ends what the sandbox keeps warm between jobs."""

    async def run(self, job: Job) -> Outcome:
        """Loads the program and makes all the job's calls.

        Raises:
            SandboxError: the sandbox itself failed.
        """
        return await asyncio.to_thread(self._run, job)

    def _run(self, job: Job) -> Outcome:
        from dataclasses import replace

        with self.open(job) as session:
            try:
                session.load()
                outputs = tuple(session.batch(job.calls))
            except CandidateError as error:
                return replace(session.close(), cause=error.cause, feedback=error.feedback)
            return replace(session.close(), outputs=outputs)
