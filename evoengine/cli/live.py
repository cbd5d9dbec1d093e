"""What a person sees while a campaign runs: a live picture in a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evoengine.campaign import Campaign
from evoengine.cli.miniature import PLAIN_SHADES, SHADES, Miniature
from evoengine.events import Committed, Event, Halting, Progress, Started, Stopped, Updated
from evoengine.readable import plain
from evoengine.types import Failed

_QUIET_SECONDS = 10.0
"""Between plain lines, unless there is news."""
_LOOK_SECONDS = 0.5
"""Between looks at the archives, at least."""


class Display:
    """Follows a campaign's events and draws where it stands.

    Args:
        campaign: that is followed.
        budget: limits by name, as `Campaign.run` takes them.
        pictured: whether the archives are drawn too.
    """

    def __init__(self, campaign: Campaign, budget: dict[str, Any], *, pictured: bool = False) -> None:
        self.campaign, self.budget = campaign, budget
        self.outcomes: Counter[str] = Counter()
        self.news: list[str] = []
        self.progress = self._before = Progress()
        self._miniature = Miniature(campaign.problem.features) if pictured else None
        self._sizes: list[int] = []
        self._looked = 0.0

    def __call__(self, event: Event) -> None:
        """Takes in an event."""
        match event:
            case Started(resumed=resumed):
                self.progress = self._before = self.campaign.progress
                self._look(0.0)
                if resumed:
                    self.news.append(f"going on after {resumed} records")
            case Committed(record=record, improved=improved, progress=progress):
                self.progress = progress
                self._look(_LOOK_SECONDS)
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

    def _look(self, every: float) -> None:
        """Looks at the archives, in the campaign's thread: a picture is drawn in another one, while they change."""
        now = time.monotonic()
        if now < self._looked + every:
            return
        archives = self.campaign.islands.archives
        self._sizes = [len(archive) for archive in archives]
        if self._miniature is not None:
            self._miniature.look(archives)
        # large archives are looked at the less often, so that it never takes more than a fiftieth of the time
        self._looked = time.monotonic() + 50 * (time.monotonic() - now)

    def line(self) -> str:
        """Where it stands, in one line."""
        progress = self.progress
        best = "-" if progress.best is None else f"{self.campaign.problem.signed(progress.best):.10g}"
        told = [
            f"best {best}",
            f"{progress.records} records",
            f"{progress.evaluations} evaluations",
            rate_of(progress.records - self._before.records, progress.seconds),
            f"{progress.seconds:.0f} s",
        ]
        if progress.tokens:
            told.append(f"{progress.tokens} tokens")
        if progress.money:
            told.append(f"${progress.money:.4g}")
        left = self.left()
        if left:
            told.append(f"{duration(left)} left")
        return " | ".join(told)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The live picture."""
        table = Table.grid(padding=(0, 2))
        problem = self.campaign.problem
        known = problem.best_known
        goal = f"   best known {known.value:.10g}" if known is not None else ""
        table.add_row(Text(plain(self.campaign.name), style="bold"), Text(self.line() + goal))
        share = self._share()
        if share is not None:
            table.add_row(Text(f"{share:4.0%}"), ProgressBar(total=1.0, completed=share, width=60))
        outcomes = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        table.add_row(Text("outcomes"), Text(outcomes or "-"))
        if self.progress.records:
            table.add_row(Text("elites"), Text(f"{', '.join(map(str, self._sizes))} by island"))
        if self._miniature is not None and self._miniature.rows:
            shades = PLAIN_SHADES if options.ascii_only else SHADES
            table.add_row(Text("map"), Text(self._miniature.drawn(shades), no_wrap=True, overflow="crop"))
        yield table
        yield from (Text(f"  {plain(news)}", style="dim") for news in self.news[-5:])

    def left(self) -> float | None:
        """Seconds until the budget is spent, at the rates of this run so far; None where nobody can tell."""
        seconds = self.progress.seconds
        found = []
        if self.budget.get("seconds") is not None:
            found.append(max(0.0, self.budget["seconds"] - seconds))
        for key in ("evaluations", "tokens", "money"):
            limit, now, before = self.budget.get(key), getattr(self.progress, key), getattr(self._before, key)
            if limit is not None and now > before and seconds > 0:
                found.append(max(0.0, limit - now) * seconds / (now - before))
        return min(found) if found else None

    def _share(self) -> float | None:
        """How much of the budget is spent, 0 to 1."""
        shares = [
            getattr(self.progress, key) / self.budget[key]
            for key in ("evaluations", "seconds", "tokens", "money")
            if self.budget.get(key)
        ]
        return min(1.0, max(shares)) if shares else None


def rate_of(records: int, seconds: float) -> str:
    """Records in a second, or in a minute or an hour where these are few, with three digits at most."""
    if not records:
        return "0/s"
    rate = records / max(seconds, 1.0)
    for unit, factor in (("s", 1), ("min", 60), ("h", 3600)):
        if rate * factor >= 1 or unit == "h":
            found = rate * factor
            return f"{found:.0f}/{unit}" if found >= 10 else f"{found:.1f}/{unit}"
    raise AssertionError(rate)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 6000 else f"{minutes / 1440:.0f} days"


@contextmanager
def watching(campaign: Campaign, budget: dict[str, Any], *, quiet: bool) -> Iterator[None]:
    """Shows a campaign's progress on standard error while the context lasts."""
    if quiet:
        yield
        return
    console = Console(stderr=True)
    display = Display(campaign, budget, pictured=console.is_terminal)
    campaign.watchers.append(display)
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
