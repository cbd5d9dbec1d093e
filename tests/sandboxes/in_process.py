"""Runs candidates in the engine's own process, as many engines do. Holds nothing: for tests of those who watch."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence
from typing import Any

from evoengine.sandboxes.base import CandidateError, Job, Outcome, Sandbox, Session
from evoengine.types import Cause


class InProcess(Sandbox):
    """No sandbox at all; time is measured by the clock that the candidate has."""

    def open(self, job: Job) -> Session:
        return _Here(job)

    async def run(self, job: Job) -> Outcome:
        return self._run(job)  # not in a thread: candidates set alarms and signals


class _Here(Session):
    def __init__(self, job: Job) -> None:
        self._job = job
        self._printed = io.StringIO()
        self._began = time.process_time()
        self._names: dict[str, Any] = {}

    def load(self, knobs: Sequence[float] = ()) -> None:
        self._names = {"__name__": "candidate", "_knobs_": list(knobs)}
        self._in_here(lambda: exec(self._job.program.text, self._names))

    def batch(self, calls: Sequence[Sequence[Any]], entry: str | None = None, *, plain: bool = False) -> list[Any]:
        return self._in_here(lambda: [self._names[entry or self._job.entry](*call) for call in calls])

    def close(self) -> Outcome:
        return Outcome(cpu_seconds=time.process_time() - self._began, stdout=self._printed.getvalue())

    def _in_here(self, run: Any) -> Any:
        with contextlib.redirect_stdout(self._printed):
            try:
                return run()
            except Exception as error:  # a candidate's
                raise CandidateError(Cause.CRASHED, str(error)) from None
