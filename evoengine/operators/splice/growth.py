"""Random expressions over what is in scope."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from random import Random

from evoengine.operators.splice.scope import kind_of, maths, names_at, numbers_at
from evoengine.operators.splice.source import Context, Source

_BINARY = ("+", "-", "*", "/", "+", "-", "*")
_UNARY = ("sin", "cos", "sqrt", "exp", "tanh", "log1p")
_LONGEST_REUSED = 48
_REUSED = (ast.Subscript, ast.Attribute, ast.BinOp, ast.Call)


@dataclass(frozen=True, slots=True)
class Soil:
    """What random expressions are made of at one place of a program.

    `atoms` are names and short expressions that stand in the same function, `loose` those of them that may
    be arrays. The prefixes are those of numpy and math where they are imported.
    """

    atoms: tuple[str, ...]
    tests: tuple[str, ...]
    numpy: str | None
    math: str | None
    whole: bool

    def leaf(self, rng: Random) -> str:
        """A name, a short expression of the program, or a constant."""
        if self.atoms and rng.random() < 0.75:
            return rng.choice(self.atoms)
        if self.whole:
            return str(rng.choice((0, 1, 2, 3, 4, 5, 8, 10)))
        if rng.random() < 0.5:
            return rng.choice(("0.5", "1.0", "2.0", "0.1", "3.0"))
        return f"{rng.lognormvariate(0.0, 1.5):.4g}"

    def expression(self, rng: Random, depth: int = 2) -> str:
        """A random expression, in parentheses unless it is an atom."""
        if depth <= 0 or rng.random() < 0.25:
            return self.leaf(rng)
        chance = rng.random()
        first = self.expression(rng, depth - 1)
        if chance < 0.45:
            return f"({first} {self.operator(rng)} {self.expression(rng, depth - 1)})"
        if chance < 0.7:
            return self.unary(rng, first)
        second = self.expression(rng, depth - 1)
        if chance < 0.85:
            return self.binary(rng, first, second)
        return self.choice(rng, self.test(rng, first, second), first, self.expression(rng, depth - 1))

    def operator(self, rng: Random) -> str:
        return rng.choice(("+", "-", "*", "//", "%")) if self.whole else rng.choice(_BINARY)

    def unary(self, rng: Random, operand: str) -> str:
        """A function of one number: `abs`, a square, or one of numpy's or math's."""
        prefix = self.numpy or self.math
        if self.whole or prefix is None or rng.random() < 0.3:
            return rng.choice((f"abs({operand})", f"(-{operand})", f"({operand} * {operand})"))
        name = rng.choice(_UNARY)
        if name in ("sqrt", "log1p"):
            operand = f"{f'{self.numpy}.abs' if self.numpy else 'abs'}({operand})"
        return f"{prefix}.{name}({operand})"

    def binary(self, rng: Random, first: str, second: str) -> str:
        """The smaller or the larger of two."""
        name = rng.choice(("min", "max"))
        return f"{self.numpy}.{name}imum({first}, {second})" if self.elementwise(rng) else f"{name}({first}, {second})"

    def choice(self, rng: Random, test: str, first: str, second: str) -> str:
        """One of two, by a test."""
        if self.elementwise(rng):
            return f"{self.numpy}.where({test}, {first}, {second})"
        return f"({first} if {test} else {second})"

    def elementwise(self, rng: Random) -> bool:
        return self.numpy is not None and not self.whole and rng.random() < 0.7

    def test(self, rng: Random, first: str | None = None, second: str | None = None) -> str:
        """A comparison, or a test that stands in the same function."""
        if first is None and self.tests and rng.random() < 0.3:
            return rng.choice(self.tests)
        return f"{first or self.leaf(rng)} {rng.choice(('<', '>', '<=', '>='))} {second or self.leaf(rng)}"


def soil(source: Source, context: Context) -> Soil:
    """What can be grown at a place."""
    names = numbers_at(source, context)
    visible = set(names_at(source, context)) | set(source.index.modules)
    reused: list[str] = []
    tests: list[str] = []
    for site in source.index.sites:
        if site.context.scope is not context.scope:
            continue
        is_test = type(site.node) is ast.Compare
        if not is_test and type(site.node) not in _REUSED:
            continue
        length = source.end(site.node) - source.start(site.node)
        if length <= _LONGEST_REUSED and names_in(site.node) <= visible:
            text = source.code(site.node).decode()
            if "\n" not in text and "\r" not in text and "yield" not in text and "await" not in text:
                (tests if is_test else reused).append(text if is_test else _atom(site.node, text))
    if not names:
        names = [name for name in names_at(source, context) if kind_of(source, name) == "array"]
    known = maths(source)
    atoms = (*names, *names, *dict.fromkeys(reused))
    return Soil(atoms, tuple(dict.fromkeys(tests)), known.get("numpy"), known.get("math"), context.whole)


def _atom(node: ast.expr, text: str) -> str:
    return f"({text})" if isinstance(node, ast.BinOp) else text


def names_in(node: ast.AST) -> set[str]:
    """Names that an expression reads or binds."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
