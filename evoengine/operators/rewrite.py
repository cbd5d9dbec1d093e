"""A whole new version of a program, by a language model."""

from __future__ import annotations

from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Subject
from evoengine.types import Draft


class Rewrite(LanguageOperator):
    """Has a parent written again, better; an answer without a program is asked for once more."""

    def breed(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        chat = self.chat(draft)
        task = self.text.filled("rewrite", what=title(parent))
        return (yield from self.answered(chat, self.shown(draft, chat, task), Subject.of(parent.content)))
