"""Workers: evaluations reach them, come back, and survive a worker's death."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import ExecutorError, MissingExtra
from evoengine.executors import local
from evoengine.executors.base import Executor
from evoengine.executors.inline import Inline
from evoengine.executors.local import Local
from evoengine.executors.ray import Ray
from evoengine.plugins import load
from evoengine.sandboxes.jail import Jail
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import ExecutorContract, Puppet, job_of
from evoengine.types import Judgement, Probe, Program, Trials

pytestmark = pytest.mark.slow


CORES = sorted(os.sched_getaffinity(0))


class Scripted(Puppet):
    """A puppet of this module."""


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


@pytest.fixture
def puppet(log: str) -> Puppet:
    return Puppet(log)


class TestInline(ExecutorContract):
    workers, apart = 1, False

    @pytest.fixture
    def executor(self) -> Executor:
        return Inline()


@pytest.mark.slow
class TestOneLane(ExecutorContract):
    workers = 1

    @pytest.fixture
    def executor(self) -> Executor:
        return Local(workers=1)


@pytest.mark.slow
class TestTwoLanes(ExecutorContract):
    workers = 2

    @pytest.fixture
    def executor(self) -> Executor:
        return Local(workers=2)


def test_conversations_and_evaluations_share_the_workers(log: str) -> None:
    async def work(executor: Executor) -> Any:
        async def conversation() -> Any:
            async with executor.reserve() as trial:
                return await trial.answer(Trials(program=program("x"), points=[(1.0,)]))

        return await asyncio.gather(
            *(conversation() for _ in range(5)), *(executor.evaluate(program("x")) for _ in range(5))
        )

    assert len(run(Local(workers=2), log, work)) == 10


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
from evoengine.executors.ray import Ray
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


class Seeing(Puppet):
    """Needs a GPU, and says which it has."""

    gpus = 1.0

    def answer(self, request: Trials | Probe) -> Any:
        time.sleep(0.2)
        return [os.environ.get("CUDA_VISIBLE_DEVICES"), os.getpid()]


async def seen(executor: Executor) -> set[Any]:
    async def one() -> Any:
        async with executor.reserve() as trial:
            return tuple(await trial.answer(Probe(program=program("x"), entry="f")))

    return set(await asyncio.gather(*(one() for _ in range(6))))


@pytest.mark.parametrize(("gpus", "shares"), [(1.0, {"4", "7"}), (2.0, {"4,7"}), (0.5, {"4", "7"})])
def test_lanes_have_gpus_of_their_own_where_the_problem_needs_them(
    gpus: float, shares: set[str], log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    evaluator = Seeing(log)
    evaluator.gpus = gpus
    executor = Local(workers=4)
    executor.prepare(evaluator)

    async def work() -> set[Any]:
        async with executor:
            return await seen(executor)

    found = asyncio.run(work())
    assert {share for share, _ in found} == shares
    assert len(found) <= 2 / gpus


class Placed(Puppet):
    """Says on which cores it may run."""

    def answer(self, request: Trials | Probe) -> Any:
        time.sleep(0.2)
        return sorted(os.sched_getaffinity(0))


def cores_of(executor: Executor, log: str, at_once: int, busy: int) -> set[int]:
    """On which cores so many questions are answered while a model keeps some busy."""
    executor.prepare(Placed(log))

    async def one() -> list[int]:
        async with executor.reserve() as trial:
            found: list[int] = await trial.answer(Probe(program=program("x"), entry="f"))
            return found

    async def ask() -> list[list[int]]:
        async with asyncio.timeout(60), executor:
            executor.give_way(busy)
            return await asyncio.gather(*(one() for _ in range(at_once)))

    found = asyncio.run(ask())
    assert all(len(cores) == 1 for cores in found)
    return {core for [core] in found}


@pytest.mark.skipif(len(CORES) < 2, reason="a model and judges share the only core")
def test_evaluations_keep_off_the_cores_that_a_model_keeps_busy(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_PATIENCE", 300.0)
    assert cores_of(Local(), log, 4, len(CORES) - 1) == {CORES[-1]}


@pytest.mark.skipif(len(CORES) < 2, reason="a model and judges share the only core")
def test_evaluations_that_have_waited_for_long_use_the_cores_of_the_model_too(log: str) -> None:
    assert cores_of(Local(), log, 6 * len(CORES), len(CORES) - 1) == set(CORES)


@pytest.mark.parametrize("busy", [0, len(CORES), 1000])
def test_a_model_that_keeps_all_cores_busy_or_none_changes_nothing(
    log: str, busy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_PATIENCE", 300.0)
    assert cores_of(Local(), log, len(CORES), busy) == set(CORES)


def test_a_cancelled_wait_for_a_lane_loses_none(log: str) -> None:
    async def work(executor: Executor) -> list[Judgement]:
        first = asyncio.create_task(executor.evaluate(program("xyz")))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(executor.evaluate(program("xy"))) for _ in range(3)]
        await asyncio.sleep(0)
        for task in waiting[:2]:
            task.cancel()
        return await asyncio.gather(first, waiting[2], executor.evaluate(program("x")))

    assert [one.evaluation.score for one in run(Local(workers=1), log, work)] == [3.0, 2.0, 1.0]


@pytest.mark.parametrize("executor", [Inline(), Local(workers=1)], ids=str)
@pytest.mark.parametrize("visible", ["", "-1"])
def test_a_problem_that_needs_a_gpu_is_refused_where_there_is_none(
    executor: Executor, visible: str, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(ExecutorError, match=r"needs 1 GPUs .* has 0"):
        _opened(executor, Seeing(log))


def _opened(executor: Executor, evaluator: Any) -> None:
    executor.prepare(evaluator)

    async def work() -> None:
        async with executor:
            pass

    asyncio.run(work())


def test_a_candidate_without_walls_is_told_its_workers_gpus_and_one_behind_them_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    text = "import os\ndef f():\n    return os.environ.get('CUDA_VISIBLE_DEVICES')\n"
    for sandbox, told in ((Unconfined(), "3"), (Jail(), None)):
        outcome = asyncio.run(sandbox.run(job_of(text, ())))
        sandbox.shutdown()
        assert outcome.outputs == (told,)


def test_a_cluster_without_ray_installed_names_the_extra(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not there
    with pytest.raises(MissingExtra, match=r"evoengine\[ray\]"):
        _opened(Ray(), Puppet(log))
