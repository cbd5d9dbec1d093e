"""`evoengine steer`: what people decide, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.conftest import PEAK, evoengine

pytestmark = pytest.mark.slow

STORE = ("--store", "sqlite:///evo.db")
PLAIN = ("--workers", "1", "--set", 'operators=["structural"]')
OWN = "def numbers():\n    return [0.3, 0.5, 0.7]\n"


def run(folder: Path, evaluations: int) -> None:
    done = evoengine("run", "./peak.py", *STORE, "--evaluations", str(evaluations), *PLAIN, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short campaign; only read."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "peak.py").write_text(PEAK)
    run(folder, 12)
    return folder


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(copytree(begun, tmp_path / "peak"))


def steer(folder: Path, *arguments: str, status: int = 0) -> str:
    done = evoengine("steer", *arguments, *STORE, cwd=folder)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    return done.stderr


def decisions(folder: Path) -> list[dict[str, Any]]:
    done = evoengine("steer", "list", *STORE, "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_what_is_decided_waits_and_becomes_records_of_the_next_run(folder: Path) -> None:
    (folder / "own.py").write_text(OWN)
    (folder / "several").mkdir()
    (folder / "several" / "main.py").write_text("from other import numbers\n")
    (folder / "several" / "other.py").write_text("def numbers():\n    return [0.3, 0.5, 0.6]\n")
    assert "decision 1 waits for campaign 'peak'" in steer(folder, "submit", "own.py", "--parent", "1")
    steer(folder, "submit", "several")
    steer(folder, "note", "1", "where it began")
    steer(folder, "goal", "three floats, please")
    steer(folder, "pin", "1")
    steer(folder, "quarantine", "1")
    assert [(one["kind"], one["came_of_it"]) for one in decisions(folder)] == [
        (kind, "waits") for kind in ("submit", "submit", "note", "goal", "pin", "quarantine")
    ]
    run(folder, 30)
    found = decisions(folder)
    assert [one["record"] for one in found] == list(range(found[0]["record"], found[0]["record"] + 6))
    assert [one["came_of_it"] for one in found[:5]] == [""] * 5
    assert "records taken out" in found[5]["came_of_it"]
    best = evoengine("best", *STORE, "--format", "json", cwd=folder)
    told = json.loads(best.stdout)
    assert told["number"] == found[1]["record"], "the first was said to be made from what is in quarantine"
    assert told["score"] == pytest.approx(-0.1)
    table = evoengine("steer", "list", *STORE, cwd=folder)
    assert "where it began" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "why", "status"),
    [
        (("pin", "99"), "records are 1 to", 1),
        (("note", "1", " "), "needs a text", 1),
        (("goal",), "give a text, or --clear", 2),
        (("goal", "a", "--clear"), "give a text, or --clear", 2),
        (("submit", "nothing.py"), "does not exist", 2),
        (("submit", "bytes.py"), "no text in UTF-8", 2),
        (("submit", "empty"), "holds no file", 2),
        (("pin", "1", "--name", "other"), "no campaign is called 'other'", 1),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    folder: Path, arguments: tuple[str, ...], why: str, status: int
) -> None:
    (folder / "bytes.py").write_bytes(b"\xff\xfe")
    (folder / "empty").mkdir()
    assert why in steer(folder, *arguments, status=status)
    assert decisions(folder) == []
