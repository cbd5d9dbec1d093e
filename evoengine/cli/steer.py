"""Verbs by which people have a say in a campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evoengine.cli.output import STORE, print_rows, reading_options
from evoengine.cli.read import CAMPAIGN, NAME, opened_store
from evoengine.reading import Reading
from evoengine.steering import refuse_nonsense
from evoengine.types import Action, ActionKind, Program


@click.group("steer")
def steer_command() -> None:
    """Have a say in a campaign, whether it is running or not.

    Each decision waits in the store until the campaign goes on, and becomes one of its records.
    """


def _decide(store: str, campaign: str | None, action: Action) -> None:
    with opened_store(store) as opened:
        reading = Reading.named(opened, campaign)
        refuse_nonsense(action, opened.last(reading.row))
        place = opened.decide(reading.row, action)
        click.echo(
            f"decision {place} waits for campaign {reading.row.name!r}: it becomes a record at once where a run is "
            f"going on, and else with the next one",
            err=True,
        )


@steer_command.command("submit")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--parent", type=int, help="The record that it was made from.")
@CAMPAIGN
@STORE
def submit(file: Path, parent: int | None, campaign: str | None, store: str) -> None:
    """Offer the program in FILE (or in a folder of files); it is judged like any other."""
    _decide(store, campaign, Action(kind=ActionKind.SUBMIT, target=parent, content=_program(file)))


def _program(place: Path) -> Program:
    if place.is_dir():
        files = {str(one.relative_to(place)): _text(one) for one in sorted(place.rglob("*")) if one.is_file()}
        if not files:
            raise click.BadParameter(f"the folder {place} holds no file")
        return Program(files=files)
    return Program.of(_text(place))


def _text(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{place} is no text in UTF-8 ({error.reason} at byte {error.start})") from None


def _about(kind: ActionKind, name: str, says: str) -> None:
    @steer_command.command(name, help=says)
    @click.argument("number", type=int)
    @CAMPAIGN
    @STORE
    def verb(number: int, campaign: str | None, store: str) -> None:
        _decide(store, campaign, Action(kind=kind, target=number))


_about(ActionKind.PIN, "pin", "Have the elite NUMBER go on having children, whatever becomes of its cell.")
_about(ActionKind.UNPIN, "unpin", "Let a pinned elite go.")
_about(
    ActionKind.QUARANTINE,
    "quarantine",
    "Take the record NUMBER, and all that was or will be made from it, out of the archives.",
)


@steer_command.command("note")
@click.argument("number", type=int)
@click.argument("text")
@CAMPAIGN
@STORE
def note(number: int, text: str, campaign: str | None, store: str) -> None:
    """Say TEXT of the record NUMBER; people see it beside the record."""
    _decide(store, campaign, Action(kind=ActionKind.NOTE, target=number, text=text))


@steer_command.command("goal")
@click.argument("text", required=False)
@click.option("--clear", is_flag=True, help="Take all goals back that were set so.")
@CAMPAIGN
@STORE
def goal(text: str | None, clear: bool, campaign: str | None, store: str) -> None:
    """Tell language models TEXT beside the problem's own goal, from now on."""
    if clear == (text is not None):
        raise click.UsageError("give a text, or --clear")
    _decide(store, campaign, Action(kind=ActionKind.CLEAR if clear else ActionKind.GOAL, text=text or ""))


@steer_command.command("list")
@NAME
@reading_options
def list_decisions(name: str | None, store: str, form: str) -> None:
    """What was decided in the campaign NAME, and what waits to be taken in."""
    with opened_store(store) as opened:
        reading = Reading.named(opened, name)
        done = reading.fold.steering
        rows: list[dict[str, Any]] = []
        for number, action in done.done:
            feedback = reading.record(number).evaluation.feedback if action.vain else ""
            rows.append(_row(action, number, feedback))
        rows += [_row(action, None, "waits") for action in opened.decided(reading.row, after=done.last)]
        print_rows(rows, form, ["decision", "record", "kind", "target", "text", "came_of_it"])


def _row(action: Action, record: int | None, came_of_it: str) -> dict[str, Any]:
    if action.barred:
        came_of_it = f"{len(action.barred)} records taken out"
    return {
        "decision": action.place,
        "record": record,
        "kind": str(action.kind),
        "target": action.target,
        "text": action.text,
        "came_of_it": came_of_it,
    }
