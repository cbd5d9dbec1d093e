"""What a worker does with a candidate: has it produce in the sandbox, and judges here."""

from __future__ import annotations

import inspect
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from numbers import Real
from typing import Any

from evoengine import code_features
from evoengine.errors import EvoengineError, ProblemError, SandboxError
from evoengine.problem import Problem, Reject, Score
from evoengine.sandboxes.base import CandidateError, Job, Sandbox, Session
from evoengine.types import (
    JSON,
    Answer,
    Cause,
    Content,
    Evaluation,
    Failed,
    Judgement,
    Probe,
    Program,
    Scored,
    Stage,
    Trials,
)

_OUTPUTS_BYTES = 256 * 1024
_FEEDBACK_CHARS = 4096


class Evaluator:
    """Evaluates candidates of one problem in one sandbox. Pickles into a worker; not for several threads.

    Evaluations are reproducible: the random state that a candidate starts with follows from its content and
    the number of the repeat, and from nothing else.

    Args:
        problem: judges, in this process.
        sandbox: runs candidates.
    """

    def __init__(self, problem: Problem, sandbox: Sandbox) -> None:
        self.problem = problem
        self.sandbox = sandbox
        self._trial: _Trial | None = None
        self._features = _CodeFeatures(problem)
        self._plays_itself = type(problem).play is not Problem.play
        self._play_takes_stage = len(inspect.signature(problem.play).parameters) > 1
        self._inputs_take_stage = bool(inspect.signature(problem.inputs).parameters)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trial": None}

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        """Judges a candidate by the stages of selection, in order, or by the one stage that is named.

        A stage whose value does not reach its threshold is the last. For a noisy problem (`repeats`), a score
        over `above` is not believed before the mean of all repeats is known.

        Raises:
            ProblemError: the problem has no such stage, or asks for a feature that nothing measures.
            SandboxError: the sandbox itself failed.
        """
        began = time.perf_counter()
        stages = self._stages(stage)
        first, calls = self._repeat(content, stages, 0)
        found = [first]
        if isinstance(first, Scored) and above is not None and first.score > above:
            for repeat in range(1, self.problem.repeats):
                evaluation, more = self._repeat(content, stages, repeat)
                found.append(evaluation)
                calls += more
        return Judgement(evaluation=_mean(found), calls=calls, seconds=time.perf_counter() - began)

    def answer(self, request: Trials | Probe) -> Answer:
        """The evaluations of a program under each of many settings, or what one of its functions returns.

        The process stays open from one request to the next, as long as they are about the same program.

        Raises:
            ProblemError: the problem asks for a feature that nothing measures.
            SandboxError: the sandbox itself failed.
        """
        match request:
            case Trials():
                return tuple(self._tried(request.program, point) for point in request.points)
            case Probe():
                return self._probed(request)

    def end_trials(self) -> None:
        """Ends the process that trials and probes use."""
        if self._trial is not None:
            self._trial.close()
            self._trial = None

    def close(self) -> None:
        """Ends everything that runs for it."""
        self.end_trials()
        self.sandbox.shutdown()

    def _stages(self, name: str | None) -> tuple[Stage, ...]:
        if name is None:
            return tuple(stage for stage in self.problem.stages if not stage.held_out)
        chosen = tuple(stage for stage in self.problem.stages if stage.name == name)
        if not chosen:
            known = ", ".join(stage.name for stage in self.problem.stages)
            raise ProblemError(f"problem {self.problem.name!r} has no stage {name!r}; it has: {known}")
        return chosen

    def _repeat(self, content: Content, stages: Sequence[Stage], repeat: int) -> tuple[Evaluation, int]:
        """One pass of the cascade, every stage in a process of its own."""

        def opened() -> Session:
            if not isinstance(content, Program):
                raise _Unplayable("a context is not a program: the problem cannot call it")
            session = self.sandbox.open(self._job(content, repeat))
            try:
                session.load()
            except BaseException:
                session.close()
                raise
            return session

        def player() -> _Player:
            return _Player(content, opened, plain=not self._plays_itself, closes=True, keeps=not self._plays_itself)

        return self._cascade(player, stages)

    def _tried(self, program: Program, point: Sequence[float]) -> Evaluation:
        trial = self._trial_of(program)
        plain = not self._plays_itself

        def player() -> _Player:
            return _Player(program, lambda: trial.loaded(point), plain=plain, closes=False, keeps=False)

        return self._cascade(player, self._stages(None))[0]

    def _probed(self, probe: Probe) -> list[JSON] | Failed:
        try:
            inputs = self._inputs(self._stages(None)[0].name)
        except EvoengineError:
            raise
        except Exception as error:  # the problem's own code; most that lack inputs are driven by play
            return Failed(cause=Cause.UNJUDGED, feedback=f"the problem has no inputs to probe with: {_named(error)}")
        try:
            return self._trial_of(probe.program).loaded(()).batch(inputs, probe.entry, plain=True)
        except CandidateError as error:
            return Failed(cause=error.cause, feedback=error.feedback)
        except (TypeError, ValueError) as error:
            return Failed(cause=Cause.UNJUDGED, feedback=f"the problem's inputs cannot be sent: {_named(error)}")

    def _trial_of(self, program: Program) -> _Trial:
        if self._trial is None or self._trial.program != program:
            self.end_trials()
            self._trial = _Trial(program, lambda: self.sandbox.open(self._job(program, 0)))
        return self._trial

    def _job(self, program: Program, repeat: int) -> Job:
        key = blake2b(f"{program.digest}/{repeat}".encode(), digest_size=6).digest()
        return Job(
            program=program,
            entry=self.problem.entry,
            limits=self.problem.limits,
            seed=int.from_bytes(key, "little"),
            preload=tuple(self.problem.preload),
        )

    def _cascade(self, player: Callable[[], _Player], stages: Sequence[Stage]) -> tuple[Evaluation, int]:
        evaluation: Evaluation = Failed(cause=Cause.UNJUDGED, feedback="the problem has no stage for selection")
        calls = 0
        for stage in stages:
            with player() as one:
                evaluation = self._judged(one, stage.name)
            calls += 1
            if isinstance(evaluation, Failed):
                break
            if stage is not stages[-1] and not self._reaches(evaluation.score, stage.threshold):
                value = self.problem.signed(evaluation.score)
                note = f"Stopped after stage {stage.name!r}: {value:g} does not reach {stage.threshold:g}."
                evaluation = _with_feedback(evaluation, f"{evaluation.feedback}\n{note}".lstrip())
                break
        return evaluation, calls

    def _reaches(self, score: float, threshold: float | None) -> bool:
        return threshold is None or score >= self.problem.signed(threshold)

    def _judged(self, player: _Player, stage: str) -> Evaluation:
        try:
            verdict = self.problem.play(player, stage) if self._play_takes_stage else self.problem.play(player)
            # A failure that the problem's code swallowed is still one.
            player.raise_failure()
            return self._scored(verdict, player)
        except CandidateError as error:
            return Failed(cause=error.cause, feedback=error.feedback)
        except EvoengineError:
            raise
        except _Unplayable as error:
            return Failed(cause=Cause.UNJUDGED, feedback=str(error))
        except Reject as why:
            with suppress(CandidateError):
                player.raise_failure()
                return Failed(cause=Cause.REJECTED, feedback=str(why)[:_FEEDBACK_CHARS])
            return player.failed()
        except Exception as error:  # foreign code on untrusted input: a fact about the candidate, not a crash
            with suppress(CandidateError):
                player.raise_failure()
                return Failed(cause=Cause.UNJUDGED, feedback=_named(error))
            return player.failed()
