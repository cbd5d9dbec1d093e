"""Drafts for talking to operators, and a driver that answers what they ask by running trusted programs."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

from evoengine.operators.base import Operator
from evoengine.randomness import Stream
from evoengine.types import Brief, Cause, Draft, Elite, Evaluation, Failed, Idiom, Probe, Program, Scored, Trials


def draft_of(
    *texts: str,
    arm: str = "",
    seed: int = 0,
    scores: Sequence[float] = (),
    entry: str = "main",
    idioms: tuple[Idiom, ...] = (),
) -> Draft:
    elites = tuple(
        Elite(number=at + 1, content=Program.of(text), scored=Scored(score=scores[at] if scores else 0.0), cell=(at,))
        for at, text in enumerate(texts)
    )
    brief = Brief(name="toy", goal="a toy", entry=entry, idioms=idioms)
    return Draft(
        number=seed,
        island=0,
        operator="operator",
        arm=arm,
        parents=elites,
        inspirations=(),
        brief=brief,
        rng=Stream(seed, seed, "operator"),
    )


class Driver:
    """Runs what an operator asks for, in this process, and counts judged calls.

    `judge` gets what the entry function returned for each input.
    """

    def __init__(self, judge: Callable[[list[Any]], float], inputs: Sequence[Sequence[Any]], entry: str = "main"):
        self.judge, self.inputs, self.entry = judge, inputs, entry
        self.calls = 0
        self.asked: list[Trials | Probe] = []

    def breed(self, operator: Operator, draft: Draft) -> Program:
        conversation = operator.breed(draft)
        try:
            request = next(conversation)
            while True:
                self.asked.append(request)
                request = conversation.send(self.answer(request))
        except StopIteration as end:
            return end.value

    def answer(self, request: Trials | Probe) -> Any:
        if isinstance(request, Trials):
            return tuple(self.evaluation(request.program.text, point) for point in request.points)
        try:
            return self.outputs(request.program.text, request.entry, ())
        except Exception as error:  # what a candidate does is a fact about it
            return Failed(cause=Cause.CRASHED, feedback=str(error))

    def evaluation(self, text: str, point: Sequence[float] = ()) -> Evaluation:
        assert all(isinstance(value, float | int) and math.isfinite(value) for value in point)
        self.calls += 1
        try:
            score = self.judge(self.outputs(text, self.entry, point))
        except Exception as error:  # what a candidate does is a fact about it
            return Failed(cause=Cause.CRASHED, feedback=str(error))
        return Scored(score=score) if math.isfinite(score) else Failed(cause=Cause.REJECTED)

    def score(self, text: str) -> float:
        match self.evaluation(text):
            case Scored(score=score):
                return score
            case failed:
                raise AssertionError(failed)

    def outputs(self, text: str, entry: str, point: Sequence[float]) -> list[Any]:
        module: dict[str, Any] = {"__name__": "candidate", "_knobs_": list(point)}
        exec(compile(ast.parse(text), "candidate", "exec"), module)
        return [module[entry](*args) for args in self.inputs]


def blocks_cut_out(text: str) -> list[str]:
    """The lines outside EVOLVE blocks, found by reading lines: an oracle that shares no code with the engine.

    Only for programs whose marker-like lines inside strings are listed by the caller.
    """
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if line.strip() == "# EVOLVE-BLOCK-END":
            inside = False
        if not inside:
            kept.append(line)
        if line.strip() == "# EVOLVE-BLOCK-START":
            inside = True
    return kept
