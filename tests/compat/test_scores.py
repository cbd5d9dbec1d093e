"""Tasks of other engines score here what their evaluators say when they are called by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from evoengine.compat import Task
from evoengine.sandboxes import probe
from evoengine.types import Cause, Failed, Scored
from tests.compat import by_hand
from tests.compat.by_hand import TASKS
from tests.compat.judged import evaluation_of, written

pytestmark = pytest.mark.skipif(
    not {"T1", "T2"} & {one.tier for one in probe() if one.works}, reason="files of one's own need namespaces"
)

RUNS = """
    import runpy

    def evaluate(program_path):
        return runpy.run_path(program_path)["result"]()
"""
"""An evaluator that says what the program says: what is tested is what becomes of that."""
ANY = "def result():\n    return {'combined_score': 1.0}\n"


def scored(folder: Path, text: str | None = None) -> Scored:
    evaluation = evaluation_of(folder, text)
    assert isinstance(evaluation, Scored), evaluation
    return evaluation


@pytest.mark.parametrize(
    ("task", "program"),
    [
        ("oe_function_minimum", "initial_program.py"),
        ("oe_error_text", "initial_program.py"),
        ("oe_coroutine", "initial_program.py"),
        ("oe_subprocess", "initial_program.py"),
        ("oe_text", "initial_program.txt"),
    ],
)
def test_an_openevolve_task_scores_what_its_evaluator_says(task: str, program: str, tmp_path: Path) -> None:
    told = by_hand.openevolve(task, program, tmp_path)
    found = scored(TASKS / task)
    assert found.score == told["combined_score"]
    assert {name: found.metrics[name] for name in told} == told


def test_where_there_is_no_combined_score_it_is_the_mean_of_all_but_features_flags_and_nan(tmp_path: Path) -> None:
    told = by_hand.openevolve("oe_mean_of_metrics", "initial_program.py", tmp_path)
    found = scored(TASKS / "oe_mean_of_metrics")
    assert told["diversity"] == 9.0  # a dimension by default
    assert found.score == (told["accuracy"] + told["brevity"]) / 2
    assert "the mean of accuracy, brevity" in found.feedback
    assert "gone is nan" in found.feedback


def test_a_cascade_goes_on_while_its_thresholds_are_reached() -> None:
    found = scored(TASKS / "oe_cascade")  # 0.6, then 0.9 * 0.9 = 0.81 of 0.75, then the last stage's own
    assert found.score == sum(i / 100 for i in range(100)) / 100
    assert found.metrics["quick"] == 0.7
    assert found.metrics["passed"] == 1.0
    assert "seen: stage one" in found.feedback
    assert "log: third" in found.feedback


@pytest.mark.parametrize(
    ("task", "wanted"), [("sh_packing", 9 / 6), ("sh_own_files", 1.0)], ids=["with run_shinka_eval", "by itself"]
)
def test_a_shinka_task_scores_what_its_evaluate_writes(task: str, wanted: float, tmp_path: Path) -> None:
    told = by_hand.shinka(task, tmp_path, *(["--repeats", "3"] if task == "sh_packing" else []))
    found = scored(TASKS / task)
    assert found.score == told["combined_score"] == pytest.approx(wanted)


def test_a_shinka_task_shows_what_is_public_and_says_what_is_private_to_nobody() -> None:
    found = scored(TASKS / "sh_packing")
    assert found.metrics["circles"] == 9.0
    assert found.metrics["num_valid_runs"] == 3.0  # as its extra argument says
    assert "all circles are equal" in found.feedback
    assert "17" not in found.feedback
    assert "secret" not in found.metrics


def test_a_shinka_program_that_is_not_correct_has_no_score() -> None:
    text = (TASKS / "sh_packing" / "initial.py").read_text(encoding="utf-8").replace("1 / 6", "1 / 5")
    found = evaluation_of(TASKS / "sh_packing", text)
    assert isinstance(found, Failed)
    assert found.cause is Cause.REJECTED
    assert "Validation failed: a circle leaves the square" in found.feedback


def test_a_codeevolve_task_scores_by_its_fitness_key_within_its_code_base(tmp_path: Path) -> None:
    told = by_hand.codeevolve("ce_ratio", tmp_path)
    found = scored(TASKS / "ce_ratio")
    assert found.score == told["benchmark_ratio"] == 12 / 15
    assert found.features == {"eval_time": 0.25}


def test_an_error_that_is_a_text_is_told_and_no_metric() -> None:
    found = scored(TASKS / "oe_error_text")
    assert found.score == 0.0
    assert found.feedback.startswith("error: could not convert string to float: 'three'")
    assert "hint: give numbers" in found.feedback
    assert '"theirs": 2.5' in found.feedback
    assert set(found.metrics) == {"combined_score"}


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("{'combined_score': 0.25, 'error': 'text'}", 0.25),
        ("{'combined_score': __import__('numpy').float32(0.5)}", 0.5),
        ("{'a': 0.5, 'b': __import__('numpy').int64(1), 'flag': True}", 0.75),
        ("{'combined_score': '0.125'}", 0.125),
        ("{'a': 1.0, 'value': 3.0}", 2.0),
    ],
)
def test_what_evaluators_give_comes_to_a_score(said: str, value: float, tmp_path: Path) -> None:
    task = written(tmp_path / "task", initial_program=ANY, evaluator=RUNS)
    assert scored(task, f"def result():\n    return {said}\n").score == value


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{'combined_score': float('nan')}", "combined_score is nan"),
        ("{'combined_score': 10**400}", "combined_score is inf"),
        ("{'a': 1.0, 'b': float('inf')}", "a metric is infinite"),
        ("{'error': 0.0, 'timeout': True}", "gave no combined_score"),
        ("{'error': 'all went wrong'}", "all went wrong"),
        ("17", "returned a int"),
        ("1 / 0", "ZeroDivisionError"),
        ("exit(3)", "SystemExit"),
        ("{}", "gave no combined_score"),
    ],
)
def test_what_is_no_score_is_a_failure_that_says_why(said: str, why: str, tmp_path: Path) -> None:
    task = written(tmp_path / "task", initial_program=ANY, evaluator=RUNS)
    found = evaluation_of(task, f"def result():\n    return {said}\n")
    assert isinstance(found, Failed)
    assert why in found.feedback


STAGES = """
    def evaluate(path):
        return {"combined_score": 99.0}

    def evaluate_stage1(path):
        return {first}

    def evaluate_stage2(path):
        return {second}

    def evaluate_stage3(path):
        return {third}
"""


@pytest.mark.parametrize(
    ("stages", "config", "value", "metrics"),
    [
        (("{'combined_score': 0.4}", "1 / 0", "1 / 0"), "", 0.4, {"combined_score"}),
        (("{'combined_score': 0.5}", "{'combined_score': 0.7}", "1 / 0"), "", 0.7, {"combined_score"}),
        (("{'combined_score': 0.5}", "1 / 0", "1 / 0"), "", 0.5, {"combined_score", "stage2_passed"}),
        (("{'a': 0.9, 'error': 0.0}", "{'b': 0.8}", "{'c': 0.1}"), "", 0.6, {"a", "b", "c"}),
        (("{'a': 0.9, 'ok': True}", "{'b': 0.1}", "1 / 0"), "", 2 / 3, {"a", "b", "ok"}),  # a merge counts flags
        (("{'combined_score': 0.9}", "{'combined_score': 0.95}", "{'combined_score': 0.2}"),
         "evaluator: {cascade_thresholds: [0.5]}", 0.95, {"combined_score"}),
        (("{'combined_score': 0.1}", "1 / 0", "1 / 0"), "evaluator: {cascade_evaluation: false}", 99.0,
         {"combined_score"}),
    ],
    ids=["below the first", "below the second", "a later stage fails", "means", "flags", "one threshold", "none"],
)  # fmt: skip
def test_a_cascade_is_as_openevolve_has_it(
    stages: tuple[str, str, str], config: str, value: float, metrics: set[str], tmp_path: Path
) -> None:
    first, second, third = stages
    text = STAGES.replace("{first}", first).replace("{second}", second).replace("{third}", third)
    task = written(tmp_path / "task", initial_program=ANY, evaluator=text, config=config)
    found = scored(task)
    assert found.score == pytest.approx(value)
    assert set(found.metrics) == metrics


def test_a_folder_that_others_may_not_read_is_said_so(tmp_path: Path) -> None:
    task = written(tmp_path / "task", initial_program=ANY, evaluator=RUNS)
    task.chmod(0o700)
    assert Task.found(task) is not None
    found = evaluation_of(task)
    if isinstance(found, Failed):  # as root, whose candidates are somebody else
        assert "chmod -R o+rX" in found.feedback
