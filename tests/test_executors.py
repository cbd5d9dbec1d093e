"""Workers: evaluations reach them, come back, and survive a worker's death."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import ExecutorError, MissingExtra, SandboxError
from evoengine.executors.base import Executor
from evoengine.executors.inline import Inline
from evoengine.executors.local import Local
from evoengine.plugins import load
from evoengine.types import Cause, Content, Failed, Judgement, Probe, Program, Scored, Trials


@dataclass
class Scripted:
    """An evaluator that does what the text of the program says."""

    log: str

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        assert isinstance(content, Program)
        self.act(content.text)
        return Judgement(evaluation=Scored(score=float(len(content.text)), feedback=f"{above} {stage}"), calls=1)

    def answer(self, request: Trials | Probe) -> Any:
        self.act(request.program.text)
        if isinstance(request, Probe):
            return [os.getpid(), request.entry]
        return tuple(Scored(score=sum(point)) for point in request.points)

    def end_trials(self) -> None:
        self.note("end_trials")

    def close(self) -> None:
        self.note("close")

    def note(self, line: str) -> None:
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"{line} {os.getpid()}\n")

    def act(self, text: str) -> None:
        match text.split():
            case ["die"]:
                self.note("died")
                os._exit(1)
            case ["die", "once"]:
                if "died" not in notes(self.log):
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


def notes(log: str) -> str:
    return Path(log).read_text() if Path(log).exists() else ""


def program(text: str) -> Program:
    return Program.of(text)


@pytest.fixture
def log(tmp_path: Path) -> str:
    return str(tmp_path / "log")


def run(executor: Executor, log: str, work: Any) -> Any:
    """What `work(executor)` returns, with the executor open."""
    executor.prepare(Scripted(log))

    async def opened() -> Any:
        async with executor:
            return await work(executor)

    return asyncio.run(opened())


def gone(pid: int) -> bool:
    """Whether a process ends within a generous time."""
    for _ in range(400):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.025)
    return False


executors = pytest.mark.parametrize("executor", [Inline(), Local(workers=1), Local(workers=2)], ids=str)


@executors
def test_evaluations_come_back_each_to_its_own_asker(executor: Executor, log: str) -> None:
    async def work(executor: Executor) -> list[Judgement]:
        texts = ["x" * length for length in range(1, 30)]
        return await asyncio.gather(
            *(executor.evaluate(program(text), above=len(text), stage="full") for text in texts)
        )

    found = run(executor, log, work)
    assert [one.evaluation.score for one in found] == list(range(1, 30))
    assert found[4].evaluation.feedback == "5 full"
    assert notes(log).count("close") == (executor.workers if isinstance(executor, Local) else 1)


@executors
def test_a_conversation_keeps_its_worker_and_ends_its_trials(executor: Executor, log: str) -> None:
    async def work(executor: Executor) -> Any:
        async with executor.reserve() as trial:
            first = await trial.answer(Probe(program=program("x"), entry="f"))
            points = await trial.answer(Trials(program=program("x"), points=[(1.0, 2.0), (3.0,)]))
            last = await trial.answer(Probe(program=program("x"), entry="f"))
            assert "end_trials" not in notes(log)
        return first, points, last

    first, points, last = run(executor, log, work)
    assert first == last
    assert [one.score for one in points] == [3.0, 3.0]
    assert notes(log).startswith(f"end_trials {first[0]}")


def test_conversations_and_evaluations_share_the_workers(log: str) -> None:
    async def work(executor: Executor) -> Any:
        async def conversation() -> Any:
            async with executor.reserve() as trial:
                return await trial.answer(Trials(program=program("x"), points=[(1.0,)]))

        return await asyncio.gather(
            *(conversation() for _ in range(5)), *(executor.evaluate(program("x")) for _ in range(5))
        )

    assert len(run(Local(workers=2), log, work)) == 10


@executors
def test_a_failure_of_the_sandbox_is_raised_where_it_was_asked_for(executor: Executor, log: str) -> None:
    async def work(executor: Executor) -> Any:
        with pytest.raises(SandboxError, match="out of processes"):
            await executor.evaluate(program("sandbox"))
        async with executor.reserve() as trial:
            with pytest.raises(SandboxError):
                await trial.answer(Probe(program=program("sandbox"), entry="f"))
        judgement: Any = await executor.evaluate(program("xyz"))
        return judgement.evaluation.score

    assert run(executor, log, work) == 3.0


def test_errors_that_do_not_pickle_and_bugs_arrive_with_their_text(log: str) -> None:
    async def work(executor: Executor) -> None:
        with pytest.raises(ExecutorError, match=r"evoengine\[jail\]"):
            await executor.evaluate(program("extra"))
        with pytest.raises(ExecutorError, match="ZeroDivisionError: a bug"):
            await executor.evaluate(program("bug"))
        await executor.evaluate(program("x"))

    run(Local(workers=1), log, work)


def test_a_plugin_that_is_not_needed_may_be_gone(log: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone.py"
    gone.write_text("from evoengine import Problem\n\n\nclass Gone(Problem):\n    name = 'gone'\n")
    load("problems", str(gone))
    gone.unlink()

    async def work(executor: Executor) -> Judgement:
        return await executor.evaluate(program("x"))

    assert run(Local(workers=1), log, work).evaluation.score == 1.0


def test_an_evaluation_whose_worker_dies_is_tried_once_more(log: str) -> None:
    async def work(executor: Executor) -> Judgement:
        return await executor.evaluate(program("die once"))

    assert run(Local(workers=1), log, work).evaluation.score == 8.0
    assert notes(log).count("died") == 1


@pytest.mark.slow
def test_an_evaluation_that_always_kills_its_worker_is_unjudged_and_costs_nothing_else(log: str) -> None:
    async def work(executor: Executor) -> Any:
        dead, alive = await asyncio.gather(executor.evaluate(program("die")), executor.evaluate(program("xx")))
        async with executor.reserve() as trial:
            tried = await trial.answer(Trials(program=program("die"), points=[(1.0,), (2.0,)]))
            probed = await trial.answer(Probe(program=program("die"), entry="f"))
            after = await trial.answer(Trials(program=program("x"), points=[(1.0,)]))
        return dead, alive, tried, probed, after

    dead, alive, tried, probed, after = run(Local(workers=1), log, work)
    assert dead.evaluation.cause is Cause.UNJUDGED
    assert "process died" in dead.evaluation.feedback
    assert alive.evaluation.score == 2.0
    assert [one.cause for one in tried] == [Cause.UNJUDGED] * 2
    assert isinstance(probed, Failed)
    assert after[0].score == 1.0
    assert notes(log).count("died") == 6


def test_a_cancelled_evaluation_does_not_answer_the_next_question(log: str) -> None:
    async def work(executor: Executor) -> Any:
        task = asyncio.create_task(executor.evaluate(program("sleep")))
        while "asleep" not in notes(log):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await executor.evaluate(program("xyz"))

    assert run(Local(workers=1), log, work).evaluation.score == 3.0


def test_leaving_ends_what_is_in_flight(log: str) -> None:
    executor = Local(workers=1)
    executor.prepare(Scripted(log))

    async def leave() -> None:
        async with executor:
            task = asyncio.create_task(executor.evaluate(program("sleep")))
            while "asleep" not in notes(log):
                await asyncio.sleep(0.01)
        with pytest.raises(ExecutorError, match="closed"):
            await task

    asyncio.run(leave())
    assert gone(int(notes(log).split()[1]))


@pytest.mark.slow
def test_an_executor_can_be_opened_again(log: str) -> None:
    async def work(executor: Executor) -> Any:
        judgement: Any = await executor.evaluate(program("xyz"))
        return judgement.evaluation.score

    executor = Local(workers=1)
    assert [run(executor, log, work) for _ in range(2)] == [3.0, 3.0]


@pytest.mark.parametrize("executor", [Inline(), Local(workers=1)], ids=str)
def test_an_executor_that_is_not_prepared_says_what_to_do(executor: Executor) -> None:
    async def use() -> None:
        async with executor:
            await executor.evaluate(program("x"))

    with pytest.raises(ExecutorError, match="prepare"):
        asyncio.run(use())


def test_an_evaluator_that_a_worker_cannot_take_is_an_error_at_once(log: str) -> None:
    class Stubborn(Scripted):
        def __reduce__(self) -> Any:
            return os._exit, (3,)

    executor = Local(workers=1)
    executor.prepare(Stubborn(log))

    async def use() -> None:
        async with executor:
            pass

    with pytest.raises(ExecutorError, match="set up"):
        asyncio.run(use())


def test_a_plugin_loaded_from_a_file_is_known_to_the_workers(tmp_path: Path, log: str) -> None:
    path = tmp_path / "plugin.py"
    path.write_text(
        "from evoengine.types import Judgement, Scored\n"
        "class Fixed:\n"
        "    def evaluate(self, content, *, above=None, stage=None):\n"
        "        return Judgement(evaluation=Scored(score=7.0))\n"
        "    def close(self):\n        pass\n"
    )
    script = (
        "import asyncio, importlib.util, sys\n"
        "from evoengine.executors.local import Local\n"
        "from evoengine.types import Program\n"
        f"spec = importlib.util.spec_from_file_location('evoengine_plugin_x', {str(path)!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        f"module.__evoengine_plugin__ = {str(path)!r}\n"
        "sys.modules[spec.name] = module\n"
        "spec.loader.exec_module(module)\n"
        "async def main():\n"
        "    executor = Local(workers=1)\n"
        "    executor.prepare(module.Fixed())\n"
        "    async with executor:\n"
        "        print((await executor.evaluate(Program.of('x'))).evaluation.score)\n"
        "asyncio.run(main())\n"
    )
    assert script_prints(script, tmp_path) == "7.0\n"


GUARDLESS = """
import asyncio
import os
import sys
from evoengine import Problem, Program, Score
from evoengine.evaluator import Evaluator
from evoengine.executors.local import Local
from evoengine.sandboxes.none import Unconfined

class Mine(Problem):
    name = "mine"
    goal = "a class that only the script knows"
    entry = "f"
    seed = "def f():\\n    return 1.0\\n"
    def inputs(self):
        return [()]
    def judge(self, outputs):
        print("judging")
        return Score(outputs[0])

executor = Local(workers=2)
executor.prepare(Evaluator(Mine(), Unconfined()))

async def main():
    async with executor:
        found = await executor.evaluate(Program.of("import os\\ndef f():\\n    return 2.5\\n"))
        print(found.evaluation.score, flush=True)
        if "hang" in sys.argv:
            text = "import os, time\\ndef f():\\n    open(3, 'wb', closefd=False)\\n    time.sleep(1000)\\n"
            await executor.evaluate(Program.of(text))

asyncio.run(main())
"""


def script_prints(script: str, folder: Path) -> str:
    """What a script prints that has no `__main__` guard and lies in a folder of its own."""
    path = folder / "script.py"
    path.write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_script_without_a_guard_evaluates_its_own_problem_and_prints_only_its_own_lines(tmp_path: Path) -> None:
    assert script_prints(GUARDLESS, tmp_path) == "2.5\n"


def descendants(root: int) -> set[int]:
    """Process ids below a process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def hanging(tmp_path: Path) -> tuple[subprocess.Popen[str], set[int]]:
    """A script in the middle of an evaluation, with its two lanes, a warm process and a candidate."""
    path = tmp_path / "script.py"
    path.write_text(GUARDLESS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    engine = subprocess.Popen(
        [sys.executable, str(path), "hang"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert engine.stdout is not None
    assert engine.stdout.readline() == "2.5\n"
    below: set[int] = set()
    while len(below) < 4:
        assert engine.poll() is None
        below = descendants(engine.pid)
        time.sleep(0.05)
    return engine, below


def test_nothing_survives_a_killed_main_process(tmp_path: Path) -> None:
    engine, below = hanging(tmp_path)
    with engine:
        engine.kill()
    assert len(below) >= 4
    assert all(gone(pid) for pid in below)


@pytest.mark.slow
def test_ctrl_c_reaches_the_main_process_only(tmp_path: Path) -> None:
    engine, below = hanging(tmp_path)
    with engine:
        for pid in below:
            assert os.getpgid(pid) != os.getpgid(engine.pid)
        os.killpg(engine.pid, signal.SIGINT)
        engine.wait(timeout=60)
    assert all(gone(pid) for pid in below)
