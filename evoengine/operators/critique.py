"""First what is wrong with a program, then a better one, by a language model."""

from __future__ import annotations

from typing import ClassVar

from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Subject
from evoengine.types import Draft


class Critique(LanguageOperator):
    """Has a parent criticised, and then written again by the criticism.

    Self-Refine (Madaan et al. 2023, arXiv:2303.17651), with the judge's feedback beside the model's own.
    """

    turns: ClassVar[int] = 3

    def breed(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        chat = self.chat(draft)
        task = self.text.filled("critique", what=title(parent))
        yield from self.heard(chat, self.shown(draft, chat, task))
        return (yield from self.answered(chat, self.text.filled("critique_write"), Subject.of(parent.content)))
