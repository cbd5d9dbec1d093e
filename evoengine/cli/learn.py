"""Verbs about campaigns that train their model."""

from __future__ import annotations

from typing import Any

import click

from evoengine.cli.output import print_rows, reading_options
from evoengine.cli.read import NAME, opened_store
from evoengine.errors import CampaignError
from evoengine.reading import Reading

_SHOWN = {
    "reward/mean": "reward",
    "improvement_rate": "improving",
    "control/improvement_rate": "first_policy",
    "valid_rate": "valid",
    "entropy": "entropy",
    "probe/improvement_rate": "probe",
    "best_score": "best",
    "rollbacks": "rollbacks",
}
"""What a table shows of an update's figures, and how it calls them."""


@click.command("updates")
@NAME
@reading_options
def updates_command(name: str | None, store: str, form: str) -> None:
    """The updates of the model's weights in the campaign NAME, with what was measured at each.

    A table shows the most telling figures; json and csv hold all.
    """
    with opened_store(store) as opened:
        reading = Reading.named(opened, name)
        if "trainer" not in reading.row.settings:
            raise CampaignError(
                f"campaign {reading.row.name!r} trains nothing; start one with --set trainer.use=lora (and a model)."
            )
        rows: list[dict[str, Any]] = []
        for one in opened.updates(reading.row):
            facts = dict(one.facts)
            best = facts.get("best_score")
            if best is not None:
                facts["best_score"] = reading.shown(best)
            rows.append({"number": one.number, "record": one.record, "policy": one.policy, **facts})
        if form == "table":
            rows = [_short(row) for row in rows]
        else:
            names = dict.fromkeys(key for row in rows for key in row)  # in csv all rows have the same columns
            rows = [{key: row.get(key) for key in names} for row in rows]
        print_rows(rows, form, ["number", "record", *_SHOWN.values()] if form == "table" else None)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row.get(key) for key, name in _SHOWN.items()}
    rounded = {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in told.items()}
    return {"number": row["number"], "record": row["record"], **rounded}
