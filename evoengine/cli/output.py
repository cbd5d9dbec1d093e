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
            click.echo(json.dumps(list(rows), indent=2, ensure_ascii=False))
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
            click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        case "csv":
            print_rows([row], "csv")
        case _:
            table = Table(box=None, show_header=False, pad_edge=False)
            for name, value in row.items():
                if name not in leave_out:
                    table.add_row(name, Text(readable(value)))
            _console().print(table)


def readable(value: Any) -> str:
    """A value for people; control characters are made visible, since it may stem from a candidate."""
    match value:
        case None:
            text = "-"
        case float():
            text = f"{value:.13g}"
        case dict():
            text = ", ".join(f"{key} {readable(one)}" for key, one in value.items()) or "-"
        case list() | tuple():
            text = ", ".join(readable(one) for one in value) or "-"
        case _:
            text = str(value)
    return plain(text)


def plain(text: str) -> str:
    """Text without control characters except newlines and tabs."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _console() -> Console:
    width = None if sys.stdout.isatty() else 200
    return Console(width=width, highlight=False)
