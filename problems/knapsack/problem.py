"""The online knapsack: a rule that takes an item or leaves it, without knowing those to come."""

import math
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from evoengine.checks import number
from evoengine.drawing import Drawing
from evoengine.problem import Player, Problem, Score
from evoengine.types import Anchor, Feature, Idiom, Limits, Stage

INSTANCES = {"train": 20, "held_out": 40}
ITEMS = 100
CAPACITY = 1000
"""Items weigh 1 to 100, so that about a fifth of their weight fits."""
DRAWN = 4
"""Of the instances, the first ones, of which it is kept what was taken."""


class Knapsack(Problem):
    """Decide on items one by one; maximise the value taken, in per cent of the best that there was.

    The judge holds the knapsack: a candidate is asked about one item at a time and never sees a later one.
    """

    name: ClassVar[str] = "knapsack"
    goal: ClassVar[str] = (
        "Write accept(value, weight, room, left) -> a number; the item is taken if it is above 0 and the item fits. "
        "Items come one by one, 100 in an instance; room is what is left of the capacity (1000 at first), left is the "
        "number of items still to come after this one. Weights are 1 to 100. Maximise the value taken, in per cent of "
        "the best choice in hindsight."
    )
    entry: ClassVar[str] = "accept"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="filled", low=0.5, high=1.0, bins=20),
        Feature(name="mean_weight", low=10.0, high=60.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    best_known: ClassVar[Anchor | None] = Anchor(
        value=100.0, source="the best choice in hindsight, by dynamic programming; a bound that no rule should reach"
    )
    idioms: ClassVar[tuple[Idiom, ...]] = (
        Idiom(
            name="eager_at_the_end",
            code="$score = $score + 0.5 * ($room > 10.0 * $left)\n",
            holes={"score": "score", "room": "room", "left": "left"},
            source="room that no item will need is worth nothing",
        ),
        Idiom(
            name="pace",
            code="$score = $score + 0.5 * ($room / 1000.0 - $left / 100.0)\n",
            holes={"score": "score", "room": "room", "left": "left"},
            source="the threshold follows what is left of room and of items",
        ),
    )

    family: Literal["correlated", "uncorrelated"] = "uncorrelated"
    """Of the items: values uniform over 1 to 100, or within 25 of the weight."""

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """A threshold with three constants that CMA-ES sets."""
        if self.family != "uncorrelated":
            return None
        return Anchor(value=98.3330858658, source="a threshold set by CMA-ES, 20 CPU s, benchmarks/floors.py")

    def play(self, candidate: Player, stage: str = "train") -> Score:
        made = instances(self.family, stage)
        room, value = [CAPACITY] * len(made), [0] * len(made)
        taken: list[list[int]] = [[] for _ in made]
        for place in range(ITEMS):
            left = float(ITEMS - 1 - place)
            answers = candidate.batch(
                [(float(items[place][0]), float(items[place][1]), float(room[k]), left) for k, items in enumerate(made)]
            )
            for k, answer in enumerate(answers):
                worth, weight = made[k][place]
                if number(answer) > 0 and weight <= room[k]:
                    room[k] -= weight
                    value[k] += worth
                    taken[k].append(place)
        share = {f"{stage}-{k}": 100.0 * value[k] / best for k, best in enumerate(best_values(self.family, stage))}
        count = sum(map(len, taken))
        filled = CAPACITY - sum(room) / len(room)
        return Score(
            math.fsum(share.values()) / len(share),
            instances=share,
            outputs={"stage": stage, "taken": taken[:DRAWN]},
            filled=filled / CAPACITY,
            mean_weight=filled * len(made) / count if count else 0.0,
        )

    def render(self, outputs: Any) -> str:
        stage, taken = outputs["stage"], outputs["taken"]
        drawing = Drawing(
            f"what was taken of the items of the first {len(taken)} of {INSTANCES[stage]} instances",
            x=(0.0, ITEMS), y=(-1.2 * len(taken), 0.0), width=900.0, height=24.0 + 60.0 * len(taken),
            description="One bar for each item, in the order in which they came, as high as value by weight (up to 3); "
            "those taken are filled in the second colour.",
        )  # fmt: skip
        for row, (places, items) in enumerate(zip(taken, instances(self.family, stage), strict=False)):
            for place, (worth, weight) in enumerate(items):
                tall = min(worth / weight, 3.0) / 3.0
                drawing.rectangle(place, -1.2 * (row + 1), 0.8, tall, "mark" if place in places else "soft")
        return drawing.svg()


@cache
def instances(family: str, stage: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    """The (value, weight) of the items of each instance: always the same, since Python keeps `random.random` stable."""
    made = []
    for place in range(INSTANCES[stage]):
        draw = random.Random(f"knapsack/{family}/{stage}/{place}").random
        items = []
        for _ in range(ITEMS):
            weight = 1 + int(100 * draw())
            value = 1 + int(100 * draw()) if family == "uncorrelated" else max(1, weight - 25 + int(51 * draw()))
            items.append((value, weight))
        made.append(tuple(items))
    return tuple(made)


@cache
def best_values(family: str, stage: str) -> tuple[int, ...]:
    """The best that could have been taken of each instance."""
    return tuple(best_value(items, CAPACITY) for items in instances(family, stage))


def best_value(items: Sequence[tuple[int, int]], capacity: int) -> int:
    """The most value of items (value, weight) that fit together (dynamic programming, Bellman 1957)."""
    table = np.zeros(capacity + 1, dtype=np.int64)
    for value, weight in items:
        if weight <= capacity:
            table[weight:] = np.maximum(table[weight:], table[: capacity + 1 - weight] + value)
    return int(table[-1])
