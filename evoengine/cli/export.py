"""The verb that hands a campaign on to other tools."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from evoengine.cli.output import STORE, json_line, print_rows
from evoengine.cli.read import NAME, opened_store
from evoengine.errors import CampaignError, SettingError
from evoengine.exporting import rollouts, write_csv, write_lines, write_parquet, write_programs
from evoengine.reading import Reading
from evoengine.stores.base import Store

_SHOWN = ("number", "score", "cause", "operator", "parents", "island", "calls")
_FORMATS = ("jsonl", "csv", "parquet", "programs", "html", "datasette", "table", "json")
_NEED_A_PLACE = ("parquet", "programs")


@click.command("export")
@NAME
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="jsonl",
    show_default=True,
    help="What to make of it; json is jsonl.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="A file (or folder) in place of standard output.")
@click.option("--code", is_flag=True, help="With csv: the programs too, as the last column.")
@click.option(
    "--records", type=click.IntRange(min=1), default=50, show_default=True, help="With html: how many in full."
)
@click.option("--programs", type=click.Path(path_type=Path), help="Short for --format programs --output FOLDER.")
@click.option("--rollouts", "trained", is_flag=True, help="What training saw instead, a JSON line for each rollout.")
@STORE
def export_command(
    name: str | None,
    form: str,
    output: Path | None,
    code: bool,
    records: int,
    programs: Path | None,
    trained: bool,
    store: str,
) -> None:
    """The campaign NAME for other tools: its records, its elites' programs, or its pages.

    \b
    jsonl      a line for each record, with all that is known of it
    csv        a line for each record; texts are made harmless for spreadsheets
    parquet    a row for each record, with its program       (needs evoengine[parquet])
    programs   a folder with the elites' programs and an index.csv
    html       one web page with pictures that needs no network   (needs evoengine[web])
    datasette  metadata.json for `datasette evo.db --metadata metadata.json`, about all campaigns of the store
    """  # noqa: D301  # click reads \b as "leave these lines as they are"
    if programs is not None:
        form, output = "programs", programs
    if form in _NEED_A_PLACE and output is None:
        raise SettingError(f"--format {form} cannot go to standard output; name where with --output.")
    if form == "table" and output is not None:
        raise SettingError("a table is for looking at; a file is made with --format csv or jsonl.")
    with opened_store(store) as opened:
        if form == "datasette":
            _write_metadata(opened, output)
            return
        reading = Reading.named(opened, name)
        if trained:
            with _written(output) as out:
                for row in rollouts(reading):
                    out.write(json_line(row) + "\n")
            return
        _write(reading, form, output, code=code, records=records)


def _write(reading: Reading, form: str, output: Path | None, *, code: bool, records: int) -> None:
    match form:
        case "table":
            shown = [*_SHOWN[:2], *(["self_scored"] if reading.self_scored else []), *_SHOWN[2:]]
            print_rows([{key: row[key] for key in shown} for row in reading.rows()], form, shown)
            return
        case "html":
            from evoengine.web.serving import require

            require()
            from evoengine.web.freezing import freeze

            page = freeze(reading, records=records)
            with _written(output) as out:
                out.write(page)
            told = f"the pages of {reading.row.name}"
        case "parquet":
            assert output is not None
            with _replacing(output) as path:
                told = f"{write_parquet(reading, path)} records"
        case "programs":
            assert output is not None
            with _explained(output):
                told = f"{write_programs(reading, output)} elites"
        case "csv":
            with _written(output) as out:
                told = f"{write_csv(reading, out, code=code)} records"
        case _:
            with _written(output) as out:
                told = f"{write_lines(reading, out)} records"
    if output is not None:
        click.echo(f"{told} are in {output}", err=True)


def _write_metadata(store: Store, output: Path | None) -> None:
    from evoengine.exporting.datasette import metadata_of
    from evoengine.stores.sqlite import Sqlite

    if not isinstance(store, Sqlite):
        raise CampaignError(f"datasette reads SQLite files, and {store.url} is none.")
    with _written(output) as out:
        out.write(json.dumps(metadata_of(store.path), indent=2) + "\n")
    if output is not None:
        click.echo(f"look at it with: datasette {store.path} --metadata {output}", err=True)


@contextmanager
def _written(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that is there only once it is whole."""
    if output is None:
        yield sys.stdout
        return
    with _replacing(output) as path, path.open("w", encoding="utf-8", newline="", errors="backslashreplace") as out:
        yield out


@contextmanager
def _replacing(output: Path) -> Iterator[Path]:
    """A path beside `output` that takes its place when all went well."""
    with _explained(output):
        if output.is_symlink() or (output.exists() and not output.is_file()):
            # a pipe, a device, or a link (as /dev/stdout is): what it leads to is written, and it stays what it is
            yield output
            return
        part = output.with_name(f".{output.name}.{os.getpid()}.part")
        try:
            yield part
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _explained(output: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CampaignError(f"{output} cannot be written: {error.strerror or error}.") from error
