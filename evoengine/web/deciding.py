"""What people decide on the page, and what was decided so far."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from evoengine.errors import CampaignError
from evoengine.steering import refuse_nonsense
from evoengine.types import Action, ActionKind, Content, Program
from evoengine.web.errors import Unknown, Wrong
from evoengine.web.texts import text_of
from evoengine.web.viewed import Query, Viewed, outcome_of, whole_of

LARGEST = 4 << 20
"""Bytes of what is sent at once."""
_KINDS = {str(kind): kind for kind in ActionKind}
_SHOWN = 500


def action_of(body: bytes, viewed: Viewed) -> Action:
    """The decision that a form holds.

    Args:
        body: of the form, as a browser sends it (`application/x-www-form-urlencoded`).
        viewed: the campaign that it is about.

    Raises:
        Wrong: it holds none that makes sense.
        Unknown: it names a kind that there is not.
    """
    try:
        given = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
    except ValueError:
        raise Wrong("What was sent is no form in UTF-8.") from None
    kind = _KINDS.get(given.get("kind", ""))
    if kind is None:
        raise Unknown(f"Nothing of that kind can be decided; there are: {', '.join(_KINDS)}.")
    target = whole_of(given["target"]) if given.get("target") else None
    if given.get("target") and target is None:
        raise Wrong("A record has a whole number.")
    content = _content(viewed, target, given.get("program", "")) if kind is ActionKind.SUBMIT else None
    text = "" if kind is ActionKind.SUBMIT else given.get("text", "").strip()
    action = Action(kind=kind, target=target, text=text, content=content)
    try:
        refuse_nonsense(action, viewed.last)
    except CampaignError as error:
        raise Wrong(f"{str(error)[:1].upper()}{str(error)[1:]}") from None
    return action


def _content(viewed: Viewed, target: int | None, text: str) -> Content:
    """A program with this text: that of the target with another main file, or one of its own."""
    if not text.strip():
        raise Wrong("A program has to be given.")
    text = text.replace("\r\n", "\n")  # a browser sends all line ends so
    if target is not None and 1 <= target <= viewed.last:
        content = viewed.record(target).candidate.content
        if isinstance(content, Program):
            return content.with_text(text)
    return Program.of(text)


def decisions(viewed: Viewed, query: Query) -> dict[str, Any]:
    """What was decided, the newest first, and what waits."""
    steering = viewed.chronicle.steering
    done = []
    for number, action in reversed(steering.done[-_SHOWN:]):
        record = viewed.record(number)
        told = text_of(record.evaluation.feedback) if action.vain else None
        done.append({"number": number, "action": action, "vain": told, "outcome": outcome_of(viewed, record)})
    waiting = viewed.store.decided(viewed.row, after=steering.last)
    return {
        "done": done,
        "count": len(steering.done),
        "waiting": waiting[:_SHOWN],
        "goals": steering.goals,
        "pinned": [elite.number for elite in steering.pinned],
        "barred": len(viewed.chronicle.islands.barred),
        "decided": query.whole("decided", 1, 2**40),
    }


def said_of(viewed: Viewed, number: int) -> dict[str, Any]:
    """What was decided of one record."""
    steering = viewed.chronicle.steering
    return {
        "notes": [
            (at, text_of(action.text))
            for at, action in steering.done
            if action.kind is ActionKind.NOTE and action.target == number
        ],
        "pinned": number in {elite.number for elite in steering.pinned},
        "barred": number in viewed.chronicle.islands.barred,
    }
