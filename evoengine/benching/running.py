"""Running a suite: one campaign for each problem, method and seed, all in one store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from evoengine.assembly import store_of
from evoengine.benching.results import Outcome
from evoengine.benching.suites import Suite, Task
from evoengine.campaign import Campaign
from evoengine.config import campaign_of
from evoengine.errors import SettingError
from evoengine.mutators import EVOLVE
from evoengine.reading import Reading
from evoengine.stores.base import CampaignRow, Store

_OURS = ("problem", "name", "store", "seed", "mutator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One campaign of a benchmark."""

    task: Task
    method: str
    seed: int
    evaluations: int

    @property
    def name(self) -> str:
        """Of the campaign in the store."""
        return f"{self.task.label}-{self.method}-{self.seed}"


class Bench:
    """Runs what a suite says; what is finished in the store already is taken as it is.

    Args:
        suite: what to run.
        store: the URL of the store that the campaigns are kept in.
        settings: of every campaign, beside those of the suite: the generator, the workers.

    Raises:
        SettingError: two campaigns would have one name, or a setting is the suite's to decide.
    """

    def __init__(self, suite: Suite, store: str, settings: Mapping[str, Any]) -> None:
        for key in _OURS:
            if key in settings:
                raise SettingError(f"{key} is decided by the suite, for each of its campaigns; leave it out.")
        self.suite, self._store, self._settings = suite, store, dict(settings)
        self.cells = [
            Cell(task=task, method=method, seed=seed, evaluations=task.evaluations or suite.evaluations)
            for task in suite.tasks
            for seed in range(suite.seeds)  # methods take turns, so that a machine that tires wrongs none of them
            for method in suite.methods
        ]
        names = [cell.name for cell in self.cells]
        for name in names:
            if names.count(name) > 1:
                raise SettingError(f"two campaigns of suite {suite.name!r} are called {name!r}; name its tasks apart.")

    def run(self) -> Iterator[Outcome | None]:
        """Runs the campaigns one after the other; gives what each came to, and None, the last, if interrupted.

        Raises:
            EvoengineError: a campaign cannot be made or breaks off; what is finished stays in the store.
        """
        for cell in self.cells:
            with self._campaign(cell) as campaign:
                checked = any(stage.held_out for stage in campaign.problem.stages)
                outcome = self._finished(cell, checked=checked)
                if outcome is None:
                    if campaign.run(evaluations=cell.evaluations, seconds=self._left(cell)) == "interrupted":
                        yield None
                        return
                    outcome = self._finished(cell, checked=checked)
                    assert outcome is not None
            yield outcome

    def _left(self, cell: Cell) -> float | None:
        """Seconds that a campaign may still take."""
        if self.suite.seconds is None:
            return None
        with self._stored(cell) as (store, row):
            return max(0.0, self.suite.seconds - (0.0 if row is None else store.seconds(row)))

    def _campaign(self, cell: Cell) -> Campaign:
        settings = {
            "mutator": EVOLVE,
            **cell.task.parts,
            **self.suite.methods[cell.method],
            **self._settings,
            "problem": cell.task.problem,
            "name": cell.name,
            "store": self._store,
            "seed": cell.seed,
        }
        return campaign_of(settings)[0]

    def _finished(self, cell: Cell, *, checked: bool) -> Outcome | None:
        """What the store holds of a campaign that is at its end and was checked."""
        with self._stored(cell) as (store, row):
            if row is None:
                return None
            return Outcome.of(
                Reading(store, row),
                task=cell.task.label,
                method=cell.method,
                budget=cell.evaluations,
                cut=self.suite.seconds is not None and store.seconds(row) >= self.suite.seconds,
                checked=checked,
            )

    @contextmanager
    def _stored(self, cell: Cell) -> Iterator[tuple[Store, CampaignRow | None]]:
        store = store_of(self._store)
        store.open()
        try:
            yield store, store.campaign(cell.name)
        finally:
            store.close()
