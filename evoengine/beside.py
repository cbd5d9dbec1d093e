"""What is judged beside the log for training's sake: new bests once more, and the children of probes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from evoengine.breeding import Records
from evoengine.errors import ProblemError
from evoengine.evaluator import Evaluator
from evoengine.parts import Parts
from evoengine.probing import Probes
from evoengine.problem import content_of
from evoengine.proposing import Proposal, Proposer
from evoengine.stores.base import CampaignRow, Update
from evoengine.types import GUIDANCE, Content, Context, Draft, Elite, Failed, Judgement, Scored


class Beside:
    """A campaign as its training sees it (`evoengine.learning.Surroundings`).

    Args:
        parts: of the campaign.
        row: gives the campaign in the store.
        records: earlier records, for operators that look them up.
        told: is told of each update.
    """

    def __init__(
        self,
        parts: Parts,
        row: Callable[[], CampaignRow],
        records: Records,
        told: Callable[[Update], None],
    ) -> None:
        self._parts, self._row, self._records, self._told = parts, row, records, told

    @property
    def row(self) -> CampaignRow:
        """The campaign in the store."""
        return self._row()

    @property
    def held_out(self) -> Sequence[str]:
        """The stages that selection never sees."""
        return [stage.name for stage in self._parts.problem.stages if stage.held_out]

    async def judged_again(self, content: Content, stage: str | None) -> Judgement:
        """What a content is worth in a jail that has held no other, by the stages of selection or by one stage."""
        parts = self._parts
        if parts.problem.converses or not parts.judges_apart:
            return await parts.judges.evaluate(content, above=-math.inf, stage=stage)
        return await asyncio.to_thread(self._apart, content, stage)

    def _apart(self, content: Content, stage: str | None) -> Judgement:
        evaluator = Evaluator(problem=self._parts.problem, sandbox=self._parts.sandbox.fresh())
        try:
            return evaluator.evaluate(content, above=-math.inf, stage=stage)
        finally:
            evaluator.close()

    @property
    def own_probes(self) -> bool:
        """Whether the problem has probes of its own."""
        return bool(self._parts.problem.probes())

    async def probes(self, elites: Sequence[Elite]) -> Probes:
        """The problem's own probes, or else these elites, to look at a policy with.

        Raises:
            ProblemError: the problem has probes, and none of them scores.
        """
        parts = self._parts
        given = [content_of(one) for one in parts.problem.probes()]
        if given:
            judged = await asyncio.gather(*(parts.judges.evaluate(content) for content in given))
            elites = [
                Elite(0, content, one.evaluation, ())
                for content, one in zip(given, judged, strict=True)
                if isinstance(one.evaluation, Scored)
            ]
            if not elites:
                raise ProblemError(
                    f"problem {parts.problem.name!r} has {len(given)} probes, and none of them scores; mend probes()."
                )
        operator, arm = next((name, arm) for name, arm in parts.arms if parts.operators[name].speaks)
        assert parts.trainer is not None
        return Probes(
            elites, guard=parts.trainer.guard, operator=operator, arm=arm, brief=parts.problem.brief(), seed=parts.seed
        )

    async def tried(self, draft: Draft, policy: str) -> Proposal:
        """A child outside the log, made under a policy, and judged whatever the log holds."""
        parts = self._parts
        proposer = Proposer(
            operators=parts.operators,
            gates=(),
            executor=parts.executor,
            evaluate=parts.judges.evaluate,
            generator=parts.generator,
            known=_Strangers,
            records=self._records,
            recalled=lambda _: None,
            appraised=_never,
            policies=_One(policy),
        )
        return await proposer.propose(replace(draft, version=0), None)

    def updated(self, update: Update) -> None:
        """Is told of each update."""
        self._told(update)


class _Strangers:
    """Knows no content, so that a probe's child is judged whatever the log holds."""

    def refusal(self, content: Content) -> Failed | None:  # noqa: ARG002
        return None


class _One:
    """One policy, whoever asks."""

    def __init__(self, name: str) -> None:
        self.first = name

    async def asked(self, draft: Draft) -> str:  # noqa: ARG002
        return self.first


def _never(context: Context) -> Scored:
    raise AssertionError(f"a probe is no context of island {GUIDANCE}: {context.digest}")
