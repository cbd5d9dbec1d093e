"""Changes to a few lines of a program, by a language model."""

from __future__ import annotations

from evoengine.operators._answers import edited
from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Subject
from evoengine.types import Draft


class Diff(LanguageOperator):
    """Has a parent changed by SEARCH/REPLACE blocks or unified diffs.

    A change that does not fit is answered with the lines most like those looked for, and asked for once more; a
    whole program will do then.
    """

    def breed(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        chat = self.chat(draft)
        task = self.text.filled("diff", what=title(parent))
        question = self.shown(draft, chat, task)
        return (yield from self.answered(chat, question, Subject.of(parent.content), edited))
