from __future__ import annotations

from pathlib import Path

import pytest

from evoengine.benching import Bench, Suite, Task
from evoengine.benching.suites import suites
from evoengine.config import campaign_of
from evoengine.errors import SettingError


def suite(**given: object) -> Suite:
    told = {"name": "own", "methods": {"evolve": {}}, "tasks": (Task(problem="circle_packing"),), **given}
    return Suite(**told)


@pytest.mark.parametrize("name", suites())
def test_every_campaign_of_a_shipped_suite_can_be_made(name: str, tmp_path: Path) -> None:
    shipped = Suite.named(name)
    bench = Bench(shipped, f"sqlite:///{tmp_path}/bench.db", {})
    assert len(bench.cells) == len(shipped.tasks) * len(shipped.methods) * shipped.seeds
    assert shipped.baselines
    for task in shipped.tasks:
        campaign, _ = campaign_of({"problem": task.problem, "store": f"sqlite:///{tmp_path}/x.db", **task.parts})
        assert campaign.problem.best_known is not None or campaign.problem.floor is not None


def test_a_suite_is_narrowed_to_tasks_methods_and_budgets() -> None:
    whole = Suite.named("quick")
    [first, second, *_] = whole.tasks
    few = whole.narrowed(only=(second.label, first.label), methods=("evolve", "floor"), seeds=2, evaluations=7)
    assert [task.label for task in few.tasks] == [second.label, first.label]
    assert [task.evaluations for task in few.tasks] == [7, 7]
    assert few.methods == {"evolve": {}, "floor": {"mutator": "floor"}}
    assert (few.seeds, few.baselines) == (2, ["floor"])


def test_beside_a_language_model_stands_the_floor_without_one() -> None:
    assert "floor" not in Suite.named("quick").narrowed().methods
    assert Suite.named("quick").narrowed(model=True).methods["floor"] == {"mutator": "floor"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Suite.named("quik"), "no suite 'quik'.*Did you mean 'quick'"),
        (lambda: Suite.named("nowhere.toml"), "no suite 'nowhere.toml'"),
        (lambda: Suite.named("quick").narrowed(only=("circle_packin",)), "no task 'circle_packin'.*circle_packing"),
        (lambda: Suite.named("quick").narrowed(methods=("sequentia",)), "no method 'sequentia'.*'sequential'"),
        (lambda: suite(tasks=()), "tasks"),
        (lambda: suite(seeds=0), "seeds"),
        (lambda: Bench(suite(tasks=(Task(problem="x"),) * 2), "s", {}), "x-evolve-0"),
        (lambda: Bench(suite(), "s", {"seed": 3}), "seed is decided by the suite"),
    ],
)  # fmt: skip
def test_what_a_person_got_wrong_is_told(call, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        call()


@pytest.mark.parametrize("text", ["name = 3 =", "methods = {evolve = {}}", "tasks = 3\n[methods.evolve]\n"])
def test_a_file_that_is_no_suite_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(SettingError, match=r"own\.toml"):
        Suite.named(str(path))
