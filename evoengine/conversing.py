"""Judging contexts by how a language model does under them."""

from __future__ import annotations

import inspect
import time
from hashlib import blake2b

from evoengine.breeding import Talk
from evoengine.errors import NoAnswer, ProblemError
from evoengine.evaluator import Evaluator, mean_of, named
from evoengine.executors.base import Executor
from evoengine.generators.base import Generator
from evoengine.problem import Problem, Reject
from evoengine.types import Cause, Content, Context, Evaluation, Failed, Judgement, Scored, Stage, Turn


class Judges:
    """Evaluates candidates of any problem: programs by the executor, contexts by conversations with a model.

    Both are reproducible: the seeds of a context's prompts follow from its digest, the stage and the repeat.

    Args:
        problem: whose candidates they are.
        evaluator: turns the problem's verdict into the engine's own.
        executor: runs programs, also those that the task model wrote.
        model: the task model.
    """

    def __init__(self, problem: Problem, evaluator: Evaluator, executor: Executor, model: Generator | None) -> None:
        self._problem, self._evaluator, self._executor, self._model = problem, evaluator, executor, model
        self.policy: str | None = None
        """Which of the task model's sets of weights is asked, where a mutator's are trained; None for the only one."""
        self._takes_stage = len(inspect.signature(problem.converse).parameters) > 1

    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        """The judgement of a content by the stages of selection, or by one stage (`Evaluator.evaluate`).

        Raises:
            GeneratorError, ExecutorError, SandboxError, ProblemError: a part of the campaign does not work.
        """
        if not self._problem.converses:
            return await self._executor.evaluate(content, above=above, stage=stage)
        began = time.perf_counter()
        stages = self._evaluator.stages(stage)
        turns: list[Turn] = []
        first, calls = await self._repeat(content, stages, 0, turns)
        found = [first]
        if isinstance(first, Scored) and above is not None and first.score > above:
            for repeat in range(1, self._problem.repeats):
                evaluation, more = await self._repeat(content, stages, repeat, turns)
                found.append(evaluation)
                calls += more
        seconds = time.perf_counter() - began
        return Judgement(evaluation=mean_of(found), calls=calls, seconds=seconds, turns=tuple(turns))

    async def _repeat(
        self, content: Content, stages: tuple[Stage, ...], repeat: int, turns: list[Turn]
    ) -> tuple[Evaluation, int]:
        """One pass of the cascade."""
        evaluation: Evaluation = Failed(cause=Cause.UNJUDGED, feedback="the problem has no stage for selection")
        for calls, stage in enumerate(stages, start=1):
            evaluation = await self._conversed(content, stage, repeat, turns)
            rejected = self._evaluator.rejected(evaluation, stage) if stage is not stages[-1] else None
            if isinstance(evaluation, Failed) or rejected is not None:
                return rejected or evaluation, calls
        return evaluation, len(stages)

    async def _conversed(self, content: Content, stage: Stage, repeat: int, turns: list[Turn]) -> Evaluation:
        if not isinstance(content, Context):
            return Failed(cause=Cause.UNJUDGED, feedback="the problem judges contexts, and this is a program")
        key = f"{content.digest}/{stage.name}/{repeat}"

        def seed_for(purpose: str) -> int:
            return int.from_bytes(blake2b(f"{key}/{purpose}".encode(), digest_size=4).digest(), "little") >> 1

        talk = Talk(
            who=f"problem {self._problem.name!r}",
            seed_for=seed_for,
            executor=self._executor,
            model=self._model,
            judging=True,
            policy=self.policy,
        )
        problem = self._problem
        try:
            conversation = problem.converse(content, stage.name) if self._takes_stage else problem.converse(content)
            return self._evaluator.scored(await talk.hold(conversation), content)
        except Reject as why:
            return Failed(cause=Cause.REJECTED, feedback=str(why))
        except NoAnswer as why:
            return Failed(cause=Cause.UNJUDGED, feedback=f"the task model gave no answer: {why}")
        except ProblemError:
            raise
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
            # the problem's own code on what a model wrote: a fact about the candidate, not a crash
            return Failed(cause=Cause.UNJUDGED, feedback=named(error))
        finally:
            turns += talk.turns
