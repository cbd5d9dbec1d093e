"""Recording what another engine kept of a run as a campaign of ours."""

from __future__ import annotations

from dataclasses import dataclass

from evoengine.campaign import Campaign
from evoengine.compat import Checkpoint, Foreign, Past
from evoengine.errors import ProblemError
from evoengine.evaluator import Evaluator
from evoengine.plugins import build
from evoengine.problem import Reject
from evoengine.types import Candidate, Cause, Cost, Evaluation, Failed, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was made of a checkpoint.

    Attributes:
        records: of its programs; the task's own first program is judged here and not among them.
        copies: programs whose text an earlier one, or the first one, has: what migration leaves behind.
        failed: records without a score.
    """

    records: int
    copies: int
    failed: int


def record_past(campaign: Campaign, checkpoint: Checkpoint) -> Taken:
    """Records every program of a checkpoint, with its parent and the score that its engine had.

    Nothing of it is run. The campaign's islands count is at least the checkpoint's.

    Raises:
        ProblemError: the campaign's problem is no task of another engine.
    """
    problem = campaign.problem
    if not isinstance(problem, Foreign):
        raise ProblemError(f"problem {problem.name!r} is no task of another engine; a checkpoint is of one.")
    [seed, *_] = problem.seeds()
    assert isinstance(seed, Program)
    reader = Evaluator(problem, build("sandboxes", "none"))  # for its reading of scores: it runs nothing
    by_text: dict[str, int] = {seed.text: 1}
    numbers: dict[str, int] = {}
    copies = failed = 0
    for past in checkpoint.programs:
        known = by_text.get(past.text)
        if known is not None:
            numbers[past.key] = known
            copies += 1
            continue
        content = Program(files={seed.main: past.text}, language=seed.language)
        parent = numbers.get(past.parent) if past.parent is not None else None
        candidate = Candidate(
            content=content,
            island=past.island,
            operator=checkpoint.engine,
            parents=() if parent is None else (parent,),
        )
        evaluation = _evaluation(reader, problem, past, content)
        failed += isinstance(evaluation, Failed)
        number = campaign.tell(candidate, evaluation, Cost(calls=1)).number
        numbers[past.key] = by_text[past.text] = number
    return Taken(records=len(by_text) - 1, copies=copies, failed=failed)


def _evaluation(reader: Evaluator, problem: Foreign, past: Past, content: Program) -> Evaluation:
    try:
        return reader.scored(problem.scored(past.told()), content)
    except Reject as why:
        return Failed(cause=Cause.REJECTED, feedback=str(why))
    except (TypeError, ValueError, LookupError) as error:  # as for a verdict of a judge that cannot be used
        return Failed(cause=Cause.UNJUDGED, feedback=f"{type(error).__name__}: {error}")
