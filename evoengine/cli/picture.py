"""The picture of a record, on standard output or in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from evoengine.errors import CampaignError, SettingError
from evoengine.gallery import Gallery
from evoengine.pictures import required
from evoengine.reading import Reading

PROBLEMS = click.option(
    "--problem", "problems", multiple=True, metavar="PATH",
    help="A problem that may be loaded to draw its campaigns' pictures, where the store names it by a path.",
)  # fmt: skip


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of verbs that can give a picture."""
    for option in (
        PROBLEMS,
        click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the picture to this file."),
        click.option("--svg", is_flag=True, help="The problem's picture of it instead, as SVG."),
    ):
        command = option(command)
    return command


def give_picture(reading: Reading, number: int | None, problems: tuple[str, ...], out: Path | None) -> None:
    """Writes the picture of a record, or of the best one, to a file or to standard output.

    Raises:
        CampaignError: there is no such record, or no picture of it.
        SettingError: the file cannot be written.
    """
    number = best_number(reading) if number is None else number
    record = reading.record(number)
    picture = required(Gallery(problems).picture(reading.row, record), f"record {number}")
    if out is None:
        click.echo(picture.svg)
        return
    try:
        out.write_text(picture.svg + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingError(f"cannot write {out}: {error.strerror or error}; give another --out.") from None
    click.echo(f"{picture.title or f'record {number}'}: {out}", err=True)


def best_number(reading: Reading) -> int:
    """The number of the best record.

    Raises:
        CampaignError: no record has a score.
    """
    best = reading.fold.islands.champion
    if best is None:
        raise CampaignError(f"campaign {reading.row.name!r} has no scored record yet.")
    return best.number
