"""The archive as a map over two of its features, after any record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evoengine.chronicle import Owner, best_first
from evoengine.types import Feature
from evoengine.web.charts import Axis, Cell, heat_map, shade_legend
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
    now = chronicle.owners()
    owners = now if at == chronicle.count else chronicle.owners(at)
    if island is not None:
        owners = [owner for owner in owners if owner.island == island]
    scores = [owner.score for owner in (*now, *owners)]
    low, high = (min(scores), max(scores)) if scores else (0.0, 0.0)
    found: dict[str, Any] = {"map": None, "cells": 0}
    if first is not None:
        axes = _axes(viewed, [name for name in (first, second) if name is not None and (name == first or second != first)])
        cells = _cells(owners, axes)
        drawn = {
            place: Cell(
                shade=(owner.score - low) / (high - low) if high - low > 0 else 1.0,
                title=f"record {owner.number}: {chronicle.shown(owner.score):.8g}",
                href=viewed.links.record(owner.number),
            )
            for place, owner in cells.items()
        }
        found = {
            "map": heat_map(
                drawn,
                title=f"{len(drawn)} cells with an elite after record {at}",
                x=axes[0],
                y=axes[1] if len(axes) > 1 else None,
            ),
            "cells": len(drawn),
            "legend": shade_legend(f"{chronicle.shown(low):.6g}", f"{chronicle.shown(high):.6g}") if scores else None,
        }
    ranked = best_first(owners)
    return {
        **found,
        "x": first,
        "y": second,
        "names": names,
        "island": island,
        "islands": range(len(chronicle.islands.archives)),
        "at": at,
        "count": chronicle.count,
        "step": max(1, chronicle.count // 200),
        "elites": [
            {
                "number": owner.number,
                "value": chronicle.shown(owner.score),
                "island": owner.island,
                "features": dict(owner.features),
            }
            for owner in ranked[:_LISTED]
        ],
        "elite_count": len(ranked),
        "champion": ranked[0].number if ranked else None,
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


def _cells(owners: Sequence[Owner], axes: Sequence[Axis]) -> dict[tuple[int, int], Owner]:
    """The best elite of each cell of these axes; what lies outside counts as on the edge."""
    cells: dict[tuple[int, int], Owner] = {}
    for owner in owners:
        places = [_place(owner.features.get(axis.name, axis.low), axis) for axis in axes]
        key = (places[0], places[1] if len(places) > 1 else 0)
        held = cells.get(key)
        if held is None or (owner.score, -owner.number) > (held.score, -held.number):
            cells[key] = owner
    return cells


def _place(value: float, axis: Axis) -> int:
    share = (value - axis.low) / (axis.high - axis.low)
    return min(axis.bins - 1, max(0, int(min(1.0, max(0.0, share)) * axis.bins)))
