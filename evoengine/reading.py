"""Reading a campaign from its store, without the problem's code."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from evoengine.archives.base import Archive
from evoengine.bandit import Bandit
from evoengine.errors import CampaignError
from evoengine.fold import Fold
from evoengine.guidance import Guidance
from evoengine.islands import Islands
from evoengine.lessons import Lessons, exported
from evoengine.plugins import build
from evoengine.stores.base import CampaignRow, Check, Store, outline_of
from evoengine.types import GUIDANCE, SEED, Brief, Content, Elite, Failed, Feature, Program, Record, Scored

SELF_SCORED = "self-scored: the candidate's own process computed it"
"""What is said beside a score that a candidate could forge."""


@dataclass(slots=True)
class _Account:
    """What some records cost and brought."""

    records: int = 0
    scored: int = 0
    improved: int = 0
    champions: int = 0
    calls: int = 0
    tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0

    def add(self, record: Record) -> None:
        self.records += 1
        self.scored += isinstance(record.evaluation, Scored)
        self.calls += record.cost.calls
        self.tokens += record.cost.tokens
        self.money += record.cost.money
        self.seconds += record.cost.seconds

    def told(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "valid": self.scored / self.records,
            "improving": self.improved / self.records,
            "tokens_each": self.tokens / self.records,
        }


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
    def _checks(self) -> Mapping[int, list[Check]]:
        found: dict[int, list[Check]] = defaultdict(list)
        for check in self.store.checks(self.row):
            found[check.number].append(check)
        return found

    @property
    def self_scored(self) -> bool:
        """Whether scores were computed in the candidates' own processes, and could be forged."""
        return bool(self.about.get("self_scored"))

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
            **({"self_scored": True} if self.self_scored else {}),
            "best_known": None if known is None else known["value"],
            "floor": None if floor is None else floor["value"],
            "islands": len(archives),
            "elites": sum(len(archive) for archive in archives),
            "coverage": sum(archive.coverage for archive in archives) / len(archives),
            "qd_score": sum(archive.qd_score for archive in archives),
            "archive_digest": fold.islands.digest(),
            "seconds": self.store.seconds(self.row),
        }

    def guidance(self) -> list[Elite]:
        """The contexts that guide, with their credit (0 to 1) as score, best first."""
        return [] if self.fold.guidance is None else self.fold.guidance.elites()

    def lessons(self) -> list[dict[str, Any]]:
        """What was learnt from changes, the most useful first, as JSON values."""
        return [] if self.fold.lessons is None else self.fold.lessons.standing()

    def exported_lessons(self, limit: int | None = None) -> str:
        """The most useful lessons as JSON lines, for `lessons = {known = FILE}` of another campaign."""
        assert self.fold.lessons is not None
        own = [lesson for lesson in self.fold.lessons.best() if lesson.number > 0][:limit]
        records = self.store.records(self.row, [lesson.number for lesson in own])
        contents = [records[lesson.number].candidate.content for lesson in own]
        return exported((lesson, content) for lesson, content in zip(own, contents, strict=True) if content is not None)

    def costs(self) -> list[dict[str, Any]]:
        """What each operator brought and cost under each model, as JSON values."""
        found: dict[tuple[str, str], _Account] = {}
        scores: dict[int, float] = {}
        best: float | None = None
        for record in self.records():
            candidate, evaluation = record.candidate, record.evaluation
            if candidate.operator == SEED:
                model = ""
            else:
                model = candidate.turns[-1].completion.policy if candidate.turns else ""
            account = found.setdefault((candidate.operator.partition(".")[0], model), _Account())
            account.add(record)
            if isinstance(evaluation, Scored) and candidate.island != GUIDANCE:
                scores[record.number] = evaluation.score
                before = scores.get(candidate.parents[0]) if candidate.parents else None
                account.improved += before is not None and evaluation.score > before
                if best is None or evaluation.score > best:
                    best = evaluation.score
                    account.champions += 1
        return [
            {"operator": operator, "model": model, **one.told()} for (operator, model), one in sorted(found.items())
        ]

    def described(self, record: Record) -> dict[str, Any]:
        """A record with its content, as JSON values."""
        row: dict[str, Any] = {
            "campaign": self.row.name,
            "number": record.number,
            "score": None,
            **({"self_scored": True} if self.self_scored else {}),
            "metrics": {},
            "features": {},
            "instances": {},
            "content": content_out(record.candidate.content),
            "outputs": None,
            "operator": record.candidate.operator,
            "model": outline_of(record).model,
            "parents": list(record.candidate.parents),
            "island": record.candidate.island,
            "group": record.candidate.group,
            "guidance": record.candidate.guidance,
            "cause": None,
            "feedback": record.evaluation.feedback,
            "calls": record.cost.calls,
            "trials": record.cost.trials,
            "tokens": record.cost.tokens,
            "money": record.cost.money,
            "seconds": record.cost.seconds,
            "tier": record.tier,
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
        row["checks"] = {
            check.stage: self.shown(check.evaluation.score)
            if isinstance(check.evaluation, Scored)
            else str(check.evaluation.cause)
            for check in self._checks.get(record.number, ())
        }
        return row

    def rows(self) -> Iterator[dict[str, Any]]:
        """All records as `described`, with the moment when they were stored, in order; one is held at a time.

        `at` is in seconds since 1970, None where the store does not know. A context that guides has no score and no
        place here: it is credited for what is made under it, and no value of the problem.
        """
        last = self.store.last(self.row)  # a campaign that runs on must not end one of the two before the other
        outlines = self.store.outlines(self.row, until=last)
        for record, outline in zip(self.store.replay(self.row, until=last), outlines, strict=True):
            row = {**self.described(record), "at": outline.at}
            if record.candidate.island == GUIDANCE:
                row |= {"score": None, "features": {}}
            yield row

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
        guidance = Guidance(**settings["guidance"]) if "guidance" in settings else None
        # lessons of another campaign are read when a campaign is run, and not needed to tell what came of it
        lessons = Lessons(**{**settings["lessons"], "known": None}) if "lessons" in settings else None
        fold = Fold(
            islands=islands,
            bandit=bandit,
            brief=Brief(name=self.row.problem, goal=self.about["goal"], entry=""),
            seed=self.row.seed,
            inspirations=settings["inspirations"],
            speaking=self.about.get("speaking", ()),
            guidance=guidance,
            lessons=lessons,
        )
        fold.recalled = lambda number: self.store.elite(self.row, number)
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


def main_text(row: Mapping[str, Any]) -> str | None:
    """Of a described record the text of the file that is run; of a context its sections, one below the other."""
    match row["content"]:
        case None:
            return None
        case {"files": dict() as files}:
            return str(files["main.py"] if "main.py" in files else files[min(files)])
        case content:
            return "\n\n".join(content["sections"].values())
