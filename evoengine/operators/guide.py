"""New guidance for the operators that ask a language model, by a language model."""

from __future__ import annotations

from evoengine.operators._answers import whole
from evoengine.operators._language import LanguageOperator
from evoengine.operators.base import Conversation, NoChild
from evoengine.prompts import Part, Subject, fitted, tokens_of
from evoengine.prompts.rendering import outcome_of
from evoengine.types import Context, Draft, Elite


class Guide(LanguageOperator):
    """Writes a new context from one in use, its credit, others beside it, and what was made under it lately."""

    def system(self, draft: Draft) -> str:
        brief = draft.brief
        return self.text.filled("guide_system", name=brief.name, goal=brief.goal, notes=brief.notes)

    def form(self, subject: Subject, kind: str) -> str:  # noqa: ARG002  # it is always whole
        return self.text.filled("guide_answer", **self._words(subject))

    def breed(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        if not isinstance(parent.content, Context):
            raise NoChild("guidance is written from guidance; the parent is a program")
        chat = self.chat(draft)
        lately = "\n".join(f"- {outcome_of(draft.brief, record)}" for record in draft.siblings)
        parts = [
            *(Part(text=_shown(elite, "Other guidance"), worth=2.0) for elite in draft.inspirations),
            Part(text=_shown(parent, "The guidance to improve")),
            Part(text=f"## Made under it lately\n{lately}" if lately else "", worth=3.0),
            Part(text=self.text.filled("guide")),
        ]
        question = "\n\n".join(part.text for part in fitted(parts, self.prompt_tokens - tokens_of(chat.system)))
        return (yield from self.answered(chat, question, Subject.of(parent.content), whole))


def _shown(elite: Elite, what: str) -> str:
    made = int(elite.scored.metrics.get("children", 0))
    head = f"## {what} #{elite.number}, credit {elite.scored.score:.3f} after {made} programs"
    return f"{head}\n{Subject.of(elite.content).shown()}"
