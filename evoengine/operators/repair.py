"""A failed change made good, by a language model."""

from __future__ import annotations

from pydantic import Field

from evoengine.operators._language import LanguageOperator, title
from evoengine.operators.base import Conversation
from evoengine.prompts import Part, Subject
from evoengine.prompts.rendering import feedback_of, worst_instances
from evoengine.types import Cause, Child, Draft, Failed, Record

_REPAIRABLE = frozenset(Cause) - {
    Cause.UNDECODABLE, Cause.NO_CHANGE, Cause.DUPLICATE, Cause.SIMILAR, Cause.REINTRODUCED
}  # fmt: skip
_WEAKEST = 3


class Repair(LanguageOperator):
    """Shows a model the latest child that failed, with its traceback and all that was tried, and has it made good.

    The temperature rises with every failure among the siblings (up to `hottest`), so that what does not work is not
    tried for ever. Where nothing failed, the instances on which the parent does worst are to be done better.

    Attributes:
        coolest, step, hottest: the temperature after the first failure, how much each more adds, and where it ends.
    """

    coolest: float = Field(default=0.3, ge=0.0, le=2.0)
    step: float = Field(default=0.2, ge=0.0, le=2.0)
    hottest: float = Field(default=1.1, ge=0.0, le=2.0)

    def breed(self, draft: Draft) -> Conversation:
        failures = [record for record in draft.siblings if _broken(record)]
        return (yield from self._repaired(draft, failures) if failures else self._strengthened(draft))

    def _repaired(self, draft: Draft, failures: list[Record]) -> Conversation:
        broken = failures[-1]
        content, evaluation = broken.candidate.content, broken.evaluation
        assert content is not None
        assert isinstance(evaluation, Failed)
        heat = min(self.hottest, self.coolest + self.step * (len(failures) - 1))
        chat = self.chat(draft, temperature=heat)
        failed = f"## The program that failed, #{broken.number}\n{Subject.of(content).shown()}"
        task = self.text.filled("repair", number=str(broken.number), outcome=str(evaluation.cause))
        extra = [Part(text=failed), Part(text=feedback_of(evaluation.feedback), worth=3.5, least=150)]
        question = self.shown(draft, chat, task, extra=extra, others=())
        child: Child = yield from self.answered(chat, question, Subject.of(content))
        return Child(content=child.content, note=child.note, drawn_on=(broken.number,))

    def _strengthened(self, draft: Draft) -> Conversation:
        [parent, *_] = draft.parents
        worst = worst_instances(parent.scored.instances)[:_WEAKEST]
        shown = ", ".join(f"{name} ({draft.brief.shown(value)!r})" for name, value in worst)
        chat = self.chat(draft)
        task = self.text.filled("strengthen", what=title(parent).capitalize(), weakest=shown or "its score as a whole")
        return (yield from self.answered(chat, self.shown(draft, chat, task), Subject.of(parent.content)))


def _broken(record: Record) -> bool:
    """Whether a record holds a program that was run and failed."""
    evaluation = record.evaluation
    return record.candidate.content is not None and isinstance(evaluation, Failed) and evaluation.cause in _REPAIRABLE
