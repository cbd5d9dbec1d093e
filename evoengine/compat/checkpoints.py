"""Reading what another engine kept of a run, and recording it as a campaign that can go on here."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoengine.errors import SettingError

_DATABASES = ("programs.sqlite", "evolution_db.sqlite")
_COLUMNS = ("id", "code", "parent_id", "island_idx", "generation", "timestamp", "combined_score", "public_metrics",
            "text_feedback", "correct")  # fmt: skip
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A program of a checkpoint, as its engine kept it; untrusted.

    Attributes:
        key: its engine's name for it.
        parent: that of its parent; None where it has none, or none that was kept.
        metrics: as its evaluator gave them.
        failed: why it has no score; None where it has one.
        feedback: texts that its evaluator gave.
    """

    key: str
    text: str
    parent: str | None
    island: int
    metrics: Mapping[str, Any]
    failed: str | None = None
    feedback: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """The metrics as `Foreign.scored` takes them."""
        told: dict[str, Any] = {"numbers": {}, "flags": {}, "texts": dict(self.feedback), "bad": {}}
        for name, value in self.metrics.items():
            if isinstance(value, bool):
                told["flags"][name] = value
            elif isinstance(value, int | float):
                number = float(value) if abs(value) < 1e308 else math.inf
                told["numbers" if math.isfinite(number) else "bad"][name] = (
                    number if math.isfinite(number) else str(number)
                )
            elif value is not None:
                told["texts"][name] = value if isinstance(value, str) else json.dumps(value)
        return {**told, "failed": self.failed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What an engine kept of a run: programs, parents before their children."""

    engine: str
    programs: tuple[Past, ...]

    @property
    def islands(self) -> int:
        """How many there were."""
        return 1 + max((one.island for one in self.programs), default=0)

    @classmethod
    def found(cls, path: Path) -> Checkpoint | None:
        """The checkpoint at a path: OpenEvolve's folder, or ShinkaEvolve's database or the folder it is in.

        Raises:
            SettingError: there is one, and it cannot be read.
        """
        path = path.expanduser()
        try:
            if (path / "metadata.json").is_file() and (path / "programs").is_dir():
                return cls(engine="openevolve", programs=_ordered(_of_openevolve(path)))
            base = _database(path)
            if base is not None:
                return cls(engine="shinka", programs=_ordered(_of_shinka(base)))
        except (OSError, ValueError, TypeError, KeyError, sqlite3.Error) as error:
            raise SettingError(f"the checkpoint {path} cannot be read: {type(error).__name__}: {error}.") from None
        return None


def _of_openevolve(folder: Path) -> list[tuple[tuple[float, ...], Past]]:
    islands = json.loads((folder / "metadata.json").read_text(encoding="utf-8")).get("islands") or []
    places = {key: at for at, island in enumerate(islands) for key in island}
    found: list[tuple[tuple[float, ...], Past]] = []
    for path in sorted((folder / "programs").glob("*.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        key = str(row["id"])
        past = Past(
            key=key,
            text=str(row["code"]),
            parent=row.get("parent_id"),
            island=places.get(key, int((row.get("metadata") or {}).get("island") or 0)),
            metrics=row.get("metrics") or {},
            feedback=_texts(row.get("artifacts_json")),
        )
        when = (row.get("iteration_found"), row.get("generation"), row.get("timestamp"))
        found.append((tuple(float(one or 0) for one in when), past))
    return found


def _of_shinka(base: Path) -> list[tuple[tuple[float, ...], Past]]:
    found: list[tuple[tuple[float, ...], Past]] = []
    with closing(sqlite3.connect(f"{base.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for values in connection.execute(f"select {', '.join(_COLUMNS)} from programs"):
            row = dict(zip(_COLUMNS, values, strict=True))
            feedback = str(row["text_feedback"] or "")
            past = Past(
                key=str(row["id"]),
                text=str(row["code"]),
                parent=row["parent_id"],
                island=int(row["island_idx"] or 0),
                metrics={**json.loads(row["public_metrics"] or "{}"), "combined_score": row["combined_score"]},
                failed=None if row["correct"] else "it was not correct",
                feedback={"text_feedback": feedback} if feedback else {},
            )
            found.append(((float(row["generation"] or 0), float(row["timestamp"] or 0)), past))
    return found


def _database(path: Path) -> Path | None:
    """The SQLite file with a table of programs that a path means, if any."""
    named = [path / name for name in _DATABASES] if path.is_dir() else [path]
    for file in named:
        if not file.is_file():
            continue
        with file.open("rb") as handle:
            if handle.read(len(_SQLITE)) != _SQLITE:
                continue
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            columns = {row[1] for row in connection.execute("pragma table_info(programs)")}
        if {"code", "combined_score", "correct"} <= columns:
            return file
    return None


def _texts(artifacts: str | None) -> dict[str, str]:
    found = json.loads(artifacts) if artifacts else {}
    return {str(name): value for name, value in found.items() if isinstance(value, str)}


def _ordered(dated: Iterable[tuple[tuple[float, ...], Past]]) -> tuple[Past, ...]:
    """The oldest first, but none before its parent; parents that were not kept are left out."""
    past = [one for _, one in sorted(dated, key=lambda pair: (pair[0], pair[1].key))]
    known = {one.key: one for one in past}
    done: dict[str, Past] = {}
    for one in past:
        line: list[Past] = []
        at: Past | None = one
        while at is not None and at.key not in done and at not in line:
            line.append(at)
            at = known.get(at.parent) if at.parent is not None else None
        for each in reversed(line):
            done[each.key] = each
    return tuple(done.values())
