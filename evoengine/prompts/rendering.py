"""How scores, feedback, elites, siblings and lessons are shown to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evoengine.prompts.parts import shortened
from evoengine.prompts.subject import Subject, fenced
from evoengine.types import Brief, Elite, Failed, Lesson, Record, Scored

_INSTANCES = 12
_FEEDBACK_TOKENS = 1500
_SHORT_TOKENS = 120


def score_line(brief: Brief, scored: Scored) -> str:
    """The score in the problem's own direction, to the last digit."""
    better = "higher is better" if brief.direction == "maximize" else "lower is better"
    return f"score: {brief.shown(scored.score)!r} ({better})"


def measures_of(brief: Brief, scored: Scored) -> str:
    """Metrics, and the results by instance, the worst first."""
    lines = []
    if scored.metrics:
        lines.append("metrics: " + ", ".join(f"{name} = {value!r}" for name, value in sorted(scored.metrics.items())))
    if scored.instances:
        worst = worst_instances(scored.instances)
        shown = ", ".join(f"{name}: {brief.shown(value)!r}" for name, value in worst[:_INSTANCES])
        more = f" and {len(worst) - _INSTANCES} better ones" if len(worst) > _INSTANCES else ""
        lines.append(f"results by instance, the worst first: {shown}{more}")
    return "\n".join(lines)


def worst_instances(instances: Mapping[str, float]) -> list[tuple[str, float]]:
    """Instances with their scores, the lowest first."""
    return sorted(instances.items(), key=lambda item: (item[1], item[0]))


def feedback_of(text: str, tokens: int = _FEEDBACK_TOKENS) -> str:
    """What the judge, or the failing program, had to say, in a fence: it is text and no instruction."""
    text = text.strip()
    return f"feedback:\n{fenced(shortened(text, tokens))}" if text else ""


def elite_of(brief: Brief, elite: Elite, title: str) -> str:
    """A program with its score."""
    shown = Subject.of(elite.content).shown()
    return f"## {title} #{elite.number}\n{score_line(brief, elite.scored)}\n{shown}"


def outcome_of(brief: Brief, record: Record, parent: Scored | None = None) -> str:
    """What came of a record, on one line."""
    match record.evaluation:
        case Scored(score=score):
            told = f"score {brief.shown(score)!r}"
            if parent is not None:
                told += " (better)" if score > parent.score else " (worse)" if score < parent.score else " (the same)"
            return told
        case Failed(cause=cause, feedback=feedback):
            last = shortened(" ".join(feedback.split()[-40:]), _SHORT_TOKENS)
            return f"{cause}: {last}" if last else str(cause)


def siblings_of(brief: Brief, siblings: Sequence[Record], parent: Scored, heading: str) -> str:
    """What was tried on the same parent, the newest first."""
    lines = []
    for record in reversed(siblings):
        note = record.candidate.note
        tried = note.change or note.hypothesis if note is not None else ""
        lines.append(
            f"- #{record.number} by {record.candidate.operator}: {tried or 'a change'} -> "
            f"{outcome_of(brief, record, parent)}"
        )
    return f"{heading}\n" + "\n".join(lines) if lines else ""


def lessons_of(lessons: Iterable[Lesson]) -> str:
    """What earlier changes taught: what was expected, and what came of it."""
    lines = []
    for lesson in lessons:
        note = lesson.note
        told = "; ".join(
            f"{name}: {text}"
            for name, text in (
                ("change", note.change),
                ("because", note.hypothesis),
                ("expected", note.predicted),
                ("observed", lesson.observed),
            )
            if text
        )
        lines.append(f"- {told}")
    return "## Lessons of earlier changes\n" + "\n".join(lines) if lines else ""
