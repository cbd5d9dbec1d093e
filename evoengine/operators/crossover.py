"""One program out of two, by a language model."""

from __future__ import annotations

from evoengine.operators._language import LanguageOperator
from evoengine.operators.base import Conversation, NoChild
from evoengine.prompts import Subject
from evoengine.types import Child, Draft


class Crossover(LanguageOperator):
    """Has what is best in two programs united: the first parent, and the second or one of the inspirations."""

    def breed(self, draft: Draft) -> Conversation:
        [parent, *further] = draft.parents
        others = [one for one in further or draft.inspirations if one.content.digest != parent.content.digest]
        if not others:
            raise NoChild("there is no second program to cross with")
        other = draft.rng.choice(others)
        chat = self.chat(draft, "whole")
        task = self.text.filled("crossover", first=str(parent.number), second=str(other.number))
        question = self.shown(draft, chat, task, others=[other])
        child: Child = yield from self.answered(chat, question, Subject.of(parent.content))
        return Child(content=child.content, note=child.note, drawn_on=(other.number,))
