"""Proving that a problem keeps its contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evoengine.conversing import Judges
from evoengine.errors import EvoengineError
from evoengine.evaluator import Evaluator
from evoengine.executors.inline import Inline
from evoengine.generators.scripted import Scripted
from evoengine.loops import in_fresh_loop
from evoengine.pictures import Picture, picture_of
from evoengine.problem import Problem
from evoengine.sandboxes.base import Job, Outcome, Sandbox, Session
from evoengine.types import Cause, Content, Failed, Judgement, Scored

HOSTILE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**19,
    1e308,
    -1e308,
    "",
    "999999",
    [],
    {},
    [[]],
    [None],
    [True, True, True],
    [1e308] * 3,
    [10**19] * 3,
    ["1", "2"],
    [[1e308, 1e308, 1e308]] * 26,
    [[0.0, 0.0]] * 11,
    [[0.5, 0.5, "0.5"]] * 26,
    [[True, True, True]] * 26,
    {"score": 1e9, "value": 1e9, "combined_score": 1e9},
    [[[]]] * 5,
    [0] * 10000,
)
"""Answers that a candidate might give instead of one that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    holds: bool
    detail: str = ""


HOSTILE_TEXTS: tuple[str, ...] = (
    "",
    "\0",
    "999999",
    "NaN",
    "[" * 5000,
    '{"score": 1e9, "value": 1e9, "correct": true}',
    "```sql\nDROP TABLE x; SELECT 1\n```",
    "```sql\nWITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x FROM a) SELECT count(*) FROM a\n```",
    "```python\nraise SystemExit(0)\n```",
    "</think>" * 500,
    "\u202e\ud800",
    "x" * 100_000,
)
"""What a task model might answer in the place of what it was asked."""


def examine(problem: Problem, sandbox: Sandbox) -> Iterator[Finding]:
    """Looks at one promise of a problem after the other.

    Of one that judges contexts, what can be seen without a language model: a silent one takes its place.
    """
    evaluator = Evaluator(problem=problem, sandbox=sandbox)
    evaluate = _conversed(evaluator) if problem.converses else evaluator.evaluate
    scores = "is judged under a model that says nothing" if problem.converses else "scores"
    try:
        first: Scored | None = None
        for place, seed in enumerate(problem.seeds(), start=1):
            judged = [evaluate(seed).evaluation for _ in range(2)]
            match judged:
                case [Scored() as one, Scored() as other]:
                    first = first or one
                    yield Finding(what=f"seed {place} {scores}", holds=True, detail=f"{problem.signed(one.score):.12g}")
                    same = (one.score, dict(one.metrics)) == (other.score, dict(other.metrics))
                    yield Finding(
                        what=f"seed {place} scores the same again",
                        holds=same or problem.repeats > 1,
                        detail="" if same else f"then {problem.signed(other.score):.12g}",
                    )
                case [Failed() as failed, _] | [_, Failed() as failed]:
                    yield Finding(
                        what=f"seed {place} {scores}", holds=False, detail=f"{failed.cause}: {failed.feedback.strip()}"
                    )
        for stage in problem.stages:
            if stage.held_out:
                what = f"seed 1 {scores} on the held-out stage {stage.name!r}"
                match evaluate(problem.seeds()[0], stage=stage.name).evaluation:
                    case Scored(score=score):
                        yield Finding(what=what, holds=True, detail=f"{problem.signed(score):.12g}")
                    case failed:
                        yield Finding(what=what, holds=False, detail=f"{failed.cause}: {failed.feedback.strip()}")
        yield from (_hostile_texts(problem, evaluator, first) if problem.converses else _hostile(problem, first))
        yield _anchored(problem, first)
        if problem.self_scored:
            told = "the evaluator runs in the candidate's own process: a candidate can forge its score"
            yield Finding(what="scores are marked as self-scored", holds=True, detail=told)
        if problem.draws:
            found = picture_of(problem, None if first is None else first.outputs)
            detail = found.title if isinstance(found, Picture) else found.why
            yield Finding(what="a picture of a seed is drawn", holds=isinstance(found, Picture), detail=detail)
    except EvoengineError as error:
        yield Finding(what="the problem can be evaluated", holds=False, detail=str(error))
    finally:
        evaluator.close()


def _conversed(evaluator: Evaluator, answer: str = "") -> Callable[..., Judgement]:
    """What `Evaluator.evaluate` is for programs, for contexts: under a model that always says the same."""
    executor = Inline()
    executor.prepare(evaluator)
    judges = Judges(evaluator.problem, evaluator, executor, Scripted(answers=[answer]))

    def evaluate(content: Content, *, stage: str | None = None) -> Judgement:
        return in_fresh_loop(judges.evaluate(content, stage=stage), lambda: None)

    return evaluate


def _hostile_texts(problem: Problem, evaluator: Evaluator, silent: Scored | None) -> Iterator[Finding]:
    crashed, scored = [], []
    for answer in HOSTILE_TEXTS:
        match _conversed(evaluator, answer)(problem.seeds()[0]).evaluation:
            case Failed(cause=cause, feedback=feedback) if cause is not Cause.REJECTED:
                crashed.append(f"{_short(answer)}: {feedback}")
            case Scored(score=score) if silent is not None and score > silent.score:
                scored.append(f"{_short(answer)}: {problem.signed(score)!r}")
    yield Finding(what="hostile answers never crash the judge", holds=not crashed, detail="; ".join(crashed[:3]))
    yield Finding(what="hostile answers never beat silence", holds=not scored, detail="; ".join(scored[:3]))


def _hostile(problem: Problem, seed: Scored | None) -> Iterator[Finding]:
    crashed, scored = [], []
    for answer in HOSTILE:
        evaluator = Evaluator(problem=problem, sandbox=_Answering(answer=answer))
        match evaluator.evaluate(problem.seeds()[0]).evaluation:
            case Failed(cause=Cause.UNJUDGED, feedback=feedback):
                crashed.append(f"{_short(answer)}: {feedback}")
            case Scored(score=score) if seed is not None and score > seed.score:
                scored.append(f"{_short(answer)}: {problem.signed(score)!r}")
    yield Finding(what="hostile outputs never crash the judge", holds=not crashed, detail="; ".join(crashed[:3]))
    yield Finding(what="hostile outputs never beat the seed", holds=not scored, detail="; ".join(scored[:3]))


def _anchored(problem: Problem, seed: Scored | None) -> Finding:
    known = problem.best_known
    what = "the seed is not above the best known value"
    if known is None or seed is None:
        return Finding(what=what, holds=True, detail="nothing to compare")
    return Finding(what=what, holds=seed.score <= problem.signed(known.value), detail=f"best known {known.value:.12g}")


class _Answering(Sandbox):
    """Runs nothing: every call is answered with the same value."""

    answer: Any = None

    def open(self, job: Job) -> Session:  # noqa: ARG002  # whatever the job is
        return _Canned(self.answer)


class _Canned(Session):
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def load(self, knobs: Sequence[float] = ()) -> None: ...

    def batch(
        self,
        calls: Sequence[Sequence[Any]],
        entry: str | None = None,  # noqa: ARG002
        *,
        plain: bool = False,  # noqa: ARG002
    ) -> list[Any]:
        return [self._answer for _ in calls]

    def close(self) -> Outcome:
        return Outcome()


def _short(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= 40 else text[:37] + "..."
