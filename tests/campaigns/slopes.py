"""Problems of both directions with two features and metrics that come and go; a campaign costs next to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evoengine import Anchor, Campaign, Feature, Problem, Reject, Score
from tests.campaigns.numbers import campaign_of as numbers_of


class Slope(Problem):
    name = "slope"
    goal = "a number far up"
    entry = "number"
    seed = "def number():\n    return 1\n"
    features = (Feature(name="x", low=0.0, high=1.0, bins=5), Feature(name="y", low=0.0, high=10.0, bins=4))
    best_known = Anchor(value=99.0, source="its range")
    floor = Anchor(value=50.0, source="half of it")

    def inputs(self) -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        [number] = outputs
        if number % 11 == 0:
            raise Reject(f"{number} is not to be had")
        odd = {"oddness": float(number % 3)} if number % 2 else {}
        value = float(number * 37 % 100)
        return Score(value, x=number * 7 % 20 / 20, y=number * 3 % 10, **odd)


class Descent(Slope):
    name = "descent"
    goal = "a number far down"
    direction = "minimize"


class Ridge(Slope):
    name = "ridge"
    features = (Feature(name="x", low=0.0, high=1.0, bins=5),)


def campaign_of(folder: Path, problem: Problem, **settings: Any) -> Campaign:
    """A campaign on one of them."""
    return numbers_of(folder, problem, **settings)
