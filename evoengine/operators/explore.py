"""A program unlike the best known ones, by a language model."""

from __future__ import annotations

from pydantic import Field

from evoengine.operators._language import LanguageOperator
from evoengine.operators.base import Conversation
from evoengine.prompts import Subject
from evoengine.types import Draft


class Explore(LanguageOperator):
    """Shows some elites and asks for a method that none of them uses.

    Attributes:
        hotter: what is added to the sampler's temperature, where one is set.
    """

    hotter: float = Field(default=0.2, ge=0.0, le=1.0)

    def breed(self, draft: Draft) -> Conversation:
        [parent, *further] = draft.parents
        heat = None if self.temperature is None else min(2.0, self.temperature + self.hotter)
        chat = self.chat(draft, temperature=heat)
        question = self.shown(draft, chat, self.text.filled("explore"), others=[*further, *draft.inspirations])
        return (yield from self.answered(chat, question, Subject.of(parent.content)))
