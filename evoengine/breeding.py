"""Holding an operator's conversation: its requests are answered by the model and by a worker."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from evoengine.errors import EvoengineError, NoAnswer
from evoengine.executors.base import Executor, Trial
from evoengine.generators.base import Generator
from evoengine.operators.base import NoChild, Operator
from evoengine.types import Answer, Cause, Content, Draft, Failed, Probe, Prompt, Request, Trials, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Bred:
    """What a conversation came to.

    Attributes:
        content: the child, or why there is none.
        trials: judged calls that it was paid with.
    """

    content: Content | Failed
    trials: int = 0
    turns: tuple[Turn, ...] = ()


async def bred(operator: Operator, draft: Draft, executor: Executor, generator: Generator | None = None) -> Bred:
    """Holds one conversation to its end. One worker is reserved from its first trial on."""
    conversation = operator.breed(draft)
    turns: list[Turn] = []
    trials = 0
    answer: Answer = None
    async with AsyncExitStack() as stack:
        worker: Trial | None = None
        while True:
            try:
                request: Request = conversation.send(answer)
            except StopIteration as end:
                content: Any = end.value
                return Bred(content=content, trials=trials, turns=tuple(turns))
            except NoChild as why:
                return Bred(content=Failed(cause=why.cause, feedback=str(why)), trials=trials, turns=tuple(turns))
            match request:
                case Prompt():
                    if generator is None:
                        raise EvoengineError(
                            f"operator {draft.operator!r} asks a language model, and the campaign has no generator; "
                            f"give one, or leave the operator out."
                        )
                    request = replace(request, seed=draft.rng.seed_for(f"turn {len(turns)}"))
                    try:
                        [answer] = await generator.sample(request)
                    except NoAnswer as why:
                        failed = Failed(cause=Cause.UNDECODABLE, feedback=f"no answer: {why}")
                        return Bred(content=failed, trials=trials, turns=tuple(turns))
                    turns.append(Turn(prompt=request, completion=answer))
                case Trials() | Probe():
                    if worker is None:
                        worker = await stack.enter_async_context(executor.reserve())
                    answer = await worker.answer(request)
                    trials += len(request.points) if isinstance(request, Trials) else 1
