"""Records as JSON lines, CSV and Parquet: each holds the same facts, few at a time."""

from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import MissingExtra
from evoengine.exporting import write_csv, write_lines, write_parquet
from evoengine.readable import harmless
from evoengine.reading import Reading
from evoengine.stores.base import Store
from evoengine.types import EVERY_ISLAND, Candidate, Cause, Failed, Program, Record, Scored
from tests.campaigns.slopes import Descent, Slope, campaign_of
from tests.conftest import ROOT
from tests.web.hostile import ALL, EVIL, hostile, store_at

pytestmark = pytest.mark.slow

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "  =1", "＝1+1", '=HYPERLINK("http://x","y")')


@pytest.fixture(params=[Slope, Descent], ids=["maximize", "minimize"])
def reading(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reading]:
    with campaign_of(tmp_path, request.param()) as campaign:
        campaign.run(evaluations=60)
        yield Reading.named(campaign.store, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = store_at(tmp_path)
    yield made
    made.close()


def own_value(record: Record, reading: Reading) -> float | None:
    """The problem's own value, from the number that the program holds."""
    if not isinstance(record.evaluation, Scored):
        return None
    assert isinstance(record.candidate.content, Program)
    return float(int(record.candidate.content.text.split()[-1]) * 37 % 100)


def lines_of(reading: Reading) -> list[dict[str, Any]]:
    out = io.StringIO()
    count = write_lines(reading, out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert count == len(rows)
    return rows


def csv_of(reading: Reading, **settings: bool) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    count = write_csv(reading, out, **settings)
    rows = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert count == len(rows)
    return rows


def test_every_record_is_a_line_with_its_value_in_the_problems_own_direction(reading: Reading) -> None:
    rows, records = lines_of(reading), list(reading.records())
    assert [row["number"] for row in rows] == [record.number for record in records]
    assert [row["score"] for row in rows] == [own_value(record, reading) for record in records]
    assert {row["cause"] for row in rows} == {None, "rejected"}
    for row, record in zip(rows, records, strict=True):
        assert row["parents"] == list(record.candidate.parents)
        assert row["operator"] == record.candidate.operator
        assert row["digest"] == record.candidate.content.digest  # type: ignore[union-attr]
        assert row["content"]["files"] == dict(record.candidate.content.files)  # type: ignore[union-attr]


def test_csv_holds_the_same_facts_with_a_column_for_each_feature(reading: Reading) -> None:
    for row, line in zip(csv_of(reading, code=True), lines_of(reading), strict=True):
        assert int(row["number"]) == line["number"]
        assert row["score"] == ("" if line["score"] is None else str(line["score"]))
        assert row["feature:x"] == str(line["features"].get("x", ""))
        assert json.loads(row["metrics"] or "{}") == line["metrics"]
        assert json.loads(row["parents"] or "[]") == line["parents"]
        assert row["code"] == line["content"]["files"]["main.py"]
        assert (row["digest"], row["at"]) == (line["digest"], line["at"])
    assert "code" not in csv_of(reading)[0]


def test_parquet_holds_the_same_facts(reading: Reading, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = lines_of(reading)
    assert write_parquet(reading, tmp_path / "records.parquet") == len(lines)
    table = parquet.read_table(tmp_path / "records.parquet")
    for row, line in zip(table.to_pylist(), lines, strict=True):
        for name in ("number", "score", "cause", "operator", "parents", "digest", "feedback", "calls", "seconds"):
            assert row[name] == line[name], name
        assert row["feature:y"] == line["features"].get("y")
        assert dict(row["metrics"]) == line["metrics"]
        assert dict(row["files"]) == line["content"]["files"]
        assert row["at"].timestamp() == pytest.approx(float(_seconds(line["at"])), abs=1e-3)
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def test_a_context_that_guides_has_no_value_of_the_problem(store: Store) -> None:
    rows = lines_of(Reading(store, hostile(store)))
    assert [row["score"] for row in rows] == [3.0, None, 2.0, None, None]
    assert rows[1]["content"]["kind"] == "context"


def test_hostile_text_is_whole_in_lines_and_parquet_and_harmless_in_csv(store: Store, tmp_path: Path) -> None:
    reading = Reading(store, hostile(store))
    lines = lines_of(reading)
    assert lines[0]["feedback"] == ALL
    for row in csv_of(reading, code=True):
        assert not [char for text in row.values() for char in text if not char.isprintable() and char != "\n"]
        assert row["feedback"] in ("", harmless(ALL))
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    write_parquet(reading, tmp_path / "hostile.parquet")
    first, *_ = parquet.read_table(tmp_path / "hostile.parquet").to_pylist()
    assert first["feedback"] == ALL.replace("\ud800", "\\ud800")
    assert first[f"feature:one {EVIL}"] == 2.0


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_a_candidate_is_a_formula_in_a_spreadsheet(store: Store, text: str) -> None:
    row = hostile(store)
    store.append(
        row,
        [
            Record(
                number=6,
                candidate=Candidate(content=Program.of(text), island=0, operator=text, parents=(1,)),
                evaluation=Failed(cause=Cause.CRASHED, feedback=text),
                tier=text,
            )
        ],
    )
    *_, last = csv_of(Reading(store, row), code=True)
    for name in ("operator", "feedback", "tier", "code"):
        assert last[name].startswith("'"), name
        assert last[name][1:].strip() == harmless(text)[1:].strip()


@given(st.text())
def test_what_is_made_harmless_begins_no_formula_and_else_is_what_it_was(text: str) -> None:
    made = harmless(text)
    assert made.lstrip()[:1] not in {"=", "+", "-", "@"}
    assert made[:1] not in {"\t", "\n", "\r"}
    if text.isascii() and text.isprintable() and text.strip()[:1] not in {"=", "+", "-", "@"}:
        assert made == text


def test_a_negative_number_stays_a_number(store: Store) -> None:
    row = hostile(store)
    content = Program.of("x")
    scored = Scored(score=7.5, features={f"one {EVIL}": -2.0, "two": 1.0})
    store.append(
        row, [Record(number=6, candidate=Candidate(content=content, island=0, operator="o"), evaluation=scored)]
    )
    *_, last = csv_of(Reading(store, row))
    assert (last["score"], last[f"feature:one {EVIL}"]) == ("-7.5", "-2.0")


class Counting(io.StringIO):
    """Counts what is written and keeps none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def write(self, text: str) -> int:
        self.written += len(text)
        return len(text)


def large(store: Store, records: int, characters: int) -> Reading:
    """A campaign of records whose programs are long, made without running any."""
    row = hostile(store)
    made = store.create(name="large", problem="p", fingerprint="f", seed=1, settings=row.settings)
    for number in range(1, records + 1):
        record = Record(
            number=number,
            candidate=Candidate(content=Program.of(f"{number:{characters}}"), island=EVERY_ISLAND, operator="o"),
            evaluation=Scored(score=1.0, features={f"one {EVIL}": 1.0, "two": 1.0}),
        )
        store.append(made, [record])
    return Reading(store, made)


def test_memory_does_not_grow_with_the_records(store: Store, tmp_path: Path) -> None:
    reading = large(store, 300, 100_000)
    for write in (write_lines, lambda one, out: write_csv(one, out, code=True)):
        out = Counting()
        tracemalloc.start()
        try:
            write(reading, out)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert out.written > 30_000_000
        assert peak < 5_000_000, "a few records at a time"


def test_parquet_is_written_in_groups_of_a_bounded_size(store: Store, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "large.parquet"
    write_parquet(large(store, 400, 100_000), path)
    file = parquet.ParquetFile(path)
    assert file.metadata.num_rows == 400
    assert file.metadata.num_row_groups >= 2


def test_a_campaign_without_records_is_a_table_without_rows(store: Store, tmp_path: Path) -> None:
    settings = hostile(store).settings
    empty = Reading(store, store.create(name="none", problem="p", fingerprint="f", seed=0, settings=settings))
    assert lines_of(empty) == csv_of(empty) == []
    parquet = pytest.importorskip("pyarrow.parquet")
    assert write_parquet(empty, tmp_path / "none.parquet") == 0
    assert "score" in parquet.read_table(tmp_path / "none.parquet").column_names


def test_without_pyarrow_the_command_that_installs_it_is_told(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'evoengine\[parquet\]'"):
        write_parquet(reading, tmp_path / "records.parquet")
    assert not (tmp_path / "records.parquet").exists()


def test_exporting_and_analysis_load_no_library_that_is_an_extra() -> None:
    script = (
        "import sys, evoengine.exporting, evoengine.analysis, evoengine.cli.export\n"
        "heavy = {'pandas', 'matplotlib', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_scores_that_overflow_in_a_sum_are_strict_json(store: Store) -> None:
    for row in lines_of(Reading(store, hostile(store))):
        assert all(not isinstance(value, float) or math.isfinite(value) for value in row.values())
