"""Episodes under a linear policy, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .tasks import Task

Array = npt.NDArray[np.float64]

NOISE = 0.5
"""The deviation of actions that are numbers."""
LARGEST = 100.0
"""Of a parameter: beyond it a policy is as good as certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """What was seen in some episodes of a policy, step by step.

    Attributes:
        features: (T, N, F).
        actions: (T, N).
        alive: (T, N), 1 where the step was made.
        rewards: (T, N).
    """

    features: Array
    actions: Array
    alive: Array
    rewards: Array


class Policy:
    """A linear policy: softmax over actions, or a normal distribution around a number.

    Args:
        task: what it acts in.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        sample = task.features(task.starts(np.full((1, 2), 0.5)))
        self.theta = np.zeros((sample.shape[-1], max(1, task.actions)))

    def played(self, count: int, draws: np.random.RandomState) -> Episodes:
        """So many episodes of the task."""
        task = self.task
        states, alive = task.starts(draws.random_sample((count, 2))), np.ones(count)
        chosen, luck = draws.random_sample((2, task.steps, count))
        spread = draws.standard_normal((task.steps, count)) * NOISE
        seen: list[tuple[Array, ...]] = []
        for t in range(task.steps):
            features = task.features(states)
            scores = features @ self.theta
            if task.actions:
                sums = np.cumsum(_softmax(scores), axis=-1)
                actions = (sums[:, :-1] < chosen[t, :, None]).sum(axis=-1).astype(np.float64)
            else:
                actions = scores[:, 0] + spread[t]
            states, rewards, ended = task.step(states, actions, luck[t], 1.0 - (t + 1) / task.steps)
            seen.append((features, actions, alive, rewards * alive))
            alive = alive * (1.0 - ended)
        features, actions, lived, rewards = (np.stack(part) for part in zip(*seen, strict=True))
        return Episodes(features=features, actions=actions, alive=lived, rewards=rewards)

    def log_probs(self, features: Array, actions: Array) -> Array:
        """Of actions (M,), up to a constant where they are numbers."""
        scores = features @ self.theta
        if self.task.actions:
            logs = scores - scores.max(axis=-1, keepdims=True)
            logs -= np.log(np.exp(logs).sum(axis=-1, keepdims=True))
            found: Array = np.take_along_axis(logs, actions.astype(int)[:, None], axis=-1)[:, 0]
            return found
        return -(((actions - scores[:, 0]) / NOISE) ** 2) / 2.0

    def ascend(self, features: Array, actions: Array, weights: Array) -> None:
        """Adds the sum of weights (M,) times the gradients of the log probabilities."""
        scores = features @ self.theta
        if self.task.actions:
            slopes = np.eye(self.task.actions)[actions.astype(int)] - _softmax(scores)
        else:
            slopes = (actions[:, None] - scores) / NOISE**2
        self.theta = np.clip(self.theta + features.T @ (weights[:, None] * slopes), -LARGEST, LARGEST)


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    found: Array = powers / powers.sum(axis=-1, keepdims=True)
    return found
