"""Tables that are made from a seed, with what makes real ones hard; and the best predictions of what was drawn.

A maker gives the columns, and for each row the mean of the target given the columns before anything is lost: the
number itself without its noise, or the probability of a 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Draws = np.random.RandomState


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Rows and what is to be said of them.

    Attributes:
        columns: (N, K), NaN where a value is missing.
        mean: (N,), of the target.
        target: (N,).
    """

    columns: Array
    mean: Array
    target: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How a data set is made.

    Attributes:
        maker: gives columns (N, K) and means (N,).
        kind: what is predicted: a number, or the probability of a 1.
        rows: that are shown with their target.
        noise: the deviation of a number around its mean.
        missing: the share of values that are lost.
        outliers: the share of shown rows whose target is ten deviations off.
    """

    maker: Callable[[Draws, int], tuple[Array, Array]]
    kind: str = "regression"
    rows: int = 200
    noise: float = 0.3
    missing: float = 0.0
    outliers: float = 0.0

    def made(self, seed: int, hidden: int) -> Made:
        """The shown rows and then the hidden ones."""
        draws = Draws(seed)
        columns, mean = self.maker(draws, self.rows + hidden)
        if self.kind == "regression":
            # in units of the data's own deviation, so that noise means the same everywhere
            mean = (mean - mean.mean()) / mean.std()
            target = mean + self.noise * draws.standard_normal(len(mean))
            off = draws.random_sample(self.rows) < self.outliers
            target[: self.rows][off] += 10.0 * draws.choice([-1.0, 1.0], int(off.sum()))
        else:
            target = (draws.random_sample(len(mean)) < mean).astype(np.float64)
        lost = draws.random_sample(columns.shape) < self.missing
        return Made(columns=np.where(lost, np.nan, columns), mean=mean, target=target)


def _chance(scores: Array) -> Array:
    found: Array = 1.0 / (1.0 + np.exp(-scores))
    return found


def linear(draws: Draws, count: int) -> tuple[Array, Array]:
    """Twelve correlated columns of which four matter, on scales from 0.001 to 1000."""
    x = draws.standard_normal((count, 12)) + draws.standard_normal((count, 1))
    weights = np.zeros(12)
    weights[:4] = draws.standard_normal(4) + 1.0
    scales = 10.0 ** draws.randint(-3, 4, 12)
    return x * scales, x @ weights


def friedman(draws: Draws, count: int) -> tuple[Array, Array]:
    """Ten uniform columns, five of which matter (Friedman 1991, eq. 61)."""
    x = draws.random_sample((count, 10))
    found = 10.0 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20.0 * (x[:, 2] - 0.5) ** 2 + 10.0 * x[:, 3] + 5.0 * x[:, 4]
    return x, found


def interactions(draws: Draws, count: int) -> tuple[Array, Array]:
    """The sign of a product of two columns of eight, and a little of a third."""
    x = draws.standard_normal((count, 8))
    return x, _chance(3.0 * np.sign(x[:, 0] * x[:, 1]) + x[:, 2])


def rare(draws: Draws, count: int) -> tuple[Array, Array]:
    """One 1 among ten rows, where two of six columns are both high."""
    x = draws.standard_normal((count, 6))
    return x, _chance(-4.0 + 6.0 * ((x[:, 0] > 0.5) & (x[:, 1] > 0.0)) + 0.5 * x[:, 2])


def groups(draws: Draws, count: int) -> tuple[Array, Array]:
    """A code of twelve categories whose numbers mean nothing, and three measurements with heavy tails."""
    effects = 1.5 * draws.standard_normal(12)
    code = draws.randint(0, 12, count)
    x = draws.standard_t(2.0, (count, 3))
    return np.column_stack([code, x]), effects[code] + np.tanh(x[:, 0])


def steps(draws: Draws, count: int) -> tuple[Array, Array]:
    """Thresholds of three columns of seven, two of which depend on each other."""
    x = draws.random_sample((count, 7))
    found = 2.0 * (x[:, 0] > 0.3) - 1.5 * (x[:, 1] > 0.6) * (x[:, 0] < 0.7) + (x[:, 2] > 0.5)
    return x, found


def waves(draws: Draws, count: int) -> tuple[Array, Array]:
    """A wave along one direction of five columns."""
    x = draws.random_sample((count, 5))
    return x, np.sin(7.0 * (x[:, 0] + 0.5 * x[:, 1])) + x[:, 2]


def rings(draws: Draws, count: int) -> tuple[Array, Array]:
    """Whether a row is within a shell of three columns of nine."""
    x = draws.standard_normal((count, 9))
    far = np.sqrt((x[:, :3] ** 2).sum(axis=1))
    return x, _chance(4.0 - 6.0 * np.abs(far - 1.5) / 0.7)


def wide(draws: Draws, count: int) -> tuple[Array, Array]:
    """Forty columns, of which three matter."""
    x = draws.standard_normal((count, 40))
    return x, _chance(1.5 * x[:, 0] - 1.5 * x[:, 1] + x[:, 2])
