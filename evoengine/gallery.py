"""Pictures of stored records, each drawn by the problem of its campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evoengine.assembly import fingerprint_of
from evoengine.errors import EvoengineError
from evoengine.pictures import Picture, Undrawn, picture_of
from evoengine.plugins import is_path, load
from evoengine.problem import Problem
from evoengine.readable import plain
from evoengine.stores.base import CampaignRow
from evoengine.types import GUIDANCE, Record, Scored

_MOST_PROBLEMS = 16
_EDITED = "Drawn by the problem as it is now; it was edited after the campaign began."


class Gallery:
    """Draws records of stored campaigns. Not for several threads at once.

    A problem is looked up by the name that its campaign was started with. A file that only the store names is not
    loaded: whoever looks at a store that somebody else made would run what that file holds.

    Args:
        problems: names or paths of problems that may be loaded beside those.
    """

    def __init__(self, problems: Sequence[str] = ()) -> None:
        self._given = tuple(problems)
        self._loaded: dict[tuple[str, str], Problem | Undrawn | None] = {}
        self._edited: set[str] = set()
        """Fingerprints of campaigns whose problem is another one by now."""

    def picture(self, row: CampaignRow, record: Record) -> Picture | Undrawn | None:
        """The picture of a record, or why there is none; None where none is to be expected."""
        evaluation = record.evaluation
        if not isinstance(evaluation, Scored) or record.candidate.island == GUIDANCE:
            return None
        match self._problem(row):
            case Problem() as problem:
                found = picture_of(problem, evaluation.outputs) if problem.draws else None
                if isinstance(found, Picture) and row.fingerprint in self._edited:
                    return replace(found, description=f"{found.description} {_EDITED}".strip())
                return found
            case other:
                return other

    def _problem(self, row: CampaignRow) -> Problem | Undrawn | None:
        key = (row.name, row.fingerprint)
        if key not in self._loaded:
            if len(self._loaded) >= _MOST_PROBLEMS:
                self._loaded.clear()
            self._loaded[key] = self._found(row)
        return self._loaded[key]

    def _found(self, row: CampaignRow) -> Problem | Undrawn | None:
        about = row.settings.get("about", {})
        draws, use = about.get("draws"), about.get("use")
        if draws is False:
            return None
        try:
            found = self._built(row, use)
            if isinstance(found, Problem) and fingerprint_of(found) != row.fingerprint:
                self._edited.add(row.fingerprint)
        except EvoengineError as error:
            found = Undrawn(why=str(error))
        except Exception as error:  # a problem's own code, on settings that another version of it has stored
            found = Undrawn(why=plain(f"problem {row.problem!r} cannot be made: {type(error).__name__}: {error}"))
        # older campaigns do not say whether their problem draws: most do not, and nobody misses anything
        return None if draws is None and isinstance(found, Undrawn) else found

    def _built(self, row: CampaignRow, use: str | None) -> Problem | Undrawn:
        settings = row.settings.get("problem", {})
        for given in self._given:
            kind = load("problems", given)
            if getattr(kind, "name", None) == row.problem:
                return _problem(kind(**settings))
        if use is None:
            problem = _problem(load("problems", row.problem)(**settings))
            if fingerprint_of(problem) == row.fingerprint:
                return problem
            return Undrawn(why="its campaign was started from Python; draw it there, or name its file with --problem.")
        if is_path(use):
            return Undrawn(
                why=f"its problem is a file, {use}, which is not run because a store names it; say --problem {use}"
            )
        return _problem(load("problems", use)(**settings))


def _problem(made: object) -> Problem:
    assert isinstance(made, Problem)
    return made
