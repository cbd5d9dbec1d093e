"""Rows as a table for people, or as JSON or CSV for scripts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evoengine.readable import finite, harmless, json_line, plain, readable

__all__ = ["FORMAT", "STORE", "json_line", "plain", "print_one", "print_rows", "readable", "reading_options"]

STORE = click.option("--store", default="sqlite:///evo.db", show_default=True, help="URL of the store.")
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print.",
)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that all reading verbs share."""
    return STORE(FORMAT(command))


def print_rows(rows: Sequence[dict[str, Any]], form: str, columns: Sequence[str] | None = None) -> None:
    """Many rows; `columns` is what a table shows (all of them when left out)."""
    match form:
        case "json":
            click.echo(json.dumps(finite(list(rows)), indent=2))
        case "csv":
            writer = csv.writer(sys.stdout, lineterminator="\n")
            names = list(rows[0]) if rows else list(columns or ())
            writer.writerow(names)
            writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])
        case _:
            table = Table(box=None, pad_edge=False)
            for name in columns or (list(rows[0]) if rows else ()):
                table.add_column(name, overflow="fold")
            for row in rows:
                table.add_row(*(Text(readable(row.get(str(column.header)))) for column in table.columns))
            _console().print(table)


def print_one(row: dict[str, Any], form: str, leave_out: Sequence[str] = ()) -> None:
    """One row; a table leaves out what is too large for it."""
    match form:
        case "json":
            click.echo(json.dumps(finite(row), indent=2))
        case "csv":
            print_rows([row], "csv")
        case _:
            table = Table(box=None, show_header=False, pad_edge=False)
            for name, value in row.items():
                if name not in leave_out:
                    table.add_row(name, Text(readable(value)))
            _console().print(table)


def _cell(value: Any) -> Any:
    match value:
        case dict() | list():
            return json.dumps(finite(value))
        case str():
            return harmless(value)
        case _:
            return value


def _console() -> Console:
    width = None if sys.stdout.isatty() else 200
    return Console(width=width, highlight=False)
