"""Pictures from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from evoengine import Campaign
from evoengine.cli import main
from evoengine.executors.inline import Inline
from tests.conftest import evoengine
from tests.rings import put

STORE = ("--store", "sqlite:///evo.db")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the campaigns `rings`, `7`, `mine` (of a file) and `broken` each have a seed."""
    made = tmp_path_factory.mktemp("drawn")
    put(made)
    put(made, name="mine.py")
    for problem, name in (("rings", "rings"), ("./mine.py", "mine")):
        done = evoengine(
            "run", problem, "--name", name, *STORE, "--evaluations", "1", "--workers", "1", "--sandbox", "none",
            cwd=made,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"best {name} --store sqlite:///evo.db --svg --out best.svg" in done.stderr
        assert ("--problem" in done.stderr) is (name == "mine")
    given: dict[str, Any] = {"executor": Inline(), "sandbox": "none", "operators": ["structural"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        for name, how in (("7", "well"), ("broken", "raises")):
            with Campaign({"use": "rings", "how": how}, name=name, store="sqlite:///evo.db", **given) as campaign:
                campaign.run(evaluations=1)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def say(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command line, in this process: a new one for each of them takes longer than all that they do."""

    def told(*words: str) -> Said:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["evoengine", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Said(returncode=int(ended.value.code or 0), stdout=out, stderr=err)

    return told


@pytest.mark.parametrize(
    "words",
    [
        ("show", "1", "--name", "rings", "--svg"), ("show", "rings", "--svg"), ("show", "--name", "rings", "--svg"),
        ("best", "rings", "--svg"), ("best", "rings", "--number", "1", "--svg"), ("show", "7", "--svg"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_picture_goes_to_standard_output_and_nothing_else_does(
    words: tuple[str, ...], say: Callable[..., Said]
) -> None:
    done = say(*words, *STORE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    root = ElementTree.fromstring(done.stdout)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "a ring <of> 0.25"


def test_a_picture_goes_to_a_file(say: Callable[..., Said], tmp_path: Path) -> None:
    done = say("show", "1", "--name", "rings", "--svg", "--out", str(tmp_path / "a.svg"), *STORE)
    assert (done.returncode, done.stdout) == (0, "")
    assert "a.svg" in done.stderr
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_show_with_a_number_tells_of_a_record(say: Callable[..., Said]) -> None:
    done = say("show", "1", "--name", "rings", *STORE, "--format", "json")
    best = say("best", "rings", *STORE, "--format", "json")
    assert json.loads(done.stdout) == json.loads(best.stdout)
    named = say("show", "7", *STORE, "--format", "json")
    assert json.loads(named.stdout)["campaign"] == "7"


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("show", "broken", "--svg"), "there is no picture of record 1: problem 'rings' cannot draw this", 1),
        (("show", "mine", "--svg"), "--problem", 1),
        (("show", "9", "--name", "rings", "--svg"), "no record 9", 1),
        (("show", "1", "--svg"), "which campaign?", 1),
        (("show", "rings", "--name", "7", "--svg"), "give the campaign once", 2),
        (("show", "rings", "--out", "x.svg"), "say --svg too", 2),
        (("best", "rings", "--svg", "--source"), "give one of them", 2),
        (("best", "rings", "--svg", "--out", "no/such/folder/x.svg"), "cannot write no/such/folder/x.svg", 2),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_what_cannot_be_drawn_is_told_in_one_line(
    words: tuple[str, ...], told: str, code: int, say: Callable[..., Said]
) -> None:
    done = say(*words, *STORE)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_problem_that_is_a_file_is_drawn_where_it_is_named(say: Callable[..., Said]) -> None:
    done = say("show", "mine", "--svg", "--problem", "mine.py", *STORE)
    assert done.returncode == 0, done.stderr
    assert "<ellipse" in done.stdout


def test_check_sees_to_it_that_a_seed_can_be_drawn(say: Callable[..., Said], folder: Path) -> None:
    done = say("check", "rings", "--sandbox", "none", "--format", "json")
    found = {one["what"]: one for one in json.loads(done.stdout)}
    assert found["a picture of a seed is drawn"]["holds"] == "yes"
    assert found["a picture of a seed is drawn"]["detail"] == "a ring <of> 0.25"
    text = (folder / "mine.py").read_text().replace('how: str = "well"', 'how: str = "script"')
    (folder / "worse.py").write_text(text)
    done = say("check", "./worse.py", "--sandbox", "none", "--format", "json")
    assert done.returncode == 1
    assert {one["what"]: one for one in json.loads(done.stdout)}["a picture of a seed is drawn"]["holds"] == "NO"
