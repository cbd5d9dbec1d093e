"""What operators that ask a language model have in common."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypeAlias

from pydantic import Field

from evoengine.operators._answers import Fault, edited, note_of, whole
from evoengine.operators.base import NoChild, Operator
from evoengine.prompts import Chat, Part, Subject, Templates, fitted, tokens_of
from evoengine.prompts.rendering import elite_of, feedback_of, lessons_of, measures_of, siblings_of
from evoengine.types import Answer, Cause, Child, Completion, Content, Context, Draft, Elite, Request

Turns: TypeAlias = Generator[Request, Answer, Child]
_OVERHEAD = 350
"""Tokens for the form of the answer, and for what a chat template puts around messages."""


class LanguageOperator(Operator):
    """Asks a language model; the messages are made of templates and fitted into a budget of tokens.

    The first message is the same for all drafts of a campaign, the inspirations come next, and what changes most
    comes last, so that a server that keeps the state of prefixes computes little of a prompt anew.

    Attributes:
        models: names of an ensemble's members; each is an arm of its own. By default whoever is there.
        templates: a folder of templates that take the place of the shipped ones.
        prompt_tokens: what a first prompt may have, about. What is least useful is left out first.
        answer_tokens: what an answer may have.
        temperature: of the sampler; None for the generator's own.
        history: how many of the latest attempts on the parent are shown.
    """

    models: tuple[str, ...] = ()
    templates: Path | None = None
    prompt_tokens: int = Field(default=16_000, ge=500)
    answer_tokens: int = Field(default=8_000, ge=16)
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    history: int = Field(default=8, ge=0)

    speaks: ClassVar[bool] = True
    turns: ClassVar[int] = 2
    """Questions at most."""

    def arms(self) -> tuple[str, ...]:
        return self.models or ("",)

    def most_tokens(self, arm: str) -> int:  # noqa: ARG002
        return self.turns * (self.prompt_tokens + self.turns * self.answer_tokens)

    @cached_property
    def text(self) -> Templates:
        """The templates."""
        return Templates(self.templates)

    # -- what is asked -----------------------------------------------------------------------------------------------

    def chat(self, draft: Draft, *, temperature: float | None = None) -> Chat:
        """A conversation that begins with the problem and the rules."""
        return Chat(
            self.system(draft),
            temperature=self.temperature if temperature is None else temperature,
            max_tokens=self.answer_tokens,
            model=draft.arm or None,
        )

    def system(self, draft: Draft) -> str:
        """The first message, the same for all operators of a campaign."""
        brief, subject = draft.brief, Subject.of(draft.parents[0].content)
        better = f"The score is to be {'high' if brief.direction == 'maximize' else 'low'}."
        if isinstance(subject.content, Context):
            rules = self.text.filled("rules_context", better=better)
        else:
            limits = brief.limits
            rules = self.text.filled(
                "rules_program",
                entry=brief.entry,
                main=subject.main,
                better=better,
                cpu_seconds=f"{limits.cpu_seconds:g}",
                memory_mib=str(limits.memory_mib),
                processes=f"It may start {limits.processes} threads or processes."
                if limits.processes
                else "It may start no thread and no process.",
                libraries="".join(f", {name}" for name in brief.preload),
                language=subject.language,
            )
        return self.text.filled("system", name=brief.name, goal=brief.goal, notes=brief.notes, rules=rules)

    def form(self, subject: Subject, kind: str) -> str:
        """The form of an answer: "whole" files, or "edits"."""
        return self.text.filled("answer", form=self.text.filled(f"answer_{kind}", **self._words(subject)))

    @staticmethod
    def _words(subject: Subject) -> dict[str, str]:
        path = next(iter(sorted(subject.files)))
        above = "" if subject.single else f", each with the path of its file on the line above (for example {path})"
        what = "the guidance" if isinstance(subject.content, Context) else "the program"
        return {"what": what if subject.single else "every file that changes", "language": subject.language,
                "paths": above}  # fmt: skip

    def shown(
        self,
        draft: Draft,
        chat: Chat,
        task: str,
        *,
        extra: Sequence[Part] = (),
        others: Sequence[Elite] | None = None,
    ) -> str:
        """The message that shows the inspirations, then the parent with all that is known of it, then the task.

        Args:
            draft: what it is about.
            chat: in which it is the first question.
            task: what to do.
            extra: shown between the parent and the task.
            others: in the place of the draft's inspirations.
        """
        brief, [parent, *_] = draft.brief, draft.parents
        parts = []
        inspirations = sorted(draft.inspirations if others is None else others, key=lambda elite: elite.number)
        for place, elite in enumerate(inspirations):
            parts.append(Part(text=elite_of(brief, elite, "Another program,"), worth=3.0 - place / 100))
        if draft.guidance is not None and isinstance(draft.guidance.content, Context):
            told = "\n\n".join(draft.guidance.content.sections.values())
            parts.append(Part(text=f"# Guidance\n{told}", worth=5.0))
        parts.append(Part(text=lessons_of(draft.lessons), worth=2.0))
        parts.append(Part(text=elite_of(brief, parent, "The program to improve,")))
        parts.append(Part(text=measures_of(brief, parent.scored), worth=4.0))
        parts.append(Part(text=feedback_of(parent.scored.feedback), worth=3.5, least=150))
        tried = [record for record in draft.siblings if record.candidate.content is not None]
        siblings = tried[-self.history :] if self.history else []
        newest, older = siblings[-4:], siblings[:-4]
        parts.append(Part(text=siblings_of(brief, newest, parent.scored, "## Tried on this program lately"), worth=1.0))
        parts.append(Part(text=siblings_of(brief, older, parent.scored, "## Tried before that"), worth=0.9))
        parts += [*extra, Part(text=task)]
        room = self.prompt_tokens - tokens_of(chat.system) - _OVERHEAD
        return "\n\n".join(part.text for part in fitted(parts, room))

    # -- what is answered --------------------------------------------------------------------------------------------

    def answered(
        self, chat: Chat, question: str, subject: Subject, read: Callable[[str, Subject], Content | Fault] = whole
    ) -> Turns:
        """Asks for a program, in the form that can be read, and once more when the answer has none.

        Raises:
            NoChild: the second answer has none either (UNDECODABLE).
        """
        words = self._words(subject)
        form = self.form(subject, "edits" if read is edited else "whole")
        answer: Completion = yield chat.asked(f"{question}\n\n{form}")
        found = read(answer.text, subject)
        if isinstance(found, Fault):
            chat.heard(answer.text)
            if read is edited:
                nearest = "".join(f"{number:5d} | {line}\n" for number, line in found.nearest)
                close = f"The lines most like it are:\n{nearest}" if nearest else ""
                again: Completion = yield chat.asked(
                    self.text.filled("again_edits", why=found.why, nearest=close, **words)
                )
                found = edited(again.text, subject)
                if isinstance(found, Fault):
                    instead = whole(again.text, subject)
                    found = found if isinstance(instead, Fault) else instead
            else:
                again = yield chat.asked(self.text.filled("again_whole", why=found.why, **words))
                found = whole(again.text, subject)
            answer = again if note_of(answer.text) is None else answer
        if isinstance(found, Fault):
            raise NoChild(found.why, Cause.UNDECODABLE)
        return Child(content=found, note=note_of(answer.text))

    def heard(self, chat: Chat, question: str) -> Generator[Request, Answer, str]:
        """Asks for some text, and gives it."""
        answer: Completion = yield chat.asked(question)
        chat.heard(answer.text)
        return answer.text


def title(elite: Elite) -> str:
    """How a program is called in a task."""
    return f"program #{elite.number}"
