"""Answers SQL queries over databases in memory: in the jail those that a model wrote, in the judge the gold ones.

Standard library only, as its text is sent into the jail. A query may read the tables of its database and use
functions that give the same twice; all else is refused by SQLite's authorizer. It has a number of steps of SQLite's
virtual machine, which are counted the same on every machine, and CPU seconds for the few steps that are long.

A cell as JSON is null, an integer, a text, or `{"real": number}`, `{"real": "inf"}`, `{"blob": hexadecimal digits}`:
so that an integer and a real number stay apart, and nothing is lost.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

MOST_ROWS, MOST_COLUMNS, MOST_BYTES = 500, 50, 65536
"""Of one result. A larger one is an error."""
MOST_SQL = 10_000
"""Characters of a query."""
CPU_SECONDS = 2.0
"""Of a query; only a few steps that are long come near it."""

_STEPS_AT_ONCE = 100
_LONGEST = 100_000
_HEAP_BYTES = 128 * 2**20
_STEADY = (
    "abs avg ceil ceiling char coalesce count cume_dist date datetime dense_rank first_value floor format glob "
    "group_concat hex ifnull iif instr julianday lag last_value lead length like likely lower ltrim max min mod "
    "nth_value ntile nullif percent_rank pow power printf quote rank replace round row_number rtrim sign sqrt "
    "strftime string_agg substr substring sum time total trim trunc typeof unicode unixepoch unlikely upper"
)
_FUNCTIONS = frozenset(_STEADY.split())

_held: dict[str, sqlite3.Connection] = {}


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """What the jail calls: `{"build": content}`, or `{"ask": database, "sql": text, "steps": most}`."""
    if "build" in request:
        content = request["build"]
        # the limit is the whole process's: right for the jail, and not for the judge
        _held[content["name"]] = built(content, f"PRAGMA hard_heap_limit = {_HEAP_BYTES}")
        return {}
    return answered(_held[request["ask"]], request["sql"], request["steps"])


def built(content: Mapping[str, Any], *pragmas: str) -> sqlite3.Connection:
    """A guarded database in memory from `{"script": [statement, ...], "rows": {table: [[cell, ...], ...]}}`.

    Raises:
        sqlite3.Error: the statements or rows do not fit together.
    """
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
    for pragma in ("PRAGMA temp_store = MEMORY", "PRAGMA foreign_keys = OFF", *pragmas):
        database.execute(pragma)
    later = []
    for statement in content["script"]:
        if statement.lstrip()[:11].lower() == "create view":
            later.append(statement)
        else:
            database.execute(statement)
    for table, rows in content["rows"].items():
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            database.execute("BEGIN")
            values = ([_value(cell) for cell in row] for row in rows)
            database.executemany(f"INSERT INTO {quoted(table)} VALUES ({marks})", values)
            database.execute("COMMIT")
    for statement in later:
        database.execute(statement)
    _guard(database)
    return database


def _guard(database: sqlite3.Connection) -> None:
    """Makes a database one that queries can read, and do nothing else with."""
    names = database.execute("SELECT lower(name) FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    database.execute("PRAGMA query_only = ON")
    for limit, most in (
        (sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 4 * MOST_SQL),
        (sqlite3.SQLITE_LIMIT_COLUMN, 200),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
        (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
    ):
        database.setlimit(limit, most)
    database.set_authorizer(_judge_of({name for (name,) in names}))


def answered(database: sqlite3.Connection, sql: str, steps: int) -> dict[str, Any]:
    """`{"rows": [[cell, ...], ...]}` of one query, or `{"error": text}`; raises nothing that a query can cause."""
    used, began = 0, time.process_time()

    def over() -> bool:
        nonlocal used
        used += _STEPS_AT_ONCE
        return used > steps or time.process_time() - began > CPU_SECONDS

    database.set_progress_handler(over, _STEPS_AT_ONCE)
    cursor = database.cursor()
    try:
        cursor.execute(sql)
        if cursor.description is None:
            return {"error": "there is no query"}
        if len(cursor.description) > MOST_COLUMNS:
            return {"error": f"more than {MOST_COLUMNS} columns"}
        rows: list[list[Any]] = []
        size = 0
        for row in cursor:
            size += sum(len(cell) if isinstance(cell, str | bytes) else 8 for cell in row)
            if len(rows) == MOST_ROWS or size > MOST_BYTES:
                return {"error": f"more than {MOST_ROWS} rows or {MOST_BYTES} bytes"}
            rows.append([_cell(value) for value in row])
        return {"rows": rows}
    except sqlite3.OperationalError as error:
        return {"error": "it takes too long" if str(error) == "interrupted" else _told(error)}
    except (sqlite3.Error, ValueError, OverflowError) as error:
        return {"error": _told(error)}
    except MemoryError:
        return {"error": "it takes too much memory"}
    finally:
        cursor.close()
        database.set_progress_handler(None, 0)


def quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'


def cells(row: tuple[Any, ...]) -> list[Any]:
    """A row of SQLite as JSON."""
    return [_cell(value) for value in row]


def _judge_of(tables: set[str]) -> Callable[..., int]:
    def judge(action: int, first: str | None, second: str | None, *_: object) -> int:
        match action:
            case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:  # without end too: steps are counted
                allowed = True
            case sqlite3.SQLITE_READ:
                allowed = (first or "").lower() in tables
            case sqlite3.SQLITE_FUNCTION:
                allowed = (second or "").lower() in _FUNCTIONS
            case _:
                allowed = False
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    return judge


def _cell(value: Any) -> Any:
    match value:
        case float():
            return {"real": value if math.isfinite(value) else repr(value)}
        case bytes():
            return {"blob": value.hex()}
        case _:
            return value


def _value(cell: Any) -> Any:
    match cell:
        case {"real": number}:
            return float(number)
        case {"blob": digits}:
            return bytes.fromhex(digits)
        case _:
            return cell


def _told(error: Exception) -> str:
    return str(error)[:200].encode("utf-8", "backslashreplace").decode()
