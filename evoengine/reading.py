"""Reading a campaign from its store, without the problem's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from evoengine.archives.base import Archive
from evoengine.bandit import Bandit
from evoengine.errors import CampaignError
from evoengine.fold import Fold
from evoengine.islands import Islands
from evoengine.plugins import build
from evoengine.stores.base import CampaignRow, Check, Store
from evoengine.types import Brief, Content, Elite, Failed, Feature, Program, Record, Scored


class Reading:
    """A campaign as its records tell it; values are in the problem's own direction.

    Args:
        store: opened.
        row: the campaign's.
    """

    def __init__(self, store: Store, row: CampaignRow) -> None:
        self.store, self.row = store, row
        self.about: dict[str, Any] = row.settings["about"]
        self.features = tuple(Feature(**feature) for feature in self.about["features"])
        self._fold: Fold | None = None

    @classmethod
    def named(cls, store: Store, name: str | None) -> Reading:
        """The campaign of a name, or the only one.

        Raises:
            CampaignError: there is none of that name, or there are several and no name was given.
        """
        rows = store.campaigns()
        names = [row.name for row in rows]
        if name is None:
            if len(rows) == 1:
                return cls(store, rows[0])
            known = f"name one of: {', '.join(names)}" if rows else "it holds none; start one with `evoengine run`"
            raise CampaignError(f"which campaign? {store.url} has {len(rows)}; {known}.")
        for row in rows:
            if row.name == name:
                return cls(store, row)
        raise CampaignError(f"no campaign is called {name!r} in {store.url}; there are: {', '.join(names) or 'none'}.")

    @cached_property
    def _checks(self) -> list[Check]:
        return self.store.checks(self.row)

    def shown(self, score: float) -> float:
        """A score as the problem's own value."""
        return score if self.about["direction"] == "maximize" else -score

    @property
    def fold(self) -> Fold:
        """The state after the last record, replayed when it is first needed."""
        if self._fold is None:
            self._fold = self._replayed()
        return self._fold

    def elites(self) -> list[Elite]:
        """The elites of all islands, each record once, best first."""
        found = {elite.number: elite for archive in self.fold.islands.archives for elite in archive}
        return sorted(found.values(), key=lambda elite: (-elite.scored.score, elite.number))

    def summary(self) -> dict[str, Any]:
        """What `evoengine show` prints."""
        fold, progress = self.fold, self.fold.progress
        archives = fold.islands.archives
        best = fold.islands.champion
        known, floor = self.about["best_known"], self.about["floor"]
        return {
            "campaign": self.row.name,
            "problem": self.row.problem,
            "seed": self.row.seed,
            "created": self.row.created,
            "records": progress.records,
            "evaluations": progress.evaluations,
            "best_score": None if best is None else self.shown(best.scored.score),
            "best_number": None if best is None else best.number,
            "best_known": None if known is None else known["value"],
            "floor": None if floor is None else floor["value"],
            "islands": len(archives),
            "elites": sum(len(archive) for archive in archives),
            "coverage": sum(archive.coverage for archive in archives) / len(archives),
            "qd_score": sum(archive.qd_score for archive in archives),
            "archive_digest": fold.islands.digest(),
            "seconds": self.store.seconds(self.row),
        }

    def described(self, record: Record) -> dict[str, Any]:
        """A record with its content, as JSON values."""
        row: dict[str, Any] = {
            "campaign": self.row.name,
            "number": record.number,
            "score": None,
            "metrics": {},
            "features": {},
            "instances": {},
            "content": content_out(record.candidate.content),
            "outputs": None,
            "operator": record.candidate.operator,
            "parents": list(record.candidate.parents),
            "island": record.candidate.island,
            "cause": None,
            "feedback": record.evaluation.feedback,
            "calls": record.cost.calls,
        }
        match record.evaluation:
            case Scored() as scored:
                row |= {
                    "score": self.shown(scored.score),
                    "metrics": dict(scored.metrics),
                    "features": dict(scored.features),
                    "instances": {name: self.shown(value) for name, value in scored.instances.items()},
                    "outputs": None if scored.outputs is None else json.loads(scored.outputs),
                }
            case Failed(cause=cause):
                row["cause"] = str(cause)
        checks = [check for check in self._checks if check.number == record.number]
        row["checks"] = {
            check.stage: self.shown(check.evaluation.score)
            if isinstance(check.evaluation, Scored)
            else str(check.evaluation.cause)
            for check in checks
        }
        return row

    def record(self, number: int) -> Record:
        """One record.

        Raises:
            CampaignError: there is none of that number.
        """
        found = self.store.records(self.row, [number])
        if number not in found:
            last = self.store.last(self.row)
            raise CampaignError(f"campaign {self.row.name!r} has no record {number}; its records are 1 to {last}.")
        return found[number]

    def lineage(self, number: int) -> list[Record]:
        """A record with its first parents back to the seed, newest first."""
        line = [self.record(number)]
        while line[-1].candidate.parents:
            line.append(self.record(line[-1].candidate.parents[0]))
        return line

    def records(self) -> Iterator[Record]:
        """All records, in order."""
        return self.store.replay(self.row)

    def _replayed(self) -> Fold:
        settings = self.row.settings
        islands, bandit = Islands(**settings["islands"]), Bandit(**settings["bandit"])
        archive: Archive = build("archives", settings["archive"])
        islands.open(
            archive=archive,
            selector=build("selectors", settings["selector"]),
            features=self.features,
            seed=self.row.seed,
        )
        fold = Fold(
            islands=islands,
            bandit=bandit,
            brief=Brief(name=self.row.problem, goal=self.about["goal"], entry=""),
            seed=self.row.seed,
            inspirations=settings["inspirations"],
        )
        fold.resume(self.store, self.row, self.store.last(self.row))
        for record in self.store.replay(self.row, after=fold.records):
            fold.take(record)
        return fold


def content_out(content: Content | None) -> dict[str, Any] | None:
    """A content as JSON values."""
    match content:
        case None:
            return None
        case Program(files=files, language=language, digest=digest):
            return {"kind": "program", "language": language, "digest": digest, "files": dict(files)}
        case _:
            return {"kind": "context", "digest": content.digest, "sections": dict(content.sections)}
