"""Verbs that run campaigns."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import Any

import click

from evoengine.assembly import store_of
from evoengine.campaign import Campaign
from evoengine.cli.foreign import tell_left
from evoengine.cli.invocation import invocation
from evoengine.cli.live import watching
from evoengine.cli.output import print_one, readable
from evoengine.config import BUDGET, PARTS, campaign_of, changed, read
from evoengine.errors import CampaignError
from evoengine.events import Event, Stopped
from evoengine.mutators import MUTATORS
from evoengine.plugins import is_path
from evoengine.reading import SELF_SCORED, Reading
from evoengine.stores.base import CampaignRow
from evoengine.types import Scored

_INTERRUPTED = 130


def _budget_options(command: Any) -> Any:
    for option in (
        click.option("--workers", type=click.IntRange(min=1), help="Workers; the cores of this machine by default."),
        click.option("--evaluations", type=click.IntRange(min=1), help="Stop when so many evaluations are spent."),
        click.option("--seconds", type=click.FloatRange(min=0), help="Stop after so many seconds of this run."),
        click.option("--tokens", type=click.IntRange(min=1), help="Stop when a model read and wrote so many tokens."),
        click.option("--money", type=click.FloatRange(min=0), help="Stop when models cost so many US dollars."),
        click.option("--until-score", type=float, help="Stop when this value is reached."),
        click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True),
        click.option("--quiet", is_flag=True, help="No progress on standard error."),
    ):
        command = option(command)
    return command


@click.command("run")
@click.argument("what", metavar="PROBLEM|FILE.toml")
@click.option("--name", help="The campaign's name in the store; the problem's name by default.")
@click.option("--store", help="URL of the store.  [default: sqlite:///evo.db]")
@click.option("--seed", type=int, help="Decides every random choice.  [default: 0]")
@click.option("--islands", type=click.IntRange(min=1), help="How many islands.  [default: 4]")
@click.option("--sandbox", help="Where candidates run.  [default: jail]")
@click.option("--executor", help="Where evaluations run: local, ray ...  [default: local]")
@click.option("--generator", help="The language model's backend: vllm, openai, transformers ...")
@click.option("--model", help="The language model's name, or the folder that it is in.")
@click.option("--mutator", help=f"What makes proposals: {', '.join(MUTATORS)}.  [default: evolve]")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any setting; a.b=value for parts.")
@_budget_options
def run_command(what: str, assignments: tuple[str, ...], form: str, quiet: bool, **flags: Any) -> int:
    """Evolve PROBLEM (a name or a path), or the campaign that FILE.toml describes.

    The same command again goes on where it stopped. Ctrl-C finishes what is in flight; twice stops now.
    Without a limit it runs until then.
    """
    settings = read(Path(what)) if what.endswith(".toml") else {**_suggested(what), "problem": what}
    islands, model = flags.pop("islands"), flags.pop("model")
    settings |= {key: value for key, value in flags.items() if value is not None}
    if islands is not None:
        settings = changed(settings, [f"islands.count={islands}"])
    if model is not None:
        settings = changed({"generator": "vllm", **settings}, [f"generator.model={json.dumps(model)}"])
    campaign, budget = campaign_of(changed(settings, assignments))
    return _run(campaign, budget, form, quiet)


def _suggested(what: str) -> dict[str, Any]:
    """Settings that the config of another engine's task comes to; nothing for a problem of our own."""
    folder = Path(what).expanduser()
    if not is_path(what) or not folder.is_dir() or (folder / "problem.py").is_file():
        return {}
    from evoengine.compat import Mapped, Task

    task = Task.found(folder)
    if task is None:
        return {}
    mapped = Mapped.of(task)
    tell_left(task, mapped)
    return mapped.campaign


@click.command("resume")
@click.argument("name", required=False)
@click.option("--store", default="sqlite:///evo.db", show_default=True, help="URL of the store.")
@_budget_options
def resume_command(name: str | None, store: str, form: str, quiet: bool, **flags: Any) -> int:
    """Go on with the campaign NAME as it was started."""
    opened = store_of(store)
    opened.open(create=False)
    try:
        row = Reading.named(opened, name).row
    finally:
        opened.close()
    settings = settings_of(row, store)
    settings |= {key: value for key, value in flags.items() if value is not None and key in {*PARTS, *BUDGET}}
    campaign, budget = campaign_of(settings)
    return _run(campaign, budget, form, quiet)


def settings_of(row: CampaignRow, store: str) -> dict[str, Any]:
    """The settings with which a stored campaign goes on.

    Raises:
        CampaignError: its problem is known to a Python program only.
    """
    use = row.settings["about"]["use"]
    if use is None:
        raise CampaignError(f"campaign {row.name!r} was started from Python; go on with it there.")
    settings = {"gates": [], "guidance": False, "lessons": False}  # where the campaign was started without
    settings |= {key: value for key, value in row.settings.items() if key in PARTS}
    settings |= {"name": row.name, "store": store, "problem": {"use": use, **row.settings["problem"]}}
    about = row.settings["about"]
    settings["sandbox"] = about["sandbox"]
    for key in ("generator", "task_model", "trainer"):
        if about.get(key) is not None:
            settings[key] = about[key]
    settings["executor"] = {key: value for key, value in about["executor"].items() if key != "workers"}
    return settings


def _run(campaign: Campaign, budget: dict[str, Any], form: str, quiet: bool) -> int:
    ended: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, Stopped):
            ended.append(event.reason)

    campaign.watchers.append(note)
    try:
        with watching(campaign, budget, quiet=quiet):
            reason = campaign.run(**budget)
        _report(campaign, reason, form)
    finally:
        campaign.close()
    return _INTERRUPTED if reason == "interrupted" else 0


def _report(campaign: Campaign, reason: str, form: str) -> None:
    """The result on standard output, and how to look further on standard error."""
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    reading = Reading(campaign.store, row)
    summary = reading.summary()
    best = campaign.best()
    if best is not None:
        checks = reading.described(reading.record(best.number))["checks"]
        summary |= {f"best_on_{stage}": value for stage, value in checks.items()}
    if form == "json":
        print_one(summary, form)
        return
    click.echo(f"{reason}: {summary['records']} records, {summary['evaluations']} evaluations", err=True)
    known, floor = campaign.problem.best_known, campaign.problem.floor
    marked = f"; {SELF_SCORED}" if reading.self_scored else ""
    click.echo(f"best score   {readable(summary['best_score'])}   (record {summary['best_number']}{marked})")
    for check in () if best is None else campaign.store.checks(row, best.number):
        why = "" if isinstance(check.evaluation, Scored) else check.evaluation.feedback.partition("\n")[0]
        shown = f"{check.stage:<12} {readable(summary[f'best_on_{check.stage}'])}"
        click.echo(f"{shown}   ({readable(why)})" if why else shown)
    if known is not None:
        click.echo(f"best known   {readable(known.value)}   ({known.source})")
    if floor is not None:
        click.echo(f"by hand      {readable(floor.value)}   ({floor.source})")
    for line in _looks(campaign, reading, drawn=best is not None and campaign.problem.draws):
        click.echo(line, err=True)


def _looks(campaign: Campaign, reading: Reading, *, drawn: bool) -> list[str]:
    """The commands that show more, each of which can be pasted as it stands."""
    store = quote(campaign.store.url)
    named = f"{quote(campaign.name)} --store {store}"
    use = reading.about["use"]
    # only a person may say that code is loaded from a path that the store names
    loaded = f" --problem {quote(use)}" if drawn and use is not None and is_path(use) else ""
    verbs = {
        f"view {store}{loaded}": "all of it in a browser" + (", with the best one drawn" if drawn else ""),
        f"best {named}": "the best program, with its score, features and outputs",
    }
    if drawn:
        verbs[f"best {named} --svg --out best.svg{loaded}"] = "its picture"
    verbs |= {f"elites {named}": "the archive of elites", f"lineage --name {named}": "how the best came about"}
    begin = invocation()
    width = max(map(len, verbs))
    return [f"  {begin} {verb:<{width}}  # {about}" for verb, about in verbs.items()]
