"""The command line, as a person or a script uses it."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, evoengine

STORE = ("--store", "sqlite:///evo.db")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `peak` was evolved for a while."""
    from tests.conftest import PEAK

    folder = tmp_path_factory.mktemp("ran")
    (folder / "problems").mkdir()
    (folder / "problems" / "peak.py").write_text(PEAK, encoding="utf-8")
    done = evoengine("run", "peak", *STORE, "--evaluations", "400", "--workers", "2", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "best score" in done.stdout
    assert "best known" in done.stdout
    assert "evoengine best peak" in done.stderr
    return folder


def read(folder: Path, *arguments: str) -> object:
    done = evoengine(*arguments, *STORE, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_best_gives_all_that_is_needed_to_check_it_again(ran: Path) -> None:
    best = read(ran, "best", "peak")
    assert isinstance(best, dict)
    assert {"campaign", "number", "score", "metrics", "features", "content", "outputs", "operator", "parents"} <= set(
        best
    )
    [numbers] = best["outputs"]
    assert best["score"] == pytest.approx(-math.dist(numbers, (0.3, 0.5, 0.7)), rel=1e-12)
    names: dict[str, object] = {}
    exec(best["content"]["files"]["main.py"], names)  # the test's own problem: nothing hostile in it
    assert names["numbers"]() == numbers  # type: ignore[operator]


def test_show_gives_where_the_campaign_stands(ran: Path) -> None:
    shown = read(ran, "show", "peak")
    assert isinstance(shown, dict)
    assert {
        "campaign", "problem", "records", "evaluations", "best_score", "islands", "coverage", "qd_score",
        "archive_digest", "seconds",
    } <= set(shown)  # fmt: skip
    assert shown["evaluations"] >= 400
    assert 0 < shown["coverage"] <= 1
    assert shown["seconds"] > 0
    assert shown["best_score"] > -0.7


def test_reading_verbs_agree_with_each_other(ran: Path) -> None:
    best, elites, lineage = read(ran, "best"), read(ran, "elites", "--limit", "0"), read(ran, "lineage")
    assert isinstance(best, dict)
    assert isinstance(elites, list)
    assert isinstance(lineage, list)
    assert elites[0]["number"] == best["number"] == lineage[0]["number"]
    assert lineage[-1]["operator"] == "seed"
    scores = [row["score"] for row in elites]
    assert scores == sorted(scores, reverse=True)
    exported = evoengine("export", *STORE, cwd=ran)
    records = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [record["number"] for record in records] == list(range(1, len(records) + 1))
    assert max(record["score"] for record in records if record["score"] is not None) == best["score"]


@pytest.mark.slow
def test_every_reading_verb_prints_tables_and_csv(ran: Path) -> None:
    for verb in (["list"], ["show"], ["best"], ["elites"], ["lineage"], ["search", "numbers"]):
        table = evoengine(*verb, *STORE, cwd=ran)
        assert table.returncode == 0, table.stderr
        assert table.stdout.strip()
        done = evoengine(*verb, *STORE, "--format", "csv", cwd=ran)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert rows, verb


def test_a_diff_shows_what_a_child_changed(ran: Path) -> None:
    best = read(ran, "best")
    assert isinstance(best, dict)
    done = evoengine("diff", "1", str(best["number"]), *STORE, cwd=ran)
    assert done.returncode == 0
    assert done.stdout.startswith("--- #1")


def test_elites_are_exported_as_files(ran: Path, tmp_path: Path) -> None:
    done = evoengine("export", "--programs", str(tmp_path / "out"), *STORE, cwd=ran)
    assert done.returncode == 0, done.stderr
    files = list((tmp_path / "out").glob("*.py"))
    elites = read(ran, "elites", "--limit", "0")
    assert isinstance(elites, list)
    assert len(files) == len(elites)


@pytest.mark.slow
def test_the_same_run_command_again_goes_on_and_resume_does_too(folder: Path) -> None:
    for total in (30, 60):
        done = evoengine("run", "peak", *STORE, "--evaluations", str(total), "--quiet", "--format", "json", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["evaluations"] >= total
    done = evoengine("resume", "peak", *STORE, "--evaluations", "90", "--quiet", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["evaluations"] >= 90


def test_a_campaign_is_a_toml_file_and_flags_change_it(folder: Path) -> None:
    (folder / "campaign.toml").write_text(
        'name = "from-file"\nstore = "sqlite:///evo.db"\nevaluations = 20\nislands = 3\noperators = ["structural"]\n'
        'problem = { use = "peak", shift = 0.1 }\nselector = { use = "rank", alpha = 2.0 }\n'
    )
    done = evoengine("run", "campaign.toml", "--set", "islands=2", "--quiet", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["campaign"] == "from-file"
    assert summary["islands"] == 2


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["run", "peek"], "Did you mean 'peak'?", 2),
        (["run", "peak", "--set", "ilands=3"], "Did you mean 'islands'?", 2),
        (["run", "peak", "--set", "problem.shfit=3"], "Peak has no setting 'shfit'; it has: shift", 2),
        (["run", "peak", "--set", "islands"], "key=value", 2),
        (["run", "peak", "--set", "seed=high"], "whole number", 2),
        (["run", "peak", "--set", "selector=rnk"], "Did you mean 'rank'?", 2),
        (["run", "peak", "--store", "postgres://x"], "no stores plugin is called 'postgres'", 2),
        (["run", "missing.toml"], "missing.toml cannot be read", 2),
        (["run", "peak", "--no-such-flag"], "No such option", 2),
        (["run", "problems/bad.py"], "problems/bad.py fails to import: NameError", 2),
        (["run", "silent"], "no seed of problem 'silent' scores: crashed", 1),
        (["show", "--store", "sqlite:///none.db"], "there is no store at none.db", 1),
    ],
)
def test_what_a_person_gets_wrong_is_told_in_one_line(folder: Path, arguments: list[str], says: str, code: int) -> None:
    (folder / "problems" / "bad.py").write_text("undefined_name\n")
    text = (folder / "problems" / "peak.py").read_text().replace("a = 0.9", "a = 1 / 0").replace('"peak"', '"silent"')
    (folder / "problems" / "silent.py").write_text(text)
    done = evoengine(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "evo.db").exists() or code == 1


@pytest.mark.slow
def test_a_new_problem_is_about_twenty_lines_and_runs_at_once(tmp_path: Path) -> None:
    made = evoengine("new", "problem", "my_problem", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    lines = (tmp_path / "problems" / "my_problem.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 24
    checked = evoengine("check", "my_problem", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    done = evoengine("run", "my_problem", "--evaluations", "300", "--quiet", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["best_score"] > 0.02
    again = evoengine("new", "problem", "my_problem", cwd=tmp_path)
    assert again.returncode == 2
    assert "already" in again.stderr


def test_check_finds_a_judge_that_believes_the_candidate(folder: Path) -> None:
    text = (folder / "problems" / "peak.py").read_text()
    start = text.index("        if not (isinstance")
    text = text[:start] + "        return Score(numbers['score'] if isinstance(numbers, dict) else -1.0, first=0.5)\n"
    (folder / "problems" / "peak.py").write_text(text)
    done = evoengine("check", "peak", cwd=folder)
    assert done.returncode == 1
    assert "NO     hostile outputs never beat the seed" in done.stdout


@pytest.mark.slow
def test_problems_plugins_and_doctor_answer(folder: Path) -> None:
    problems = json.loads(evoengine("problems", "--format", "json", cwd=folder).stdout)
    names = {row["problem"] for row in problems}
    assert {
        "peak", "circle_packing", "heilbronn_triangle", "autocorrelation", "online_bin_packing",
        "symbolic_regression", "tsp_construct", "max_min_ratio", "circle_packing_rectangle", "heilbronn_convex",
        "hexagon_packing", "autocorrelation_second", "autocorrelation_third", "erdos_minimum_overlap", "uncertainty",
        "kissing_number", "sum_difference", "matrix_multiplication", "cap_set", "difference_basis",
        "hadamard_determinant", "cvrp", "job_shop", "knapsack", "cfr_regret", "policy_gradient_loss",
        "tabular_pipeline", "small_optimizer", "kernel_speed", "expression_evaluator", "sql_query",
    } <= names  # fmt: skip
    plugins = json.loads(evoengine("plugins", "--settings", "--format", "json", cwd=folder).stdout)
    assert {"grid", "softmax", "structural", "tune", "idioms", "sqlite", "local", "jail", "none"} <= {
        row["name"] for row in plugins
    }
    doctor = json.loads(evoengine("doctor", "--format", "json", cwd=folder).stdout)
    assert doctor["cores"] >= 1


@pytest.mark.slow
def test_ctrl_c_finishes_what_is_in_flight_and_the_run_goes_on_later(folder: Path) -> None:
    command = [sys.executable, "-m", "evoengine", "run", "peak", *STORE, "--evaluations", "100000", "--quiet"]
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        listed = evoengine("list", *STORE, "--format", "json", cwd=folder)
        if listed.returncode == 0 and any(row["records"] > 5 for row in json.loads(listed.stdout)):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    before = read(folder, "show")
    assert isinstance(before, dict)
    more = str(before["evaluations"] + 50)
    done = evoengine("run", "peak", *STORE, "--evaluations", more, "--quiet", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["records"] > before["records"]


def test_help_and_import_load_nothing_heavy() -> None:
    script = (
        "import sys, evoengine, evoengine.cli\n"
        "heavy = {'torch', 'vllm', 'transformers', 'ray', 'matplotlib', 'scipy', 'libcst'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
