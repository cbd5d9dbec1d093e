"""Records for talking to gates."""

from __future__ import annotations

from evoengine.types import Candidate, Cause, Content, Draft, Elite, Failed, Program, Record, Scored
from tests.operators.drafts import draft_of


def record_of(
    number: int, content: Content | str | None, score: float | None = 0.0, cause: Cause = Cause.CRASHED, parent: int = 0
) -> Record:
    """A record; without a score it failed."""
    made = Program.of(content) if isinstance(content, str) else content
    return Record(
        number=number,
        candidate=Candidate(content=made, island=0, operator="one", parents=(parent,) if parent else ()),
        evaluation=Failed(cause=cause) if score is None else Scored(score=score),
    )


def lineage(*steps: tuple[str, float | None]) -> list[Record]:
    """Records 1 to N, each the child of the one before."""
    return [record_of(at, text, score, parent=at - 1) for at, (text, score) in enumerate(steps, start=1)]


def draft_from(records: list[Record], *others: str) -> Draft:
    """A draft whose first parent is the last record; the others are its second parent and its inspirations."""
    last = records[-1]
    assert last.candidate.content is not None
    scored = last.evaluation if isinstance(last.evaluation, Scored) else Scored(score=0.0)
    elites = (
        Elite(number=last.number, content=last.candidate.content, scored=scored, cell=(0,)),
        *(
            Elite(number=900 + at, content=Program.of(text), scored=Scored(score=0.0), cell=(at,))
            for at, text in enumerate(others, start=1)
        ),
    )
    draft = draft_of("x = 1")
    return type(draft)(
        number=last.number + 1,
        island=0,
        operator="one",
        arm="",
        parents=elites[:2],
        inspirations=elites[2:],
        brief=draft.brief,
        rng=draft.rng,
    )
