"""What rollouts without a score are worth, and how the rewards of a group are put together."""

from __future__ import annotations

from pydantic import Field

from evoengine.component import Component


class Ladder(Component):
    """Rewards by outcome, in the order of how far a rollout came (ThetaEvolve, 2025, arXiv:2511.23473).

    A valid child is worth more than any other, however harmful it is: otherwise a policy learns to do nothing.

    Attributes:
        no_edit, no_change, duplicate, crashed, rejected, unverified: what these outcomes are worth.
        harmful: what a valid child is worth at least; above all others.
        most: what a valid child is worth at most.
        lazy: what counts as idle: 0 nothing, 1 a child that is its parent, 2 one that was recorded before its group
            was asked for as well, 3 one that another rollout of the batch came to before, too. What does not count is
            worth its score, or where it has none as much as a rejected one.
        noise: gains and losses up to this, in units of the score, are worth nothing.
        length_from, length_cost: from this share of the longest answer on, each further one costs, linearly up to
            `length_cost` for the longest (the soft punishment of DAPO, Yu et al. 2025, arXiv:2503.14476, eq. 13).
    """

    no_edit: float = -0.4
    no_change: float = -0.3
    duplicate: float = -0.3
    crashed: float = -0.2
    rejected: float = -0.1
    unverified: float = -0.1
    harmful: float = -0.05
    most: float = Field(default=10.0, gt=0.0)
    lazy: int = Field(default=2, ge=0, le=3)
    noise: float = Field(default=0.0, ge=0.0)
    length_from: float = Field(default=0.8, ge=0.0, lt=1.0)
    length_cost: float = Field(default=0.0, ge=0.0)
