"""The verb that measures: methods on a suite of problems, or the engine itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoengine.analysis.overhead import append_rate, archive_rates
from evoengine.analysis.racing import SHARES
from evoengine.analysis.surroundings import surroundings
from evoengine.cli.output import FORMAT, print_rows, readable
from evoengine.config import changed
from evoengine.errors import SettingError
from evoengine.overhead import records_rates
from evoengine.readable import finite

if TYPE_CHECKING:
    from evoengine.benching import Outcome

_INTERRUPTED = 130


@click.command("bench")
@click.option("--suite", help="Problems, methods and seeds to run: the name of a suite, or a .toml file.")
@click.option("--only", multiple=True, metavar="TASK", help="Of its tasks only this one; may be repeated.")
@click.option("--method", "methods", multiple=True, help="In the place of its methods; may be repeated.")
@click.option("--seeds", type=click.IntRange(min=1), help="Campaigns of each method on each task.")
@click.option("--evaluations", type=click.IntRange(min=1), help="Budget of each campaign.")
@click.option("--store", default="sqlite:///bench.db", show_default=True, help="URL of the campaigns' store.")
@click.option("--workers", type=click.IntRange(min=1), help="Workers; the cores of this machine by default.")
@click.option("--generator", help="The language model's backend: vllm, openai, transformers ...")
@click.option("--model", help="The language model's name, or the folder that it is in.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Any setting of all campaigns.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write all results as JSON to this file.")
@click.option("--plots", type=click.Path(path_type=Path, file_okay=False), help="Draw a picture for each task there.")
@click.option("--programs", type=click.IntRange(min=1000), default=20_000, help="To hold, without --suite.  [20000]")
@FORMAT
def bench_command(suite: str | None, programs: int, form: str, **given: Any) -> int:
    """Compare methods on a suite of problems; without --suite, how fast the engine itself is here.

    Each method has as many campaigns on each problem as there are seeds, all with one budget; their means stand with
    95 % intervals beside the best known value and what a person reached without a model. `to 99%` is the median of the
    evaluations that it took to come so near the best known value, where at least half of the seeds did. `over` is the
    probability that a campaign is better than one of that method. `cut` campaigns ran out of the suite's time first.

    The same command goes on where it stopped; campaigns are kept in the store, for all other verbs to look at.
    """
    if suite is None:
        option = {"methods": "method", "assignments": "set"}
        for name, value in given.items():
            if value and name != "store":
                raise SettingError(f"--{option.get(name, name)} says what a suite runs; name one with --suite.")
        _engine(programs, form)
        return 0
    return _suite(suite, form=form, **given)


def _engine(programs: int, form: str) -> None:
    add, sample = archive_rates(programs)
    rows = [
        {"what": f"archive add at {programs} programs", "per_second": round(add)},
        {"what": f"archive sample at {programs} programs", "per_second": round(sample)},
        {"what": "durable appends in batches of 32", "per_second": round(append_rate(programs, batch=32))},
        {"what": f"records of a campaign at {programs}", "per_second": round(records_rates([programs])[0])},
    ]
    print_rows(rows, form)


def _suite(
    name: str,
    *,
    form: str,
    only: tuple[str, ...],
    methods: tuple[str, ...],
    seeds: int | None,
    evaluations: int | None,
    store: str,
    workers: int | None,
    generator: str | None,
    model: str | None,
    assignments: tuple[str, ...],
    out: Path | None,
    plots: Path | None,
) -> int:
    from evoengine.benching import Bench, Suite, standings
    from evoengine.benching.plots import plotted, require_plots

    settings: dict[str, Any] = {key: value for key, value in (("workers", workers), ("generator", generator)) if value}
    if model is not None:
        settings = changed({"generator": "vllm", **settings}, [f"generator.model={json.dumps(model)}"])
    settings = changed(settings, assignments)
    suite = Suite.named(name).narrowed(
        only=only, methods=methods, seeds=seeds, evaluations=evaluations, model="generator" in settings
    )
    if plots is not None:
        require_plots()
    bench = Bench(suite, store, settings)
    before = surroundings()
    outcomes: list[Outcome] = []
    for cell, outcome in zip(bench.cells, bench.run(), strict=False):
        if outcome is None:
            click.echo(
                f"interrupted after {len(outcomes)} of {len(bench.cells)} campaigns; the same command goes on", err=True
            )
            return _INTERRUPTED
        outcomes.append(outcome)
        click.echo(f"[{len(outcomes)}/{len(bench.cells)}] {cell.name}: {readable(outcome.best)}", err=True)
    rows = standings(outcomes, suite.baselines)
    told = {**before, "suite": suite.settings(), "rows": rows, "campaigns": [one.told() for one in outcomes]}
    if out is not None:
        out.write_text(json.dumps(finite(told), indent=1) + "\n", encoding="utf-8")
    for file in plotted(outcomes, rows, plots) if plots is not None else ():
        click.echo(f"drawn: {file}", err=True)
    if form == "json":
        click.echo(json.dumps(finite(told), indent=2))
    else:
        print_rows(_table(rows, suite.baselines), form)
    return 0


def _table(rows: list[dict[str, Any]], baselines: list[str]) -> list[dict[str, Any]]:
    """Rows for people: each task's methods, then what they are measured by."""
    table: list[dict[str, Any]] = []
    for at, row in enumerate(rows):
        low, high = row["interval"] or (None, None)
        table.append(
            {
                "task": row["task"],
                "method": row["method"],
                "best": _short(row["best"]),
                "low": _short(low),
                "high": _short(high),
                "held out": _short(next(iter(row["held_out"].values()), None)),
                **{f"to {share:.4g}%": _arrived(row, share / 100) for share in (100 * one for one in SHARES)},
                **{f"over {base}": _short(row["over"].get(base, {}).get("probability")) for base in baselines},
                **({"cut": row["cut"]} if any(one["cut"] for one in rows) else {}),
                "worker s": round(row["worker_seconds"], 1),
                **({"tokens": round(row["tokens"]), "US$": row["money"]} if any(one["tokens"] for one in rows) else {}),
            }
        )
        if at + 1 == len(rows) or rows[at + 1]["task"] != row["task"]:
            for label, anchor in (("by hand", row["floor"]), ("best known", row["best_known"])):
                if anchor is not None:
                    value = _short(anchor["value"])
                    table.append({**dict.fromkeys(table[-1]), "task": row["task"], "method": label, "best": value})
    return table


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"


def _arrived(row: dict[str, Any], share: float) -> str | None:
    """The median and how many seeds arrived; nothing where nobody could."""
    found = row["to"].get(f"{share:.2%}")
    if found is None:
        return None
    spent = found["evaluations"]
    return f"{'-' if spent is None else spent} ({found['seeds']}/{row['seeds']})"
