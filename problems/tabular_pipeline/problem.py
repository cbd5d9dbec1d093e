"""A pipeline for tables: from rows with a target to predictions for rows without."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from evoengine.checks import numbers
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits, Stage

from .generators import Made, Table, friedman, groups, interactions, linear, rare, rings, steps, waves, wide

HIDDEN = 200
"""Rows of each table that have to be predicted."""
WORST = -1.0
"""No table counts less than this."""

TABLES = {
    "train": {
        "linear_missing": Table(maker=linear, missing=0.15, rows=120),
        "friedman": Table(maker=friedman),
        "groups_outliers": Table(maker=groups, noise=0.4, outliers=0.05),
        "steps_noise": Table(maker=steps, noise=0.5),
        "interactions": Table(maker=interactions, kind="probability", rows=250),
        "rare_missing": Table(maker=rare, kind="probability", rows=300, missing=0.05),
    },
    "held_out": {
        "linear_outliers": Table(maker=linear, outliers=0.08, rows=150),
        "friedman_missing": Table(maker=friedman, missing=0.1, noise=0.5),
        "groups": Table(maker=groups, noise=0.6, rows=250),
        "waves": Table(maker=waves, rows=250),
        "interactions_missing": Table(maker=interactions, kind="probability", rows=300, missing=0.05),
        "rings": Table(maker=rings, kind="probability", rows=300),
        "rare": Table(maker=rare, kind="probability", rows=250),
        "wide": Table(maker=wide, kind="probability", rows=150),
    },
}
"""By stage."""


class TabularPipeline(Problem):
    """Predict hidden targets of several tables; maximise the mean share of their variance that is explained.

    Hidden targets stay with the judge. The share is 1 - MSE / variance, for probabilities Brier's skill (1950).
    """

    name: ClassVar[str] = "tabular_pipeline"
    goal: ClassVar[str] = (
        "Write predict(train_x, train_y, test_x, kind) -> one number for each row of test_x. Rows are lists of "
        "numbers, None where a value is missing; kind is 'regression', or 'probability' where train_y is 0 or 1 and "
        "the probability of a 1 is wanted. Tables have 120 to 300 rows with a target, 4 to 40 columns, and traps: "
        "scales, codes of categories, outliers, interactions, few 1s, useless columns. There is only numpy. "
        "Maximise the mean over tables of 1 - mean squared error / variance."
    )
    entry: ClassVar[str] = "predict"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="roughness", low=0.0, high=1.5, bins=20),
        Feature(name="ast_nodes", low=0.0, high=1500.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=6.0, wall_seconds=90.0, memory_mib=1024, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    best_known: ClassVar[Anchor | None] = Anchor(
        value=0.808355004606, source="the means that the targets were drawn around, benchmarks/floors.py"
    )
    floor: ClassVar[Anchor | None] = Anchor(
        value=0.576717151683, source="150 boosted trees of depth 3 in numpy, benchmarks/floors.py"
    )

    def play(self, candidate: Player, stage: str = "train") -> Score:
        tables = made(stage)
        answers = candidate.batch([task(name, stage) for name in tables])
        skills, spreads = {}, []
        for (name, table), answer in zip(tables.items(), answers, strict=True):
            predicted = numbers(answer, HIDDEN, what=f"the predictions of {name}")
            if TABLES[stage][name].kind == "probability" and not (predicted.min() >= 0.0 and predicted.max() <= 1.0):
                raise Reject(f"probabilities of {name} are from {predicted.min():g} to {predicted.max():g}")
            hidden = table.target[-HIDDEN:]
            with np.errstate(over="ignore"):
                share = float(((predicted - hidden) ** 2).mean()) / float(hidden.var())
            skills[name] = max(WORST, 1.0 - share)
            spreads.append(min(2.0, float(np.clip(predicted, -1e6, 1e6).std()) / float(hidden.std())))
        return Score(
            math.fsum(skills.values()) / len(skills),
            instances=skills,
            roughness=math.fsum(spreads) / len(spreads),
        )


@lru_cache(maxsize=4)
def made(stage: str) -> dict[str, Made]:
    """The tables of a stage, by name: always the same."""
    first = 1 if stage == "train" else 101
    return {name: table.made(first + place, HIDDEN) for place, (name, table) in enumerate(TABLES[stage].items())}


def task(name: str, stage: str) -> tuple[Any, ...]:
    """What a candidate is called with: nothing of the hidden rows' targets is in it."""
    table = made(stage)[name]
    rows = [[None if math.isnan(value) else value for value in row] for row in table.columns.tolist()]
    return rows[:-HIDDEN], table.target[:-HIDDEN].tolist(), rows[-HIDDEN:], TABLES[stage][name].kind
