"""From records to the groups of rollouts that a trainer learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evoengine.rl.rollouts import Exchange, Group, Outcome, Rollout
from evoengine.types import Cause, Completion, Failed, Record, Scored, Turn

AGAIN, UNVERIFIED = "again", "unverified"
"""Under these names the store keeps what a new best was worth when it was judged again, and that it did not hold."""

_OUTCOMES = {
    Cause.UNDECODABLE: Outcome.NO_EDIT,
    Cause.NO_CHANGE: Outcome.NO_CHANGE,
    Cause.DUPLICATE: Outcome.DUPLICATE,
    Cause.SIMILAR: Outcome.REJECTED,
    Cause.REINTRODUCED: Outcome.REJECTED,
    Cause.REJECTED: Outcome.REJECTED,
    Cause.UNJUDGED: Outcome.REJECTED,
}
"""What became of rollouts without a score, by cause; all other causes are ways to crash."""


def groups_of(
    records: Sequence[Record], score: Callable[[int], float | None], unverified: frozenset[int] = frozenset()
) -> list[Group]:
    """The groups in the records of a step, in their order.

    Records that belong to no group are passed over; so is a group whose parent has no score.

    Args:
        records: all of one step.
        score: of an earlier record, by its number; None where it has none.
        unverified: records whose score did not hold when they were judged again.
    """
    members: dict[int, list[Record]] = {}
    for record in records:
        if record.candidate.group is not None:
            members.setdefault(record.candidate.group, []).append(record)
    judged = {
        record.candidate.content.digest: record
        for record in records
        if record.candidate.content is not None and isinstance(record.evaluation, Scored)
    }
    found = []
    for number, group in members.items():
        candidate = group[0].candidate
        parent = score(candidate.parents[0])
        if parent is None:
            continue
        others = [score(one) for one in candidate.shown]
        found.append(
            Group(
                number=number,
                parent=candidate.parents[0],
                parent_score=parent,
                shown=(parent, *(one for one in others if one is not None)),
                version=candidate.version or 0,
                rollouts=tuple(_rollout(record, judged, unverified) for record in group),
                control=candidate.control,
            )
        )
    return found


def _rollout(record: Record, judged: dict[str, Record], unverified: frozenset[int]) -> Rollout:
    content, evaluation = record.candidate.content, record.evaluation
    digest = None if content is None else content.digest
    outcome, score, origin = Outcome.SCORED, None, record
    match evaluation:
        case Scored():
            score = evaluation.score
        case Failed(cause=cause):
            outcome = _OUTCOMES.get(cause, Outcome.CRASHED)
            if outcome is Outcome.DUPLICATE and digest in judged:  # a sibling was quicker, and neither saw the other
                origin = judged[digest]
                outcome, score = Outcome.REPEATED, _score_of(origin)
    if score is not None and origin.number in unverified:
        outcome, score = Outcome.UNVERIFIED, None
    return Rollout(
        record=record.number,
        outcome=outcome,
        score=score,
        digest=digest,
        exchanges=tuple(exchange_of(turn.completion) for turn in record.candidate.turns if _learnt_from(turn)),
    )


def _score_of(record: Record) -> float:
    assert isinstance(record.evaluation, Scored)
    return record.evaluation.score


def _learnt_from(turn: Turn) -> bool:
    """Whether a turn is the mutator's own, sampled from its distribution as it is, with all that an update needs."""
    answer = turn.completion
    complete = bool(answer.prompt_ids) and 0 < len(answer.token_ids) == len(answer.logprobs)
    return complete and not turn.judging and turn.prompt.temperature in (None, 1.0)


def exchange_of(answer: Completion) -> Exchange:
    """An answer as a trainer reads it."""
    return Exchange(
        prompt_ids=answer.prompt_ids,
        token_ids=answer.token_ids,
        logprobs=answer.logprobs,
        policy=answer.policy,
        cut=answer.finish == "length",
    )
