"""What other engines kept of their runs becomes a campaign that can be looked at, and gone on with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evoengine.compat import Checkpoint
from evoengine.errors import SettingError
from evoengine.reading import Reading
from evoengine.stores.sqlite import Sqlite
from evoengine.types import Failed, Scored
from tests.compat.judged import written
from tests.conftest import evoengine

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "checkpoints"
PROGRAM = "def f(x=1):\n    return 0.25\n"
JUDGES = {
    "openevolve": {
        "initial_program": "def f():\n    return 0.25\n",
        "evaluator": "def evaluate(path):\n    return {'combined_score': 0.25, 'a': 0.0625, 'b': 0.75}\n",
    },
    "shinka": {
        "initial": PROGRAM,
        "evaluate": "import argparse\nfrom shinka.core import run_shinka_eval\np = argparse.ArgumentParser()\n"
        "p.add_argument('--program_path')\np.add_argument('--results_dir')\na = p.parse_args()\n"
        "run_shinka_eval(program_path=a.program_path, results_dir=a.results_dir, experiment_fn_name='f', num_runs=1,\n"
        "    get_experiment_kwargs=lambda i: {'x': 1}, validate_fn=lambda r: (True, None),\n"
        "    aggregate_metrics_fn=lambda rs: {'combined_score': rs[0], 'public': {}, 'private': {}})\n",
    },
}


def kept(folder: Path, engine: str) -> Path:
    """A checkpoint, as its engine leaves it."""
    if engine == "openevolve":
        return Path(shutil.copytree(KEPT / "openevolve", folder / "checkpoint_8"))
    place = folder / "results"
    place.mkdir()
    with closing(sqlite3.connect(place / "programs.sqlite")) as connection:
        connection.executescript((KEPT / "shinka.sql").read_text(encoding="utf-8"))
    return place


def facts(folder: Path, engine: str) -> dict[str, list[tuple[float | None, str | None]]]:
    """Score and parent's text of each program with a text, read with nothing of ours."""
    if engine == "openevolve":
        programs = [json.loads(path.read_text()) for path in (folder / "programs").glob("*.json")]
        rows = [(one["id"], one["parent_id"], one["code"], one["metrics"].get("combined_score")) for one in programs]
    else:
        with closing(sqlite3.connect(folder / "programs.sqlite")) as connection:
            asked = "select id, parent_id, code, case when correct then combined_score end from programs"
            rows = connection.execute(asked).fetchall()
    texts = {key: text for key, _, text, _ in rows}
    found: dict[str, list[tuple[float | None, str | None]]] = {}
    for _, parent, text, score in rows:
        found.setdefault(text, []).append((score, texts.get(parent)))
    return found


@pytest.mark.parametrize("engine", ["openevolve", "shinka"])
def test_a_checkpoint_becomes_a_campaign_with_its_scores_and_parents_that_goes_on(engine: str, tmp_path: Path) -> None:
    task = written(tmp_path / "task", **JUDGES[engine])
    place = kept(tmp_path, engine)
    expected = facts(place, engine)
    done = evoengine("import", str(place), "--task", "task", "--store", "sqlite:///past.db", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "evoengine resume task" in done.stderr
    store = Sqlite(url=f"sqlite:///{tmp_path}/past.db")
    store.open()
    reading = Reading.named(store, "task")
    records = list(reading.records())
    assert reading.self_scored
    by_number = {record.number: record for record in records}
    texts = {record.number: record.candidate.content.text for record in records}  # type: ignore[union-attr]
    assert sorted(texts.values()) == sorted(expected)
    assert texts[1] == (task / ("initial_program.py" if engine == "openevolve" else "initial.py")).read_text()
    for number in list(by_number)[1:]:
        record = by_number[number]
        assert record.candidate.operator == engine
        score = record.evaluation.score if isinstance(record.evaluation, Scored) else None
        parents = [texts[one] for one in record.candidate.parents] or [None]
        assert len(parents) == 1
        assert (score, parents[0]) in expected[texts[number]]
    assert any(isinstance(record.evaluation, Failed) for record in records)
    store.close()
    more = evoengine("resume", "task", "--store", "sqlite:///past.db", "--evaluations", "12", "--quiet", cwd=tmp_path)
    assert more.returncode == 0, more.stderr


def test_children_come_after_their_parents_whatever_the_clock_said(tmp_path: Path) -> None:
    place = kept(tmp_path, "openevolve")
    for path in (place / "programs").glob("*.json"):
        row = json.loads(path.read_text())
        row |= {"timestamp": -row["timestamp"], "generation": 0, "iteration_found": 0}
        path.write_text(json.dumps(row))
    checkpoint = Checkpoint.found(place)
    assert checkpoint is not None
    keys = [one.key for one in checkpoint.programs]
    parents = [(at, keys.index(one.parent)) for at, one in enumerate(checkpoint.programs) if one.parent in keys]
    assert parents
    assert all(parent < child for child, parent in parents)


def test_programs_that_are_each_other_s_parents_end_nothing(tmp_path: Path) -> None:
    place = kept(tmp_path, "openevolve")
    first, second, *_ = sorted((place / "programs").glob("*.json"))
    one, other = json.loads(first.read_text()), json.loads(second.read_text())
    first.write_text(json.dumps({**one, "parent_id": other["id"]}))
    second.write_text(json.dumps({**other, "parent_id": one["id"]}))
    checkpoint = Checkpoint.found(place)
    assert checkpoint is not None
    assert len(checkpoint.programs) == len(list((place / "programs").iterdir()))


@pytest.mark.parametrize("text", ["{", "[]", '{"id": "a"}', '{"id": "a", "code": "x", "timestamp": "now"}'])
def test_a_damaged_checkpoint_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    place = kept(tmp_path, "openevolve")
    next((place / "programs").iterdir()).write_text(text)
    with pytest.raises(SettingError, match=r"checkpoint_8 cannot be read"):
        Checkpoint.found(place)


def test_what_is_no_checkpoint_is_none(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("create table programs (id)")
    (tmp_path / "programs.sqlite").write_text("not a database")
    assert Checkpoint.found(tmp_path / "other.db") is None
    assert Checkpoint.found(tmp_path) is None
    assert Checkpoint.found(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["checkpoint_8"], "name the folder of its task with --task"),
        (["checkpoint_8", "--task", "other"], "the checkpoint is of openevolve, the task other of shinka"),
        (["task", "--task", "task"], "task is no checkpoint"),
        (["checkpoint_8/metadata.json"], "is no task of another engine"),
    ],
)
def test_what_a_person_got_wrong_takes_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    written(tmp_path / "task", **JUDGES["openevolve"])
    written(tmp_path / "other", **JUDGES["shinka"])
    kept(tmp_path, "openevolve")
    done = evoengine("import", *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "evo.db").exists()


def test_a_second_import_under_the_same_name_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path / "task", **JUDGES["openevolve"])
    kept(tmp_path, "openevolve")
    for expected in (0, 1):
        done = evoengine("import", "checkpoint_8", "--task", "task", cwd=tmp_path)
        assert done.returncode == expected, done.stderr
    assert "give this one a --name" in done.stderr
