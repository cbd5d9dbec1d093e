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
        drafts = self._drafts()
        proposals = await _all(drafts, policy, tried)
        improved, gains = [], []
        for draft, proposal in zip(drafts, proposals, strict=True):
            match proposal.evaluation:
                case Scored(score=score):
                    gains.append(score - draft.parents[0].scored.score)
                    improved.append(float(gains[-1] > 0.0))
                case _:
                    improved.append(0.0)
        count = max(1, len(drafts))
        look = Look(improved=improved, gains=gains, violations=sum(map(_forbidden, proposals)) / count)
        return look, {
            "probe/improvement_rate": look.rate,
            "probe/valid_rate": len(gains) / count,
            "probe/mean_gain": sum(gains) / max(1, len(gains)),
            "probe/violations": look.violations,
            "probe/evaluations": _calls(proposals),
        }

    async def constrained(self, update: int, policy: str, tried: Try) -> tuple[list[bool], dict[str, float]]:
        """Whether some children that a policy makes try what is forbidden, and the same as figures by name.

        Args:
            update: whose policy it is: each one asks for the next few of the children that a look asks for.
            policy: by its name.
            tried: makes the children.
        """
        drafts, few = self._drafts(), self._guard.constraints
        asked = [drafts[place % len(drafts)] for place in range(update * few, update * few + min(few, len(drafts)))]
        proposals = await _all(asked, policy, tried)
        forbidden = [_forbidden(one) for one in proposals]
        return forbidden, {
            "probe/violations": sum(forbidden) / max(1, len(forbidden)),
            "probe/evaluations": _calls(proposals),
        }

    def _drafts(self) -> list[Draft]:
        """What a look asks for."""
        places, members = range(len(self.elites)), range(self._guard.samples)
        return [self._draft(place, member) for member in members for place in places]

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


async def _all(drafts: Sequence[Draft], policy: str, tried: Try) -> list[Proposal]:
    return await asyncio.gather(*(tried(draft, policy) for draft in drafts))


def _forbidden(proposal: Proposal) -> bool:
    return isinstance(proposal.evaluation, Failed) and proposal.evaluation.cause in _VIOLATIONS


def _calls(proposals: Sequence[Proposal]) -> float:
    return float(sum(proposal.cost.calls for proposal in proposals))
