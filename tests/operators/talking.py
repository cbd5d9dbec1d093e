"""Talking to operators: a script answers, and every prompt is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evoengine.operators.base import Operator
from evoengine.randomness import Stream
from evoengine.types import (
    Brief,
    Candidate,
    Child,
    Completion,
    Content,
    Context,
    Draft,
    Elite,
    Evaluation,
    Lookup,
    Program,
    Prompt,
    Record,
    Scored,
)

PROGRAM = (
    "import math\n\n\ndef solve(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n"
)
BRIEF = Brief(
    name="sums", goal="Write solve(n) -> a large number.", entry="solve", preload=("numpy",), notes="Be brave."
)


def elite(number: int, content: Content | str = PROGRAM, score: float = 0.1, **scored: Any) -> Elite:
    content = Program.of(content) if isinstance(content, str) else content
    return Elite(number=number, content=content, scored=Scored(score=score, **scored), cell=(number,))


def record(number: int, evaluation: Evaluation, content: Content | str | None = PROGRAM, **candidate: Any) -> Record:
    content = Program.of(content) if isinstance(content, str) else content
    given = {"island": 0, "operator": "diff", "parents": (1,), **candidate}
    return Record(number=number, candidate=Candidate(content=content, **given), evaluation=evaluation)


def draft(*parents: Elite, brief: Brief = BRIEF, seed: int = 0, **rest: Any) -> Draft:
    given = {"island": 0, "operator": "one", "arm": "", "inspirations": (), **rest}
    return Draft(number=seed, parents=parents, brief=brief, rng=Stream(seed, seed, "talk"), **given)


def guidance(number: int, text: str) -> Elite:
    return elite(number, Context(sections={"strategy": text}), 0.25, metrics={"children": 12.0})


def fenced(text: str, language: str = "python") -> str:
    return f"HYPOTHESIS: more is more\nCHANGE: count further\nPREDICTED: a larger sum\n```{language}\n{text}```\n"


@dataclass
class Talk:
    """A conversation with an operator whose prompts are answered in turn."""

    answers: list[str]
    records: Mapping[int, Record] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)

    def child(self, operator: Operator, of: Draft) -> Child:
        """What the operator makes of a draft; raises what it raises."""
        conversation, answer = operator.breed(of), None
        while True:
            try:
                request = conversation.send(answer)
            except StopIteration as end:
                return end.value if isinstance(end.value, Child) else Child(content=end.value)
            match request:
                case Lookup(numbers=numbers):
                    answer = {number: self.records[number] for number in numbers if number in self.records}
                case Prompt():
                    self.prompts.append(request)
                    answer = Completion(text=self.answers.pop(0))
                case other:
                    raise AssertionError(other)

    def asked(self, turn: int = 0) -> str:
        """The newest message of a prompt."""
        return str(self.prompts[turn].messages[-1]["content"])

    def system(self) -> str:
        return str(self.prompts[0].messages[0]["content"])
