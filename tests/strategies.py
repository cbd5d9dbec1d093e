"""Hypothesis strategies for the engine's values."""

from __future__ import annotations

from hypothesis import strategies as st

from evoengine.types import EVERY_ISLAND, SEED, Candidate, Cause, Cost, Evaluation, Failed, Program, Record, Scored

scores = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 1.0, 2.0])
"""With repetitions, so that ties come up."""
places = st.floats(-0.5, 1.5) | st.sampled_from([0.0, 0.5, 1.0])
"""Some lie outside the features' bounds of 0 to 1."""
scored = st.builds(lambda score, x, y: Scored(score=score, features={"x": x, "y": y}), score=scores, x=places, y=places)
evaluations: st.SearchStrategy[Evaluation] = scored | st.builds(
    lambda cause: Failed(cause=cause), st.sampled_from(Cause)
)


@st.composite
def histories(draw: st.DrawFn, islands: int = 3, size: int = 60) -> list[Record]:
    """Records 1 to N of a campaign: a seed that scores, then children of earlier records."""
    first = Record(
        number=1,
        candidate=Candidate(content=Program.of("# 1"), island=EVERY_ISLAND, operator=SEED),
        evaluation=draw(scored),
        cost=Cost(calls=1),
    )
    records = [first]
    for number in range(2, 2 + draw(st.integers(0, size))):
        evaluation = draw(evaluations)
        records.append(
            Record(
                number=number,
                candidate=Candidate(
                    content=Program.of(f"# {number}"),
                    island=draw(st.integers(0, islands - 1)),
                    operator=draw(st.sampled_from(["one", "other.arm"])),
                    parents=(draw(st.integers(1, number - 1)),),
                ),
                evaluation=evaluation,
                cost=Cost(calls=draw(st.integers(0, 5))),
            )
        )
    return records
