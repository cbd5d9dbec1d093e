"""A plan, its execution, and what came of those before it, by a language model."""

from __future__ import annotations

from typing import ClassVar

from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Part, Subject
from evoengine.prompts.rendering import outcome_of
from evoengine.types import Draft, Record


class Plan(LanguageOperator):
    """Plan, execute, summarise (LoongFlow, 2025, arXiv:2512.24077).

    What a plan predicted is recorded with its child, and stands beside what was observed when the next plan for the
    same parent is made: that one begins with what the comparison teaches.
    """

    turns: ClassVar[int] = 3

    def breed(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        chat = self.chat(draft)
        kept = [_compared(draft, record) for record in draft.siblings if record.candidate.note is not None]
        extra = [Part(text="## Expected and observed\n" + "\n".join(kept), worth=4.5)] if kept else []
        task = self.text.filled("plan", what=title(parent))
        yield from self.heard(chat, self.shown(draft, chat, task, extra=extra))
        return (yield from self.answered(chat, self.text.filled("plan_write"), Subject.of(parent.content)))


def _compared(draft: Draft, record: Record) -> str:
    note = record.candidate.note
    expected = "nothing said" if note is None else note.predicted or note.hypothesis
    return (
        f"- #{record.number}: expected {expected}; observed {outcome_of(draft.brief, record, draft.parents[0].scored)}"
    )
