"""Tasks with several constraints each, from a seed; kinds of constraints come together in training or held out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

from .constraints import KINDS, Constraint

HELD_OUT = "held_out"
HELD_OUT_SHARE = 0.4
"""Of the combinations of kinds."""

_T = TypeVar("_T")

_FORMS = (
    "Write a short text about {}.",
    "Explain to a newcomer what matters about {}.",
    "Describe a day that has to do with {}.",
    "Give some advice on {}.",
    "Tell a small story in which {} plays a part.",
)
_TOPICS = (
    "a lighthouse", "old maps", "bread", "a night train", "bees", "a chess club", "rain", "a harbour", "mountain huts",
    "a broken clock", "the first snow", "a library", "bicycles", "a market", "tea", "a choir", "glass", "an orchard",
    "letters", "a river ferry",
)  # fmt: skip
_WORDS = (
    "river", "window", "garden", "copper", "silver", "lantern", "harvest", "bridge", "candle", "marble", "violet",
    "canyon", "feather", "mirror", "pepper", "saddle", "thunder", "walnut", "yellow", "anchor",
)  # fmt: skip
_OTHER_WORDS = ("very", "really", "thing", "good", "bad", "nice", "people", "always", "never", "maybe")
_BEGINNINGS = ("Dear reader", "To begin with", "Imagine this", "My answer follows")
_ENDINGS = ("That is all.", "Is there anything else?", "The end.", "Thank you for reading.")
_KEYS = ("summary", "reason", "place", "result", "next", "mood")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A request, and what is asked of the answer to it.

    Attributes:
        request: its first line; what `repeat_request` wants repeated.
    """

    name: str
    request: str
    constraints: tuple[Constraint, ...]

    @property
    def text(self) -> str:
        """The whole of what the task model is asked."""
        return "\n".join([self.request, *(f"- {constraint.text}" for constraint in self.constraints)])

    @property
    def combination(self) -> frozenset[str]:
        """The kinds of its constraints."""
        return frozenset(constraint.kind for constraint in self.constraints)


def tasks(stage: str, *, seed: int, count: int) -> tuple[Task, ...]:
    """The tasks of a stage: no combination of kinds is in another one's, and no text comes twice."""
    found: list[Task] = []
    seen: set[str] = set()
    mine = combinations_of(stage, seed)
    for number in range(10 * count):
        combination = mine[number % len(mine)]
        draw = random.Random(f"instruction_following/{seed}/{stage}/{number}").random
        task = _task(f"{'+'.join(sorted(combination))}/{number // len(mine)}", sorted(combination), draw)
        if task.text not in seen:
            seen.add(task.text)
            found.append(task)
        if len(found) == count:
            break
    return tuple(found)


def combinations_of(stage: str, seed: int) -> list[frozenset[str]]:
    """The combinations of two or three kinds that a stage may use, in the order in which they come."""
    fitting = [frozenset(one) for size in (2, 3) for one in combinations(sorted(KINDS), size) if compatible(one)]
    mixed = _shuffled(fitting, f"instruction_following/{seed}/combinations")
    kept = round(len(mixed) * HELD_OUT_SHARE)
    return mixed[:kept] if stage == HELD_OUT else mixed[kept:]


def compatible(kinds: Sequence[str]) -> bool:
    """Whether kinds may be asked for together: none decides what another does, and one asks for words of the task."""
    claimed = [claim for kind in kinds for claim in KINDS[kind].claims]
    return len(set(claimed)) == len(claimed) and not _PARTICULAR.isdisjoint(kinds)


_PARTICULAR = {"required_words", "repeated_word", "begins_with", "ends_with", "json", "repeat_request"}
"""Kinds that no text keeps that was not written for the task: silence and noise are right nowhere."""


def _task(name: str, kinds: Sequence[str], draw: Callable[[], float]) -> Task:
    request = _one(_FORMS, draw).format(_one(_TOPICS, draw))
    return Task(name=name, request=request, constraints=tuple(_constraint(kind, request, draw) for kind in kinds))


def _constraint(kind: str, request: str, draw: Callable[[], float]) -> Constraint:
    text, given = _worded(kind, request, draw)
    return Constraint(kind=kind, text=text, given=given)


def _worded(kind: str, request: str, draw: Callable[[], float]) -> tuple[str, dict[str, Any]]:  # one case for each kind
    n = 2 + int(draw() * 4)
    match kind:
        case "words_at_least":
            return f"Use at least {20 * n} words.", {"n": 20 * n}
        case "words_at_most":
            return f"Use at most {20 * n} words.", {"n": 20 * n}
        case "sentences":
            return f"Write exactly {n} sentences.", {"n": n}
        case "paragraphs":
            return f"Write exactly {n} paragraphs, with an empty line between them.", {"n": n}
        case "bullets":
            return f'Give exactly {n} bullet points, each on a line that begins with "- ".', {"n": n}
        case "sections":
            return f"Make {n} sections, each headed by a line of its own: SECTION 1, SECTION 2 and so on.", {"n": n}
        case "two_answers":
            return "Give two different answers with a line of ****** between them.", {}
        case "required_words":
            some = _some(_WORDS, 2, draw)
            return f"Use the words {' and '.join(some)}.", {"words": some}
        case "forbidden_words":
            some = _some(_OTHER_WORDS, 3, draw)
            return f"Do not use the words {some[0]}, {some[1]} and {some[2]}.", {"words": some}
        case "repeated_word":
            word = _one(_WORDS, draw)
            return f"Use the word {word} at least {n} times.", {"word": word, "n": n}
        case "lower_case":
            return "Write in small letters only, without any capital.", {}
        case "upper_case":
            return "Write in capital letters only.", {}
        case "capital_words":
            return f"Write at least {n} words all in capital letters.", {"n": n}
        case "json":
            keys = _some(_KEYS, 3, draw)
            return f"Answer with one JSON object, nothing else, that has the keys {', '.join(keys)}.", {"keys": keys}
        case "begins_with":
            phrase = _one(_BEGINNINGS, draw)
            return f'Begin with the words "{phrase}".', {"phrase": phrase}
        case "ends_with":
            phrase = _one(_ENDINGS, draw)
            return f'End with the words "{phrase}" and nothing after them.', {"phrase": phrase}
        case "quoted":
            return "Put your whole answer between double quotation marks.", {}
        case "repeat_request":
            return (
                "First repeat the first line of this request word for word, then give your answer.",
                {"phrase": request},
            )
        case "no_commas":
            return "Use no commas.", {}
        case "title":
            return "Give it a title in double angle brackets, such as <<a title>>.", {}
        case "placeholders":
            return f"Use at least {n} placeholders in square brackets, such as [name].", {"n": n}
        case "highlights":
            return f"Highlight at least {n} parts by single asterisks, such as *this one*.", {"n": n}
        case "postscript":
            return "Close with a postscript on a line of its own that begins with P.S.", {}
    raise KeyError(f"there are no words for constraints of kind {kind!r}")


def _one(choices: Sequence[_T], draw: Callable[[], float]) -> _T:
    return choices[int(draw() * len(choices))]


def _some(choices: Sequence[_T], count: int, draw: Callable[[], float]) -> tuple[_T, ...]:
    left = list(choices)
    return tuple(left.pop(int(draw() * len(left))) for _ in range(count))


def _shuffled(things: Sequence[_T], key: str) -> list[_T]:
    draw = random.Random(key).random
    return [thing for _, _, thing in sorted((draw(), place, thing) for place, thing in enumerate(things))]
