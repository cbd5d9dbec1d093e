"""The verb for tasks of other engines, and for what they kept of their runs."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from evoengine.cli.output import readable
from evoengine.errors import CampaignError, PluginError, SettingError

if TYPE_CHECKING:
    from evoengine.compat import Checkpoint, Mapped, Task


@click.command("import")
@click.argument("what", type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path), help="Where to write the problem.  [default: problems/NAME]")
@click.option("--task", type=click.Path(path_type=Path, exists=True, file_okay=False), help="What a checkpoint is of.")
@click.option("--store", default="sqlite:///evo.db", show_default=True, help="URL of the store for a checkpoint.")
@click.option("--name", help="The checkpoint's campaign in the store; the task's name by default.")
def import_command(what: Path, out: Path | None, task: Path | None, store: str, name: str | None) -> None:
    """Take over WHAT another engine's users have: the folder of a task, or a checkpoint of a run.

    Of a task a problem is written, and a campaign with its settings; its files are copied beside it. (`evoengine run
    FOLDER` runs the task without that.) Of a checkpoint (OpenEvolve's folder `checkpoint_N`, ShinkaEvolve's SQLite file
    of programs) every program becomes a record of a campaign that can be looked at, and gone on with, like any other.
    Its scores are what that engine had; no candidate is run but the task's first program.
    """
    from evoengine.compat import Checkpoint

    checkpoint = Checkpoint.found(what)
    if checkpoint is not None:
        if task is None:
            raise SettingError(f"{what} is a checkpoint; name the folder of its task with --task FOLDER.")
        _take_up(checkpoint, _task_of(task), task, store, name)
    elif task is not None:
        raise SettingError(f"{what} is no checkpoint of OpenEvolve or ShinkaEvolve; --task is for those.")
    else:
        _write(_task_of(what), out)


def _task_of(folder: Path) -> Task:
    from evoengine.compat import Task
    from evoengine.compat.tasks import ENGINES

    task = Task.found(folder) if folder.is_dir() else None
    if task is None:
        raise PluginError(f"{folder} is no task of another engine that is known here: {'; '.join(ENGINES.values())}.")
    return task


def _write(task: Task, out: Path | None) -> None:
    from evoengine.compat import Mapped, write_problem

    place = Path("problems") / task.name if out is None else out
    written = write_problem(task, place)
    tell_left(task, Mapped.of(task))
    for path in written:
        click.echo(path)
    click.echo(f"next: evoengine check {place.resolve()} && evoengine run {place / 'campaign.toml'}", err=True)


def _take_up(checkpoint: Checkpoint, task: Task, folder: Path, store: str, name: str | None) -> None:
    from evoengine.compat import Mapped
    from evoengine.config import campaign_of
    from evoengine.importing import record_past

    if checkpoint.engine != task.engine:
        raise SettingError(f"the checkpoint is of {checkpoint.engine}, the task {folder} of {task.engine}.")
    mapped = Mapped.of(task)
    given = mapped.campaign.get("islands")
    islands = {**(given if isinstance(given, dict) else {}), "count": checkpoint.islands}
    settings = {**mapped.campaign, "islands": islands, "problem": str(folder.resolve()), "store": store}
    campaign, _ = campaign_of({**settings, "name": name or task.name})
    with campaign:
        if campaign.progress.records:
            raise CampaignError(f"{store} has a campaign {campaign.name!r} already; give this one a --name.")
        told = record_past(campaign, checkpoint)
        best = campaign.best()
    tell_left(task, mapped)
    rows = {
        "campaign": campaign.name,
        "programs": len(checkpoint.programs),
        "copies": told.copies,
        "records": told.records,
        "failed": told.failed,
        "best_score": None if best is None else readable(campaign.problem.signed(best.scored.score)),
    }
    for key, value in rows.items():
        click.echo(f"{key:<12} {readable(value)}")
    named = f"{quote(campaign.name)} --store {quote(store)}"
    click.echo(f"next: evoengine view {quote(store)}, or go on with: evoengine resume {named}", err=True)


def tell_left(task: Task, mapped: Mapped) -> None:
    """Says in one line which settings of a task were not taken over."""
    if mapped.left and task.config is not None:
        click.echo(f"{task.config.name}: no counterpart here, not used: {', '.join(mapped.left)}", err=True)
