"""Nearest neighbours among points that are added and moved all the time."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SLACK = 1.0 + 1e-9
"""Distances of the tree and our own may differ in the last bits."""


class Neighbours:
    """Points by serial number (0, 1, 2, ...), and the nearest of them to a position.

    Most lie in a KD-tree; what was added or moved since it was built is searched linearly. The tree is built
    anew when those are more than 4 sqrt(N), so that a change costs O(sqrt N log N) and a question
    O(sqrt N), amortised. Answers do not depend on when it was built: distances are computed anew by one
    formula, and equal ones are ordered by serial number.

    Args:
        dimensions: of the space; with none, all points are at the same position.
    """

    def __init__(self, dimensions: int) -> None:
        import numpy as np

        self._points: NDArray[np.float64] = np.empty((64, dimensions))
        self._size = 0
        self._loose: dict[int, None] = {}
        self._tree: Any = None
        self._built = 0

    def __len__(self) -> int:
        return self._size

    def state(self) -> dict[str, Any]:
        """All points, as JSON values."""
        return {"size": self._size, "points": b64encode(self._points[: self._size].tobytes()).decode()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up the points of a `state`, in the place of its own."""
        import numpy as np

        self._size = state["size"]
        shape = self._size, self._points.shape[1]
        self._points = np.frombuffer(b64decode(state["points"])).reshape(shape).copy()
        self._loose = dict.fromkeys(range(self._size))
        self._build()

    def put(self, serial: int, position: Sequence[float]) -> None:
        """Adds a point (the next serial number) or moves one."""
        import numpy as np

        if serial == len(self._points):
            more = np.empty((max(64, serial), self._points.shape[1]))
            self._points = np.concatenate([self._points, more])
        self._points[serial] = position
        self._size = max(self._size, serial + 1)
        self._loose[serial] = None
        if len(self._loose) ** 2 > 16 * self._size + 1024:
            self._build()

    def nearest(self, position: Sequence[float], k: int) -> list[tuple[float, int]]:
        """The `k` nearest points (all, if there are no more): distance and serial number, nearest first."""
        import numpy as np

        serials = list(self._loose)
        if self._tree is not None:
            serials += self._near_in_tree(np.asarray(position), k)
        places = np.array(serials, dtype=np.intp)
        points = self._points[places]
        squares = np.zeros(len(places))
        for axis, coordinate in enumerate(position):  # in one order, so that the sum does not depend on the layout
            squares += (points[:, axis] - coordinate) ** 2
        distances = np.sqrt(squares)
        order = np.lexsort((places, distances))[:k]
        return [(float(distances[at]), int(places[at])) for at in order]

    def _near_in_tree(self, position: NDArray[np.float64], k: int) -> list[int]:
        """Serial numbers in the tree that may be among the `k` nearest; moved ones are left out."""
        loose, wanted = self._loose, k
        while True:
            wanted = min(wanted, self._built)
            distances, found = self._tree.query(position, k=[*range(1, wanted + 1)])
            alive = [distance for distance, serial in zip(distances, found, strict=True) if int(serial) not in loose]
            if len(alive) >= k or wanted == self._built:
                break
            wanted *= 2
        if not alive:
            return []
        radius = alive[:k][-1] * _SLACK
        return [serial for serial in self._tree.query_ball_point(position, radius) if serial not in loose]

    def _build(self) -> None:
        from scipy.spatial import cKDTree

        self._built = self._size
        self._tree = cKDTree(self._points[: self._size].copy()) if self._size and self._points.shape[1] else None
        if self._tree is not None:
            self._loose.clear()
