"""Archives as maps over one or two of their features: what pages, plots and the terminal draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evoengine.chronicle import Chronicle
from evoengine.types import Feature

MOST_BINS = 64
"""Cells along an axis of a map; finer grids are drawn in blocks, each as the best of its cells."""
_FREE_BINS = 32
"""Cells along an axis where an archive has no grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of a map, cut into `bins` equal parts."""

    name: str
    low: float
    high: float
    bins: int


def axes_of(chronicle: Chronicle, names: Sequence[str]) -> list[Axis]:
    """The axes of these features, as wide as the widest of the archives has them by now."""
    features = {feature.name: feature for feature in chronicle.features}
    grid = chronicle.row.settings["archive"].get("use") == "grid"
    axes = []
    for name in names:
        feature = features[name]
        low, high = _bounds(chronicle, feature)
        axes.append(Axis(name=name, low=low, high=high, bins=min(MOST_BINS, feature.bins if grid else _FREE_BINS)))
    return axes


def _bounds(chronicle: Chronicle, feature: Feature) -> tuple[float, float]:
    """A feature's bounds, widened to those that an adaptive archive has come to."""
    low, high = feature.low, feature.high
    for archive in chronicle.islands.archives:
        ranges = getattr(archive, "ranges", {})
        if feature.name in ranges:
            low, high = min(low, ranges[feature.name][0]), max(high, ranges[feature.name][1])
    return low, high


def cells_of(chronicle: Chronicle, numbers: NDArray[Any], axes: Sequence[Axis]) -> dict[tuple[int, int], int]:
    """The number of the best elite in each cell of one or two axes; what lies outside counts as on the edge."""
    names = [feature.name for feature in chronicle.features]
    keys = np.zeros(len(numbers), dtype=np.int64)
    for axis in reversed(axes):
        values = chronicle.columns["features"][numbers - 1, names.index(axis.name)]
        share = np.clip((values - axis.low) / (axis.high - axis.low), 0.0, 1.0)
        keys = keys * axis.bins + np.minimum(axis.bins - 1, (np.nan_to_num(share) * axis.bins).astype(np.int64))
    width = axes[0].bins
    return {(key % width, key // width): number for key, number in _best(chronicle, numbers, keys).items()}


def owners_of(chronicle: Chronicle, numbers: NDArray[Any], centroids: NDArray[np.float64]) -> dict[int, int]:
    """The number of the best elite in the cell of each centroid; centroids (C, F) are in the unit box of features."""
    from scipy.spatial import cKDTree

    low = np.array([feature.low for feature in chronicle.features])
    high = np.array([feature.high for feature in chronicle.features])
    places = np.clip((chronicle.columns["features"][numbers - 1] - low) / (high - low), 0.0, 1.0)
    return _best(chronicle, numbers, np.asarray(cKDTree(centroids).query(places)[1]))


def _best(chronicle: Chronicle, numbers: NDArray[Any], keys: NDArray[Any]) -> dict[int, int]:
    """By key the number of the best; of equals the oldest."""
    order = np.lexsort((numbers, -chronicle.columns["score"][numbers - 1], keys))
    found, first = np.unique(keys[order], return_index=True)
    return dict(zip(found.tolist(), numbers[order][first].tolist(), strict=True))
