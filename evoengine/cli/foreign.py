"""The verb for tasks of other engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evoengine.errors import PluginError

if TYPE_CHECKING:
    from evoengine.compat import Mapped, Task


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="Where to write it.  [default: problems/NAME]")
def import_command(folder: Path, out: Path | None) -> None:
    """Write a problem, and a campaign with its settings, from FOLDER, a task of another engine.

    The task's files are copied beside it. `evoengine run FOLDER` runs the task without that.
    """
    from evoengine.compat import Mapped, Task, write_problem
    from evoengine.compat.tasks import ENGINES

    task = Task.found(folder)
    if task is None:
        raise PluginError(f"{folder} is no task of another engine that is known here: {'; '.join(ENGINES.values())}.")
    place = Path("problems") / task.name if out is None else out
    written = write_problem(task, place)
    tell_left(task, Mapped.of(task))
    for path in written:
        click.echo(path)
    click.echo(f"next: evoengine check {place.resolve()} && evoengine run {place / 'campaign.toml'}", err=True)


def tell_left(task: Task, mapped: Mapped) -> None:
    """Says in one line which settings of a task were not taken over."""
    if mapped.left and task.config is not None:
        click.echo(f"{task.config.name}: no counterpart here, not used: {', '.join(mapped.left)}", err=True)
