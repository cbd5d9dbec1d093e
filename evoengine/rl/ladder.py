"""What rollouts without a score are worth, and how the rewards of a group are put together."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from evoengine.component import Component
from evoengine.rl.advantage import Returns
from evoengine.rl.reward import Array, Reward, Scores, gains
from evoengine.rl.rollouts import Group, Outcome, Rollout


class Ladder(Component):
    """Rewards by outcome, in the order of how far a rollout came (ThetaEvolve, 2025, arXiv:2511.23473).

    A valid child is worth more than any other, however harmful it is and however long its answer was: otherwise a
    policy learns to do nothing. A score that is not finite is worth the lowest of all.

    Attributes:
        no_edit, no_change, duplicate, crashed, rejected, unverified: what these outcomes are worth.
        harmful: what a valid child is worth at least; above all others.
        most: what a valid child is worth at most.
        lazy: what counts as idle: 0 nothing, 1 a child that is its parent, 2 one that was recorded before its group
            was asked for as well, 3 one that another rollout of the batch came to before, too. What does not count is
            worth its score, or where it has none as much as a rejected one.
        noise: gains and losses up to this, in units of the score, are worth nothing: such a child has its parent's
            score.
        length_from, length_cost: from this share of the longest answer on, each further one costs, linearly up to
            `length_cost` for the longest (the soft punishment of DAPO, Yu et al. 2025, arXiv:2503.14476, eq. 13). A
            valid child keeps `harmful`.
    """

    no_edit: float = Field(default=-0.4, allow_inf_nan=False)
    no_change: float = Field(default=-0.3, allow_inf_nan=False)
    duplicate: float = Field(default=-0.3, allow_inf_nan=False)
    crashed: float = Field(default=-0.2, allow_inf_nan=False)
    rejected: float = Field(default=-0.1, allow_inf_nan=False)
    unverified: float = Field(default=-0.1, allow_inf_nan=False)
    harmful: float = Field(default=-0.05, allow_inf_nan=False)
    most: float = Field(default=10.0, gt=0.0, allow_inf_nan=False)
    lazy: int = Field(default=2, ge=0, le=3)
    noise: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    length_from: float = Field(default=0.8, ge=0.0, lt=1.0)
    length_cost: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        name, highest = max(self._rungs().items(), key=lambda rung: rung[1])
        if not highest < self.harmful < self.most:
            raise ValueError(
                f"a valid child has to be worth more than any other: expected {name} < harmful < most, "
                f"got {highest:g}, {self.harmful:g} and {self.most:g}"
            )
        return self

    def _rungs(self) -> dict[str, float]:
        names = ("no_edit", "no_change", "duplicate", "crashed", "rejected", "unverified")
        return {name: getattr(self, name) for name in names}

    @property
    def lowest(self) -> float:
        """What the worst outcome is worth."""
        return min(self._rungs().values())

    def rung(self, rollout: Rollout) -> float | None:
        """What a rollout is worth whatever its score; None where that depends on its score."""
        match rollout.outcome:
            case Outcome.NO_EDIT:
                return self.no_edit
            case Outcome.CRASHED:
                return self.crashed
            case Outcome.REJECTED:
                return self.rejected
            case Outcome.UNVERIFIED:
                return self.unverified
            case Outcome.NO_CHANGE if self.lazy >= 1:
                return self.no_change
            case Outcome.DUPLICATE if self.lazy >= 2:
                return self.duplicate
            case Outcome.REPEATED if self.lazy >= 3:
                return self.duplicate
        match rollout.score:
            case None if rollout.outcome is Outcome.SCORED:
                return self.lowest
            case None:
                return self.rejected
            case score if not math.isfinite(score):
                return self.lowest
            case _:
                return None


def returns_of(group: Group, reward: Reward, ladder: Ladder, longest: int, *, ratios: Array | None = None) -> Returns:
    """What each rollout of a group is worth.

    Args:
        group: with at least one rollout.
        reward: what those are worth whose score counts; it is shown no others.
        ladder: what all others are worth.
        longest: tokens that an answer may have at most, at least 1.
        ratios: (n,), the importance ratio of each rollout; 1 where nothing is said.

    Raises:
        ValueError: the group is empty, `longest` is below 1, or there is not one ratio for each rollout.
    """
    count = len(group.rollouts)
    if not count or longest < 1:
        raise ValueError(f"expected rollouts and a longest answer of 1 token or more, got {count} and {longest}")
    if ratios is not None and ratios.shape != (count,):
        raise ValueError(f"expected one ratio for each of {count} rollouts, got an array of shape {ratios.shape}")
    rungs = [ladder.rung(rollout) for rollout in group.rollouts]
    valid = np.array([rung is None for rung in rungs])
    rewards = np.array([0.0 if rung is None else rung for rung in rungs])
    counted = np.flatnonzero(valid)
    if len(counted):
        children = np.array([group.rollouts[place].score for place in counted], dtype=np.float64)
        children[np.abs(gains(children, group.parent_score)) <= ladder.noise] = group.parent_score
        worth = reward.of(Scores(children=children, parent=group.parent_score, shown=np.array(group.shown)))
        rewards[counted] = np.where(np.isfinite(worth), np.clip(worth, ladder.harmful, ladder.most), ladder.lowest)
        valid[counted] = np.isfinite(worth)
    answers = np.array([_longest_answer(rollout) for rollout in group.rollouts])
    begin = ladder.length_from * longest
    rewards -= ladder.length_cost * np.clip((answers - begin) / (longest - begin), 0.0, 1.0)
    rewards[valid] = np.maximum(rewards[valid], ladder.harmful)
    return Returns(
        rewards=rewards,
        valid=valid,
        tokens=np.array([float(rollout.tokens) for rollout in group.rollouts]),
        ratios=np.ones(count) if ratios is None else ratios,
    )


def _longest_answer(rollout: Rollout) -> int:
    return max((len(one.token_ids) for one in rollout.exchanges), default=0)
