"""What every gate must show."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.gates.base import Gate
from evoengine.randomness import Stream
from evoengine.testing._laws import INHERITED
from evoengine.types import (
    EVERY_ISLAND,
    SEED,
    Answer,
    Brief,
    Candidate,
    Cause,
    Completion,
    Content,
    Context,
    Draft,
    Elite,
    Failed,
    Lookup,
    Program,
    Prompt,
    Record,
    Scored,
)

_NAMES = ["a", "b", "total", "größe"]
_LINES = [
    "# a note",
    "",
    "if a:",
    "for b in range(3):",
    '    """Text."""',
    "x = (",
    "\tb = 'two  words'",
    "\ud800",
    "\0",
]
_PYTHON = st.lists(
    st.builds("{} = {} + {}".format, st.sampled_from(_NAMES), st.sampled_from(_NAMES), st.integers(0, 3))
    | st.builds("def {}({}):\n    return {} * 2".format, *[st.sampled_from(_NAMES)] * 3)
    | st.sampled_from(_LINES),
    max_size=6,
).map("\n".join)
texts: st.SearchStrategy[str] = (
    _PYTHON
    | st.text(st.characters(codec=None), max_size=40)
    | st.sampled_from(["", "\n", "(" * 3000, "x = " + "1 + " * 5000 + "1", "x = 0x" + "f" * 6000, "x = " + "1" * 6000])
)
"""Programs that differ in little, and what is no program: lone surrogates, NUL, what is too deep to parse."""
contents: st.SearchStrategy[Content] = (
    st.builds(Program.of, texts)
    | st.builds(lambda one, two: Program(files={"main.py": one, "data.txt": two}), texts, texts)
    | st.builds(lambda text: Program(files={"main.cpp": text}, language="cpp"), texts)
    | st.builds(lambda text: Context(sections={"instructions": text}), texts)
)


@st.composite
def logs(draw: st.DrawFn, size: int = 12) -> list[Record]:
    """Records 1 to N with contents of all kinds and without, judged, failed and refused."""
    records: list[Record] = []
    for number in range(1, 1 + draw(st.integers(0, size))):
        repeated = [one.candidate.content for one in records] or [None]
        content = draw(st.none() | contents | st.sampled_from(repeated))
        score = draw(st.none() | st.floats(-10, 10))
        records.append(
            Record(
                number=number,
                candidate=Candidate(
                    content=content,
                    island=0 if number > 1 else EVERY_ISLAND,
                    operator="one" if number > 1 else SEED,
                    parents=(draw(st.integers(1, number - 1)),) if number > 1 else (),
                ),
                evaluation=Failed(cause=draw(st.sampled_from(Cause)))
                if score is None or content is None
                else Scored(score=score),
            )
        )
    return records


def draft_after(records: Sequence[Record]) -> Draft | None:
    """A draft whose parents and inspirations are the last scored records, the newest first; None if there are none."""
    elites = [
        Elite(number=one.number, content=one.candidate.content, scored=one.evaluation, cell=(one.number,))
        for one in reversed(records)
        if one.candidate.content is not None and isinstance(one.evaluation, Scored)
    ]
    if not elites:
        return None
    number = len(records) + 1
    return Draft(
        number=number,
        island=0,
        operator="one",
        arm="",
        parents=tuple(elites[:2]),
        inspirations=tuple(elites[2:4]),
        brief=Brief(name="toy", goal="a toy", entry="main"),
        rng=Stream(0, number, "breeding"),
    )


def examined(
    gate: Gate, child: Content, draft: Draft, records: Sequence[Record], answers: Sequence[str] = ()
) -> Failed | None:
    """What an examination comes to; prompts are answered with these texts in turn, and with nothing after them."""
    known = {record.number: record for record in records}
    left = list(answers)
    examination = gate.examine(child, draft)
    answer: Answer = None
    while True:
        try:
            request = examination.send(answer)
        except StopIteration as end:
            verdict: Failed | None = end.value
            return verdict
        match request:
            case Lookup(numbers=numbers):
                answer = {number: known[number] for number in numbers if number in known}
            case Prompt():
                answer = Completion(text=left.pop(0) if left else "")
            case tuple():
                answer = tuple(Completion(text=left.pop(0) if left else "") for _ in request)
            case _:
                pytest.fail(f"a gate asked for {type(request).__name__}, and nothing may be evaluated for it")


def _every(children: Sequence[Content], records: Sequence[Record]) -> list[Content]:
    return [*children, *(one.candidate.content for one in records if one.candidate.content is not None)]


class GateContract:
    """What every gate must show. Needs a fixture `gate`; each test uses fresh ones like it."""

    def told(self, gate: Gate, records: Sequence[Record]) -> Gate:
        """A fresh gate like the fixture, after these records."""
        made = gate.fresh()
        made.open()
        for record in records:
            made.take(record)
        return made

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(records=logs(), children=st.lists(contents, max_size=3))
    def test_what_is_refused_stays_refused(self, gate: Gate, records: list[Record], children: list[Content]) -> None:
        made = gate.fresh()
        made.open()
        everything = _every(children, records)
        refused: set[int] = set()
        for record in records:
            made.take(record)
            now = {place for place, child in enumerate(everything) if made.refusal(child) is not None}
            assert refused <= now
            refused = now

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(records=logs(), children=st.lists(contents, max_size=3))
    def test_the_records_decide_alone(self, gate: Gate, records: list[Record], children: list[Content]) -> None:
        one, other = self.told(gate, ()), self.told(gate, records)
        for record in records:  # asked in between, which must teach nothing
            for child in children:
                one.refusal(child)
            one.take(record)
        for child in _every(children, records):
            assert one.refusal(child) == other.refusal(child)
        assert json.dumps(one.state()) == json.dumps(other.state())

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(records=logs(), until=st.integers(0, 12), children=st.lists(contents, max_size=3))
    def test_a_restored_gate_goes_on_as_the_one_that_was_saved(
        self, gate: Gate, records: list[Record], until: int, children: list[Content]
    ) -> None:
        saved, restored = self.told(gate, records[:until]), self.told(gate, records[until:])  # what it had goes
        restored.restore(json.loads(json.dumps(saved.state(), allow_nan=False)))
        for record in records[until:]:
            saved.take(record)
            restored.take(record)
        for child in _every(children, records):
            assert restored.refusal(child) == saved.refusal(child)
        assert restored.state() == saved.state()

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=30)
    @given(records=logs(), child=contents)
    def test_an_opened_gate_has_seen_nothing(self, gate: Gate, records: list[Record], child: Content) -> None:
        made, fresh = self.told(gate, records), self.told(gate, ())
        made.open()
        assert made.state() == fresh.state()
        assert made.refusal(child) == fresh.refusal(child)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(records=logs(), child=contents, answers=st.lists(st.text(max_size=20), max_size=2))
    def test_an_examination_comes_to_an_end_and_to_the_same_one(
        self, gate: Gate, records: list[Record], child: Content, answers: list[str]
    ) -> None:
        draft = draft_after(records)
        if draft is None:
            return
        made = self.told(gate, records)
        before = json.dumps(made.state())
        found = examined(made, child, draft, records, answers)
        assert found is None or isinstance(found, Failed)
        assert examined(self.told(gate, records), child, draft, records, answers) == found
        assert json.dumps(made.state()) == before
        assert made.most_tokens() >= 0

    def test_a_huge_content_is_judged_too(self, gate: Gate) -> None:
        made = self.told(gate, ())
        text = "".join(f"x{place} = {place} + y\n" for place in range(20_000))
        for content in (Program.of(text), Program.of("'" + "a" * 10**6), Context(sections={"one": text})):
            assert made.refusal(content) is None
