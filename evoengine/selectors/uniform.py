"""Every elite alike: the selection of MAP-Elites (Mouret & Clune 2015, arXiv:1504.04909)."""

from __future__ import annotations

import random

from evoengine.selectors.base import Selector
from evoengine.types import Elite, Elites


class Uniform(Selector):
    """Each elite with the same probability."""

    def draw(self, elites: Elites, rng: random.Random) -> Elite:
        return elites[int(rng.random() * len(elites))]
