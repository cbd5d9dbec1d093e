"""What a person sees while a campaign runs: a live line in a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evoengine.archives.base import Archive
from evoengine.campaign import Campaign
from evoengine.events import Committed, Event, Halting, Progress, Started, Stopped, Updated
from evoengine.types import Failed

_QUIET_SECONDS = 10.0
"""Between plain lines, unless there is news."""


class Display:
    """Follows a campaign's events and draws where it stands."""

    def __init__(self, campaign: Campaign, budget: dict[str, Any]) -> None:
        self.campaign, self.budget = campaign, budget
        self.outcomes: Counter[str] = Counter()
        self.news: list[str] = []
        self.progress = Progress()
        self._before = 0
        self._archives: Sequence[Archive] = ()

    def __call__(self, event: Event) -> None:
        """Takes in an event."""
        match event:
            case Started(resumed=resumed):
                self._before = resumed
                # taken here, in the campaign's thread: a picture is drawn in another one, and must not open a store
                self.progress, self._archives = self.campaign.progress, self.campaign.islands.archives
                if resumed:
                    self.news.append(f"going on after {resumed} records")
            case Committed(record=record, improved=improved, progress=progress):
                self.progress, self._archives = progress, self.campaign.islands.archives
                evaluation = record.evaluation
                self.outcomes[str(evaluation.cause) if isinstance(evaluation, Failed) else "scored"] += 1
                if improved and not isinstance(evaluation, Failed):
                    value = self.campaign.problem.signed(evaluation.score)
                    self.news.append(f"{value:.10g} by {record.candidate.operator} (record {record.number})")
            case Updated(number=number, facts=facts):
                rate, probe = facts.get("improvement_rate"), facts.get("probe/improvement_rate")
                told = "" if rate is None else f": {rate:.0%} of the children improved"
                self.news.append(f"update {number}{told}" + ("" if probe is None else f", {probe:.0%} of the probes'"))
            case Halting():
                self.news.append("finishing what is in flight; Ctrl-C again stops at once")

    def line(self) -> str:
        """Where it stands, in one line."""
        progress = self.progress
        rate = (progress.records - self._before) / max(progress.seconds, 1.0)
        best = "-" if progress.best is None else f"{self.campaign.problem.signed(progress.best):.10g}"
        return (
            f"best {best} | {progress.records} records | {progress.evaluations} evaluations | "
            f"{rate:.0f}/s | {progress.seconds:.0f} s"
        )

    def __rich__(self) -> RenderableType:
        """The live picture."""
        table = Table.grid(padding=(0, 2))
        problem = self.campaign.problem
        known = problem.best_known
        goal = f"   best known {known.value:.10g}" if known is not None else ""
        table.add_row(Text(f"{self.campaign.name}", style="bold"), Text(self.line() + goal))
        share = self._share()
        if share is not None:
            table.add_row(Text(f"{share:4.0%}"), ProgressBar(total=1.0, completed=share, width=60))
        outcomes = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        table.add_row(Text("outcomes"), Text(outcomes or "-"))
        if self.progress.records:
            sizes = ", ".join(str(len(archive)) for archive in self._archives)
            table.add_row(Text("elites"), Text(f"{sizes} by island"))
        recent = [Text(f"  {news}", style="dim") for news in self.news[-5:]]
        return Group(table, *recent)

    def _share(self) -> float | None:
        """How much of the budget is spent, 0 to 1."""
        shares = [
            spent / self.budget[key]
            for key, spent in (("evaluations", self.progress.evaluations), ("seconds", self.progress.seconds))
            if self.budget.get(key)
        ]
        return min(1.0, max(shares)) if shares else None


@contextmanager
def watching(campaign: Campaign, budget: dict[str, Any], *, quiet: bool) -> Iterator[None]:
    """Shows a campaign's progress on standard error while the context lasts."""
    if quiet:
        yield
        return
    display = Display(campaign, budget)
    campaign.watchers.append(display)
    console = Console(stderr=True)
    if console.is_terminal:
        with Live(display, console=console, refresh_per_second=4, transient=True):
            yield
        return
    campaign.watchers.append(_Lines(display))
    yield


class _Lines:
    """A plain line at each improvement that came a second after the last line, and every ten seconds."""

    def __init__(self, display: Display) -> None:
        self._display, self._said, self._news = display, 0.0, 0

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        waited = now - self._said
        fresh = len(self._display.news) > self._news
        if isinstance(event, Halting):
            click.echo(self._display.news[-1], err=True)
        last = isinstance(event, Stopped)
        if last or waited > _QUIET_SECONDS or (fresh and waited > 1.0):
            self._said, self._news = now, len(self._display.news)
            click.echo(self._display.line(), err=True)
            sys.stderr.flush()
