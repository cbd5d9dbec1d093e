"""Instruction following: a context under which a language model keeps to constraints that a program checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import Field

from evoengine.problem import Conversation, Problem, Reject, Score
from evoengine.types import Anchor, Context, Feature, Prompt, Stage

from .constraints import words
from .tasks import HELD_OUT, Task, tasks

_FAILURES_TOLD = 6
_LONGEST = 50_000
"""Characters of an answer that are looked at; no task asks for nearly as much."""


class InstructionFollowing(Problem):
    """Evolve the instructions under which a task model does what it is told; maximise the tasks without any fault.

    After IFEval (Zhou et al. 2023, arXiv:2311.07911), with its strict accuracy by prompt; tasks are generated.

    Attributes:
        exam_seed: of the tasks, and of what is held out.
        train_tasks: how many selection sees the results of.
        held_out_tasks: how many the champion is checked on.
        answer_tokens: what the task model may write for each task.
        most_context: characters that a context may have.
    """

    name: ClassVar[str] = "instruction_following"
    goal: ClassVar[str] = (
        "Write the system prompt under which a language model writes a text and keeps to every constraint that the "
        "request puts on it (counts of words, sentences, paragraphs and bullets, words to use or avoid, letter case, "
        "JSON, how to begin and end, and the like). Maximise the share of tasks without any fault, on combinations of "
        "constraints that it has not seen."
    )
    notes: ClassVar[str] = (
        "Programs check the answers, strictly: what is written around the text that was asked for counts as part of "
        "it. Only what stands before </think> is left out."
    )
    seed: ClassVar[Context] = Context(sections={"instructions": "Do what you are asked."})
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="length", low=0.0, high=4000.0, bins=20),
        Feature(name="answer_words", low=0.0, high=200.0, bins=10),
    )
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name=HELD_OUT, held_out=True))
    best_known: ClassVar[Anchor | None] = Anchor(value=1.0, source="no two constraints of a task contradict each other")

    exam_seed: int = 0
    train_tasks: int = Field(default=40, ge=1, le=500)
    held_out_tasks: int = Field(default=40, ge=1, le=500)
    answer_tokens: int = Field(default=512, ge=16)
    most_context: int = Field(default=16_000, ge=500)

    @property
    def most_tokens(self) -> int:  # type: ignore[override]  # it depends on settings
        """A token has about 4 characters; digits and odd words have been seen at 2."""
        found = self.tasks("train")
        asked = sum(len(task.text) for task in found) + len(found) * self.most_context
        return asked // 2 + len(found) * self.answer_tokens

    def tasks(self, stage: str) -> tuple[Task, ...]:
        """The tasks of a stage; made once for each choice of settings."""
        return _tasks(stage, self.exam_seed, self.held_out_tasks if stage == HELD_OUT else self.train_tasks)

    def converse(self, context: Context, stage: str = "train") -> Conversation:
        told = "\n\n".join(context.sections.values())
        if len(told) > self.most_context:
            raise Reject(f"the context has {len(told)} characters; at most {self.most_context} are read")
        found = self.tasks(stage)
        completions = yield tuple(self._prompt(told, task) for task in found)
        answers = [_answer(completion.text) for completion in completions]
        faults = [
            [(one.kind, fault) for one in task.constraints if (fault := one.fault(answer)) is not None]
            for task, answer in zip(found, answers, strict=True)
        ]
        kept = {task.name: float(not wrong) for task, wrong in zip(found, faults, strict=True)}
        asked = sum(len(task.constraints) for task in found)
        return Score(
            sum(kept.values()) / len(kept),
            instances=kept,
            feedback="" if stage == HELD_OUT else _feedback(found, answers, faults),
            constraints_kept=1.0 - sum(map(len, faults)) / asked,
            answer_words=sum(len(words(answer)) for answer in answers) / len(answers),
        )

    def _prompt(self, told: str, task: Task) -> Prompt:
        messages = ({"role": "system", "content": told}, {"role": "user", "content": task.text})
        return Prompt(messages=messages, temperature=0.0, max_tokens=self.answer_tokens)


@lru_cache(maxsize=16)
def _tasks(stage: str, seed: int, count: int) -> tuple[Task, ...]:
    return tasks(stage, seed=seed, count=count)


def _answer(text: str) -> str:
    """What is judged of an answer: what was thought aloud is no part of it."""
    return text.rpartition("</think>")[2].strip()[:_LONGEST]


def _feedback(found: Sequence[Task], answers: Sequence[str], faults: Sequence[Sequence[tuple[str, str]]]) -> str:
    wrong = [place for place, told in enumerate(faults) if told]
    lines = [f"{len(found) - len(wrong)} of {len(found)} tasks are without fault."]
    asked = Counter(one.kind for task in found for one in task.constraints)
    failed = Counter(kind for told in faults for kind, _ in told)
    if failed:
        counts = ", ".join(f"{kind} {count} of {asked[kind]}" for kind, count in failed.most_common())
        lines.append(f"Constraints that were not kept: {counts}.")
    for place in wrong[:_FAILURES_TOLD]:
        told = "; ".join(f"{kind}: {fault}" for kind, fault in faults[place])
        shown = "".join(one if one.isprintable() else " " for one in answers[place][:160])
        lines.append(f"Asked: {' '.join(found[place].text.split())[:400]}\n  answer: {shown}\n  {told}")
    return "\n".join(lines)
