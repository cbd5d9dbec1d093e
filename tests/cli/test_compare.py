"""`evoengine compare`: arms of campaigns, over their seeds."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, Program
from evoengine.analysis.comparing import t_interval, welch_interval
from evoengine.types import Candidate, Cost, Scored
from tests.campaigns.numbers import Numbers
from tests.conftest import evoengine

pytestmark = pytest.mark.slow

SCORES = {"rl": {0: 5, 1: 7, 2: 6}, "plain": {0: 2, 1: 4}}
"""The best of each arm's campaigns, by seed."""


class Least(Numbers):
    direction = "minimize"


class Another(Numbers):
    name = "another"


class Edited(Numbers):
    goal = "a larger number"


def made(folder: Path, name: str, best: int = 3, problem: type[Numbers] = Numbers, **settings: Any) -> None:
    """A campaign of a seed that is worth 1, and five children, the fourth of which is the best."""
    store = f"sqlite:///{folder}/numbers.db"
    with Campaign(problem(), name=name, store=store, sandbox="none", executor="inline", **settings) as campaign:
        for place, value in enumerate((1, 0, 1, best, 0)):
            candidate = Candidate(content=Program.of(f"# {place}"), island=0, operator="hand", parents=(1,))
            score = campaign.problem.signed(float(value))
            campaign.tell(candidate, Scored(score=score, features={"length": 1.0}), Cost(calls=1))


def arms(folder: Path, problem: type[Numbers] = Numbers) -> Path:
    """Two arms with some seeds each; `plain` is a baseline."""
    for arm, seeds in SCORES.items():
        for seed, best in seeds.items():
            mutator = "sequential" if arm == "plain" else "evolve"
            made(folder, f"{arm}-{seed}", best, problem, seed=seed, mutator=mutator)
    return folder


def compare(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = evoengine("compare", *arguments, "--store", "sqlite:///numbers.db", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def row(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    [found] = [one for one in rows if all(one[key] == value for key, value in wanted.items())]
    return found


def refusal(folder: Path, *arguments: str, code: int = 1) -> str:
    done = evoengine("compare", *arguments, "--store", "sqlite:///numbers.db", cwd=folder)
    assert done.returncode == code
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return arms(tmp_path_factory.mktemp("two"))


def test_an_arm_is_given_with_its_interval_and_how_much_better_it_is_than_the_baseline(two: Path) -> None:
    rows = compare(two, "rl-*", "floor=plain-*")
    own = row(rows, arm="rl-*", over=None, measure="best")
    interval = t_interval([5.0, 7.0, 6.0])
    assert interval is not None
    assert (own["mean"], own["best_seed"], own["seeds"], own["evaluations"]) == (6.0, 7.0, [3], 6)
    assert (own["low"], own["high"]) == (interval.low, interval.high)
    better = row(rows, arm="rl-*", over="floor", measure="best")
    welch = welch_interval([5.0, 7.0, 6.0], [2.0, 4.0])
    assert welch is not None
    assert (better["mean"], better["low"], better["high"]) == (3.0, welch.low, welch.high)
    assert better["seeds"] == [3, 2]
    assert row(rows, arm="rl-*", over=None, measure="improving")["mean"] == 1 / 5
    assert {one["over"] for one in rows} == {None, "floor"}


def test_the_budget_may_be_given_and_is_else_what_all_have_reached(two: Path) -> None:
    assert row(compare(two, "rl-*", "--at", "4"), measure="best")["mean"] == 1.0
    assert "got to 6 evaluations only, not to 7" in refusal(two, "rl-*", "--at", "7")


def test_one_seed_has_no_interval_and_that_is_said(two: Path) -> None:
    rows = compare(two, "rl-0", "plain-*")
    own = row(rows, arm="rl-0", over=None, measure="best")
    assert (own["mean"], own["low"], own["high"], own["note"]) == (5.0, None, None, "one seed: no interval")
    assert row(rows, arm="rl-0", over="plain-*", measure="best")["low"] is None
    done = evoengine("compare", "rl-0", "plain-*", "--store", "sqlite:///numbers.db", cwd=two)
    assert "rl-0: one seed" in done.stderr
    assert "one seed: no interval" in done.stdout
    assert "95% intervals over seeds" in done.stderr


def test_without_baselines_the_first_arm_is_compared_with_the_others(two: Path) -> None:
    rows = compare(two, "rl-0", "rl-1", "rl-2")
    assert {(one["arm"], one["over"]) for one in rows if one["over"]} == {("rl-0", "rl-1"), ("rl-0", "rl-2")}


def test_a_table_and_csv_hold_the_same_rows(two: Path) -> None:
    store = ("--store", "sqlite:///numbers.db")
    done = evoengine("compare", "rl-*", "plain-*", *store, "--format", "csv", cwd=two)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [one["measure"] for one in rows] == [one["measure"] for one in compare(two, "rl-*", "plain-*")]
    table = evoengine("compare", "rl-*", "plain-*", *store, cwd=two)
    assert len(table.stdout.splitlines()) == len(rows) + 1
    assert "better" in table.stderr


def test_of_a_problem_to_minimize_values_are_its_own_and_above_0_is_better(folder: Path) -> None:
    made(folder, "evolved", -3, Least)
    made(folder, "baseline", -1, Least, mutator="floor")
    rows = compare(folder, "evolved", "baseline")
    own = row(rows, arm="evolved", over=None, measure="best")
    assert own["mean"] == own["best_seed"] == -3.0
    area = row(rows, arm="evolved", over=None, measure="area")
    assert area["mean"] == pytest.approx((1 + 1 + 0 + 0 - 3) / 5)
    assert row(rows, arm="evolved", over="baseline", measure="best")["mean"] == 2.0


def test_an_interval_of_a_problem_to_minimize_has_its_lower_end_first(folder: Path) -> None:
    made(folder, "one-0", -3, Least)
    made(folder, "one-1", -5, Least, seed=1)
    own = row(compare(folder, "one-*"), measure="best")
    interval = t_interval([-3.0, -5.0])
    assert interval is not None
    assert (own["low"], own["high"], own["best_seed"]) == (interval.low, interval.high, -5.0)


def test_campaigns_of_two_problems_are_refused_and_so_are_two_states_of_one(folder: Path) -> None:
    for name, problem in (("one", Numbers), ("other", Another), ("edited", Edited)):
        made(folder, name, problem=problem)
    assert "one is of problem 'numbers', one of 'another'" in refusal(folder, "one", "other")
    assert "was edited, or set otherwise" in refusal(folder, "one", "edited")


def test_an_arm_is_one_campaign_but_for_its_seed(two: Path) -> None:
    said = refusal(two, "all=*")
    assert "no seeds of one arm ('all')" in said
    assert 'mutator is "evolve" in one and "sequential" in the other' in said


def test_no_campaign_stands_in_two_arms_and_none_is_made_up(two: Path) -> None:
    assert "'rl-1' is in two arms, 'rl-*' and 'rl-1'" in refusal(two, "rl-*", "rl-1", code=2)
    assert "two arms are called 'a'" in refusal(two, "a=rl-0", "a=rl-1", code=2)
    assert "there are: rl-0, rl-1, rl-2, plain-0, plain-1" in refusal(two, "rl-*", "nobody")
