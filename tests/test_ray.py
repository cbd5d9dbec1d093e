"""A Ray cluster of three machines with a core each: the same results as here, and losses that cost time only."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, cluster
from evoengine.errors import ExecutorError, GeneratorError, NoAnswer, PluginError, SettingError
from evoengine.evaluator import Evaluator
from evoengine.events import Committed, Event, Watcher
from evoengine.executors.base import Executor
from evoengine.executors.ray import Ray
from evoengine.plugins import build
from evoengine.sandboxes.jail import Jail
from evoengine.sandboxes.none import Unconfined
from evoengine.shipping import LARGEST
from evoengine.testing import ExecutorContract, Puppet, ran
from evoengine.types import Cause, Probe, Program, Prompt
from tests.conftest import ROOT, evoengine

pytestmark = pytest.mark.slow

STORE_BYTES = 80 * 2**20


@pytest.fixture(autouse=True, scope="module")
def _ray() -> None:
    pytest.importorskip("ray")  # not above: what is skipped there is not seen by whoever wants nothing skipped


class Machines:
    """A cluster on this machine: a head without cores, and machines with one each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False},
        )
        self.address: str = self._cluster.address
        self.here: list[Any] = []

    def add(self, **offered: Any) -> Any:
        node = self._cluster.add_node(**{"num_cpus": 1, "object_store_memory": STORE_BYTES, **offered})
        self.here.append(node)
        return node

    def three(self) -> Machines:
        """Sees to it that there are three, in any case."""
        while len(self.here) < 3:
            self.add()
        return self

    def kill(self, node: Any = None) -> None:
        """Kills everything on a machine, at once."""
        node = node or self.here[0]
        self.here.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.delenv("RAY_ADDRESS", raising=False)
        machines = Machines()
        cluster.join(machines.address, None)  # once for all: a process has one connection
        yield machines
        cluster.leave()
        machines.end()


@pytest.fixture
def puppet(tmp_path: Path) -> Puppet:
    return Puppet(str(tmp_path / "log"))


class TestTwoMachines(ExecutorContract):
    workers = 2

    @pytest.fixture
    def executor(self, machines: Machines) -> Executor:
        return Ray(address=machines.three().address, workers=2, patience=60)


def on_ray(machines: Machines, **settings: Any) -> Ray:
    return Ray(address=machines.address, **{"patience": 60, **settings})


# -- the same archive -------------------------------------------------------------------------------------------------


def archive_of(store: str, executor: Any, evaluations: int = 150) -> tuple[str, int]:
    with Campaign("peak", name="peak", store=store, executor=executor) as campaign:
        campaign.run(evaluations=evaluations)
        return campaign.digest(), campaign.progress.records


def test_one_seed_gives_one_archive_inline_on_two_lanes_and_on_three_machines(machines: Machines, folder: Path) -> None:
    inline = archive_of("sqlite:///inline.db", "inline")
    assert archive_of("sqlite:///local.db", {"use": "local", "workers": 2}) == inline
    assert archive_of("sqlite:///ray.db", on_ray(machines.three())) == inline


NAPPING = """
import time
from evoengine import Problem, Score

class Napping(Problem):
    name = "napping"
    goal = "Return a large number."
    entry = "f"
    seed = "def f():\\n    a = 0.5\\n    b = a * 2.0\\n    return a + b\\n"

    def inputs(self):
        return [()]

    def judge(self, outputs):
        time.sleep(0.05)
        return Score(min(1e6, max(-1e6, float(outputs[0]))))
"""


def test_a_machine_that_is_killed_in_mid_run_costs_time_only(machines: Machines, folder: Path) -> None:
    (folder / "problems" / "napping.py").write_text(NAPPING)

    def archive(store: str, executor: Any, *watchers: Watcher) -> tuple[str, int, int]:
        settings: Any = {"name": "n", "operators": ["structural"], "watchers": watchers}
        with Campaign("napping", store=store, executor=executor, **settings) as campaign:
            campaign.run(evaluations=100)
            return campaign.digest(), campaign.progress.records, campaign.progress.evaluations

    def kill(event: Event) -> None:
        if isinstance(event, Committed) and event.record.number == 20:
            machines.kill()

    whole = archive("sqlite:///local.db", {"use": "local", "workers": 2})
    machines.three()
    found = archive("sqlite:///ray.db", on_ray(machines, workers=3), kill)
    assert len(machines.here) == 2
    assert found == whole


# -- losses -----------------------------------------------------------------------------------------------------------


SPOT = {"spot": 1.0}
"""What only a machine offers that is there to be killed."""


def test_an_evaluation_outlives_any_number_of_machines_and_waits_for_the_next(
    machines: Machines, puppet: Puppet
) -> None:
    async def work(executor: Executor) -> Any:
        doomed = first
        sleeper = asyncio.create_task(executor.evaluate(Program.of("sleep")))
        for times in range(1, 3):  # twice, which would be too often for a judge
            await puppet.until("asleep", times)
            machines.kill(doomed)
            doomed = machines.add(resources=SPOT)
        await puppet.until("asleep", 3)
        assert not sleeper.done()
        sleeper.cancel()
        found = await executor.evaluate(Program.of("xyz"))
        machines.kill(doomed)
        return found

    first = machines.add(resources=SPOT)
    assert ran(on_ray(machines, workers=1, resources=SPOT), puppet, work).evaluation.score == 3.0


def test_a_conversation_goes_on_where_its_machine_went_away(machines: Machines, puppet: Puppet) -> None:
    async def work(executor: Executor) -> Any:
        async with executor.reserve() as trial:
            first = await trial.answer(Probe(program=Program.of("x"), entry="f"))
            machines.kill(doomed)
            other = machines.add(resources=SPOT)
            second = await trial.answer(Probe(program=Program.of("x"), entry="g"))
        machines.kill(other)
        return first, second

    doomed = machines.add(resources=SPOT)
    (first, _), (second, entry) = ran(on_ray(machines, workers=1, resources=SPOT), puppet, work)
    assert first != second
    assert entry == "g"


class Assassin(Puppet):
    """Kills not itself but the actor that it works for, as a machine short of memory does."""

    def _act(self, text: str) -> None:
        if text == "kill":
            self.note("killed")
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        super()._act(text)


def test_what_ends_its_whole_worker_is_unjudged_the_second_time(machines: Machines, puppet: Puppet) -> None:
    machines.three()

    async def work(executor: Executor) -> Any:
        return await executor.evaluate(Program.of("kill")), await executor.evaluate(Program.of("xyz"))

    dead, alive = ran(on_ray(machines, workers=1), Assassin(puppet.log), work)
    assert dead.evaluation.cause is Cause.UNJUDGED
    assert puppet.noted().count("killed") == 2
    assert alive.evaluation.score == 3.0


def test_workers_join_with_machines(machines: Machines, puppet: Puppet) -> None:
    spots = [machines.add(resources=SPOT)]

    async def work(executor: Executor) -> None:
        sleepers = [asyncio.create_task(executor.evaluate(Program.of("sleep"))) for _ in range(2)]
        await puppet.until("asleep", 1)
        spots.append(machines.add(resources=SPOT))
        await puppet.until("asleep", 2)
        for sleeper in sleepers:
            sleeper.cancel()

    ran(on_ray(machines, resources=SPOT), puppet, work)
    for spot in spots:
        machines.kill(spot)


def test_without_room_the_run_stops_after_a_while_and_says_what_is_missing(machines: Machines, puppet: Puppet) -> None:
    machines.three()

    async def work(executor: Executor) -> None:
        await executor.evaluate(Program.of("x"))

    with pytest.raises(ExecutorError, match=r"CPU: 1, gold: 2.*3|gold: 2.*CPU: 1"):
        ran(on_ray(machines, resources={"gold": 2}, patience=2), puppet, work)


# -- what is sent along -----------------------------------------------------------------------------------------------


def evaluator_of(problem: str, sandbox: Any = None) -> Evaluator:
    return Evaluator(build("problems", problem), sandbox or Unconfined())


def evaluated(machines: Machines, evaluator: Any, text: str, away: Callable[[], None]) -> Any:
    executor = on_ray(machines.three(), workers=1)
    executor.prepare(evaluator)
    away()

    async def work() -> Any:
        async with executor:
            return (await executor.evaluate(Program.of(text))).evaluation

    return asyncio.run(work())


def test_a_problem_folder_works_where_it_does_not_lie(machines: Machines, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "data.txt").write_text("40")
    (mine / "helper.py").write_text("def plus(x):\n    return x + 2.0\n")
    (mine / "problem.py").write_text(
        "from pathlib import Path\n"
        "from evoengine import Problem, Score\n"
        "from .helper import plus\n"
        "class Mine(Problem):\n"
        "    name, goal, entry = 'mine', 'g', 'f'\n"
        "    seed = 'def f():\\n    return 1\\n'\n"
        "    def inputs(self):\n        return [()]\n"
        "    def judge(self, outputs):\n"
        "        from .helper import plus as again\n"
        "        return Score(again(float((Path(__file__).parent / 'data.txt').read_text())))\n"
    )
    found = evaluated(
        machines, evaluator_of(str(mine)), "def f():\n    return 1\n", lambda: mine.rename(tmp_path / "gone")
    )
    assert found.score == 42.0


def test_another_engines_task_works_where_it_does_not_lie(machines: Machines, tmp_path: Path) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "initial_program.py").write_text("# EVOLVE-BLOCK-START\ndef f():\n    return 5\n# EVOLVE-BLOCK-END\n")
    (task / "beside.py").write_text("FACTOR = 2\n")
    (task / "evaluator.py").write_text(
        "import importlib.util\nfrom beside import FACTOR\n"
        "def evaluate(path):\n"
        "    spec = importlib.util.spec_from_file_location('p', path)\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n"
        "    return {'combined_score': float(module.f()) * FACTOR}\n"
    )
    text = (task / "initial_program.py").read_text()
    evaluator = evaluator_of(str(task), Jail())
    found = evaluated(machines, evaluator, text, lambda: task.rename(tmp_path / "gone"))
    assert found.score == 10.0


def test_what_is_too_large_to_be_sent_along_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "problem.py").write_text(NAPPING)
    with (mine / "weights.bin").open("wb") as weights:
        weights.truncate(LARGEST + 1)
    with pytest.raises(PluginError, match="64 MiB"):
        Ray().prepare(evaluator_of(str(mine)))


# -- GPUs -------------------------------------------------------------------------------------------------------------

SEEING = """
import os
from evoengine import Problem, Score

class Seeing(Problem):
    name, goal, entry, gpus = "seeing", "g", "f", 1
    seed = "def f():\\n    return 1\\n"

    def inputs(self):
        return [()]

    def judge(self, outputs):
        return Score(1.0, feedback=os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
"""


def test_a_problem_that_asks_for_a_gpu_gets_one_of_its_own(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "seeing.py").write_text(SEEING)
    machines.three()
    node = machines.add(num_gpus=2, num_cpus=2)

    async def work(executor: Executor) -> Any:
        return [(await executor.evaluate(Program.of("def f():\n    return 1\n"))).evaluation]

    try:
        [found] = ran(on_ray(machines, workers=1), evaluator_of(str(tmp_path / "seeing.py")), work)
    finally:
        machines.kill(node)
    assert found.feedback in ("0", "1")


# -- what a person may get wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "told"), [("127.0.0.1:1", "ray start --head"), ("ray://127.0.0.1:10001", "ray job submit")]
)
def test_a_cluster_that_does_not_answer_is_one_line_at_once(address: str, told: str, folder: Path) -> None:
    given = ("--executor", "ray", "--set", f"executor.address={address}", "--evaluations", "5", "--quiet")
    done = evoengine("run", "peak", *given, cwd=folder, timeout=60)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_machine_with_another_evoengine_is_refused(machines: Machines, puppet: Puppet, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import evoengine\nevoengine.__version__ = '0.0.9'\n")
    env = {"env_vars": {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}}
    machines.three()

    async def work(executor: Executor) -> None:
        raise AssertionError

    with pytest.raises(ExecutorError, match=r"0\.0\.9"):
        ran(on_ray(machines, runtime_env=env), puppet, work)


def test_secrets_of_the_workers_environment_are_not_among_the_settings() -> None:
    assert "sk-1" not in str(Ray(runtime_env={"env_vars": {"KEY": "sk-1"}, "pip": ["x"]}).settings())


def test_workers_that_ask_for_nothing_need_a_number(puppet: Puppet) -> None:
    with pytest.raises(SettingError, match="say how many"):
        Ray(cpus=0).prepare(puppet)


# -- the command line -------------------------------------------------------------------------------------------------


def test_the_command_line_runs_on_a_cluster_of_its_own_prints_only_its_lines_and_leaves_nothing(folder: Path) -> None:
    done = evoengine(
        "run", "peak", "--executor", "ray", "--set", "executor.address=local", "--workers", "1",
        "--evaluations", "20", "--quiet", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["best score", "best known"]
    assert not [line for line in done.stderr.splitlines() if "ray" in line.replace(sys.executable, "")]


HANGING = """
import asyncio, sys
from evoengine.executors.ray import Ray
from evoengine.testing import Puppet
from evoengine.types import Program

async def main():
    executor = Ray(address=sys.argv[1], workers=3)
    executor.prepare(Puppet(sys.argv[2]))
    async with executor:
        await asyncio.gather(*(executor.evaluate(Program.of("sleep")) for _ in range(3)))

asyncio.run(main())
"""


@pytest.mark.parametrize("with_what", [signal.SIGINT, signal.SIGKILL])
def test_nothing_survives_the_process_that_started_it(
    machines: Machines, puppet: Puppet, with_what: signal.Signals
) -> None:
    machines.three()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    engine = subprocess.Popen(
        [sys.executable, "-c", HANGING, machines.address, puppet.log],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    with engine:
        while puppet.noted().count("asleep") < 3:
            assert engine.poll() is None
            time.sleep(0.05)
        os.killpg(engine.pid, with_what)
        engine.wait(timeout=60)
    lanes = [int(line.split()[1]) for line in puppet.noted().splitlines()]
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in lanes):
        assert time.monotonic() < end
        time.sleep(0.05)


# -- generators -------------------------------------------------------------------------------------------------------


def scripted(machines: Machines, **settings: Any) -> Any:
    of = settings.pop("of", {"use": "scripted", "answers": ["one", "two"]})
    return build("generators", {"use": "ray", "of": of, "address": machines.address, "patience": 30, **settings})


def asked(text: str, seed: int = 0) -> Prompt:
    return Prompt(messages=({"role": "user", "content": text},), seed=seed)


def test_a_generator_in_actors_answers_as_it_does_here(machines: Machines) -> None:
    machines.three()
    generator = scripted(machines, replicas=2)

    async def work() -> Any:
        async with generator:
            return generator.policy, await asyncio.gather(
                *(generator.sample(asked("a b", seed), 2) for seed in range(4))
            )

    policy, found = asyncio.run(work())
    assert policy == "scripted"
    assert [[one.text for one in some] for some in found] == [["one", "two"], ["two", "one"]] * 2
    assert found[0][0].prompt_tokens == 2


MODEL = """
import asyncio, os, signal
from evoengine.errors import GeneratorError
from evoengine.generators.base import Generator
from evoengine.types import Completion

class Model(Generator):
    log: str
    broken: bool = False

    @property
    def policy(self):
        return "m"

    async def __aenter__(self):
        if self.broken:
            raise GeneratorError("no such model: give another")
        return self

    async def sample(self, prompt, n=1):
        text = prompt.messages[-1]["content"]
        try:
            if text == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            self.note(f"asked {os.getpid()}")
            if text == "wait":
                await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.note("cancelled")
            raise
        return [Completion(text=str(os.getpid()), policy="m") for _ in range(n)]

    def note(self, line):
        with open(self.log, "a") as log:
            log.write(line + "\\n")
"""


@pytest.fixture
def model(tmp_path: Path, puppet: Puppet) -> dict[str, Any]:
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return {"use": str(path), "log": puppet.log}


def test_replicas_are_asked_in_turn_and_a_lost_one_is_made_up_for(
    machines: Machines, puppet: Puppet, model: dict[str, Any]
) -> None:
    machines.three()
    generator = scripted(machines, of=model, replicas=2)

    async def work() -> None:
        async with generator:
            answers: set[str] = set()
            while len(answers) < 2:  # until both are there
                answers.add((await generator.sample(asked("x")))[0].text)
            waiting = [asyncio.create_task(generator.sample(asked("wait"))) for _ in range(2)]
            with pytest.raises(NoAnswer, match="two replicas"):
                await generator.sample(asked("die"))
            for one in waiting:
                one.cancel()
            assert (await generator.sample(asked("x")))[0].text not in answers

    asyncio.run(work())


def test_cancelling_a_prompt_cancels_it_in_its_replica(
    machines: Machines, puppet: Puppet, model: dict[str, Any]
) -> None:
    machines.three()
    generator = scripted(machines, of=model)

    async def work() -> None:
        async with generator:
            waiting = asyncio.create_task(generator.sample(asked("wait")))
            await puppet.until("asked")
            waiting.cancel()
            await puppet.until("cancelled")

    asyncio.run(work())


def test_a_generator_that_cannot_be_opened_there_says_why(machines: Machines, model: dict[str, Any]) -> None:
    machines.three()

    async def opened(generator: Any) -> None:
        async with generator:
            pass

    with pytest.raises(GeneratorError, match="no such model"):
        asyncio.run(opened(scripted(machines, of={**model, "broken": True})))
    with pytest.raises(GeneratorError, match="GPU: 8"):
        asyncio.run(opened(scripted(machines, gpus=8, patience=2)))


def test_a_campaign_may_have_both_on_a_cluster(machines: Machines, folder: Path) -> None:
    machines.three()
    answer = "```python\ndef numbers():\n    return [0.3, 0.5, 0.7]\n```\n"
    with Campaign(
        "peak",
        store="sqlite:///both.db",
        executor=on_ray(machines, workers=2),
        generator={"use": "ray", "of": {"use": "scripted", "answers": [answer]}, "address": machines.address},
        operators=["rewrite"],
        guidance=False,
    ) as campaign:
        campaign.run(evaluations=5)
        best = campaign.best()
    assert best is not None
    assert best.scored.score == 0.0
