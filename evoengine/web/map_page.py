"""The archive as a map over two of its features, after any record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evoengine.types import Feature
from evoengine.web.charts import Axis, Cell, heat_map, shade_legend
from evoengine.web.pages import elite
from evoengine.web.viewed import Query, Viewed

MOST_BINS = 64
"""Cells along an axis of a map; finer grids are drawn in blocks, each as the best of its cells."""
_FREE_BINS = 32
"""Cells along an axis where an archive has no grid."""
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
        axes = _axes(viewed, list(dict.fromkeys(name for name in (first, second) if name is not None)))
        cells = _cells(viewed, numbers, axes)
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


def _axes(viewed: Viewed, names: Sequence[str]) -> list[Axis]:
    """The axes of these features, as wide as the widest of the archives has them by now."""
    chronicle = viewed.chronicle
    features = {feature.name: feature for feature in chronicle.features}
    grid = viewed.row.settings["archive"].get("use") == "grid"
    axes = []
    for name in names:
        feature = features[name]
        low, high = _bounds(viewed, feature)
        axes.append(Axis(name=name, low=low, high=high, bins=min(MOST_BINS, feature.bins if grid else _FREE_BINS)))
    return axes


def _bounds(viewed: Viewed, feature: Feature) -> tuple[float, float]:
    """A feature's bounds, widened to those that an adaptive archive has come to."""
    low, high = feature.low, feature.high
    for archive in viewed.chronicle.islands.archives:
        ranges = getattr(archive, "ranges", {})
        if feature.name in ranges:
            low, high = min(low, ranges[feature.name][0]), max(high, ranges[feature.name][1])
    return low, high


def _cells(viewed: Viewed, numbers: NDArray[Any], axes: Sequence[Axis]) -> dict[tuple[int, int], int]:
    """The number of the best elite in each cell of these axes; what lies outside counts as on the edge."""
    columns, names = viewed.chronicle.columns, [feature.name for feature in viewed.chronicle.features]
    keys = np.zeros(len(numbers), dtype=np.int64)
    for axis in reversed(axes):
        values = columns["features"][numbers - 1, names.index(axis.name)]
        share = np.clip((values - axis.low) / (axis.high - axis.low), 0.0, 1.0)
        keys = keys * axis.bins + np.minimum(axis.bins - 1, (np.nan_to_num(share) * axis.bins).astype(np.int64))
    order = np.lexsort((numbers, -columns["score"][numbers - 1], keys))
    found, first = np.unique(keys[order], return_index=True)
    width = axes[0].bins
    best = numbers[order][first]
    return {(key % width, key // width): number for key, number in zip(found.tolist(), best.tolist(), strict=True)}


def _shade(score: float, low: float, high: float) -> float:
    """Where a score lies between two others, 0 to 1; halved, as their difference may be no finite number."""
    return (score / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 1.0
