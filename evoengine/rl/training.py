"""The settings of test-time training that have nothing to do with how weights are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import Field

from evoengine.component import Component
from evoengine.rl.guard import Guard
from evoengine.rl.ladder import Ladder

Given: TypeAlias = str | Mapping[str, Any]
"""A plugin's name, or `{"use": name, setting: value, ...}`."""


class Training(Component):
    """What is collected, what it is worth, and when learning is undone.

    Proposals come in steps of `group * groups` records. All of a step are drafted from the archive after the step
    before it, and those of one group have the same prompt; so siblings are independent, and the children join the
    archive for the step that follows. After each step the trainer makes one update.

    Attributes:
        group: rollouts of one prompt.
        groups: of one step.
        max_staleness: how many updates the policy that samples may be behind the one that is trained. 0 (the
            default) waits for each update before it samples on; with 1 and more a step is sampled while the one
            before it is learnt from.
        control: share of the groups that ask the policy which the campaign began with. They are not learnt from;
            what they improve tells what learning is worth.
        allocation: who divides a step's rollouts among its groups.
        reward: what a valid child is worth; `ladder` says what the others are.
        advantage: which share of a group's rewards each rollout is given credit for.
        advantage_cap: advantages are cut to this, up and down.
        guard: when learning is undone.
        verify: whether a child that is better than all before it is judged again in a jail of its own, and on the
            stages that selection never sees, before it earns a reward.
        keep: how many checkpoints are kept beside the best one and those that a resume can need.
        folder: where they are; None for a folder beside the store.
        tensorboard: a folder for TensorBoard's event files; None for none.
    """

    group: int = Field(default=8, ge=1)
    groups: int = Field(default=8, ge=1)
    max_staleness: int = Field(default=0, ge=0)
    control: float = Field(default=0.1, ge=0.0, lt=1.0)
    allocation: Given = "fixed"
    reward: Given = "delta"
    ladder: Ladder = Field(default_factory=Ladder)
    advantage: Given = "dr_grpo"
    advantage_cap: float = Field(default=10.0, gt=0.0)
    guard: Guard = Field(default_factory=Guard)
    verify: bool = True
    keep: int = Field(default=2, ge=0)
    folder: str | None = None
    tensorboard: str | None = None

    def identity(self) -> dict[str, Any]:
        """The settings that the result depends on, as JSON values."""
        return {name: value for name, value in self.settings().items() if name not in _OUTWARD}


_OUTWARD = ("folder", "keep", "tensorboard", "devices")
