"""What every executor must show."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evoengine.errors import ExecutorError, MissingExtra, SandboxError
from evoengine.executors.base import Executor
from evoengine.types import Cause, Content, Failed, Judgement, Probe, Program, Scored, Trials

__all__ = ["ExecutorContract", "Puppet", "ran"]


@dataclass
class Puppet:
    """An evaluator that does what the text of the program says, and scores its length.

    Attributes:
        log: a file that it notes on what it does, which all workers reach.
    """

    log: str

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        assert isinstance(content, Program)
        self._act(content.text)
        return Judgement(evaluation=Scored(score=float(len(content.text)), feedback=f"{above} {stage}"), calls=1)

    def answer(self, request: Trials | Probe) -> Any:
        self._act(request.program.text)
        if isinstance(request, Probe):
            return [os.getpid(), request.entry]
        return tuple(Scored(score=sum(point)) for point in request.points)

    def end_trials(self) -> None:
        self.note("end_trials")

    def close(self) -> None:
        self.note("close")

    def note(self, line: str) -> None:
        """Adds a line to the log, with this process's id."""
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"{line} {os.getpid()}\n")

    def noted(self) -> str:
        """The log."""
        return Path(self.log).read_text(encoding="utf-8") if Path(self.log).exists() else ""

    async def until(self, line: str, times: int = 1) -> None:
        """Waits until a line was noted so often."""
        while self.noted().count(line) < times:
            await asyncio.sleep(0.01)

    def _act(self, text: str) -> None:
        match text.split():
            case ["die"]:
                self.note("died")
                os._exit(1)
            case ["die", "once"]:
                if "died" not in self.noted():
                    self.note("died")
                    os._exit(1)
            case ["sandbox"]:
                raise SandboxError("out of processes")
            case ["extra"]:
                raise MissingExtra("a sandbox", "jail")
            case ["bug"]:
                raise ZeroDivisionError("a bug")
            case ["sleep"]:
                self.note("asleep")
                time.sleep(600)
            case ["nap"]:
                self.note("began")
                time.sleep(0.02)
                self.note("ended")


def ran(executor: Executor, evaluator: Any, work: Callable[[Executor], Awaitable[Any]]) -> Any:
    """What `work(executor)` returns, with the executor open."""
    executor.prepare(evaluator)

    async def opened() -> Any:
        async with executor:
            return await work(executor)

    return asyncio.run(opened())


class ExecutorContract:
    """What every executor must show, wherever its workers are.

    Needs a fixture `executor`, not prepared yet, and a fixture `puppet`: a `Puppet` with a file that workers reach.
    """

    workers: ClassVar[int]
    """How many the executor has."""
    apart: ClassVar[bool] = True
    """Whether evaluations run in other processes, which may die."""

    def test_evaluations_come_back_each_to_its_own_asker(self, executor: Executor, puppet: Puppet) -> None:
        async def work(executor: Executor) -> list[Judgement]:
            return await asyncio.gather(
                *(executor.evaluate(Program.of("x" * one), above=one, stage="full") for one in range(1, 30))
            )

        found = [one.evaluation for one in ran(executor, puppet, work)]
        assert [one.score for one in found] == list(range(1, 30))
        assert found[4].feedback == "5 full"
        assert 1 <= puppet.noted().count("close") <= self.workers  # where workers come one by one, some may be late

    def test_a_conversation_keeps_its_worker_and_ends_its_trials(self, executor: Executor, puppet: Puppet) -> None:
        async def work(executor: Executor) -> Any:
            async with executor.reserve() as trial:
                first = await trial.answer(Probe(program=Program.of("x"), entry="f"))
                points = await trial.answer(Trials(program=Program.of("x"), points=[(1.0, 2.0), (3.0,)]))
                last = await trial.answer(Probe(program=Program.of("x"), entry="f"))
                assert "end_trials" not in puppet.noted()
            return first, points, last

        first, points, last = ran(executor, puppet, work)
        assert first == last
        assert [one.score for one in points] == [3.0, 3.0]
        assert puppet.noted().startswith(f"end_trials {first[0]}")

    def test_no_more_is_under_way_than_there_are_workers(self, executor: Executor, puppet: Puppet) -> None:
        async def work(executor: Executor) -> None:
            async def conversation() -> None:
                async with executor.reserve() as trial:
                    await trial.answer(Probe(program=Program.of("nap"), entry="f"))

            naps = (executor.evaluate(Program.of("nap")) for _ in range(10))
            await asyncio.gather(*naps, *(conversation() for _ in range(10)))

        ran(executor, puppet, work)
        most = under_way = 0
        for line in puppet.noted().splitlines():
            under_way += {"began": 1, "ended": -1}.get(line.split()[0], 0)
            most = max(most, under_way)
        assert puppet.noted().count("ended") == 20
        assert most <= self.workers

    def test_failures_of_the_engine_are_raised_where_it_was_asked(self, executor: Executor, puppet: Puppet) -> None:
        async def work(executor: Executor) -> Any:
            with pytest.raises(SandboxError, match="out of processes"):
                await executor.evaluate(Program.of("sandbox"))
            async with executor.reserve() as trial:
                with pytest.raises(SandboxError):
                    await trial.answer(Probe(program=Program.of("sandbox"), entry="f"))
            if self.apart:
                with pytest.raises(ExecutorError, match=r"evoengine\[jail\]"):
                    await executor.evaluate(Program.of("extra"))
                with pytest.raises(ExecutorError, match="ZeroDivisionError: a bug"):
                    await executor.evaluate(Program.of("bug"))
            return await executor.evaluate(Program.of("xyz"))

        assert ran(executor, puppet, work).evaluation.score == 3.0

    def test_what_kills_its_worker_is_tried_once_more_and_costs_nothing_else(
        self, executor: Executor, puppet: Puppet
    ) -> None:
        if not self.apart:
            return

        async def work(executor: Executor) -> Any:
            once = await executor.evaluate(Program.of("die once"))
            dead, alive = await asyncio.gather(
                executor.evaluate(Program.of("die")), executor.evaluate(Program.of("xx"))
            )
            async with executor.reserve() as trial:
                tried = await trial.answer(Trials(program=Program.of("die"), points=[(1.0,), (2.0,)]))
                probed = await trial.answer(Probe(program=Program.of("die"), entry="f"))
                after = await trial.answer(Trials(program=Program.of("x"), points=[(1.0,)]))
            return once, dead, alive, tried, probed, after

        once, dead, alive, tried, probed, after = ran(executor, puppet, work)
        assert once.evaluation.score == 8.0
        assert dead.evaluation.cause is Cause.UNJUDGED
        assert "process died" in dead.evaluation.feedback
        assert alive.evaluation.score == 2.0
        assert [one.cause for one in tried] == [Cause.UNJUDGED] * 2
        assert isinstance(probed, Failed)
        assert after[0].score == 1.0
        assert puppet.noted().count("died") == 7

    def test_a_cancelled_evaluation_does_not_answer_the_next_question(self, executor: Executor, puppet: Puppet) -> None:
        if not self.apart:
            return

        async def work(executor: Executor) -> Any:
            sleepers = [asyncio.create_task(executor.evaluate(Program.of("sleep"))) for _ in range(self.workers)]
            await puppet.until("asleep", self.workers)
            for sleeper in sleepers:
                sleeper.cancel()
            await asyncio.gather(*sleepers, return_exceptions=True)
            assert all(sleeper.cancelled() for sleeper in sleepers)
            return await asyncio.gather(*(executor.evaluate(Program.of("x" * one)) for one in range(1, 8)))

        assert [one.evaluation.score for one in ran(executor, puppet, work)] == [1, 2, 3, 4, 5, 6, 7]

    def test_leaving_ends_what_is_in_flight(self, executor: Executor, puppet: Puppet) -> None:
        if not self.apart:
            return
        executor.prepare(puppet)

        async def leave() -> None:
            async with executor:
                sleeper = asyncio.create_task(executor.evaluate(Program.of("sleep")))
                await puppet.until("asleep")
            with pytest.raises(ExecutorError, match="closed"):
                await sleeper

        asyncio.run(leave())

    def test_it_can_be_opened_again(self, executor: Executor, puppet: Puppet) -> None:
        async def work(executor: Executor) -> Any:
            return await executor.evaluate(Program.of("xyz"))

        assert [ran(executor, puppet, work).evaluation.score for _ in range(2)] == [3.0, 3.0]

    def test_one_that_is_not_prepared_says_what_to_do(self, executor: Executor) -> None:
        async def use() -> None:
            async with executor:
                await executor.evaluate(Program.of("x"))

        with pytest.raises(ExecutorError, match="prepare"):
            asyncio.run(use())
