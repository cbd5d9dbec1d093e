"""The elites as files: names are a candidate's own words, and nothing leaves the folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import CampaignError
from evoengine.exporting import write_programs
from evoengine.exporting.programs import _named
from evoengine.reading import Reading
from evoengine.stores.base import Store
from evoengine.testing.store import texts
from evoengine.types import EVERY_ISLAND, Candidate, Program, Record, Scored
from tests.campaigns.slopes import Descent, campaign_of
from tests.web.hostile import EVIL, hostile, store_at

NASTY = [
    "../up.py", "/etc/passwd", "a/../../b.py", "C:\\x.py", "con.py", "x\0.py", ".hidden", "-rf", "a b.py", "ä.py",
    "A.py", "a.py", "a.py/inside.py", "x" * 300 + ".py", "/".join("d" * 20) + ".py", "\u202e.py", "\ud800.py", ".",
    "..", "", "/", "end.",
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = store_at(tmp_path)
    yield made
    made.close()


def index_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def with_program(store: Store, files: dict[str, str]) -> Reading:
    """A campaign with one elite."""
    row = hostile(store)
    made = store.create(name="one", problem="p", fingerprint="f", seed=1, settings=row.settings)
    scored = Scored(score=-3.0, features={f"one {EVIL}": 1.0, "two": 1.0})
    candidate = Candidate(content=Program(files=files), island=EVERY_ISLAND, operator="=seed")
    store.append(made, [Record(number=1, candidate=candidate, evaluation=scored)])
    return Reading(store, made)


def test_each_elite_is_a_file_and_the_index_tells_its_own_value(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Descent()) as campaign:
        campaign.run(evaluations=60)
        reading = Reading.named(campaign.store, None)
        elites = reading.elites()
        assert write_programs(reading, tmp_path / "out") == len(elites) > 3
        rows = index_of(tmp_path / "out")
        assert [int(row["number"]) for row in rows] == [elite.number for elite in elites]
        for row, elite in zip(rows, elites, strict=True):
            text = (tmp_path / "out" / row["path"]).read_text()
            assert text == elite.content.text  # type: ignore[union-attr]
            assert float(row["score"]) == int(text.split()[-1]) * 37 % 100
            assert row["digest"] == elite.content.digest
            assert row["renamed"] == ""
        values = [float(row["score"]) for row in rows]
        assert values == sorted(values), "the best, here the lowest, first"
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"index.csv", *(row["path"] for row in rows)}


def test_a_program_of_several_files_is_a_folder_that_keeps_plain_names(store: Store, tmp_path: Path) -> None:
    files = {"main.py": "import part.one\r\n", "part/one.py": "x = 'ä'\n", "part/__init__.py": ""}
    write_programs(with_program(store, files), tmp_path / "out")
    [row] = index_of(tmp_path / "out")
    assert row["path"] == "00000001/"
    assert row["renamed"] == ""
    assert row["operator"] == "'=seed", "no formula"
    folder = tmp_path / "out" / "00000001"
    found = {str(path.relative_to(folder)): path.read_bytes().decode() for path in folder.rglob("*") if path.is_file()}
    assert found == files


def test_hostile_names_stay_inside_the_folder_and_none_is_lost(store: Store, tmp_path: Path) -> None:
    files = {name: f"text of {place}" for place, name in enumerate(NASTY)}
    write_programs(with_program(store, files), tmp_path / "out")
    folder = tmp_path / "out" / "00000001"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"00000001", "index.csv"}
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert sorted(found.values()) == sorted(files.values())
    [row] = index_of(tmp_path / "out")
    renamed = json.loads(row["renamed"])
    assert {renamed.get(path, path): text for path, text in found.items()} == files
    assert len({"a.py", "A.py"} & found.keys()) == 1, "they are one file where case does not count"


@given(st.lists(texts | st.sampled_from(NASTY), min_size=1, max_size=8, unique=True))
def test_names_are_safe_and_differ_whatever_they_were(names: list[str]) -> None:
    made = _named({name: name for name in names})
    assert made.keys() == set(names)
    paths = [path for path, _ in made.values()]
    assert len({path.lower() for path in paths}) == len(paths)
    for path in paths:
        parts = path.split("/")
        assert path.isascii()
        assert path.isprintable()
        assert not {"", ".", ".."} & set(parts)
        assert not any(part.startswith((".", "-")) or len(part) > 80 for part in parts)
        assert not any(other.lower().startswith(f"{path.lower()}/") for other in paths), "no file is a folder too"


def test_a_folder_that_holds_something_is_left_as_it_is(store: Store, tmp_path: Path) -> None:
    reading = with_program(store, {"main.py": "x"})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(CampaignError, match="is not empty"):
        write_programs(reading, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
