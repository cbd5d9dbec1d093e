"""Verbs about the language model's part in a campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evoengine.assembly import store_of
from evoengine.cli.output import plain, print_one, print_rows, reading_options
from evoengine.cli.read import NAME, opened_store
from evoengine.cli.run import settings_of
from evoengine.config import campaign_of
from evoengine.errors import CampaignError
from evoengine.prompts import tokens_of
from evoengine.reading import Reading


@click.command("prompt")
@NAME
@reading_options
def prompt_command(name: str | None, store: str, form: str) -> None:
    """The next prompt of the campaign NAME, as it would be sent; nothing is sent."""
    opened = store_of(store)
    opened.open(create=False)
    try:
        settings = settings_of(Reading.named(opened, name).row, store)
    finally:
        opened.close()
    campaign, _ = campaign_of(settings)
    with campaign:
        draft, prompt = campaign.prompt()
    if prompt is None:
        raise CampaignError(
            f"none of the next drafts of campaign {campaign.name!r} asks a language model; its operators are: "
            f"{', '.join(one['use'] for one in campaign.identity()['operators'])}."
        )
    about: dict[str, Any] = {
        "number": draft.number,
        "operator": draft.operator,
        "arm": draft.arm,
        "parents": [parent.number for parent in draft.parents],
        "temperature": prompt.temperature,
        "max_tokens": prompt.max_tokens,
        "seed": prompt.seed,
        "tokens": sum(tokens_of(message["content"]) for message in prompt.messages),
        "messages": [dict(message) for message in prompt.messages],
    }
    print_one(about, form, leave_out=("messages",))
    if form == "table":
        for message in prompt.messages:
            click.echo(f"\n--- {message['role']}\n{plain(message['content'])}")


@click.command("guidance")
@NAME
@reading_options
def guidance_command(name: str | None, store: str, form: str) -> None:
    """The contexts that guide the model in the campaign NAME, with their credit, best first."""
    with opened_store(store) as opened:
        rows = [
            {
                "number": elite.number,
                "credit": elite.scored.score,
                "children": int(elite.scored.metrics["children"]),
                "text": "\n".join(getattr(elite.content, "sections", {}).values()),
            }
            for elite in Reading.named(opened, name).guidance()
        ]
        print_rows(rows, form, ["number", "credit", "children", "text"])


@click.command("lessons")
@NAME
@click.option(
    "--limit", type=int, default=20, show_default=True, help="At most so many, the most useful first; 0: all."
)
@click.option(
    "--export", "target", type=click.Path(path_type=Path), help="Write them to this file, for other campaigns."
)
@reading_options
def lessons_command(name: str | None, limit: int, target: Path | None, store: str, form: str) -> None:
    """What was learnt from the changes of the campaign NAME, and what showing it brought."""
    with opened_store(store) as opened:
        reading = Reading.named(opened, name)
        if target is not None:
            text = reading.exported_lessons(limit or None)
            target.write_text(text, encoding="utf-8")
            click.echo(f"{text.count(chr(10))} lessons are in {target}", err=True)
            return
        columns = ["number", "change", "hypothesis", "predicted", "observed", "shown", "withheld", "utility"]
        print_rows(reading.lessons()[: limit or None], form, columns)


@click.command("costs")
@NAME
@reading_options
def costs_command(name: str | None, store: str, form: str) -> None:
    """What each operator brought and cost in the campaign NAME, by the model that it asked."""
    with opened_store(store) as opened:
        columns = ["operator", "model", "records", "valid", "improving", "champions", "calls", "tokens", "money"]
        print_rows(Reading.named(opened, name).costs(), form, columns)
