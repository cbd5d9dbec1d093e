"""Looking at a policy: what it makes of parents that nothing is ever learnt from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from evoengine.proposing import Proposal
from evoengine.randomness import Stream
from evoengine.rl.guard import Guard, Look
from evoengine.types import Brief, Cause, Draft, Elite, Failed, Scored

Try = Callable[[Draft, str], Awaitable[Proposal]]
"""Makes and judges a child of a draft under a policy, by its name; no record comes of it."""
_VIOLATIONS = (Cause.FORBIDDEN, Cause.OUT_OF_PROCESSES, Cause.FLOODED)
"""Causes of those who tried what the sandbox does not let them."""


class Probes:
    """Parents that a policy is asked about now and then, always in the same way.

    Args:
        elites: the parents.
        guard: how many children of each.
        operator: makes the children.
        arm: of the operator.
        brief: what the operator is told.
        seed: of the campaign.
    """

    def __init__(
        self, elites: Sequence[Elite], *, guard: Guard, operator: str, arm: str, brief: Brief, seed: int
    ) -> None:
        self.elites = tuple(elites)
        self._guard, self._operator, self._arm, self._brief, self._seed = guard, operator, arm, brief, seed

    @property
    def numbers(self) -> frozenset[int]:
        """The records of the parents, as far as they have one."""
        return frozenset(elite.number for elite in self.elites if elite.number > 0)

    async def looked_at(self, policy: str, tried: Try) -> tuple[Look, dict[str, float]]:
        """How a policy does, and the same as figures by name."""
        drafts = [self._draft(place, member) for place in range(len(self.elites)) for member in range(self._samples)]
        proposals = await asyncio.gather(*(tried(draft, policy) for draft in drafts))
        improved, gains, violations, calls = [], [], 0, 0
        for draft, proposal in zip(drafts, proposals, strict=True):
            calls += proposal.cost.calls
            match proposal.evaluation:
                case Scored(score=score):
                    gains.append(score - draft.parents[0].scored.score)
                    improved.append(float(gains[-1] > 0.0))
                case Failed(cause=cause):
                    improved.append(0.0)
                    violations += cause in _VIOLATIONS
        count = max(1, len(drafts))
        look = Look(improved=improved, gains=gains, violations=violations / count)
        return look, {
            "probe/improvement_rate": look.rate,
            "probe/valid_rate": len(gains) / count,
            "probe/mean_gain": sum(gains) / max(1, len(gains)),
            "probe/violations": look.violations,
            "probe/evaluations": float(calls),
        }

    @property
    def _samples(self) -> int:
        return self._guard.samples

    def _draft(self, place: int, member: int) -> Draft:
        return Draft(
            number=0,
            island=0,
            operator=self._operator,
            arm=self._arm,
            parents=(self.elites[place],),
            inspirations=(),
            brief=self._brief,
            rng=Stream(self._seed, place, "probe"),
            group=0,
            member=member,
        )
