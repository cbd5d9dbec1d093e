"""`evoengine bench --suite`: campaigns of a suite, run, gone on with and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evoengine.benching import Bench, Outcome, Suite, Task, standings
from evoengine.benching.plots import plotted
from tests.conftest import evoengine

pytestmark = pytest.mark.slow

PROBLEM = '''
from evoengine import Anchor, Feature, Problem, Score, Stage

class Ten(Problem):
    """The sum of ten digits of a number."""

    name = "ten"
    goal = "a number of ten digits with a large sum of digits"
    entry = "number"
    seed = "def number():\\n    return 1234567890\\n"
    features = (Feature(name="last", low=0, high=10, bins=10),)
    stages = (Stage(name="full"), Stage(name="reversed", held_out=True))
    best_known = Anchor(value=90.0, source="ten nines")
    floor = Anchor(value=81.0, source="nine nines by hand")

    def inputs(self, stage="full"):
        return [()]

    def judge(self, outputs):
        digits = [int(digit) for digit in str(abs(int(outputs[0])))[-10:]]
        return Score(float(sum(digits)), last=float(digits[-1]))
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ten.py").write_text(PROBLEM)
    (tmp_path / "own.toml").write_text(
        "evaluations = 12\nseeds = 2\n[methods.evolve]\n[methods.best-of-n]\nmutator = 'best-of-n'\n"
        "[[tasks]]\nproblem = './ten.py'\n[tasks.parts]\nexecutor = 'inline'\nsandbox = 'none'\n"
    )
    return tmp_path


def bench(folder: Path, *arguments: str) -> dict[str, Any]:
    done = evoengine("bench", "--suite", "own.toml", *arguments, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_suite_gives_rows_campaigns_a_file_and_pictures(folder: Path) -> None:
    told = bench(folder, "--out", "found.json", "--plots", "drawn")
    assert json.loads((folder / "found.json").read_text()) == told
    assert {"date", "commit", "machine", "versions", "suite"} <= told.keys()
    assert [(row["method"], row["seeds"]) for row in told["rows"]] == [("evolve", 2), ("best-of-n", 2)]
    assert [(one["method"], one["seed"]) for one in told["campaigns"]] == [
        ("evolve", 0), ("best-of-n", 0), ("evolve", 1), ("best-of-n", 1)
    ]  # fmt: skip
    for row in told["rows"]:
        own = [one["best"] for one in told["campaigns"] if one["method"] == row["method"]]
        assert row["best"] == sum(own) / 2
        assert row["held_out"]["reversed"] is not None
        assert row["best_known"]["value"] == 90
        assert row["floor"]["value"] == 81
        assert {(corner["width"], corner["depth"]) for corner in row["frontier"]} >= {(1, 12), (2, 12), (1, 6), (2, 6)}
    [evolve, _] = told["rows"]
    assert 0 <= evolve["over"]["best-of-n"]["probability"] <= 1
    picture = (folder / "drawn" / "ten.svg").read_text()
    assert "<svg" in picture


def test_the_same_command_goes_on_and_finished_campaigns_are_not_run_again(folder: Path) -> None:
    first = bench(folder, "--seeds", "1")
    campaigns = evoengine("list", "--store", "sqlite:///bench.db", "--format", "json", cwd=folder)
    again = bench(folder)
    assert [one for one in again["campaigns"] if one["seed"] == 0] == first["campaigns"]
    assert len(again["campaigns"]) == 4
    assert len(json.loads(campaigns.stdout)) == 2


def test_a_table_has_the_floor_and_the_best_known_value_beside_each_method(folder: Path) -> None:
    done = evoengine("bench", "--suite", "own.toml", "--seeds", "1", cwd=folder)
    lines = [line.split()[:3] for line in done.stdout.splitlines()[1:]]
    assert [line[1] for line in lines] == ["evolve", "best-of-n", "by", "best"]
    assert "81" in done.stdout
    assert "[2/2] ten-best-of-n-0" in done.stderr


def outcomes(folder: Path, store: str, **given: Any) -> list[Outcome | None]:
    parts = {"executor": "inline", "sandbox": "none"}
    suite = Suite(
        name="own",
        evaluations=12,
        seeds=1,
        methods={"evolve": {}, "sequential": {"mutator": "sequential"}},
        tasks=(Task(problem=str(folder / "ten.py"), parts=parts),),
    )
    return list(Bench(suite, f"sqlite:///{folder}/{store}.db", given).run())


def test_one_seed_gives_no_interval_and_the_same_seed_the_same_results(folder: Path) -> None:
    one, other = outcomes(folder, "one"), outcomes(folder, "other")
    assert [a and a.digest for a in one] == [a and a.digest for a in other]
    found = [outcome for outcome in one if outcome is not None]
    rows = standings(found, ["sequential"])
    assert [row["interval"] for row in rows] == [None, None]
    assert [file.name for file in plotted(found, rows, folder / "drawn")] == ["ten.svg"]


def test_results_are_those_within_the_budget(folder: Path) -> None:
    longer = [one for one in outcomes(folder, "one") if one is not None]
    for one in longer:
        assert one.trace.evaluations[-1] <= 12
        assert one.best == max(score for score in one.trace.best if score == score)


def test_a_campaign_that_runs_out_of_time_is_told_and_not_run_on(folder: Path) -> None:
    text = (folder / "own.toml").read_text()
    (folder / "own.toml").write_text("seconds = 1.0\n" + text.replace("= 12", "= 1000000"))
    told = bench(folder, "--seeds", "1")
    assert [row["cut"] for row in told["rows"]] == [1, 1]
    assert all(0 < one["evaluations"] < 1000000 for one in told["campaigns"])
    again = bench(folder, "--seeds", "1")
    assert again["campaigns"] == told["campaigns"]
    assert not any(one["cut"] for one in bench(folder, "--seeds", "1", "--evaluations", "12")["campaigns"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "3"], "--seeds says what a suite runs"),
        (["--method", "evolve"], "--method says what a suite runs"),
        (["--suite", "own.toml", "--set", "seed=3"], "seed is decided by the suite"),
        (["--suite", "own.toml", "--set", "islnds=3"], "islnds"),
    ],
)
def test_what_a_person_got_wrong_takes_one_line(folder: Path, arguments: list[str], message: str) -> None:
    done = evoengine("bench", *arguments, cwd=folder)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
