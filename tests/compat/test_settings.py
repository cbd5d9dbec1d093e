"""Tasks are recognised, their settings are mapped, and what has no counterpart is said in one line."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

from evoengine.assembly import fingerprint_of
from evoengine.compat import Mapped, Task, write_problem
from evoengine.config import campaign_of, read
from evoengine.errors import MissingExtra, PluginError, SettingError
from evoengine.plugins import build, find
from evoengine.problem import Problem
from evoengine.types import Feature, Program
from tests.compat.by_hand import TASKS
from tests.compat.judged import evaluation_of, problem_in, written
from tests.conftest import evoengine

pytestmark = pytest.mark.slow

JUDGE = "def evaluate(path):\n    return {'combined_score': 1.0}\n"
FIRST = "def f():\n    return 1\n"


def mapped(folder: Path) -> Mapped:
    task = Task.found(folder)
    assert task is not None
    return Mapped.of(task)


@pytest.mark.parametrize("folder", sorted(TASKS.iterdir()), ids=lambda folder: folder.name)
def test_a_folder_is_recognised_by_its_files(folder: Path) -> None:
    task = Task.found(folder)
    assert task is not None
    assert task.engine == {"oe": "openevolve", "sh": "shinka", "ce": "codeevolve"}[folder.name[:2]]
    assert problem_in(folder).name == folder.name
    assert problem_in(folder).self_scored


def test_a_native_problem_beside_a_task_is_the_one_that_counts(tmp_path: Path) -> None:
    own = """
        from evoengine import Problem

        class Own(Problem):
            name, goal, seed = "own", "Be the one.", "def main():\\n    return 1\\n"
    """
    folder = written(tmp_path / "both", initial_program=FIRST, evaluator=JUDGE, problem=own)
    problem = build("problems", str(folder))
    assert isinstance(problem, Problem)
    assert problem.name == "own"
    assert not problem.self_scored


def test_a_folder_that_is_nothing_says_what_would_be(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"problem\.py, or a task of OpenEvolve, ShinkaEvolve or CodeEvolve"):
        find("problems", str(tmp_path))


def test_two_first_programs_are_an_error_that_names_both(tmp_path: Path) -> None:
    folder = written(tmp_path / "task", evaluator=JUDGE)
    for name in ("initial_program.rs", "initial_program.cpp"):
        (folder / name).write_text("", encoding="utf-8")
    with pytest.raises(SettingError, match=r"initial_program\.cpp, initial_program\.rs"):
        Task.found(folder)


def test_settings_of_openevolve_come_to_ours() -> None:
    found = mapped(TASKS / "oe_function_minimum")
    assert found.campaign == {
        "evaluations": 40,
        "seed": 7,
        "workers": 2,
        "inspirations": 3,
        "islands": {"count": 3, "interval": 60, "rate": 0.2},  # theirs counts what one island made
        "generator": {
            "use": "ensemble",
            "members": {
                name: {
                    "use": "openai",
                    "model": name,
                    "urls": ["http://127.0.0.1:9/v1"],
                    "key_variable": "SOME_KEY",
                    "temperature": 0.6,
                }
                for name in ("small-model", "large-model")
            },
            "weights": {"small-model": 0.8, "large-model": 0.2},
        },
    }
    assert found.options == {"cascade": False, "thresholds": [0.5, 0.75, 0.9]}
    assert found.limits.cpu_seconds == 20.0
    assert [(feature.name, feature.bins) for feature in found.features] == [("length", 8), ("distance", 8)]
    assert found.apart == ("complexity", "distance")
    assert found.left == ("a_setting_of_tomorrow", "llm.retries", "database.population_size")
    assert "lowest point" in problem_in(TASKS / "oe_function_minimum").notes


def test_settings_of_shinka_come_to_ours() -> None:
    found = mapped(TASKS / "sh_packing")
    assert found.campaign == {
        "evaluations": 25,
        "inspirations": 3,
        "islands": {"count": 2, "interval": 0},  # a rate of 0 is no migration
        "money": 1.5,
        "generator": {
            "use": "openai",
            "model": "some-model",
            "urls": ["http://127.0.0.1:9/v1"],
            "key_variable": "LOCAL_KEY",
            "temperature": 0.3,
            "max_tokens": 2048,
        },
    }
    assert found.options == {"arguments": {"repeats": 3}}
    assert found.limits.cpu_seconds == 90.0
    assert found.left == ("evo_config.patch_types",)


def test_settings_of_codeevolve_come_to_ours() -> None:
    found = mapped(TASKS / "ce_ratio")
    assert found.campaign == {
        "evaluations": 20,
        "inspirations": 2,
        "islands": {"count": 2, "interval": 10, "rate": 0.1},
    }
    assert found.fitness == "benchmark_ratio"
    assert found.features == (Feature(name="eval_time", low=0, high=60, bins=20),)
    assert found.limits.memory_mib == 953
    assert found.left == ("EVOLVE_CONFIG.meta_prompting", "MAP_ELITES.elite_map_type")
    assert problem_in(TASKS / "ce_ratio").goal == "SETTING: You make a list whose sum is large."


def test_each_stage_of_a_cascade_may_take_the_whole_time() -> None:
    assert mapped(TASKS / "oe_cascade").limits.cpu_seconds == 900.0
    assert mapped(TASKS / "oe_text").limits.cpu_seconds == 300.0


def test_what_mapping_gives_makes_a_campaign(tmp_path: Path) -> None:
    for folder in sorted(TASKS.iterdir()):
        settings = mapped(folder).campaign | {"problem": str(folder), "store": f"sqlite:///{tmp_path}/evo.db"}
        settings.pop("generator", None)  # which needs an extra
        campaign, _ = campaign_of(settings)
        campaign.close()


def test_a_key_that_is_written_out_is_not_taken_over(tmp_path: Path) -> None:
    config = "llm: {name: m, api_key: sk-very-secret}"
    found = mapped(written(tmp_path / "task", initial_program=FIRST, evaluator=JUDGE, config=config))
    assert "sk-very-secret" not in repr(found)
    assert found.left == ("llm.api_key",)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("a: [", "cannot be read"),
        ("- a\n- b", "holds a list"),
        ("evaluator: {timeout: soon}", "a value that cannot be used"),
        ("evaluator: {timeout: -1}", "a time limit of"),
    ],
)
def test_a_config_that_cannot_be_meant_is_an_error_in_one_line(config: str, why: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "task", initial_program=FIRST, evaluator=JUDGE, config=config)
    with pytest.raises(SettingError, match=why) as raised:
        mapped(folder)
    assert "\n" not in str(raised.value)


def test_without_a_reader_of_yaml_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = importlib.util.find_spec

    def without_yaml(name: str) -> object:
        return None if name == "yaml" else looked_up(name)

    monkeypatch.setattr("evoengine.compat.tasks.find_spec", without_yaml)
    with pytest.raises(MissingExtra, match=r"evoengine\[compat\]"):
        mapped(TASKS / "oe_cascade")
    assert mapped(TASKS / "oe_text").campaign == {"islands": {"count": 5}}  # there is none to read


def test_the_function_that_models_are_told_of_is_the_one_that_the_evaluator_calls() -> None:
    entries = {folder.name: problem_in(folder).entry for folder in TASKS.iterdir()}
    assert entries["oe_function_minimum"] == "run_search"
    assert entries["sh_packing"] == "run_packing"
    assert entries["sh_own_files"] == "answer"


def test_a_program_in_another_language_says_so() -> None:
    [seed] = problem_in(TASKS / "oe_text").seeds()
    assert isinstance(seed, Program)
    assert (seed.language, seed.main) == ("text", "initial_program.txt")


def test_a_changed_evaluator_is_another_problem(tmp_path: Path) -> None:
    folder = written(tmp_path / "task", initial_program=FIRST, evaluator=JUDGE)
    before = fingerprint_of(problem_in(folder))
    (folder / "evo.db").write_text("what a run leaves behind", encoding="utf-8")
    assert fingerprint_of(problem_in(folder)) == before
    (folder / "data.csv").write_text("1,2", encoding="utf-8")
    assert fingerprint_of(problem_in(folder)) != before


@pytest.mark.parametrize("name", ["oe_cascade", "oe_mean_of_metrics", "sh_packing", "ce_ratio", "oe_text"])
def test_what_is_imported_is_a_problem_of_its_own_with_the_same_score(name: str, tmp_path: Path) -> None:
    task = Task.found(TASKS / name)
    assert task is not None
    out = tmp_path / "imported"
    write_problem(task, out)
    out.chmod(0o755)
    own, theirs = problem_in(out), problem_in(TASKS / name)
    assert own.brief() == theirs.brief()
    assert own.features == theirs.features
    assert own.options == theirs.options
    assert own.folder == out / "task"
    assert evaluation_of(out) == evaluation_of(TASKS / name)
    assert read(out / "campaign.toml") == {"problem": str(out), **mapped(TASKS / name).campaign}


def test_an_import_overwrites_nothing(tmp_path: Path) -> None:
    task = Task.found(TASKS / "oe_text")
    assert task is not None
    (tmp_path / "mine.txt").write_text("", encoding="utf-8")
    with pytest.raises(SettingError, match="not empty"):
        write_problem(task, tmp_path)


def test_import_on_the_command_line_writes_a_problem_and_says_what_it_left(tmp_path: Path) -> None:
    done = evoengine("import", str(TASKS / "oe_function_minimum"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written_to = tmp_path / "problems" / "oe_function_minimum"
    assert (written_to / "problem.py").is_file()
    assert (written_to / "task" / "evaluator.py").is_file()
    assert tomllib.loads((written_to / "campaign.toml").read_text(encoding="utf-8"))["seed"] == 7
    [line] = [line for line in done.stderr.splitlines() if "no counterpart" in line]
    assert line.endswith("not used: a_setting_of_tomorrow, llm.retries, database.population_size")
    again = evoengine("import", str(tmp_path), cwd=tmp_path)
    assert again.returncode == 2
    assert "initial_program.* and evaluator.py" in again.stderr
