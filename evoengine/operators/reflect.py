"""The next step on a line of thought, by a language model."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Part, Subject
from evoengine.prompts.rendering import outcome_of
from evoengine.types import Draft, Lookup, Record, Scored


class Reflect(LanguageOperator):
    """Shows how a parent came about, has the model reflect on it, and then take the next step.

    Evolution of Thought in Guided Evolution (Morris et al. 2024, arXiv:2403.11446), on the lineage of the parent.

    Attributes:
        depth: ancestors that are looked up.
    """

    depth: int = Field(default=6, ge=1)

    turns: ClassVar[int] = 3

    def breed(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        lineage: list[Record] = []
        number: int | None = parent.number
        while number is not None and len(lineage) < self.depth + 1:
            found: dict[int, Record] = yield Lookup(numbers=(number,))
            if number not in found:
                break
            lineage.append(found[number])
            number = next(iter(found[number].candidate.parents), None)
        chat = self.chat(draft)
        told = "## How it came about, the oldest first\n" + "\n".join(_steps(draft, lineage[::-1]))
        task = self.text.filled("reflect", what=title(parent))
        question = self.shown(draft, chat, task, extra=[Part(text=told, worth=4.5)])
        yield from self.heard(chat, question)
        return (yield from self.answered(chat, self.text.filled("reflect_write"), Subject.of(parent.content)))


def _steps(draft: Draft, lineage: list[Record]) -> list[str]:
    steps = []
    before: Scored | None = None
    for record in lineage:
        note = record.candidate.note
        change = (note.change or note.hypothesis) if note is not None else ""
        told = f": {change}" if change else ""
        steps.append(
            f"- #{record.number} by {record.candidate.operator}{told} -> {outcome_of(draft.brief, record, before)}"
        )
        before = record.evaluation if isinstance(record.evaluation, Scored) else before
    return steps
