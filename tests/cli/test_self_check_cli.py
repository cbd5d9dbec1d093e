"""`evoengine sandbox self-check`: what holds here, as a person or a script sees it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from evoengine.selfcheck import GROUPS, attacks
from tests.conftest import evoengine

SOME = ("--only", "0501*", "--only", "0001*")
NAMES = sorted(one.name for one in attacks() if one.name[:4] in ("0001", "0501"))


def test_what_is_held_is_told_by_group(tmp_path: Path) -> None:
    done = evoengine("sandbox", "self-check", *SOME, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["group", "honest", "reads"]


def test_what_gets_through_is_told_by_name_with_status_1(tmp_path: Path) -> None:
    done = evoengine("sandbox", "self-check", *SOME, "--sandbox", "none", cwd=tmp_path)
    assert done.returncode == 1
    *_, names, row = done.stdout.splitlines()
    assert names.split() == ["name", "cause", "why"]
    assert row.split()[0] == NAMES[-1]
    assert NAMES[0] not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", ["jail", "none"])
def test_scripts_are_told_of_every_attack(tmp_path: Path, sandbox: str) -> None:
    as_json = evoengine("sandbox", "self-check", *SOME, "--sandbox", sandbox, "--format", "json", cwd=tmp_path)
    as_csv = evoengine("sandbox", "self-check", *SOME, "--sandbox", sandbox, "--format", "csv", cwd=tmp_path)
    rows = json.loads(as_json.stdout)
    assert [row["name"] for row in rows] == NAMES
    assert [row["held"] for row in rows] == [True, sandbox == "jail"]
    assert [row["why"] == "" for row in rows] == [row["held"] for row in rows]
    assert all((row["tier"] == "none") == (sandbox == "none") for row in rows)
    assert [row["name"] for row in csv.DictReader(io.StringIO(as_csv.stdout))] == NAMES
    assert as_json.returncode == as_csv.returncode == (sandbox == "none")


def test_a_tier_can_be_forced(tmp_path: Path) -> None:
    done = evoengine("sandbox", "self-check", "--only", "0001*", "--tier", "T3", "--format", "json", cwd=tmp_path)
    assert [row["tier"] for row in json.loads(done.stdout)] == ["T3"]


def test_attacks_that_there_are_not_are_told_in_a_line(tmp_path: Path) -> None:
    done = evoengine("sandbox", "self-check", "--only", "nothing*", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing*" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_attack_belongs_to_a_group_that_has_a_name() -> None:
    assert {one.group for one in attacks()} <= set(GROUPS)
