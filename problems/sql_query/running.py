"""Runs one query over a database in memory and counts the steps of SQLite's virtual machine.

Standard library only, as its text is sent into the jail, where it runs in the stead of the candidate: the query is
data to it. A query may read the tables and use a few functions that look at one value at a time; all else is refused
by SQLite's authorizer. Functions that do much in one step (on long texts, JSON, patterns) are not among them, since
their work would not be counted.
"""

from __future__ import annotations

import sqlite3
from typing import Any

MOST_ROWS = 2000
_STEADY = (
    "abs avg coalesce count cume_dist dense_rank first_value ifnull iif lag last_value lead likelihood likely max min "
    "nth_value ntile nullif percent_rank rank row_number sum total typeof unlikely"
)
_BUILT_IN = ("sqlite_", "pragma_", "json_")
_FUNCTIONS = frozenset(_STEADY.split())


def counted(script: list[str], rows: dict[str, list[list[Any]]], sql: str, most: int) -> dict[str, Any]:
    """`{"rows": [[cell, ...], ...], "steps": n}` of a query, or `{"error": text}`.

    Args:
        script: statements that make the tables.
        rows: by table.
        sql: the query, which is not trusted.
        most: the steps that it may take.
    """
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.execute("PRAGMA temp_store = MEMORY")
        for statement in script:
            database.execute(statement)
        for table, values in rows.items():
            if values:
                database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
        database.execute("PRAGMA query_only = ON")
        modules = frozenset(name.lower() for (name,) in database.execute("PRAGMA module_list"))
        return _answered(database, frozenset(rows), modules, sql, most)
    finally:
        database.close()


def _answered(
    database: sqlite3.Connection, tables: frozenset[str], modules: frozenset[str], sql: str, most: int
) -> dict[str, Any]:
    steps = 0

    def over() -> bool:
        nonlocal steps
        steps += 1
        return steps > most

    def allowed(action: int, first: str | None, second: str | None, *_: object) -> int:
        match action:
            case sqlite3.SQLITE_SELECT | sqlite3.SQLITE_RECURSIVE:
                found = True
            case sqlite3.SQLITE_READ:
                name = (first or "").lower()
                # without a column it is the rows that are counted, those of a WITH among them, under its own name
                built_in = name in modules or name.startswith(_BUILT_IN)
                found = name in tables or (not second and not built_in)
            case sqlite3.SQLITE_FUNCTION:
                found = (second or "").lower() in _FUNCTIONS
            case _:
                found = False
        return sqlite3.SQLITE_OK if found else sqlite3.SQLITE_DENY

    for limit, size in (
        (sqlite3.SQLITE_LIMIT_LENGTH, 10_000),
        (sqlite3.SQLITE_LIMIT_COLUMN, 100),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
        (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 20),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    ):
        database.setlimit(limit, size)
    database.set_authorizer(allowed)
    database.set_progress_handler(over, 1)
    try:
        cursor = database.execute(sql)
        if cursor.description is None:
            return {"error": "there is no query"}
        found = cursor.fetchmany(MOST_ROWS + 1)
        if len(found) > MOST_ROWS:
            return {"error": f"more than {MOST_ROWS} rows"}
        if any(isinstance(cell, bytes) for row in found for cell in row):
            return {"error": "a cell is a blob"}
        return {"rows": [list(row) for row in found], "steps": steps}
    except sqlite3.OperationalError as error:
        return {"error": f"more than {most} steps" if str(error) == "interrupted" else _told(error)}
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        return {"error": _told(error)}
    except MemoryError:
        return {"error": "it takes too much memory"}


def _told(error: Exception) -> str:
    return str(error)[:200].encode("utf-8", "backslashreplace").decode()
