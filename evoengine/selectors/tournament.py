"""Tournament selection (Goldberg & Deb 1991, doi:10.1016/B978-0-08-050684-5.50008-2)."""

from __future__ import annotations

import random

from pydantic import Field

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites


class Tournament(Selector):
    """The best of a few elites drawn uniformly.

    Attributes:
        size: how many are drawn; 1 is uniform selection.
    """

    size: int = Field(default=4, ge=1)

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        drawn = [elites[int(rng.random() * len(elites))] for _ in range(self.size)]
        return max(drawn, key=lambda elite: (elite.scored.score, -elite.number))
