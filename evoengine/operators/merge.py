"""One program out of two that are related, without a language model."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from pydantic import Field

from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.operators.editing import breach, check_syntax
from evoengine.operators.merging import Side, merged_files
from evoengine.types import Answer, Child, Draft, Elite, Lookup, Program, Record, Request

_MOST_AT_ONCE = 64


class Merge(Operator):
    """Unites what two programs changed since their nearest common ancestor, on the syntax tree.

    The first parent is merged with the second, or with one of the inspirations. A child has every change of both that
    the other side left alone; equal text is kept byte by byte. Three-way merge by diff3 on lists of statements
    (Khanna, Kunal and Pierce 2007, "A formal investigation of diff3").

    Attributes:
        conflicts: what becomes of a statement that both changed: no child ("refuse"), or one with the first parent's
            statement ("first") or with the other's ("second").
        depth: generations in which the ancestor is looked for.
        tries: programs that the first parent is tried with at most.
        longest: programs of more characters than this are not merged.
    """

    conflicts: Literal["refuse", "first", "second"] = "refuse"
    depth: int = Field(default=24, ge=1)
    tries: int = Field(default=3, ge=1)
    longest: int = Field(default=60_000, ge=1)

    def breed(self, draft: Draft) -> Conversation:
        [parent, *further] = draft.parents
        inspirations = list(draft.inspirations)
        draft.rng.shuffle(inspirations)
        seen = {parent.content.digest}
        others: list[Elite] = []
        for one in (*further, *inspirations):
            if one.content.digest not in seen:
                seen.add(one.content.digest)
                others.append(one)
        if not others:
            raise NoChild("there is no second program to merge with")
        reasons = []
        for other in others[: self.tries]:
            base = yield from self.ancestor(parent.number, other.number)
            made = self.child(parent, other, base)
            if isinstance(made, Program):
                return Child(content=made, drawn_on=(other.number,))
            reasons.append(f"with #{other.number}: {made}")
        raise NoChild("; ".join(reasons))

    def ancestor(self, first: int, second: int) -> Generator[Request, Answer, Record | None]:
        """The newest record that two are both made from, or None if there is none within the depth.

        No record made of it is another such, as records are numbered in order; so it is a nearest one.
        """
        lines = ({first}, {second})
        known: dict[int, Record] = {}
        waiting = {first, second}
        for _ in range(self.depth):
            newest = max(lines[0] & lines[1], default=None)
            asked = sorted((number for number in waiting if newest is None or number > newest), reverse=True)
            if not asked:
                break
            found: dict[int, Record] = yield Lookup(numbers=tuple(asked[:_MOST_AT_ONCE]))
            known.update(found)
            waiting -= {*asked[:_MOST_AT_ONCE]}
            for number in sorted(found, reverse=True):
                parents = found[number].candidate.parents
                for line in lines:
                    if number in line:
                        line.update(parents)
                waiting.update(parent for parent in parents if parent not in known)
        newest = max(lines[0] & lines[1], default=None)
        if newest is not None and newest not in known:
            found = yield Lookup(numbers=(newest,))
            known.update(found)
        return known.get(newest) if newest is not None else None

    def child(self, parent: Elite, other: Elite, base: Record | None) -> Program | str:
        """The two merged, or why they are not."""
        if base is None:
            return f"no common ancestor within {self.depth} generations"
        if base.number in (parent.number, other.number):
            return f"#{base.number} is an ancestor of the other: there is nothing to unite"
        first, second, old = parent.content, other.content, base.candidate.content
        if not (isinstance(first, Program) and isinstance(second, Program) and isinstance(old, Program)):
            return f"#{base.number} or one of the two is no program"
        if len({first.language, second.language, old.language}) > 1:
            return "they are in different languages"
        size = max(sum(map(len, one.files.values())) for one in (first, second, old))
        if size > self.longest:
            return f"a program of {size:,} characters is not merged; {self.longest:,} are the most"
        side: Side = "second" if self.conflicts == "second" else "first"
        merged = merged_files(old.files, first.files, second.files, first.language, last_word=side)
        if merged.conflicts and self.conflicts == "refuse":
            more = f", and {len(merged.conflicts) - 1} more" if len(merged.conflicts) > 1 else ""
            return f"{merged.conflicts[0]}{more}"
        if not merged.content:
            return "together they leave no file"
        return _sound(Program(files=merged.content, language=first.language), first, (first, second, old))


def _sound(program: Program, first: Program, others: tuple[Program, ...]) -> Program | str:
    """A merged program, unless it is none, is an old one, or differs outside of its first parent's blocks."""
    if any(program.files == one.files for one in others):
        return "together they are no new program"
    for path, text in first.files.items():
        outside = breach(text, program.files.get(path, ""), first.language)
        if outside is not None:
            return f"{path}: {outside}"
    for path, text in program.files.items():
        language = "python" if path.endswith(".py") else "json" if path.endswith(".json") else first.language
        wrong = check_syntax(language, text)
        if wrong is not None:
            return f"{path}: {wrong}"
    return program
