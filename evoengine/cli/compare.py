"""The verb that compares campaigns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import click

from evoengine.analysis.comparing import (
    CONFIDENCE,
    Budget,
    Estimate,
    Interval,
    Measure,
    compared,
    shared_budget,
    traced,
)
from evoengine.cli.output import print_rows, reading_options
from evoengine.cli.read import opened_store
from evoengine.errors import CampaignError, SettingError
from evoengine.mutators import EVOLVE
from evoengine.reading import Reading
from evoengine.stores.base import CampaignRow, Store

_ONE = "one seed: no interval"
_COLUMNS = ["arm", "over", "measure", "seeds", "mean", "low", "high", "resampled_low", "resampled_high", "best_seed"]


@click.command("compare")
@click.argument("arms", nargs=-1, required=True, metavar="[LABEL=]NAME...")
@click.option("--at", type=click.IntRange(min=1), help="Compare at so many evaluations.  [default: as all reached]")
@reading_options
def compare_command(arms: tuple[str, ...], at: int | None, store: str, form: str) -> None:
    """What arms of an experiment reached at one budget, and how much more than baselines.

    An arm is a campaign, or a pattern such as 'rl-*' whose campaigns differ in their seed alone. Baselines are the
    arms that were run with --mutator frozen, best-of-n, sequential or floor; without any, all arms but the first.

    Rows without `over` give an arm's own value, in the problem's direction; rows with it give how much better the arm
    is, where above 0 is better in either direction. `low` and `high` are 95 % intervals of a mean over seeds:
    Student's t, and Welch's t (unequal variances, unpaired) for a difference; the percentile bootstrap stands beside
    them from 5 seeds on. They are not corrected for several comparisons.
    """
    with opened_store(store) as opened:
        chosen = _chosen(opened, arms)
        _refuse_strangers(chosen)
        traces = {
            label: [traced(row.name, Reading(opened, row).records()) for row in rows] for label, rows in chosen.items()
        }
        try:
            budget = shared_budget([one for arm in traces.values() for one in arm], at)
        except ValueError as error:
            raise CampaignError(str(error)) from None
        sign = Reading(opened, next(iter(chosen.values()))[0]).shown(1.0)
    rows = [_row(one, budget, sign) for one in compared(traces, _baselines(chosen), budget)]
    print_rows(rows, form, [*_COLUMNS, *(["note"] if any(row["note"] for row in rows) else [])])
    if form == "table":
        _explain(chosen, budget, rows)


def _chosen(store: Store, arms: Sequence[str]) -> dict[str, list[CampaignRow]]:
    """The campaigns of each arm, by its label."""
    known = store.campaigns()
    names = ", ".join(row.name for row in known) or "none"
    found: dict[str, list[CampaignRow]] = {}
    for given in arms:
        label, equals, pattern = given.partition("=")
        if not equals or any(row.name == given for row in known):
            label = pattern = given
        rows = [row for row in known if row.name == pattern] or [row for row in known if fnmatchcase(row.name, pattern)]
        if not rows:
            raise CampaignError(f"no campaign in {store.url} is called {pattern!r}, or fits it; there are: {names}.")
        if label in found:
            raise SettingError(f"two arms are called {label!r}; give them labels: LABEL={pattern}.")
        for other, taken in found.items():
            for row in rows:
                if row in taken:
                    raise SettingError(
                        f"campaign {row.name!r} is in two arms, {other!r} and {label!r}; give each to one of them."
                    )
        found[label] = rows
    return found


def _refuse_strangers(chosen: Mapping[str, Sequence[CampaignRow]]) -> None:
    """Refuses campaigns whose scores, or arms whose campaigns, do not belong together.

    Raises:
        CampaignError: there are such.
    """
    for one, other in pairwise(row for rows in chosen.values() for row in rows):
        names = f"campaigns {one.name!r} and {other.name!r}"
        if one.problem != other.problem:
            raise CampaignError(
                f"{names} cannot be compared: one is of problem {one.problem!r}, one of {other.problem!r}."
            )
        if one.fingerprint != other.fingerprint:
            raise CampaignError(
                f"{names} cannot be compared: problem {one.problem!r} was edited, or set otherwise, between them."
            )
    for label, rows in chosen.items():
        for one, other in pairwise(rows):
            before, after = _kind(one), _kind(other)
            for key in dict.fromkeys((*before, *after)):
                if before.get(key) != after.get(key):
                    raise CampaignError(
                        f"campaigns {one.name!r} and {other.name!r} are no seeds of one arm ({label!r}): {key} is "
                        f"{json.dumps(before.get(key))} in one and {json.dumps(after.get(key))} in the other."
                    )


def _kind(row: CampaignRow) -> dict[str, Any]:
    """All that seeds of one arm have in common."""
    generator = row.settings["about"].get("generator") or {}
    settings = {key: value for key, value in row.settings.items() if key not in ("seed", "about")}
    return {"mutator": EVOLVE, **settings, "generator": {key: generator.get(key) for key in ("use", "model")}}


def _baselines(chosen: Mapping[str, Sequence[CampaignRow]]) -> list[str]:
    """The labels of the arms that others are compared with."""
    labels = list(chosen)
    found = [label for label in labels if chosen[label][0].settings.get("mutator", EVOLVE) != EVOLVE]
    return found if found and len(found) < len(labels) else labels[1:]


def _row(estimate: Estimate, budget: Budget, sign: float) -> dict[str, Any]:
    own = estimate.over is None and estimate.measure is not Measure.IMPROVING
    turn = sign if own else 1.0

    def ends(interval: Interval | None) -> list[float | None]:
        return [None, None] if interval is None else [*sorted((turn * interval.low, turn * interval.high))]

    [low, high], [resampled_low, resampled_high] = ends(estimate.interval), ends(estimate.resampled)
    return {
        "arm": estimate.arm,
        "over": estimate.over,
        "measure": str(estimate.measure),
        "evaluations": budget.evaluations,
        "tokens": budget.tokens,
        "seeds": list(estimate.seeds),
        "mean": turn * estimate.mean,
        "low": low,
        "high": high,
        "resampled_low": resampled_low,
        "resampled_high": resampled_high,
        "best_seed": None if estimate.greatest is None else turn * estimate.greatest,
        "note": _ONE if estimate.interval is None else None,
    }


def _explain(chosen: Mapping[str, Sequence[CampaignRow]], budget: Budget, rows: Sequence[Mapping[str, Any]]) -> None:
    """What a person needs to read the table, on standard error."""
    tokens = "" if budget.tokens is None else f", or at {budget.tokens} tokens"
    click.echo(f"at {budget.evaluations} evaluations{tokens}; {CONFIDENCE:.0%} intervals over seeds", err=True)
    if any(row["over"] for row in rows):
        click.echo("above 0 in a row with `over`: the arm is better than that one", err=True)
    if budget.tokens is not None:
        counted = {row["arm"] for row in rows if row["measure"] == str(Measure.BEST_BY_TOKENS)}
        for label in (label for label in chosen if label not in counted):
            click.echo(f"{label}: not every campaign spent tokens, so there is no value at so many", err=True)
    for label, campaigns in chosen.items():
        if len(campaigns) == 1:
            click.echo(f"{label}: one seed, so that nothing says how far another one would lead", err=True)
        elif len({row.seed for row in campaigns}) < len(campaigns):
            click.echo(f"{label}: some campaigns have the same seed; intervals take them for independent", err=True)
