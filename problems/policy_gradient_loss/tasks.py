"""Small control tasks, many episodes of each at once. No episode returns more than 1, but for rounding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(ABC):
    """A task whose states are an array (..., K), of as many episodes as there are.

    Attributes:
        steps: after which an episode ends.
        actions: how many there are to choose from; 0 for one that is a number.
    """

    steps: int
    actions: int

    @abstractmethod
    def starts(self, draws: Array) -> Array:
        """The first states (..., K), from uniform draws (..., 2)."""

    @abstractmethod
    def features(self, states: Array) -> Array:
        """What the policy sees of states (..., K): (..., F)."""

    @abstractmethod
    def step(self, states: Array, actions: Array, draws: Array, left: float) -> tuple[Array, Array, Array]:
        """The next states (..., K), the rewards (...), and 1.0 for the episodes that end there (...).

        Args:
            states: (..., K).
            actions: (...).
            draws: (...), uniform from 0 to 1.
            left: the share of the episode that is left after the step.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Pole(Task):
    """A pole on a cart (Barto, Sutton and Anderson 1983): 1 / steps for each step until it falls."""

    steps: int = 60
    actions: int = 2
    length: float = 0.5
    force: float = 10.0
    tilt: float = 0.1

    def starts(self, draws: Array) -> Array:
        states = np.zeros((*draws.shape[:-1], 4))
        states[..., 1], states[..., 2] = draws[..., 0] - 0.5, 2.0 * self.tilt * (draws[..., 1] - 0.5)
        return states

    def features(self, states: Array) -> Array:
        scaled = states / np.array([1.0, 1.0, 0.1, 1.0])
        return np.concatenate([scaled, np.ones_like(scaled[..., :1])], axis=-1)

    def step(self, states: Array, actions: Array, draws: Array, left: float) -> tuple[Array, Array, Array]:
        x, v, angle, turn = np.moveaxis(states, -1, 0)
        push = self.force * (2.0 * actions - 1.0)
        sine, cosine = np.sin(angle), np.cos(angle)
        part = (push + 0.1 * self.length * turn**2 * sine) / 1.1
        turning = (9.8 * sine - cosine * part) / (self.length * (4.0 / 3.0 - 0.1 * cosine**2 / 1.1))
        pace = part - 0.1 * self.length * turning * cosine / 1.1
        after = np.stack([x + 0.04 * v, v + 0.04 * pace, angle + 0.04 * turn, turn + 0.04 * turning], axis=-1)
        fell = ((np.abs(after[..., 2]) > 0.3) | (np.abs(after[..., 0]) > 2.4)).astype(np.float64)
        return after, (1.0 - fell) / self.steps, fell


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(Task):
    """A grid with walls `#`, traps `x` and a goal `o`: the share of time that is left at the goal, -0.5 in a trap."""

    steps: int = 25
    actions: int = 4
    slip: float = 0.1
    plan: tuple[str, ...] = ("..x.o", ".#.#.", "...x.", ".#...", "..x..")

    def starts(self, draws: Array) -> Array:
        rows, columns = len(self.plan), len(self.plan[0])
        free = np.array([k for k in range(rows * columns) if self._cells()[k] == 0 and k // columns >= rows // 2])
        places: Array = free[(draws[..., :1] * len(free)).astype(int)].astype(np.float64)
        return places

    def features(self, states: Array) -> Array:
        seen: Array = np.eye(len(self.plan) * len(self.plan[0]))[states[..., 0].astype(int)]
        return seen

    def step(self, states: Array, actions: Array, draws: Array, left: float) -> tuple[Array, Array, Array]:
        rows, columns = len(self.plan), len(self.plan[0])
        slipped = draws < self.slip
        ways = np.where(slipped, np.minimum(4.0 * draws / self.slip, 3.0).astype(int), actions.astype(int))
        here = states[..., 0].astype(int)
        row = np.clip(here // columns + np.array([-1, 1, 0, 0])[ways], 0, rows - 1)
        column = np.clip(here % columns + np.array([0, 0, -1, 1])[ways], 0, columns - 1)
        kinds = self._cells()
        there = row * columns + column
        there = np.where(kinds[there] == 1, here, there)
        kind = kinds[there]
        reward = np.where(kind == 3, left, np.where(kind == 2, -0.5, 0.0))
        return there[..., None].astype(np.float64), reward, (kind >= 2).astype(np.float64)

    def _cells(self) -> npt.NDArray[np.int64]:
        return np.array([".#xo".index(cell) for line in self.plan for cell in line])


@dataclass(frozen=True, slots=True, kw_only=True)
class Car(Task):
    """A car too weak for its hill (Moore 1990): half for the greatest height, half for the time left at the top."""

    steps: int = 50
    actions: int = 0
    power: float = 0.0015

    def starts(self, draws: Array) -> Array:
        states = np.zeros((*draws.shape[:-1], 3))
        states[..., 0] = -0.6 + 0.2 * draws[..., 0]
        return states

    def features(self, states: Array) -> Array:
        x, v = (states[..., 0, None] + 0.3) / 0.9, states[..., 1, None] / 0.05
        places, paces = (np.ravel(grid) for grid in np.meshgrid([-1.0, -0.5, 0.0, 0.5], [-1.0, -0.3, 0.3, 1.0]))
        near: Array = np.exp(-(((x - places) / 0.5) ** 2) - ((v - paces) / 0.6) ** 2)
        return near

    def step(self, states: Array, actions: Array, draws: Array, left: float) -> tuple[Array, Array, Array]:
        x, v, best = np.moveaxis(states, -1, 0)
        force = np.clip(actions, -1.0, 1.0)
        for _ in range(4):
            v = np.clip(v + self.power * force - 0.0025 * np.cos(3.0 * x), -0.07, 0.07)
            x = x + v
            v = np.where(x < -1.2, 0.0, v)
            x = np.clip(x, -1.2, 0.5)
        height = np.clip((np.sin(3.0 * x) + 1.0) / 2.0, 0.0, 1.0)
        there = (x >= 0.45).astype(np.float64)
        higher = np.maximum(best, np.where(there > 0.0, 1.0, 0.95 * height))
        reward = 0.5 * (higher - best) + 0.5 * there * left
        return np.stack([x, v, higher], axis=-1), reward, there


@dataclass(frozen=True, slots=True, kw_only=True)
class Point(Task):
    """A mass on a line that should come to rest at 0: 1 / steps for each step there, less the farther away it is."""

    steps: int = 40
    actions: int = 0

    def starts(self, draws: Array) -> Array:
        return 4.0 * draws - 2.0

    def features(self, states: Array) -> Array:
        return np.concatenate([np.tanh(states), np.ones_like(states[..., :1])], axis=-1)

    def step(self, states: Array, actions: Array, draws: Array, left: float) -> tuple[Array, Array, Array]:
        x, v = states[..., 0], states[..., 1] + 0.2 * np.clip(actions, -2.0, 2.0)
        after = np.stack([np.clip(x + 0.2 * v, -5.0, 5.0), np.clip(v, -5.0, 5.0)], axis=-1)
        return after, np.exp(-(after[..., 0] ** 2) - after[..., 1] ** 2 / 4.0) / self.steps, np.zeros_like(x)
