"""From a draft to a proposal: the operator's conversation, the gates, the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evoengine.breeding import Records, Talk, offspring
from evoengine.errors import CampaignError, NoAnswer
from evoengine.executors.base import Executor
from evoengine.gates.base import Gate
from evoengine.generators.base import Generator
from evoengine.operators.base import Operator
from evoengine.types import (
    GUIDANCE,
    SEED,
    Action,
    Candidate,
    Cause,
    Child,
    Content,
    Context,
    Cost,
    Draft,
    Evaluation,
    Failed,
    Feature,
    Judgement,
    Scored,
    spent_on,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A finished proposal that waits for its turn to become a record."""

    candidate: Candidate
    evaluation: Evaluation
    cost: Cost
    tier: str = ""


class Known(Protocol):
    """What the log tells of a content."""

    def refusal(self, content: Content) -> Failed | None:
        """Why it is not worth an evaluation."""


class Policies(Protocol):
    """The sets of weights that there are, or will be."""

    @property
    def first(self) -> str:
        """The name of the one that the campaign began with."""

    async def asked(self, draft: Draft) -> str:
        """The name of the one that a draft asks, as soon as it can answer.

        Raises:
            TrainerError, GeneratorError: it cannot be made, or not be loaded.
        """


class Evaluate(Protocol):
    """Whoever judges a candidate."""

    async def __call__(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        """The judgement of a content by the stages of selection, or by one stage."""


class Proposer:
    """Makes and evaluates candidates.

    Args:
        operators: by name.
        gates: whose examinations a child must pass.
        executor: answers what operators ask of programs.
        evaluate: judges a candidate.
        generator: answers prompts.
        known: the state of the campaign at the moment of asking.
        records: earlier records, for those who look them up.
        recalled: what the store knows of a content from other campaigns.
        appraised: what is recorded of a new context that guides.
        policies: where weights are trained.
    """

    def __init__(
        self,
        *,
        operators: Mapping[str, Operator],
        gates: Sequence[Gate],
        executor: Executor,
        evaluate: Evaluate,
        generator: Generator | None,
        known: Callable[[], Known],
        records: Records,
        recalled: Callable[[Content], Judgement | None],
        appraised: Callable[[Context], Scored],
        policies: Policies | None = None,
    ) -> None:
        self._operators, self._gates, self._executor, self._generator = operators, gates, executor, generator
        self._evaluate = evaluate
        self._known, self._records, self._recalled = known, records, recalled
        self._appraised, self._policies = appraised, policies

    async def propose(self, draft: Draft, above: float | None) -> Proposal:
        """A draft's candidate with its evaluation, which is a refusal where it is not worth one.

        Raises:
            GeneratorError, ExecutorError, SandboxError: a part of the campaign does not work.
        """
        if draft.action is not None:
            return await self._by_hand(draft, draft.action, above)
        talk = Talk(
            who=f"operator {draft.operator!r}",
            seed_for=draft.seed_for,
            executor=self._executor,
            model=self._generator,
            records=self._records,
            order=draft.number,  # records are committed in order: whoever waits for the oldest asks for nothing new
        )
        if self._policies is not None and draft.version is not None:
            talk.policy = await self._policies.asked(draft)
        child = await offspring(self._operators[draft.operator], draft, talk)
        if self._policies is not None:
            talk.policy = self._policies.first  # whoever has an opinion on a child is not the one that learns
        judgement = await self._judged(child, draft, talk, above)
        turns = (*talk.turns, *judgement.turns)
        tokens, money = spent_on(turns)
        parents = [parent.number for parent in draft.parents]
        if isinstance(child, Child):
            parents += [number for number in child.drawn_on if number not in parents]
        return Proposal(
            candidate=Candidate(
                content=child.content if isinstance(child, Child) else None,
                island=draft.island,
                operator=f"{draft.operator}.{draft.arm}" if draft.arm else draft.operator,
                parents=tuple(parents),
                turns=turns,
                guidance=None if draft.guidance is None else draft.guidance.number,
                lessons=tuple(lesson.number for lesson in draft.lessons),
                withheld=draft.withheld,
                note=child.note if isinstance(child, Child) else None,
                group=draft.group,
                shown=() if draft.group is None else tuple(elite.number for elite in draft.inspirations),
                version=draft.version,
                control=draft.control,
            ),
            evaluation=judgement.evaluation,
            cost=Cost(
                calls=talk.trials + judgement.calls,
                trials=talk.trials,
                tokens=tokens,
                money=money,
                seconds=judgement.seconds,
            ),
            tier=judgement.tier,
        )

    async def _by_hand(self, draft: Draft, action: Action, above: float | None) -> Proposal:
        """What a person decided; a program of theirs is judged like any other, but for gates that ask a model."""
        content = action.content
        if content is None:
            judgement = Judgement(evaluation=Failed(cause=Cause.DECIDED, feedback=action.text))
        else:
            refused = self._refused(content, draft)
            judgement = (
                Judgement(evaluation=refused)
                if refused is not None
                else self._recalled(content) or await self._evaluate(content, above=above)
            )
        tokens, money = spent_on(judgement.turns)
        return Proposal(
            candidate=Candidate(
                content=content,
                island=draft.island,
                operator=f"{draft.operator}.{draft.arm}",
                parents=() if content is None or action.target is None else (action.target,),
                turns=judgement.turns,
                action=action,
            ),
            evaluation=judgement.evaluation,
            cost=Cost(calls=judgement.calls, tokens=tokens, money=money, seconds=judgement.seconds),
            tier=judgement.tier,
        )

    async def _judged(self, child: Child | Failed, draft: Draft, talk: Talk, above: float | None) -> Judgement:
        if isinstance(child, Failed):
            return Judgement(evaluation=child)
        refused = self._refused(child.content, draft) or await self._examined(child.content, draft, talk)
        if refused is not None:
            return Judgement(evaluation=refused)
        if draft.island == GUIDANCE:
            assert isinstance(child.content, Context)
            return Judgement(evaluation=self._appraised(child.content))
        return self._recalled(child.content) or await self._evaluate(child.content, above=above)

    def _refused(self, content: Content, draft: Draft) -> Failed | None:
        if any(parent.content.digest == content.digest for parent in draft.parents):
            return Failed(cause=Cause.NO_CHANGE)
        return self._known().refusal(content)

    async def _examined(self, content: Content, draft: Draft, talk: Talk) -> Failed | None:
        for gate in self._gates:
            try:
                refused = await talk.hold(gate.examine(content, draft))
            except NoAnswer:  # an opinion that cannot be had keeps nobody out
                continue
            if refused is not None:
                return refused
        return None


def refuse_misfit(candidate: Candidate, evaluation: Evaluation, *, last: int, features: Sequence[Feature]) -> None:
    """Refuses a record of a person's own that could not be taken in: it would break every replay.

    Args:
        candidate: what is to be recorded.
        evaluation: with it.
        last: the number of the last record.
        features: the problem's.

    Raises:
        CampaignError: it is one.
    """
    for parent in candidate.parents:
        if not 1 <= parent <= last:
            raise CampaignError(f"the candidate names parent {parent}; the campaign's records are 1 to {last}.")
    if candidate.operator == SEED:
        raise CampaignError(f"{SEED!r} is the operator of the problem's own seeds; name another one.")
    if isinstance(evaluation, Scored):
        if candidate.content is None:
            raise CampaignError("the candidate has a score but no content; give what was scored.")
        missing = [one.name for one in features if one.name not in evaluation.features]
        if missing:
            raise CampaignError(
                f"the evaluation lacks the problem's features {', '.join(missing)}; "
                f"judge() measures them, or give them in Scored(features=...)."
            )
