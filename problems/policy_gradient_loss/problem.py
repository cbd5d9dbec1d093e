"""The loss of a policy gradient: how much each action that was tried counts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evoengine.checks import numbers
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits, Stage

from .learning import Policy
from .tasks import Car, Grid, Point, Pole, Task

EPOCHS, EPISODES = 4, 16
"""Passes over each batch, and episodes in it."""
COUNTED = 5
"""Of the last batches, whose returns are the score."""
STEP = 0.25
"""Of the policy's parameters, times the mean over episodes."""

TASKS: dict[str, dict[str, Task]] = {
    "train": {"pole": Pole(), "grid": Grid(), "car": Car()},
    "held_out": {
        "long_pole": Pole(length=1.0, force=8.0, tilt=0.3),
        "other_grid": Grid(
            plan=("o.x...", ".#.#x.", "......", "x.#.#.", "......", ".x..#."), steps=30, slip=0.2
        ),
        "weak_car": Car(power=0.0012),
        "point": Point(),
    },
}  # fmt: skip
"""By stage."""
RUNS = {"train": 2, "held_out": 3}
"""Of each task, each with its own random numbers."""


class PolicyGradientLoss(Problem):
    """Find the weights of a policy gradient on small control tasks; maximise what the policies return in the end.

    The judge steps the tasks, draws the actions, and computes gradients and updates of linear policies.
    """

    name: ClassVar[str] = "policy_gradient_loss"
    goal: ClassVar[str] = (
        "Write weights(log_prob, old_log_prob, returns, baseline, time, progress) -> one finite number for every "
        "action of a batch of episodes: a policy is moved along the sum of weight times gradient of log_prob. All but "
        "`progress` (0 to 1, of training) are numpy arrays over the actions: log probabilities now and when the batch "
        "was sampled (each batch is used 4 times, so that they differ), the rewards from the action on, their mean "
        "over the batch's episodes at that step, and the share of the episode that had passed. The size of the "
        "weights is the step size. Maximise the mean return in the last quarter of 20 batches, at most 1."
    )
    entry: ClassVar[str] = "weights"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = (Path(__file__).parent / "seed.py").read_text(encoding="utf-8")
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="positive", low=0.0, high=1.0, bins=20),
        Feature(name="step_size", low=-3.0, high=2.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=4.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))

    updates: Annotated[int, Field(ge=COUNTED, le=200)] = 20

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What a published loss reaches after 20 batches."""
        if self.updates != 20:
            return None
        return Anchor(
            value=0.615829494359,
            source="PPO's clipped weights (Schulman et al. 2017, arXiv:1707.06347), the best of 8 step sizes, "
            "benchmarks/floors.py",
        )

    def play(self, candidate: Player, stage: str = "train") -> Score:
        pupils = [
            Pupil(name, task, np.random.RandomState(1000 * run + place + (500 if stage == "held_out" else 0)))
            for place, (name, task) in enumerate(TASKS[stage].items())
            for run in range(RUNS[stage])
        ]
        for update in range(self.updates):
            for pupil in pupils:
                pupil.sample()
            for _ in range(EPOCHS):
                answers = candidate.batch([(*pupil.offer(), update / self.updates) for pupil in pupils])
                for pupil, answer in zip(pupils, answers, strict=True):
                    pupil.learn(answer)
        returned = {
            name: math.fsum(pupil.reached() for pupil in pupils if pupil.name == name) / RUNS[stage]
            for name in TASKS[stage]
        }
        given = np.concatenate([pupil.given for pupil in pupils])
        return Score(
            math.fsum(returned.values()) / len(returned),
            instances=returned,
            positive=float((given > 0.0).mean()),
            step_size=math.log10(float(np.abs(given).mean()) + 1e-6),
        )


class Pupil:
    """A policy that is trained on one task. `sample` comes before each few rounds of `offer` and `learn`."""

    def __init__(self, name: str, task: Task, draws: np.random.RandomState) -> None:
        self.name = name
        self.policy = Policy(task)
        self.returns: list[float] = []
        self.given = np.zeros(0)
        """The weights that were given last."""
        self._draws = draws

    def sample(self) -> None:
        """Plays a batch of episodes."""
        played = self.policy.played(EPISODES, self._draws)
        self.returns.append(float(played.rewards.sum(axis=0).mean()))
        after = np.cumsum(played.rewards[::-1], axis=0)[::-1]
        usual = np.broadcast_to(after.mean(axis=1, keepdims=True), after.shape)
        passed = np.broadcast_to(np.arange(len(after))[:, None] / len(after), after.shape)
        made = played.alive > 0.0
        self._features, self._actions = played.features[made], played.actions[made]
        self._old = self.policy.log_probs(self._features, self._actions)
        self._seen = (after[made], usual[made], passed[made])

    def offer(self) -> tuple[npt.NDArray[Any], ...]:
        """The arguments of the candidate before the progress, each (M,)."""
        now = self.policy.log_probs(self._features, self._actions)
        return now, self._old.copy(), *(part.copy() for part in self._seen)

    def learn(self, answer: Any) -> None:
        """Moves the policy.

        Raises:
            Reject: the answer is no finite number for each action, or one is huge.
        """
        self.given = numbers(answer, len(self._actions), what="the weights")
        largest = float(np.abs(self.given).max())
        if largest > 1e6:
            raise Reject(f"weights should be at most 1e6 in size, found {largest:g}")
        self.policy.ascend(self._features, self._actions, STEP / EPISODES * self.given)

    def reached(self) -> float:
        """The mean return of the last batches."""
        return math.fsum(self.returns[-COUNTED:]) / COUNTED
