"""Runs candidates in the engine's own process, as many engines do. Holds nothing: for tests of those who watch."""

from __future__ import annotations

import contextlib
import io
import time

from evoengine.sandboxes.base import Job, Outcome, Sandbox, Session
from evoengine.types import Cause


class InProcess(Sandbox):
    """No sandbox at all; time is measured by the clock that the candidate has."""

    isolated: bool = False

    def open(self, job: Job) -> Session:
        raise NotImplementedError

    async def run(self, job: Job) -> Outcome:
        printed, names = io.StringIO(), {"__name__": "candidate"}
        began = time.process_time()
        outputs, cause, feedback = (), None, ""
        with contextlib.redirect_stdout(printed):
            try:
                exec(job.program.text, names)
                outputs = tuple(names[job.entry](*call) for call in job.calls)
            except Exception as error:  # a candidate's
                cause, feedback = Cause.CRASHED, str(error)
        used = time.process_time() - began
        return Outcome(outputs=outputs, cause=cause, feedback=feedback, cpu_seconds=used, stdout=printed.getvalue())
