"""The verb that measures the engine itself."""

from __future__ import annotations

import click

from evoengine.analysis.overhead import append_rate, archive_rates
from evoengine.cli.output import FORMAT, print_rows
from evoengine.overhead import records_rates


@click.command("bench")
@click.option("--programs", type=click.IntRange(min=1000), default=20_000, show_default=True, help="Programs to hold.")
@FORMAT
def bench_command(programs: int, form: str) -> None:
    """How fast the engine itself is on this machine, with nothing to evaluate."""
    add, sample = archive_rates(programs)
    rows = [
        {"what": f"archive add at {programs} programs", "per_second": round(add)},
        {"what": f"archive sample at {programs} programs", "per_second": round(sample)},
        {"what": "durable appends in batches of 32", "per_second": round(append_rate(programs, batch=32))},
        {"what": f"records of a campaign at {programs}", "per_second": round(records_rates([programs])[0])},
    ]
    print_rows(rows, form)
