"""The expression language: trees, what they are worth, and texts for them. There is no parser here.

A tree is made first and written down afterwards, so that the value of a text is known without reading the text.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LARGEST = 10**15
"""Of a value; beyond it is an error."""
ERROR = "error"

LEVELS = {"or": 2, "and": 3, "<": 5, "<=": 5, ">": 5, ">=": 5, "==": 5, "!=": 5, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7}
"""How tightly binary operators bind; `let` and `if` are 1, `not` 4, the sign 8, `^` 9, `!` 10, single values 11."""


class Wrong(Exception):
    """A text has no value."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An expression: a number has its digits as `name`, a chain of comparisons their signs, split by spaces."""

    kind: str
    name: str = ""
    parts: tuple[Tree, ...] = ()


def value(tree: Tree, known: Mapping[str, int]) -> int:
    """What a tree is worth.

    Raises:
        Wrong: it is an error.
    """
    found = _value(tree, known)
    if abs(found) > LARGEST:
        raise Wrong("too large")
    return found


def _value(tree: Tree, known: Mapping[str, int]) -> int:
    def of(place: int) -> int:
        return value(tree.parts[place], known)

    match tree.kind:
        case "number":
            return int(tree.name.replace("_", ""), 0) if tree.name[:2] in ("0x", "0b") else int(tree.name)
        case "name":
            if tree.name not in known:
                raise Wrong("an unknown name")
            return known[tree.name]
        case "let":
            return value(tree.parts[1], {**known, tree.name: of(0)})
        case "if":
            return of(1) if of(0) != 0 else of(2)
        case "or":
            return int(of(0) != 0 or of(1) != 0)
        case "and":
            return int(of(0) != 0 and of(1) != 0)
        case "not":
            return int(of(0) == 0)
        case "chain":
            numbers = [of(place) for place in range(len(tree.parts))]
            return int(all(map(_holds, tree.name.split(), numbers[:-1], numbers[1:])))
        case "sign":
            return -of(0)
        case "!":
            if not 0 <= of(0) <= 17:
                raise Wrong("no factorial")
            return math.factorial(of(0))
        case "call":
            return _called(tree.name, [of(place) for place in range(len(tree.parts))])
        case sign:
            return _combined(sign, of(0), of(1))


def _holds(sign: str, one: int, two: int) -> bool:
    return {"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two, "==": one == two, "!=": one != two}[
        sign
    ]


def _combined(sign: str, one: int, two: int) -> int:
    match sign:
        case "+":
            return one + two
        case "-":
            return one - two
        case "*":
            return one * two
        case "^":
            if two < 0 or (abs(one) > 1 and two > 50):
                raise Wrong("no such power")
            return int(one ** (two if abs(one) > 1 else two % 2 if one == -1 else min(two, 1)))
        case _:
            if two == 0:
                raise Wrong("a division by 0")
            whole = abs(one) // abs(two) * (1 if (one < 0) == (two < 0) else -1)
            return whole if sign == "/" else one - whole * two


def _called(name: str, given: list[int]) -> int:
    match name:
        case "min":
            return min(given)
        case "max":
            return max(given)
        case "abs":
            return abs(given[0])
        case _:
            return math.gcd(*given)


class Writer:
    """Draws trees and writes them down.

    Args:
        key: of its random numbers, which Python keeps stable.
        depth: of its trees.
    """

    def __init__(self, key: str, depth: int) -> None:
        self._draw = random.Random(key).random
        self._depth = depth
        self.loose = False
        """Whether there are comments, line ends and odd spaces."""

    def below(self, count: int) -> int:
        """A whole number."""
        return int(self._draw() * count)

    def one(self, choices: Sequence[str]) -> str:
        """One of several."""
        return choices[self.below(len(choices))]

    def tree(self, kinds: Sequence[str], depth: int | None = None, names: tuple[str, ...] = ()) -> Tree:
        """A tree of these kinds of inner nodes."""
        depth = self._depth if depth is None else depth
        if depth <= 0 or (depth < self._depth and self._draw() < 0.15):
            return Tree("name", self.one(names)) if names and self._draw() < 0.6 else self._number(kinds)

        def inner(more: tuple[str, ...] = names, less: int = 1) -> Tree:
            return self.tree(kinds, depth - less, more)

        match self.one(kinds):
            case "let":
                name = self.one(("x", "y", "in1", "lets", "_n", "x2"))
                return Tree("let", name, (inner(less=2), inner((*names, name))))
            case "if":
                return Tree("if", "", (inner(less=2), inner(), inner()))
            case "chain":
                count = 2 + (self._draw() < 0.4)
                signs = [self.one(("<", "<=", ">", ">=", "==", "!=")) for _ in range(count - 1)]
                return Tree("chain", " ".join(signs), tuple(inner(less=2) for _ in range(count)))
            case "!":
                return Tree("!", "", (self._small(6),))
            case "^":
                return Tree("^", "", (inner(less=2), self._small(4) if self._draw() < 0.7 else inner(less=3)))
            case "call":
                name = self.one(("min", "max", "abs", "gcd"))
                count = 1 if name == "abs" else 2 + self.below(2)
                return Tree("call", name, tuple(inner(less=2) for _ in range(count)))
            case "not" | "sign" as kind:
                return Tree(kind, "", (inner(),))
            case "literal":
                return self._number(kinds)
            case kind:
                return Tree(kind, "", (inner(), inner()))

    def _small(self, most: int) -> Tree:
        return Tree("number", str(self.below(most)))

    def _number(self, kinds: Sequence[str]) -> Tree:
        number = self.below(40) if self._draw() < 0.8 else self.below(3)
        if "literal" not in kinds:
            return Tree("number", str(number))
        form = self.below(4)
        if form == 3:
            return Tree("number", f"{1 + self.below(9)}_{self.below(1000):03}")
        return Tree("number", str(number) if form == 0 else hex(7 * number) if form == 1 else bin(number))

    def written(self, tree: Tree) -> str:
        """A text for a tree, with the parentheses that it needs and a few that it does not."""
        text, _, _ = self._parts(tree)
        return text

    def _parts(self, tree: Tree) -> tuple[str, int, bool]:
        """The text, how tightly it binds, and whether it ends in a `let` or an `if`, which go on as far as they can."""
        text, level, is_open = self._plain(tree)
        if self._draw() < 0.05:
            return f"({self._space()}{text})", 11, False
        return text, level, is_open

    def _operand(self, tree: Tree, least: int, last: bool) -> tuple[str, bool]:
        """An operand that has to bind at least so tightly; one that goes on as far as it can only as the last one."""
        text, level, is_open = self._parts(tree)
        if (level < least and not (level == 1 and last)) or (is_open and not last):
            return f"({text})", False
        return text, is_open

    def _plain(self, tree: Tree) -> tuple[str, int, bool]:
        gap = self._space
        match tree.kind:
            case "number" | "name":
                return tree.name, 11, False
            case "let":
                first, second = (self._parts(part)[0] for part in tree.parts)
                return f"let {tree.name}{gap()}={gap()}{first} in{gap(1)}{second}", 1, True
            case "if":
                test, yes, no = (self._parts(part)[0] for part in tree.parts)
                return f"if{gap(1)}{test} then {yes}{gap(1)}else {no}", 1, True
            case "call":
                inside = f"{gap()},{gap()}".join(self._parts(part)[0] for part in tree.parts)
                return f"{tree.name}{gap()}({inside})", 11, False
            case "not" | "sign" as kind:
                level = 4 if kind == "not" else 8
                text, is_open = self._operand(tree.parts[0], level, last=True)
                return (f"not {text}" if kind == "not" else f"-{gap()}{text}"), level, is_open
            case "!":
                text, _ = self._operand(tree.parts[0], 10, last=False)
                return f"{text}{gap()}!", 10, False
            case "^":
                base, _ = self._operand(tree.parts[0], 10, last=False)
                power, is_open = self._operand(tree.parts[1], 8, last=True)
                return f"{base}{gap()}^{gap()}{power}", 9, is_open
            case "chain":
                signs = tree.name.split()
                first, _ = self._operand(tree.parts[0], 6, last=False)
                text, is_open = first, False
                for place, (sign, part) in enumerate(zip(signs, tree.parts[1:], strict=True), start=1):
                    other, is_open = self._operand(part, 6, last=place == len(signs))
                    # "3 ! = 4" and "3! != 4" are told apart by spaces alone
                    text = f"{text} {sign}{gap()}{other}"
                return text, 5, is_open
            case sign:
                level = LEVELS[sign]
                left, _ = self._operand(tree.parts[0], level, last=False)
                right, is_open = self._operand(tree.parts[1], level + 1, last=True)
                wide = 1 if sign in ("and", "or") else 0
                return f"{left}{gap(wide)}{sign}{gap(wide)}{right}", level, is_open

    def _space(self, least: int = 0) -> str:
        if not self.loose:
            return " " if least or self._draw() < 0.7 else ""
        return self.one((" " * max(least, 1), " " * least, "  ", "\n", "\t ", " # 1 + ) in\n"))

    def spoilt(self, text: str) -> str:
        """A text that is no expression, from one that is."""
        return self.one(
            (
                f"{text} +", f"({text}", f"{text})", f"{text} 7", f"* {text}", f"{text} $ 2", f"min({text},, 1)",
                f"let = {text} in 1", f"let x = {text}", f"if {text} then 1", f"{text} = 3", "max()",
                f"abs({text}, 1)",
                f"0x + {text}", f"1__0 + {text}", f"2 ** {text}", f"nothing + {text}", f"({text}) then 1",
                "", f"let if = 1 in {text}", f"12_ + {text}", f"3x + {text}", f"min {text}",
            )
        )  # fmt: skip


ARITHMETIC = ("+", "-", "*")
CATEGORIES: dict[str, tuple[str, ...]] = {
    "arithmetic": ARITHMETIC,
    "precedence": (*ARITHMETIC, "sign", "^", "/", "%"),
    "factorials": (*ARITHMETIC, "!", "^", "chain"),
    "literals": (*ARITHMETIC, "literal"),
    "comparisons": ("+", "-", "*", "chain", "chain", "and", "or", "not"),
    "names": (*ARITHMETIC, "let", "let"),
    "conditions": ("+", "-", "/", "%", "if", "if", "chain", "and"),
    "functions": (*ARITHMETIC, "call", "call", "sign"),
    "everything": (
        *ARITHMETIC,
        "sign",
        "^",
        "/",
        "%",
        "!",
        "literal",
        "chain",
        "and",
        "or",
        "not",
        "let",
        "if",
        "call",
    ),
    "mistakes": (*ARITHMETIC, "/", "let", "call"),
}
"""The kinds of trees by category."""


def asked(stage: str, count: int, depth: int) -> dict[str, list[tuple[str, int | str]]]:
    """Texts of each category and what they are worth; always the same."""
    made: dict[str, list[tuple[str, int | str]]] = {}
    for name, kinds in CATEGORIES.items():
        writer = Writer(f"expression_evaluator/{stage}/{name}", depth)
        writer.loose = name in ("literals", "everything")
        made[name] = [_asked(writer, kinds, spoilt=name == "mistakes") for _ in range(count)]
    return made


def _asked(writer: Writer, kinds: Sequence[str], spoilt: bool) -> tuple[str, int | str]:
    while True:
        tree = writer.tree(kinds)
        text = writer.written(tree)
        try:
            worth: int | str = value(tree, {})
        except Wrong:
            worth = ERROR
        if spoilt and worth != ERROR:
            # after a "let" or an "if" some of the spoilt texts would go on
            return writer.spoilt(f"({text})"), ERROR
        if spoilt or worth != ERROR or writer.below(10) == 0:
            return text, worth
