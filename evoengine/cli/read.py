"""Verbs that read a store."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from evoengine.assembly import store_of
from evoengine.cli.output import plain, print_one, print_rows, reading_options
from evoengine.cli.picture import best_number, give_picture, picture_options
from evoengine.reading import Reading, content_out
from evoengine.stores.base import Store
from evoengine.types import Content, Program, Scored


@contextmanager
def opened_store(url: str) -> Iterator[Store]:
    """A store that exists, closed again after use."""
    store = store_of(url)
    store.open(create=False)
    try:
        yield store
    finally:
        store.close()


NAME = click.argument("name", required=False)
CAMPAIGN = click.option("--name", "campaign", help="The campaign; needed when the store holds several.")


@click.command("list")
@reading_options
def list_command(store: str, form: str) -> None:
    """The campaigns in a store."""
    with opened_store(store) as opened:
        rows = []
        for row in opened.campaigns():
            rows.append(
                {
                    "campaign": row.name,
                    "problem": row.problem,
                    "records": opened.last(row),
                    "seed": row.seed,
                    "created": row.created,
                    "seconds": opened.seconds(row),
                }
            )
        print_rows(rows, form, ["campaign", "problem", "records", "seed", "created", "seconds"])


@click.command("show")
@click.argument("what", metavar="[NAME|NUMBER]", required=False)
@CAMPAIGN
@picture_options
@reading_options
def show_command(
    what: str | None,
    campaign: str | None,
    svg: bool,
    out: Path | None,
    problems: tuple[str, ...],
    store: str,
    form: str,
) -> None:
    """Where the campaign NAME stands, or all that is known of record NUMBER.

    With --svg, the picture that the problem draws of the record, or of the campaign's best.
    """
    _refuse_unused(svg, out, problems)
    with opened_store(store) as opened:
        names = {row.name for row in opened.campaigns()}
        number = None if what is None or what in names or not _is_number(what) else int(what)
        if what is not None and number is None and campaign is not None:
            raise click.UsageError(f"give the campaign once: as {what!r}, or with --name and a record's number.")
        reading = Reading.named(opened, what if campaign is None and number is None else campaign)
        if svg:
            give_picture(reading, number, problems, out)
        elif number is None:
            print_one(reading.summary(), form)
        else:
            _print_record(reading, number, form)


@click.command("best")
@NAME
@click.option("--number", type=int, help="Another record instead of the best one.")
@click.option("--source", is_flag=True, help="Print its source text only.")
@picture_options
@reading_options
def best_command(
    name: str | None,
    number: int | None,
    source: bool,
    svg: bool,
    out: Path | None,
    problems: tuple[str, ...],
    store: str,
    form: str,
) -> None:
    """The best candidate of the campaign NAME, with all that is known of it."""
    _refuse_unused(svg, out, problems)
    if svg and source:
        raise click.UsageError("--source and --svg are two different things to print; give one of them.")
    with opened_store(store) as opened:
        reading = Reading.named(opened, name)
        number = best_number(reading) if number is None else number
        record = reading.record(number)
        if svg:
            give_picture(reading, number, problems, out)
            return
        if source:
            text = _text(record.candidate.content)
            click.echo(plain(text) if sys.stdout.isatty() else text)  # a pipe gets every byte of it
            return
        _print_record(reading, number, form)


def _print_record(reading: Reading, number: int, form: str) -> None:
    """All that is known of a record."""
    record = reading.record(number)
    print_one(reading.described(record), form, leave_out=("content", "outputs"))
    if form == "table":
        click.echo()
        click.echo(plain(_text(record.candidate.content)))


def _refuse_unused(svg: bool, out: Path | None, problems: tuple[str, ...]) -> None:
    if not svg and (out is not None or problems):
        raise click.UsageError("--out and --problem are for pictures; say --svg too.")


def _mark(reading: Reading) -> dict[str, bool]:
    """What stands beside a score that a candidate could forge."""
    return {"self_scored": True} if reading.self_scored else {}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15


@click.command("elites")
@NAME
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many, best first; 0 for all.")
@reading_options
def elites_command(name: str | None, limit: int, store: str, form: str) -> None:
    """The elites of all islands of the campaign NAME, best first."""
    with opened_store(store) as opened:
        reading = Reading.named(opened, name)
        rows = [
            {
                "number": elite.number,
                "score": reading.shown(elite.scored.score),
                **_mark(reading),
                "cell": list(elite.cell),
                "features": dict(elite.scored.features),
                "digest": elite.content.digest,
            }
            for elite in reading.elites()
        ]
        print_rows(rows[: limit or None], form, ["number", "score", *_mark(reading), "cell", "features"])


@click.command("diff")
@click.argument("one", type=int)
@click.argument("other", type=int)
@CAMPAIGN
@reading_options
def diff_command(one: int, other: int, campaign: str | None, store: str, form: str) -> None:
    """How the programs of the records ONE and OTHER differ, as a unified diff."""
    with opened_store(store) as opened:
        reading = Reading.named(opened, campaign)
        records = [reading.record(number) for number in (one, other)]
        before, after = (_lines(record.candidate.content) for record in records)
        text = "\n".join(difflib.unified_diff(before, after, f"#{one}", f"#{other}", lineterm=""))
        if form == "table":
            click.echo(plain(text))
            return
        scores = [reading.described(record)["score"] for record in records]
        print_one({"campaign": reading.row.name, "records": [one, other], "scores": scores, "diff": text}, form)


@click.command("lineage")
@click.argument("number", type=int, required=False)
@CAMPAIGN
@reading_options
def lineage_command(number: int | None, campaign: str | None, store: str, form: str) -> None:
    """The ancestors of record NUMBER (or of the best), by first parents, newest first."""
    with opened_store(store) as opened:
        reading = Reading.named(opened, campaign)
        number = best_number(reading) if number is None else number
        rows = []
        for record in reading.lineage(number):
            match record.evaluation:
                case Scored(score=score):
                    said: Any = reading.shown(score)
                case failed:
                    said = str(failed.cause)
            rows.append(
                {
                    "number": record.number,
                    "score": said,
                    **_mark(reading),
                    "operator": record.candidate.operator,
                    "parents": list(record.candidate.parents),
                    "calls": record.cost.calls,
                }
            )
        print_rows(rows, form, ["number", "score", *_mark(reading), "operator", "parents", "calls"])


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=int, default=20, show_default=True)
@reading_options
def search_command(words: tuple[str, ...], limit: int, store: str, form: str) -> None:
    """Records of all campaigns whose source holds all WORDS."""
    with opened_store(store) as opened:
        found = opened.search(" ".join(words), limit)
        rows = [{"campaign": name, "number": number, "excerpt": text} for name, number, text in found]
        print_rows(rows, form, ["campaign", "number", "excerpt"])


def _files(content: Content | None) -> dict[str, str]:
    match content_out(content):
        case None:
            return {}
        case {"files": dict() as files}:
            return files
        case {"sections": dict() as sections}:
            return {f"{name}.md": text for name, text in sections.items()}
        case other:
            raise AssertionError(other)


def _text(content: Content | None) -> str:
    files = _files(content)
    if isinstance(content, Program) and len(files) == 1:
        return content.text
    return "\n".join(f"# --- {path}\n{text}" for path, text in files.items())


def _lines(content: Content | None) -> list[str]:
    return _text(content).splitlines()
