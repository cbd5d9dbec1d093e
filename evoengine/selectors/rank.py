"""Power-law selection by rank (ShinkaEvolve, Lange et al. 2025, arXiv:2509.19349)."""

from __future__ import annotations

import random

from pydantic import Field

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites


class Rank(Selector):
    """The elite of rank r with probability proportional to about (r + 1)^-alpha, whatever the scores' scale.

    Ranks come from the inverse of the continuous power law on [1, N + 1), so a draw costs O(log N).
    Elites with equal scores share their ranks' probability.

    Attributes:
        alpha: 0 is uniform, 1 is Zipf's law; larger is greedier.
    """

    alpha: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        size, u = len(elites), rng.random()
        if abs(self.alpha - 1.0) < 1e-9:
            place = (size + 1.0) ** u
        else:
            exponent = 1.0 - self.alpha
            place = (u * ((size + 1.0) ** exponent - 1.0) + 1.0) ** (1.0 / exponent)
        ties = elites.ties(min(size - 1, int(place) - 1))
        return elites.ranked(ties[int(rng.random() * len(ties))])
