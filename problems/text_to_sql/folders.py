"""Exams from a folder that a user has: Spider's layout or BIRD's.

Spider (Yu et al. 2018, arXiv:1809.08887): `tables.json`, `<split>.json`, `database/<db>/<db>.sqlite`.
BIRD (Li et al. 2023, arXiv:2305.03111): `<split>.json` with `evidence`, `<split>_databases/<db>/<db>.sqlite`, and
`database_description/*.csv` beside each database.

Databases are read once, here, and go into the jail as rows: at most `rows` of each table, the first by rowid, and
fewer where a database would be over `MOST_BYTES`. The gold queries are run on the same rows.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from evoengine.errors import ProblemError, SettingError

from .databases import Database
from .exams import HELD_OUT, Exam, exam_of, shuffled, split
from .querying import cells, quoted
from .questions import Question

MOST_BYTES = 2 * 2**20
"""Of a database's rows, as JSON."""
_NOTE_CHARS = 4000


class Folder:
    """A data set as its makers lay it out.

    Args:
        path: the folder.
        name: the split: its questions are in `<name>.json`.

    Raises:
        SettingError: a file or folder is missing (the message names it).
    """

    def __init__(self, path: Path, name: str) -> None:
        if not path.is_dir():
            raise SettingError(f"setting 'folder': there is no folder {path}; give the one that holds {name}.json.")
        self._questions = path / f"{name}.json"
        self._spider = (path / "database").is_dir()
        self._databases = path / ("database" if self._spider else f"{name}_databases")
        self._tables = path / "tables.json"
        if not self._questions.is_file():
            found = ", ".join(sorted(one.name for one in path.glob("*.json"))) or "none"
            raise SettingError(
                f"setting 'split': {self._questions} is missing; the folder's JSON files: {found}. "
                f"Spider's splits are dev and train_spider, BIRD's dev and train."
            )
        if not self._databases.is_dir():
            raise SettingError(
                f"setting 'folder': {path} has neither database/ (Spider) nor {name}_databases/ (BIRD); "
                f"give the folder that the data set was unpacked to."
            )
        if self._spider and not self._tables.is_file():
            raise SettingError(f"setting 'folder': {self._tables} is missing, which Spider's layout has.")

    def exam(self, stage: str, *, seed: int, count: int, rows: int, steps: int) -> Exam:
        """Questions about the databases of a stage: the held-out ones are in no question of another stage.

        Raises:
            ProblemError: a file cannot be read, or there are fewer than two databases.
        """
        entries = self._entries()
        names = sorted({database for database, _ in entries})
        if len(names) < 2:
            raise ProblemError(
                f"{self._questions} asks about {len(names)} database; at least 2 are needed to hold one out."
            )
        mine = set(split(names, stage, f"text_to_sql/{seed}/folder"))
        chosen = shuffled([entry for entry in entries if entry[0] in mine], f"text_to_sql/{seed}/{stage}/questions")
        read: dict[str, Database] = {}

        def questions() -> Iterator[Question]:
            for database, question in chosen:
                if database not in read:
                    read[database] = self._database(database, rows)
                yield question

        if stage != HELD_OUT and not chosen:
            raise ProblemError(f"{self._questions} has no question for stage {stage!r}.")
        return exam_of(questions(), read, count=count, steps=steps)

    def _entries(self) -> list[tuple[str, Question]]:
        """The questions with the names of their databases."""
        found = []
        for place, entry in enumerate(_json(self._questions)):
            match entry:
                case {"db_id": str() as database, "question": str() as text, **rest}:
                    sql = rest.get("SQL", rest.get("query"))
                    if not isinstance(sql, str):
                        raise ProblemError(f"{self._questions}: entry {place} has neither 'SQL' nor 'query'.")
                    evidence = rest.get("evidence") or ""
                    whole = f"{text}\nHint: {evidence}" if evidence else text
                case _:
                    raise ProblemError(f"{self._questions}: entry {place} has no 'db_id' and 'question'.")
            name = f"{database}/{place}"
            found.append(
                (database, Question(name=name, database=database, template="", text=whole, sql=sql,
                                    ordered=orders(sql)))
            )  # fmt: skip
        return found

    def _database(self, name: str, rows: int) -> Database:
        path = self._databases / name / f"{name}.sqlite"
        if not path.is_file():
            raise ProblemError(f"{path} is missing, and {self._questions} asks about database {name!r}.")
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
                opened.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
                return _read(opened, name, rows, self._notes(name))
        except sqlite3.Error as error:
            raise ProblemError(f"{path} cannot be read as a SQLite database: {error}.") from None

    def _notes(self, name: str) -> str:
        lines = self._natural_names(name) if self._spider else self._descriptions(name)
        return "\n".join(lines)[:_NOTE_CHARS]

    def _natural_names(self, name: str) -> list[str]:
        """What Spider's tables.json calls columns whose names say little."""
        for entry in _json(self._tables):
            match entry:
                case {"db_id": str() as database, "column_names": list() as natural,
                      "column_names_original": list() as original} if database == name:  # fmt: skip
                    return [
                        f"-- {own[1]}: {said[1]}"
                        for own, said in zip(original, natural, strict=False)
                        if str(own[1]).lower().replace("_", " ") != said[1]
                    ]
        return []

    def _descriptions(self, name: str) -> list[str]:
        lines = []
        for path in sorted((self._databases / name / "database_description").glob("*.csv")):
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                for row in csv.DictReader(file):
                    said = [(row.get(key) or "").strip() for key in ("column_description", "value_description")]
                    told = "; ".join(" ".join(one.split()) for one in said if one)
                    if told:
                        lines.append(f"-- {path.stem}.{(row.get('original_column_name') or '').strip()}: {told}")
        return lines


def orders(sql: str) -> bool:
    """Whether the outermost query has an ORDER BY."""
    depth, quote, bare = 0, "", []
    for character in sql:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0:
            bare.append(character)
    return "order by" in " ".join("".join(bare).lower().split())


def _read(opened: sqlite3.Connection, name: str, most: int, notes: str) -> Database:
    """What the database holds, with as many rows of each table as fit."""
    tables = opened.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY rowid"
    ).fetchall()
    views = opened.execute("SELECT sql FROM sqlite_master WHERE type = 'view' ORDER BY rowid").fetchall()
    while True:
        rows = {table: _rows(opened, table, most) for table, _ in tables}
        if len(json.dumps(rows)) <= MOST_BYTES:
            break
        if most == 1:
            raise ProblemError(f"database {name!r} is over {MOST_BYTES} bytes with one row of each table.")
        most = max(1, most // 2)
    return Database(name=name, script=tuple(sql for _, sql in tables) + tuple(sql for (sql,) in views), rows=rows,
                    notes=notes)  # fmt: skip


def _rows(opened: sqlite3.Connection, table: str, most: int) -> list[list[Any]]:
    columns = ", ".join(quoted(row[1]) for row in opened.execute(f"PRAGMA table_xinfo({quoted(table)})") if row[6] == 0)
    select = f"SELECT {columns} FROM {quoted(table)}"
    try:
        found = opened.execute(f"{select} ORDER BY rowid LIMIT ?", (most,)).fetchall()
    except sqlite3.OperationalError:  # a table WITHOUT ROWID is kept in the order of its key
        found = opened.execute(f"{select} LIMIT ?", (most,)).fetchall()
    return [cells(row) for row in found]


def _json(path: Path) -> list[Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProblemError(f"{path} cannot be read: {error}.") from None
    if not isinstance(found, list):
        raise ProblemError(f"{path} should hold a list, found {type(found).__name__}.")
    return found
