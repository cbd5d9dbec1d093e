"""Small networks and other losses with their gradients, by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Draws = np.random.RandomState
Chosen = npt.NDArray[Any] | slice
"""Places of examples."""


class Task(ABC):
    """A loss of parameters (P,), the mean over examples.

    Attributes:
        start: where the parameters begin.
        examples: how many there are.
    """

    start: Array
    examples: int

    @abstractmethod
    def loss(self, parameters: Array, chosen: Chosen) -> tuple[float, Array]:
        """The loss over the chosen examples, and its gradient (P,)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a network: the sizes of its layers, and whether it tells classes apart."""

    sizes: tuple[int, ...]
    classes: bool


class Network(Task):
    """A network of tanh layers; squared error, or cross entropy of a softmax.

    Args:
        shape: of the network.
        inputs: (N, first size).
        targets: (N, last size).
        scale: what the usual deviation of first weights (Glorot and Bengio 2010) is multiplied by.
        draws: of the first weights.
    """

    def __init__(self, shape: Shape, inputs: Array, targets: Array, draws: Draws, scale: float = 1.0) -> None:
        self.shape, self.inputs, self.targets = shape, inputs, targets
        self.examples = len(inputs)
        parts = []
        for here, after in zip(shape.sizes[:-1], shape.sizes[1:], strict=True):
            parts += [scale * draws.standard_normal(here * after) / np.sqrt(here), np.zeros(after)]
        self.start = np.concatenate(parts)

    def loss(self, parameters: Array, chosen: Chosen) -> tuple[float, Array]:
        layers, offset = [], 0
        for here, after in zip(self.shape.sizes[:-1], self.shape.sizes[1:], strict=True):
            weights = parameters[offset : offset + here * after].reshape(here, after)
            layers.append((weights, parameters[offset + here * after : offset + (here + 1) * after]))
            offset += (here + 1) * after
        seen = [self.inputs[chosen]]
        for weights, bias in layers[:-1]:
            seen.append(np.tanh(seen[-1] @ weights + bias))
        given = seen[-1] @ layers[-1][0] + layers[-1][1]
        wanted = self.targets[chosen]
        if self.shape.classes:
            logs = given - given.max(axis=1, keepdims=True)
            logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
            value, slope = -float((wanted * logs).sum(axis=1).mean()), (np.exp(logs) - wanted) / len(wanted)
        else:
            value, slope = float(((given - wanted) ** 2).mean()), 2.0 * (given - wanted) / wanted.size
        parts: list[Array] = []
        for place in range(len(layers) - 1, -1, -1):
            parts = [(seen[place].T @ slope).ravel(), slope.sum(axis=0), *parts]
            if place:
                slope = (slope @ layers[place][0].T) * (1.0 - seen[place] ** 2)
        return value, np.concatenate(parts)


class Linear(Task):
    """Least squares with columns on scales far apart.

    Args:
        columns: how many.
        spread: the largest scale over the smallest.
        noise: the deviation of targets around the best line.
        draws: of the data.
    """

    def __init__(self, columns: int, spread: float, noise: float, draws: Draws) -> None:
        scales = np.geomspace(1.0, 1.0 / spread, columns)[draws.permutation(columns)]
        self._x = draws.standard_normal((256, columns)) * scales
        self._y = self._x @ (draws.standard_normal(columns) / scales) + noise * draws.standard_normal(256)
        self.start = np.zeros(columns)
        self.examples = 256

    def loss(self, parameters: Array, chosen: Chosen) -> tuple[float, Array]:
        x = self._x[chosen]
        left = x @ parameters - self._y[chosen]
        return float((left**2).mean()), 2.0 * x.T @ left / len(left)


class Valley(Task):
    """Rosenbrock's curved valley (1960) at a drawn place, from a drawn start; every example is a little beside it."""

    def __init__(self, size: int, noise: float, draws: Draws) -> None:
        self._slopes = noise * draws.standard_normal((64, size))
        self._slopes -= self._slopes.mean(axis=0)
        # the end of the usual valley is all ones, which is not to be learnt by heart
        self._shift = draws.uniform(-2.0, 2.0, size)
        self.start = self._shift + draws.uniform(-1.5, 1.5, size)
        self.examples = 64

    def loss(self, parameters: Array, chosen: Chosen) -> tuple[float, Array]:
        placed = parameters - self._shift
        one, two = placed[:-1], placed[1:]
        bend, tilt = two - one**2, self._slopes[chosen].mean(axis=0)
        slope = np.zeros_like(parameters)
        slope[:-1] = -40.0 * one * bend - 2.0 * (1.0 - one)
        slope[1:] += 20.0 * bend
        value = float((10.0 * bend**2 + (1.0 - one) ** 2).sum() + tilt @ placed)
        return value, slope + tilt


def regression(draws: Draws, sizes: tuple[int, ...], scale: float = 1.0) -> Network:
    """A network for a smooth function of several variables."""
    x = draws.uniform(-1.0, 1.0, (256, sizes[0]))
    wanted = np.column_stack([np.sin(3.0 * x @ draws.standard_normal(sizes[0])) for _ in range(sizes[-1])])
    return Network(Shape(sizes, classes=False), x, wanted, draws, scale)


def spirals(draws: Draws, arms: int, hidden: int) -> Network:
    """A network that tells the arms of a spiral apart."""
    arm = np.arange(240) % arms
    far = 0.1 + 0.9 * draws.random_sample(240)
    turn = 4.0 * far + 2.0 * np.pi * arm / arms + 0.1 * draws.standard_normal(240)
    x = np.column_stack([far * np.cos(turn), far * np.sin(turn)])
    return Network(Shape((2, hidden, hidden, arms), classes=True), 2.0 * x, np.eye(arms)[arm], draws)


def bottleneck(draws: Draws, columns: int, narrow: int) -> Network:
    """A network that has to give its inputs back after a narrow layer."""
    x = np.tanh(draws.standard_normal((200, narrow)) @ draws.standard_normal((narrow, columns)))
    return Network(Shape((columns, 12, narrow, 12, columns), classes=False), x, x, draws)
