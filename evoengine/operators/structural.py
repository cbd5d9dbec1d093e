"""Mutation and crossover of Python programs by edits of their syntax, formatting and comments kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from pydantic import Field

from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.operators.splice import (
    Patch,
    Source,
    compiles,
    crossover,
    expressions,
    numbers,
    source_of,
    spliced,
    statements,
    symbols,
)
from evoengine.types import Draft, Elite, Program

Mutation: TypeAlias = Callable[[Source, Random], Patch | None]
"""A patch of a source, or None where the edit does not apply."""
Crossover: TypeAlias = Callable[[Source, Random, Source], Patch | None]
"""The same, given the other parent too."""

MUTATIONS: Mapping[str, Mutation] = MappingProxyType(
    {
        "const": numbers.const,
        "const_run": numbers.const_run,
        "const_all": numbers.const_all,
        "arith": symbols.arith,
        "cmp": symbols.cmp,
        "bool": symbols.bool_,
        "aug": symbols.aug,
        "expr": expressions.expr,
        "leaf": expressions.leaf,
        "grow": expressions.grow,
        "neutral": expressions.neutral,
        "shrink": expressions.shrink,
        "clamp": expressions.clamp,
        "sdel": statements.sdel,
        "sdup": statements.sdup,
        "sswap": statements.sswap,
        "smove": statements.smove,
        "guard": statements.guard,
        "repeat": statements.repeat,
        "loop": statements.loop,
        "newvar": statements.newvar,
    }
)
CROSSOVERS: Mapping[str, Crossover] = MappingProxyType(
    {
        "x_func": crossover.x_func,
        "x_stmt": crossover.x_stmt,
        "x_expr": crossover.x_expr,
        "x_const": crossover.x_const,
    }
)

_SHRINKING = ("sdel", "shrink", "leaf", "const", "arith", "cmp")


class Structural(Operator):
    """Edits a parent's main file; every child compiles and differs from its parents.

    The arm's edit is tried first, then others: a child comes of almost every draft.

    Attributes:
        stack: the chance of each further random edit on top.
        tries: how many edits are tried before there is no child.
        longest: programs of more characters than this are no longer made to grow.
    """

    stack: float = Field(default=0.3, ge=0, lt=1)
    tries: int = Field(default=24, ge=1)
    longest: int = Field(default=20_000, ge=1)

    def arms(self) -> tuple[str, ...]:
        return (*MUTATIONS, *CROSSOVERS)

    def breed(self, draft: Draft) -> Conversation:
        return self.child(draft)
        yield  # a conversation that asks for nothing

    def child(self, draft: Draft) -> Program:
        """The child of a draft; what `breed` returns.

        Raises:
            NoChild: the first parent is no Python program that parses, or no edit applies.
        """
        program, rng = _program(draft.parents[0]), draft.rng
        taken = {one.content.text for one in draft.parents if isinstance(one.content, Program)}
        source = source_of(program.text) if program is not None else None
        if program is None or source is None:
            raise NoChild("the parent is not a Python program that parses")
        if not source.index.sites and not source.index.blocks:
            raise NoChild("nothing of the parent may be edited")
        donor = _donor(draft)
        text = self._edited(source, rng, donor, draft.arm, taken)
        while text is not None and rng.random() < self.stack:
            stacked = source_of(text)
            more = self._edited(stacked, rng, donor, "", taken) if stacked is not None else None
            if more is None:
                break
            text = more
        if text is None:
            raise NoChild(f"no edit of {self.tries} applied")
        return program.with_text(text)

    def _edited(self, source: Source, rng: Random, donor: Source | None, arm: str, taken: set[str]) -> str | None:
        names = list(_SHRINKING)
        if len(source.text) <= self.longest:
            names = [*MUTATIONS, *(CROSSOVERS if donor is not None else ())]
        name = arm if arm in MUTATIONS or arm in CROSSOVERS else rng.choice(names)
        for attempt in range(self.tries):
            patch = _patch(name, source, rng, donor)
            if patch:
                text = spliced(source.data, patch).decode()
                if text not in taken and compiles(text):
                    return text
            if attempt >= 2:
                name = rng.choice(names)
        return None


def _patch(name: str, source: Source, rng: Random, donor: Source | None) -> Patch | None:
    if name in MUTATIONS:
        return MUTATIONS[name](source, rng)
    return CROSSOVERS[name](source, rng, donor) if donor is not None else None


def _program(elite: Elite) -> Program | None:
    content = elite.content
    return content if isinstance(content, Program) and content.language == "python" else None


def _donor(draft: Draft) -> Source | None:
    for elite in draft.parents[1:]:
        program = _program(elite)
        if program is not None and program != draft.parents[0].content:
            return source_of(program.text)
    return None
