"""The archive as a few rows of blocks, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from evoengine.archives.base import Archive
from evoengine.readable import plain
from evoengine.types import Feature

SHADES = "░▒▓█"
"""The worst quarter of the elites that are drawn to the best."""
PLAIN_SHADES = ".:*#"
"""The same where a terminal has ASCII only."""
_EMPTY = ("·", " ")
"""Of a block that nobody owns, and the same in ASCII."""
_COLUMNS, _ROWS = 40, 8


class Miniature:
    """The elites of all islands over the first two features; the first goes to the right, the second up.

    A block stands for one or more cells and is shaded by the rank of the best elite in it.

    Args:
        features: of the problem; without any there is nothing to draw.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self._axes = features[:2]
        self.columns = min(_COLUMNS, features[0].bins) if features else 0
        self.rows = 0 if not features else 1 if len(features) == 1 else min(_ROWS, features[1].bins)
        self._ranks: dict[tuple[int, int], float] = {}

    def look(self, archives: Iterable[Archive]) -> None:
        """Takes in what the archives hold now."""
        best: dict[tuple[int, int], float] = {}
        for archive in archives:
            bounds = getattr(archive, "ranges", {})  # an adaptive archive may have widened them
            for elite in archive:
                place = self._place(elite.scored.features, bounds)
                best[place] = max(elite.scored.score, best.get(place, elite.scored.score))
        ranks = {score: rank for rank, score in enumerate(sorted(set(best.values())), start=1)}
        self._ranks = {place: ranks[score] / len(ranks) for place, score in best.items()}

    def _place(self, features: Mapping[str, float], bounds: Mapping[str, tuple[float, float]]) -> tuple[int, int]:
        places = [0, 0]
        for axis, (feature, count) in enumerate(zip(self._axes, (self.columns, self.rows), strict=False)):
            low, high = bounds.get(feature.name, (feature.low, feature.high))
            share = (features[feature.name] - low) / (high - low)
            places[axis] = min(count - 1, max(0, int(min(1.0, max(0.0, share)) * count)))
        return places[0], places[1]

    def drawn(self, shades: str) -> str:
        """The map with the names of its axes, a line for each row, the highest on top."""
        ranks = self._ranks  # replaced as a whole by another thread
        empty = _EMPTY[shades.isascii()]
        lines = []
        for row in reversed(range(self.rows)):
            marks = [ranks.get((column, row)) for column in range(self.columns)]
            lines.append("".join(empty if mark is None else _shade(mark, shades) for mark in marks))
        names = [plain(feature.name).replace("\n", " ") for feature in self._axes]
        lines[-1] += f"  {' right, '.join(names)}{' up' if len(names) > 1 else ''}"
        return "\n".join(lines)


def _shade(share: float, shades: str) -> str:
    """The shade of a rank, above 0 to 1."""
    return shades[math.ceil(share * len(shades)) - 1]
