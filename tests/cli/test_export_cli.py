"""`evoengine export` as a person or a script uses it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from evoengine.cli.app import app
from evoengine.errors import CampaignError, EvoengineError, SettingError
from tests.campaigns.slopes import Descent, campaign_of

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path: Path) -> str:
    with campaign_of(tmp_path, Descent()) as campaign:
        campaign.run(evaluations=40)
    return f"sqlite:///{tmp_path}/numbers.db"


def said(store: str, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["export", "--store", store, *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_lines_and_csv_go_to_standard_output_or_to_a_file_alike(store: str, tmp_path: Path) -> None:
    lines = said(store)
    assert lines == said(store, "--format", "json") == said(store, "--format", "jsonl")
    rows = [json.loads(line) for line in lines.splitlines()]
    table = said(store, "--format", "csv")
    assert [int(row["number"]) for row in csv.DictReader(io.StringIO(table))] == [row["number"] for row in rows]
    for form, text in (("jsonl", lines), ("csv", table)):
        path = tmp_path / f"records.{form}"
        assert said(store, "--format", form, "--output", str(path)) == ""
        assert path.read_bytes().decode() == text


def test_every_format_makes_what_it_says(store: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    count = len(said(store).splitlines())
    said(store, "--format", "parquet", "-o", str(tmp_path / "records.parquet"))
    assert parquet.read_metadata(tmp_path / "records.parquet").num_rows == count
    said(store, "--format", "programs", "-o", str(tmp_path / "programs"))
    assert (tmp_path / "programs" / "index.csv").exists()
    page = said(store, "--format", "html")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert len(re.findall(r'<article id="record-', said(store, "--format", "html", "--records", "2"))) == 2
    metadata = json.loads(said(store, "--format", "datasette"))
    assert "records" in metadata["databases"]["numbers"]["tables"]
    assert len(said(store, "--format", "table").splitlines()) == count + 1


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        (["--format", "parquet"], SettingError, "--output"),
        (["--format", "programs"], SettingError, "--output"),
        (["--format", "table", "-o", "x"], SettingError, "csv or jsonl"),
        (["nobody"], CampaignError, "no campaign is called 'nobody'"),
        (["--format", "csv", "-o", "missing/records.csv"], CampaignError, "cannot be written: No such file"),
        (["--format", "csv", "-o", "."], CampaignError, "cannot be written: Is a directory"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    store: str, arguments: list[str], kind: type[EvoengineError], says: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=re.escape(says)):
        said(store, *arguments)


def test_a_file_that_could_not_be_finished_is_not_there_and_an_older_one_stays(store: str, tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text("older")
    with closing(sqlite3.connect(tmp_path / "numbers.db")) as connection, connection:
        connection.execute("update records set cause = 'unheard of', score = null where number = 30")
    with pytest.raises(ValueError, match="unheard of"):  # a store that another version has written, say
        said(store, "--format", "csv", "-o", str(path))
    assert path.read_text() == "older"
    assert not list(tmp_path.glob(".*.part"))


def test_a_pipe_with_a_name_is_written_to_and_not_replaced(store: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        said(store, "--format", "datasette", "--output", str(pipe))
        assert pipe.is_fifo()
        assert json.loads(os.read(reader, 1_000_000))["databases"]
    finally:
        os.close(reader)


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(store: str, tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_text("older")
    link.symlink_to(target)
    said(store, "--output", str(link))
    assert link.is_symlink()
    assert target.read_text() == said(store)


def test_csv_of_other_verbs_is_harmless_in_a_spreadsheet_too(tmp_path: Path) -> None:
    from evoengine.types import Candidate, Program, Record, Scored
    from tests.web.hostile import EVIL, hostile, store_at

    store = store_at(tmp_path)
    row = hostile(store)
    scored = Scored(score=-1.0, features={f"one {EVIL}": 1.0, "two": 1.0}, feedback="=1+1")
    candidate = Candidate(content=Program.of("x"), island=0, operator="@evil", parents=(1,))
    store.append(row, [Record(number=6, candidate=candidate, evaluation=scored)])
    store.close()
    result = CliRunner().invoke(
        app, ["best", "--number", "6", "--store", f"sqlite:///{tmp_path}/evo.db", "--format", "csv"],
        catch_exceptions=False,
    )  # fmt: skip
    [found] = csv.DictReader(io.StringIO(result.stdout))
    assert (found["feedback"], found["operator"], found["score"]) == ("'=1+1", "'@evil", "1.0")
