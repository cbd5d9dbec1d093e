"""Holding a conversation of an operator or a gate: its requests are answered by the model, a worker and the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from evoengine.errors import EvoengineError, NoAnswer
from evoengine.executors.base import Executor, Trial
from evoengine.generators.base import Generator as Model
from evoengine.operators.base import NoChild, Operator
from evoengine.types import (
    Answer,
    Cause,
    Child,
    Completion,
    Draft,
    Failed,
    Lookup,
    Probe,
    Prompt,
    Record,
    Request,
    Trials,
    Turn,
)

_Result = TypeVar("_Result")
Records = Callable[[Sequence[int]], Mapping[int, Record]]
"""Gives the records of these numbers that there are."""


@dataclass(slots=True)
class Talk:
    """Conversations about one candidate with whoever answers, and what they were paid with.

    Args:
        who: holds it, for errors.
        seed_for: gives the seed of the model's random numbers for a purpose.
        executor: its worker is reserved from the first trial to the end of a conversation.
        model: answers prompts.
        records: answers lookups.
        judging: whether it is to judge a candidate, and not to make one.
        policy: which of the model's sets of weights is asked; None for the one that answers now.
        order: whose turn it is among all that wait for the model, the lowest first.
    """

    who: str
    seed_for: Callable[[str], int]
    executor: Executor
    model: Model | None = None
    records: Records = lambda _: {}
    judging: bool = False
    policy: str | None = None
    order: int = 0
    turns: list[Turn] = field(default_factory=list)
    trials: int = 0

    async def hold(self, conversation: Generator[Request, Answer, _Result]) -> _Result:
        """Holds a conversation to its end, and gives what it returns.

        Raises:
            NoAnswer: the model has none to one of its prompts.
            NoChild: the operator says so.
            EvoengineError: whoever should answer has failed.
        """
        answer: Answer = None
        async with AsyncExitStack() as stack:
            worker: Trial | None = None
            while True:
                try:
                    request: Request = conversation.send(answer)
                except StopIteration as end:
                    result: _Result = end.value
                    return result
                match request:
                    case Prompt():
                        [answer] = await self._asked((request,))
                    case tuple():
                        answer = await self._asked(request)
                    case Lookup():
                        answer = self.records(request.numbers)
                    case Trials() | Probe():
                        if worker is None:
                            worker = await stack.enter_async_context(self.executor.reserve())
                        answer = await worker.answer(request)
                        self.trials += len(request.points) if isinstance(request, Trials) else 1

    async def _asked(self, prompts: Sequence[Prompt]) -> tuple[Completion, ...]:
        """The answers to prompts that do not depend on each other, all asked at once."""
        model = self.model
        if model is None:
            raise EvoengineError(
                f"{self.who} asks a language model, and the campaign has no generator; give one, or leave it out."
            )
        first = len(self.turns)
        seeded = [
            replace(prompt, seed=self.seed_for(f"turn {first + place}"), policy=prompt.policy or self.policy)
            for place, prompt in enumerate(prompts)
        ]
        tasks = [asyncio.ensure_future(model.sample(replace(prompt, order=self.order))) for prompt in seeded]
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for task in tasks:
                task.cancel()
        for prompt, task in zip(seeded, tasks, strict=True):  # what was answered is paid for, whatever else failed
            if task.exception() is None:
                [completion] = task.result()
                self.turns.append(Turn(prompt=prompt, completion=completion, judging=self.judging))
        return tuple(task.result()[0] for task in tasks)


async def offspring(operator: Operator, draft: Draft, talk: Talk) -> Child | Failed:
    """The child that an operator makes of a draft, or why there is none."""
    try:
        made: Any = await talk.hold(operator.breed(draft))
    except NoChild as why:
        return Failed(cause=why.cause, feedback=str(why))
    except NoAnswer as why:
        return Failed(cause=Cause.UNDECODABLE, feedback=f"no answer: {why}")
    return made if isinstance(made, Child) else Child(content=made)


def first_prompt(operator: Operator, draft: Draft, records: Records) -> Prompt | None:
    """What an operator would ask a model first; None when it ends, or asks something else, before."""
    conversation = operator.breed(draft)
    answer: Answer = None
    try:
        while True:
            request = conversation.send(answer)
            match request:
                case Prompt():
                    return replace(request, seed=draft.seed_for("turn 0"))
                case tuple():
                    return replace(request[0], seed=draft.seed_for("turn 0"))
                case Lookup():
                    answer = records(request.numbers)
                case _:
                    return None
    except (StopIteration, NoChild):
        return None
    finally:
        conversation.close()
