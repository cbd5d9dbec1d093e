"""Symbolic regression: a formula for data that comes from a hidden one."""

import math
import random
from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from evoengine.checks import numbers
from evoengine.problem import Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits, Stage

POINTS = {"train": 64, "held_out": 96}
"""By stage; the judge tells the stages apart by these."""

BANDS = 4
FLOOR = 1e-12


class Target(NamedTuple):
    """A hidden formula, where it is sampled, and where it is tested for extrapolation."""

    formula: Callable[..., float]
    names: tuple[str, ...]
    train: tuple[float, float]
    held_out: tuple[float, float]
    source: str


_NGUYEN = "Uy et al. 2011, doi:10.1007/s10710-010-9121-2"
TARGETS = {
    "nguyen_5": Target(lambda x: math.sin(x * x) * math.cos(x) - 1.0, ("x",), (-1.0, 1.0), (-1.5, 1.5), _NGUYEN),
    "nguyen_7": Target(lambda x: math.log(x + 1.0) + math.log(x * x + 1.0), ("x",), (0.0, 2.0), (0.0, 4.0), _NGUYEN),
    "nguyen_10": Target(lambda x, y: 2.0 * math.sin(x) * math.cos(y), ("x", "y"), (0.0, 1.0), (-1.0, 2.0), _NGUYEN),
    "nguyen_12": Target(lambda x, y: x**4 - x**3 + y * y / 2.0 - y, ("x", "y"), (0.0, 1.0), (-0.5, 1.5), _NGUYEN),
    "pagie_1": Target(
        lambda x, y: 1.0 / (1.0 + x**-4.0) + 1.0 / (1.0 + y**-4.0),
        ("x", "y"),
        (0.1, 5.0),
        (0.1, 8.0),
        "Pagie and Hogeweg 1997, doi:10.1162/evco.1997.5.4.401",
    ),
    "feynman_i_6_20a": Target(
        lambda x: math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi),
        ("x",),
        (1.0, 3.0),
        (0.0, 4.0),
        "Udrescu and Tegmark 2020, doi:10.1126/sciadv.aay2631",
    ),
}


FLOORS = {
    "nguyen_5": 8.04,
    "nguyen_7": 10.61,
    "nguyen_10": 1.93,
    "nguyen_12": 12.0,
    "pagie_1": 3.06,
    "feynman_i_6_20a": 11.37,
}
"""By target: digits on the training points (README.md)."""


class SymbolicRegression(Problem):
    """Find a formula for one target; maximise `-log10(NMSE + 1e-12)`, which is 12 for an exact one.

    The candidate is called with the points only: the target's values stay with the judge.
    """

    name: ClassVar[str] = "symbolic_regression"
    goal: ClassVar[str] = (
        "Write formula(x), or formula(x, y) where the target has two variables: it is called with plain floats, and "
        "should return the hidden target's value. Maximise -log10 of the mean squared error divided by the variance."
    )
    entry: ClassVar[str] = "formula"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="ast_nodes", low=0.0, high=160.0, bins=20),
        Feature(name="correlation", low=-1.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=2.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    best_known: ClassVar[Anchor | None] = Anchor(value=12.0, source="the target itself: the data has no noise")

    target: Literal["nguyen_5", "nguyen_7", "nguyen_10", "nguyen_12", "pagie_1", "feynman_i_6_20a"] = "nguyen_7"

    @property
    def floor(self) -> Anchor:  # type: ignore[override]  # it depends on a setting
        """What a fit reaches that is given the targets, which a candidate is not."""
        source = "least squares that is given the targets, degree 5, benchmarks/floors.py"
        return Anchor(value=FLOORS[self.target], source=source)

    @property
    def seed(self) -> str:  # type: ignore[override]  # it depends on a setting
        """The sum of the variables."""
        names = TARGETS[self.target].names
        return f"import math\n\n\ndef formula({', '.join(names)}):\n    return {' + '.join(names)}\n"

    def inputs(self, stage: str = "train") -> list[tuple[float, ...]]:
        target = TARGETS[self.target]
        low, high = target.train if stage == "train" else target.held_out
        draw = random.Random(f"symbolic_regression/{self.target}/{stage}").uniform
        return sorted(tuple(draw(low, high) for _ in target.names) for _ in range(POINTS[stage]))

    def judge(self, outputs: list[Any]) -> Score:
        stage = next((stage for stage, count in POINTS.items() if len(outputs) == count), None)
        if stage is None:
            raise Reject(f"expected one prediction for each point, found {len(outputs)}")
        predicted = numbers(outputs, len(outputs), what="the predictions")
        wanted = np.array([TARGETS[self.target].formula(*point) for point in self.inputs(stage)])
        with np.errstate(over="ignore"):
            errors = (predicted - wanted) ** 2 / wanted.var()
        return Score(
            accuracy(errors),
            instances={f"{stage}-band-{k}": accuracy(band) for k, band in enumerate(np.array_split(errors, BANDS))},
            correlation=correlation(predicted, wanted),
        )


def accuracy(errors: npt.NDArray[Any]) -> float:
    """The digits that are right: -12 to 12, from squared errors (N,) divided by the target's variance."""
    with np.errstate(over="ignore"):
        return -math.log10(min(float(errors.mean()), 1.0 / FLOOR) + FLOOR)


def correlation(predicted: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> float:
    """Pearson's coefficient of two rows (N,), -1 to 1; 0 where one of them is constant."""
    scaled = predicted / max(1.0, float(np.abs(predicted).max()))
    a, b = scaled - scaled.mean(), wanted - wanted.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return max(-1.0, min(1.0, float(a @ b) / size)) if size > 1e-150 else 0.0
