"""Judging a context by hand: functions take the places of the task model and of the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evoengine.problem import Problem, Score
from evoengine.types import Completion, Context, Probe, Prompt


def judged(
    problem: Problem,
    model: Callable[[Prompt], str],
    runs: Callable[[Probe], Any] | None = None,
    stage: str = "train",
    context: Context | None = None,
) -> Score:
    """The score of a context (the seed, unless another is given) under a model."""
    [seed] = problem.seeds()
    content = seed if context is None else context
    assert isinstance(content, Context)
    conversation = problem.converse(content, stage)
    answer: Any = None
    while True:
        try:
            request = conversation.send(answer)
        except StopIteration as end:
            score: Score = end.value
            return score
        match request:
            case tuple():
                answer = tuple(Completion(text=model(prompt)) for prompt in request)
            case Probe() if runs is not None:
                answer = runs(request)
            case other:
                raise AssertionError(other)
