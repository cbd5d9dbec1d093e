"""What a worker does with a candidate: has it produce in the sandbox, and judges here."""

from __future__ import annotations

import inspect
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from numbers import Real
from statistics import fmean
from typing import Any

from evoengine import code_features
from evoengine.errors import ProblemError, SandboxError
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
        self._measured: dict[str, float] = {}
        self._measured_for: tuple[Content, list[str]] | None = None
        self._hands_over = type(problem).play is Problem.play
        self._play_takes_stage = len(inspect.signature(problem.play).parameters) > 1
        self._inputs_take_stage = bool(inspect.signature(problem.inputs).parameters)

    @property
    def gpus(self) -> float:
        """How many GPUs a worker needs to judge."""
        return self.problem.gpus

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trial": None}

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        """Judges a candidate by the stages of selection, in order, or by the one stage that is named.

        A candidate that does not reach a threshold is rejected there. For a noisy problem (`repeats`), a score
        over `above` is not believed before the mean of all repeats is known.

        Raises:
            ProblemError: the problem has no such stage.
            SandboxError: the sandbox itself failed.
        """
        began = time.perf_counter()
        stages = self.stages(stage)
        first, calls = self._repeat(content, stages, 0)
        found = [first]
        if isinstance(first, Scored) and above is not None and first.score > above:
            for repeat in range(1, self.problem.repeats):
                evaluation, more = self._repeat(content, stages, repeat)
                found.append(evaluation)
                calls += more
        return Judgement(
            evaluation=mean_of(found), calls=calls, seconds=time.perf_counter() - began, tier=self.sandbox.held
        )

    def answer(self, request: Trials | Probe) -> Answer:
        """The evaluations of a program under each of many settings, or what one of its functions returns.

        The process of trials stays open from one request to the next, as long as they are about the same
        program. A probe has a process of its own, with the limits of an evaluation.

        Raises:
            ProblemError: the problem has no stage for selection.
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

    def stages(self, name: str | None) -> tuple[Stage, ...]:
        """The stages of selection, or the one of a name.

        Raises:
            ProblemError: there is none.
        """
        if name is None:
            return tuple(stage for stage in self.problem.stages if not stage.held_out)
        chosen = tuple(stage for stage in self.problem.stages if stage.name == name)
        if not chosen:
            known = ", ".join(stage.name for stage in self.problem.stages)
            raise ProblemError(f"problem {self.problem.name!r} has no stage {name!r}; it has: {known}")
        return chosen

    def _repeat(self, content: Content, stages: Sequence[Stage], repeat: int) -> tuple[Evaluation, int]:
        """One pass of the cascade, every stage in a process of its own."""

        def taken() -> Session:
            if not isinstance(content, Program):
                raise CandidateError(Cause.UNJUDGED, "the problem calls its candidate, and a context cannot be called")
            session = self.sandbox.open(self._job(content, repeat))
            try:
                session.load()
            except BaseException:
                session.close()
                raise
            return session

        plain = self._hands_over
        return self._cascade(lambda: _Player(content, taken, plain=plain, keeps=plain), stages)

    def _tried(self, program: Program, point: Sequence[float]) -> Evaluation:
        trial = self._trial_of(program)

        def player() -> _Player:
            return _Player(program, lambda: trial.loaded(point), plain=self._hands_over, release=trial.release)

        return self._cascade(player, self.stages(None))[0]

    def _probed(self, probe: Probe) -> list[JSON] | Failed:
        try:
            inputs = self._inputs(self.stages(None)[0].name) if probe.calls is None else probe.calls
        except ProblemError:
            raise
        except Exception as error:  # the problem's own code; most that lack inputs are driven by play
            return Failed(cause=Cause.UNJUDGED, feedback=f"the problem has no inputs to probe with: {named(error)}")
        try:
            with self.sandbox.open(self._job(probe.program, 0, alone=True)) as session:
                session.load()
                return session.batch(inputs, probe.entry, plain=True)
        except CandidateError as error:
            return Failed(cause=error.cause, feedback=error.feedback)
        except (TypeError, ValueError) as error:
            return Failed(cause=Cause.UNJUDGED, feedback=f"the problem's inputs cannot be sent: {named(error)}")

    def _trial_of(self, program: Program) -> _Trial:
        if self._trial is None or self._trial.program != program:
            self.end_trials()
            self._trial = _Trial(program, lambda: self.sandbox.open(self._job(program, 0, trial=True)))
        return self._trial

    def _job(self, program: Program, repeat: int, trial: bool = False, alone: bool = False) -> Job:
        """The job of a program; `alone` where it is called itself, and not by the problem's harness."""
        key = blake2b(f"{program.digest}/{repeat}".encode(), digest_size=6).digest()
        limits, harness = self.problem.limits, None if alone else self.problem.harness
        return Job(
            program=program if harness is None else harness.program,
            entry=self.problem.entry if harness is None else harness.entry,
            readable=() if harness is None else harness.readable,
            limits=replace(limits, cpu_seconds=min(limits.cpu_seconds, limits.trial_cpu_seconds)) if trial else limits,
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
            rejected = self.rejected(evaluation, stage) if stage is not stages[-1] else None
            if rejected is not None:
                return rejected, calls
        return evaluation, calls

    def rejected(self, evaluation: Evaluation, stage: Stage) -> Failed | None:
        """The rejection of a candidate that does not reach a stage's threshold, or None."""
        if isinstance(evaluation, Failed) or stage.threshold is None:
            return None
        if evaluation.score >= self.problem.signed(stage.threshold):
            return None
        value = self.problem.signed(evaluation.score)
        note = f"Stopped after stage {stage.name!r}: {value:g} does not reach {stage.threshold:g}."
        return Failed(cause=Cause.REJECTED, feedback=f"{evaluation.feedback}\n{note}".lstrip())

    def _judged(self, player: _Player, stage: str) -> Evaluation:
        verdict = self._verdict(player, stage)
        # What became of the candidate comes first, also where the problem's code caught it and went on.
        match player.failure:
            case CandidateError() as error:
                return Failed(cause=error.cause, feedback=error.feedback)
            case SandboxError() as error:
                raise error
        return verdict

    def _verdict(self, player: _Player, stage: str) -> Evaluation:
        try:
            score = self.problem.play(player, stage) if self._play_takes_stage else self.problem.play(player)
            return self.scored(score, player.content, player.kept)
        except Reject as why:
            return Failed(cause=Cause.REJECTED, feedback=str(why)[:_FEEDBACK_CHARS])
        except ProblemError:
            raise
        except Exception as error:  # foreign code on untrusted input: a fact about the candidate, not a crash
            return Failed(cause=Cause.UNJUDGED, feedback=named(error))

    def scored(self, score: object, content: Content, outputs: str | None = None) -> Scored:
        """A judge's verdict on a content as the engine's own, with the content's features.

        Args:
            score: what the problem gave; foreign until it was looked at.
            content: what was judged.
            outputs: what it returned, as JSON text; kept where the score names nothing else to be kept.

        Raises:
            TypeError, ValueError: it is no `Score`, a number of it is none, or its outputs are no JSON.
            LookupError: a feature is neither a metric nor one of code.
        """
        if not isinstance(score, Score):
            raise TypeError(f"the problem gave a {type(score).__name__} where a Score was expected")
        signed = self.problem.signed
        metrics = {name: _number(name, value) for name, value in score.metrics.items()}
        return Scored(
            score=signed(_number("score", score.value)),
            features=self._features(content, metrics),
            metrics=metrics,
            instances={str(name): signed(_number(name, value)) for name, value in score.instances.items()},
            feedback=str(score.feedback)[:_FEEDBACK_CHARS],
            outputs=outputs if score.outputs is None else _kept(score.outputs),
        )

    def _features(self, content: Content, metrics: Mapping[str, float]) -> dict[str, float]:
        names = [feature.name for feature in self.problem.features]
        of_code = [name for name in names if name not in metrics]
        for name in of_code:
            if name not in code_features.NAMES:
                known = ", ".join([*metrics, *code_features.NAMES])
                raise LookupError(
                    f"problem {self.problem.name!r} has a feature {name!r}, which is neither a metric of its score "
                    f"nor a feature of code; there are: {known}"
                )
        if of_code and (content, of_code) != self._measured_for:
            self._measured = code_features.measures(content, self.problem.seeds(), of_code)
            self._measured_for = (content, of_code)
        return {name: metrics[name] if name in metrics else self._measured[name] for name in names}

    def _inputs(self, stage: str) -> Sequence[Sequence[JSON]]:
        return self.problem.inputs(stage) if self._inputs_take_stage else self.problem.inputs()


class _Player:
    """The candidate as the problem sees it; its process is had at the first call."""

    def __init__(
        self,
        content: Content,
        take: Callable[[], Session],
        *,
        plain: bool,
        keeps: bool = False,
        release: Callable[[Session, bool], None] = lambda session, _: _closed(session),
    ) -> None:
        self.failure: CandidateError | SandboxError | None = None
        self.kept: str | None = None
        self._content = content
        self._take = take
        self._release = release
        self._plain = plain
        self._keeps = keeps
        self._session: Session | None = None

    @property
    def content(self) -> Content:
        return self._content

    def __call__(self, *args: JSON) -> JSON:
        return self._called([args], plain=True)[0]

    def batch(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        found = self._called(calls, plain=self._plain)
        if self._keeps:
            self.kept = _kept(found)  # now, because the judge may change what it is handed
        return found

    def _called(self, calls: Sequence[Sequence[Any]], *, plain: bool) -> list[Any]:
        if self.failure is not None:
            raise self.failure
        try:
            if self._session is None:
                self._session = self._take()
            return self._session.batch(calls, plain=plain)
        except (CandidateError, SandboxError) as error:
            self.failure = error
            raise

    def __enter__(self) -> _Player:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._session is not None:
            self._release(self._session, self.failure is not None)


class _Trial:
    """One process for many settings of one program, and a new one after a failure."""

    def __init__(self, program: Program, opened: Callable[[], Session]) -> None:
        self.program = program
        self._opened = opened
        self._session: Session | None = None

    def loaded(self, knobs: Sequence[float]) -> Session:
        """The process, with the program loaded afresh."""
        if self._session is None:
            self._session = self._opened()
        try:
            self._session.load(knobs)
        except BaseException:
            self.close()
            raise
        return self._session

    def release(self, _: Session, failed: bool) -> None:
        """Is told after use whether the process is still of use."""
        if failed:
            self.close()

    def close(self) -> None:
        """Ends the process."""
        if self._session is not None:
            _closed(self._session)
            self._session = None


def _kept(outputs: JSON) -> str | None:
    """Outputs as a record keeps them: JSON text, or nothing of what is too long."""
    text = json.dumps(outputs, allow_nan=False, separators=(",", ":"))
    return text if len(text) <= _OUTPUTS_BYTES else None


def _closed(session: Session) -> None:
    session.close()


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name!r} is a {type(value).__name__}, not a number")
    if not math.isfinite(value):
        raise ValueError(f"{name!r} is {float(value)!r}, not a finite number")
    return float(value)


def named(error: Exception) -> str:
    """An error of foreign code, for people."""
    return f"{type(error).__name__}: {error}"[:_FEEDBACK_CHARS]


def mean_of(found: Sequence[Evaluation]) -> Evaluation:
    """The first failure, or the mean of all scores and of what all of them measured."""
    scored = [one for one in found if isinstance(one, Scored)]
    if len(scored) < len(found):
        return next(one for one in found if isinstance(one, Failed))
    if len(scored) == 1:
        return scored[0]
    return replace(
        scored[0],
        score=_fmean([one.score for one in scored]),
        features=_means([one.features for one in scored]),
        metrics=_means([one.metrics for one in scored]),
        instances=_means([one.instances for one in scored]),
    )


def _means(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: _fmean([one[name] for one in found]) for name in found[0] if all(name in one for one in found)}


def _fmean(values: Sequence[float]) -> float:
    """The mean, also of values whose sum is no float."""
    try:
        return fmean(values)
    except OverflowError:
        return sum(value / len(values) for value in values)
