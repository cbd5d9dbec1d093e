"""CVT-MAP-Elites (Vassiliades, Chatzilygeroudis & Mouret 2018, arXiv:1610.05729)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from evoengine.archives import ShelvedArchive
from evoengine.types import Cell, Content, Feature, Insertion, Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points: TypeAlias = NDArray[np.float64]


class Cvt(ShelvedArchive):
    """One elite in each cell of a centroidal Voronoi tessellation of the feature box.

    The number of cells is free of the number of features, where a grid's grows exponentially. Features are
    scaled to the unit box, and what lies outside a feature's bounds counts as on its edge. The centroids are
    those of k-means on uniform points of the box, and depend on the settings and the number of features
    alone; islands share them.

    Attributes:
        cells: how many.
        samples: how many uniform points stand for the box; at least `cells`.
        rounds: of Lloyd's algorithm at most; it ends before when nothing moves.
        seed: of the points.
        qd_offset: subtracted from each score in `qd_score`.
    """

    cells: int = Field(default=1000, ge=1)
    samples: int = Field(default=25_000, ge=1, validate_default=True)
    rounds: int = Field(default=30, ge=0)
    seed: int = Field(default=0, ge=0)

    _axes: tuple[tuple[str, float, float], ...] = PrivateAttr(default=())

    @field_validator("samples")
    @classmethod
    def _enough(cls, samples: int, info: ValidationInfo) -> int:
        if samples < info.data.get("cells", 0):
            raise ValueError(f"expected at least as many samples as cells ({info.data['cells']})")
        return samples

    @cached_property
    def _tree(self) -> Any:
        return _tessellation(len(self._axes), self.cells, self.samples, self.rounds, self.seed)

    def open(self, features: tuple[Feature, ...]) -> None:
        self._axes = tuple((feature.name, feature.low, feature.high - feature.low) for feature in features)
        self.clear()
        self.__dict__.pop("_tree", None)

    @property
    def centroids(self) -> Points:
        """The centroids in the unit box, (cells, features)."""
        points: Points = self._tree.data
        return points

    def cell(self, scored: Scored) -> Cell:
        """The cell of a position.

        Raises:
            KeyError: a feature is missing.
        """
        return (self._key(scored.features),)

    def _key(self, features: Mapping[str, float]) -> int:
        point = [min(1.0, max(0.0, (features[name] - low) / width)) for name, low, width in self._axes]
        return int(self._tree.query(point)[1]) if point else 0

    def add(self, number: int, content: Content, scored: Scored) -> Insertion:
        return self._shelf.put(self._key(scored.features), number, content, scored)

    @property
    def coverage(self) -> float:
        return len(self) / (self.cells if self._axes else 1)


@lru_cache(maxsize=8)
def _tessellation(features: int, cells: int, samples: int, rounds: int, seed: int) -> Any:
    """A KD-tree of the centroids: k-means by Lloyd's algorithm, a centroid without points staying where it is."""
    import numpy as np
    from scipy.spatial import cKDTree

    points = np.random.Generator(np.random.Philox(seed)).random((samples, features))
    centroids = points[:cells].copy()
    for _ in range(rounds if features else 0):
        nearest = cKDTree(centroids).query(points)[1]
        counts = np.bincount(nearest, minlength=cells)
        sums = np.stack([np.bincount(nearest, points[:, axis], cells) for axis in range(features)], axis=1)
        moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    return cKDTree(centroids) if features else None
