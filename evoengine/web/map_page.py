"""The archive as a map over two of its features, after any record."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoengine.analysis.maps import axes_of, cells_of
from evoengine.web.charts import Cell, heat_map, shade_legend
from evoengine.web.pages import elite
from evoengine.web.viewed import Query, Viewed

_LISTED = 50


def archive_map(viewed: Viewed, query: Query) -> dict[str, Any]:
    """The elites of one island, or the best of all, over two features."""
    chronicle = viewed.chronicle
    names = [feature.name for feature in chronicle.features]
    first = query.choice("x", names) or (names[0] if names else None)
    second = query.choice("y", names) or next((name for name in names if name != first), None)
    island = query.whole("island", 0, len(chronicle.islands.archives) - 1)
    at = query.whole("at", 0, max(0, viewed.last))
    at = chronicle.count if at is None else min(at, chronicle.count)
    wanted, exact = at, query.flag("exact")
    at = at if exact else chronicle.nearest(at)
    held = chronicle.elites(at)
    numbers = np.concatenate(held) if island is None else held[island]
    score = chronicle.columns["score"]
    # the shades are those of the last map of all islands: a film must not change its colours as it goes
    scores = np.concatenate([score[one - 1] for one in (numbers, *chronicle.elites())])
    low, high = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)
    found: dict[str, Any] = {"map": None, "cells": 0}
    if first is not None:
        axes = axes_of(chronicle, list(dict.fromkeys(name for name in (first, second) if name is not None)))
        cells = cells_of(chronicle, numbers, axes)
        drawn = {
            place: Cell(
                shade=_shade(float(score[number - 1]), low, high),
                title=f"record {number}: {chronicle.shown(float(score[number - 1])):.8g}",
                href=viewed.links.record(number),
            )
            for place, number in cells.items()
        }
        found = {
            "map": heat_map(
                drawn,
                title=f"{len(drawn)} cells with an elite after record {at}",
                x=axes[0],
                y=axes[1] if len(axes) > 1 else None,
            ),
            "cells": len(drawn),
            "legend": shade_legend(f"{chronicle.shown(low):.6g}", f"{chronicle.shown(high):.6g}")
            if len(scores)
            else None,
        }
    ranked = chronicle.best(numbers, _LISTED)
    return {
        **found,
        "x": first,
        "y": second,
        "names": names,
        "island": island,
        "islands": range(len(chronicle.islands.archives)),
        "at": at,
        "wanted": wanted,
        "exact": viewed.links.page("map", x=first, y=second, island=island, at=wanted, exact=1)
        if at < wanted
        else None,
        "count": chronicle.count,
        "step": max(1, chronicle.count // 200),
        "elites": [elite(viewed, number) for number in ranked],
        "elite_count": len(np.unique(numbers)),
        "archive": viewed.row.settings["archive"].get("use", ""),
    }


def _shade(score: float, low: float, high: float) -> float:
    """Where a score lies between two others, 0 to 1; halved, as their difference may be no finite number."""
    return (score / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 1.0
