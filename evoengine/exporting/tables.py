"""A row for each record, as JSON lines, CSV or Parquet. However many records there are, few are held at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from evoengine.errors import MissingExtra
from evoengine.readable import encodable, harmless, json_line
from evoengine.reading import Reading, main_text

_GROUP_ROWS = 2000
_GROUP_CHARACTERS = 16_000_000
"""Of rows that are held until they are written as a row group of Parquet."""
_FIRST = ("number", "score", "cause", "operator", "model", "island", "parents", "group", "guidance")
_COST = ("calls", "trials", "tokens", "money", "seconds")
_MARK = "self_scored"
_LATER = ("metrics", "instances", "checks", *_COST, "tier", "at", "digest", "feedback")


def write_lines(reading: Reading, out: TextIO) -> int:
    """Writes a JSON line for each record, with all that is known of it; gives their number."""
    count = 0
    for row in reading.rows():
        out.write(json_line({**row, "at": _iso(row["at"]), "digest": _digest(row)}) + "\n")
        count += 1
    return count


def write_csv(reading: Reading, out: TextIO, *, code: bool = False) -> int:
    """Writes a line for each record; gives their number.

    A feature is a column, `feature:NAME`; mappings and lists are JSON. Texts are made harmless for spreadsheets
    (`evoengine.readable.harmless`), so those of candidates may differ from what was written by an apostrophe in front
    and by escapes of control characters; JSON lines and Parquet hold them as they were.

    Args:
        reading: of the campaign.
        out: opened with `newline=""`.
        code: whether the last column holds the program.
    """
    writer = csv.writer(out, lineterminator="\n")
    features = [feature.name for feature in reading.features]
    later = (*_LATER, _MARK) if reading.self_scored else _LATER
    writer.writerow([*_FIRST, *(harmless(f"feature:{name}") for name in features), *later, *(["code"] if code else [])])
    count = 0
    for row in reading.rows():
        row |= {"at": _iso(row["at"]), "digest": _digest(row)}
        told = [row[name] for name in _FIRST]
        told += [row["features"].get(name) for name in features]
        told += [row[name] for name in later]
        if code:
            told.append(main_text(row))
        writer.writerow([_cell(value) for value in told])
        count += 1
    return count


def write_parquet(reading: Reading, path: Path) -> int:
    """Writes a row for each record, in row groups; gives their number.

    A feature is a column, `feature:NAME`; metrics, instances and files are maps. Half surrogate pairs, which Parquet's
    texts cannot hold, are escaped.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtra("the format parquet", "parquet")
    import pyarrow as pa
    from pyarrow import parquet

    number, text, real = pa.int64(), pa.string(), pa.float64()
    features = {f"feature:{feature.name}": feature.name for feature in reading.features}
    kinds = {
        "number": number, "score": real, "cause": text, "operator": text, "model": text, "island": pa.int32(),
        "parents": pa.list_(number), "group": number, "guidance": number,
        **{encodable(name): real for name in features},
        "metrics": pa.map_(text, real), "instances": pa.map_(text, real), "checks": text,
        "calls": number, "trials": number, "tokens": number, "money": real, "seconds": real,
        "tier": text, "at": pa.timestamp("us", tz="UTC"), "digest": text, "feedback": text, "outputs": text,
        "code": text, "files": pa.map_(text, text),
    }  # fmt: skip
    # in the file's own notes, as every value of a column would be the same
    noted = {_MARK: "true"} if reading.self_scored else {}
    schema = pa.schema(list(kinds.items()), metadata=noted)
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in _groups(reading):
            made = [_parquet_row(row, features) for row in rows]
            writer.write_table(pa.Table.from_pylist(made, schema=schema))
            count += len(made)
    return count


def _groups(reading: Reading) -> Iterator[list[dict[str, Any]]]:
    """Rows in lists of a bounded size."""
    held: list[dict[str, Any]] = []
    size = 0
    for row in reading.rows():
        held.append(row)
        size += sum(len(text) for text in _files(row).values()) + len(row["feedback"]) + len(json_line(row["outputs"]))
        if len(held) >= _GROUP_ROWS or size >= _GROUP_CHARACTERS:
            yield held
            held, size = [], 0
    if held:
        yield held


def _parquet_row(row: Mapping[str, Any], features: Mapping[str, str]) -> dict[str, Any]:
    made = {name: row.get(name) for name in (*_FIRST, *_COST)}
    made |= {encodable(column): row["features"].get(name) for column, name in features.items()}
    made |= {name: list(row[name].items()) for name in ("metrics", "instances")}
    made |= {
        "checks": json_line(row["checks"]) if row["checks"] else None,
        "tier": row["tier"],
        "at": _moment(row["at"]),
        "digest": _digest(row),
        "feedback": row["feedback"],
        "outputs": None if row["outputs"] is None else json_line(row["outputs"]),
        "code": main_text(row),
        "files": list(_files(row).items()),
    }
    return {name: _encodable(value) for name, value in made.items()}


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return encodable(value)
        case list() | tuple():
            return type(value)(map(_encodable, value))
        case _:
            return value


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case dict() | list():
            return json_line(value) if value else ""
        case str():
            return harmless(value)
        case _:
            return value


def _digest(row: Mapping[str, Any]) -> str | None:
    return None if row["content"] is None else row["content"]["digest"]


def _files(row: Mapping[str, Any]) -> dict[str, str]:
    """The files of a program, or the sections of a context."""
    content: dict[str, Any] = row["content"] or {}
    files: dict[str, str] = content.get("files") or content.get("sections") or {}
    return files


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _iso(at: float | None) -> str | None:
    moment = _moment(at)
    return None if moment is None else moment.isoformat(timespec="milliseconds")
