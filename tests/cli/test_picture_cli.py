"""Pictures from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import evoengine
from tests.rings import put

STORE = ("--store", "sqlite:///evo.db")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the campaigns `rings`, `7`, `mine` (of a file) and `broken` each have a seed."""
    made = tmp_path_factory.mktemp("drawn")
    put(made)
    put(made, name="mine.py")
    runs = (
        ("rings", "rings"),
        ("rings", "7"),
        ("./mine.py", "mine"),
        ("rings", "broken", "--set", "problem.how=raises"),
    )
    for problem, name, *more in runs:
        done = evoengine(
            "run", problem, "--name", name, *more, *STORE, "--evaluations", "1", "--workers", "1", "--sandbox", "none",
            cwd=made,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"best {name} --store sqlite:///evo.db --svg --out best.svg" in done.stderr
        assert ("--problem" in done.stderr) is (name == "mine")
    return made


@pytest.mark.parametrize(
    "words",
    [
        ("show", "1", "--name", "rings", "--svg"), ("show", "rings", "--svg"), ("show", "--name", "rings", "--svg"),
        ("best", "rings", "--svg"), ("best", "rings", "--number", "1", "--svg"), ("show", "7", "--svg"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_picture_goes_to_standard_output_and_nothing_else_does(words: tuple[str, ...], folder: Path) -> None:
    done = evoengine(*words, *STORE, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    root = ElementTree.fromstring(done.stdout)
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "a ring <of> 0.25"


def test_a_picture_goes_to_a_file(folder: Path, tmp_path: Path) -> None:
    done = evoengine("show", "1", "--name", "rings", "--svg", "--out", str(tmp_path / "a.svg"), *STORE, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert "a.svg" in done.stderr
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_show_with_a_number_tells_of_a_record(folder: Path) -> None:
    done = evoengine("show", "1", "--name", "rings", *STORE, "--format", "json", cwd=folder)
    best = evoengine("best", "rings", *STORE, "--format", "json", cwd=folder)
    assert json.loads(done.stdout) == json.loads(best.stdout)
    named = evoengine("show", "7", *STORE, "--format", "json", cwd=folder)
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
def test_what_cannot_be_drawn_is_told_in_one_line(words: tuple[str, ...], told: str, code: int, folder: Path) -> None:
    done = evoengine(*words, *STORE, cwd=folder)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_problem_that_is_a_file_is_drawn_where_it_is_named(folder: Path) -> None:
    done = evoengine("show", "mine", "--svg", "--problem", "mine.py", *STORE, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "<ellipse" in done.stdout


def test_check_sees_to_it_that_a_seed_can_be_drawn(folder: Path) -> None:
    done = evoengine("check", "rings", "--sandbox", "none", "--format", "json", cwd=folder)
    found = {one["what"]: one for one in json.loads(done.stdout)}
    assert found["a picture of a seed is drawn"]["holds"] == "yes"
    assert found["a picture of a seed is drawn"]["detail"] == "a ring <of> 0.25"
    text = (folder / "mine.py").read_text().replace('how: str = "well"', 'how: str = "script"')
    (folder / "worse.py").write_text(text)
    done = evoengine("check", "./worse.py", "--sandbox", "none", "--format", "json", cwd=folder)
    assert done.returncode == 1
    assert {one["what"]: one for one in json.loads(done.stdout)}["a picture of a seed is drawn"]["holds"] == "NO"
