"""One program out of two, by a language model."""

from __future__ import annotations

from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Subject
from evoengine.types import Child, Draft


class Crossover(LanguageOperator):
    """Has what is best in two programs united: the first parent, and the second or one of the inspirations.

    Where there is no other the parent is written again.
    """

    def breed(self, draft: Draft) -> Conversation:
        [parent, *further] = draft.parents
        others = [one for one in further or draft.inspirations if one.content.digest != parent.content.digest]
        chat = self.chat(draft)
        if not others:  # as in the first generation
            task = self.text.filled("rewrite", what=title(parent))
            return (yield from self.answered(chat, self.shown(draft, chat, task), Subject.of(parent.content)))
        other = draft.rng.choice(others)
        task = self.text.filled("crossover", first=str(parent.number), second=str(other.number))
        question = self.shown(draft, chat, task, others=[other])
        child: Child = yield from self.answered(chat, question, Subject.of(parent.content))
        return Child(content=child.content, note=child.note, drawn_on=(other.number,))
