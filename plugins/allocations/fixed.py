"""The same number of rollouts for every parent."""

from __future__ import annotations

from collections.abc import Sequence

from evoengine.rl.allocation import Allocation, Spread, shared_out, spare


class Fixed(Allocation):
    """Equal sizes; what cannot be divided goes to the first groups."""

    def sizes(self, parents: Sequence[Spread], total: int, least: int) -> list[int]:
        return [least + more for more in shared_out([1.0] * len(parents), spare(parents, total, least))]
