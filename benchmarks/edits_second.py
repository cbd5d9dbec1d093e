"""A second generator of spoilt edits: files with functions that are almost the same, and other mistakes.

An edit is a list of rows as in a diff, so that a mistake in a line that stays is made once and stands in both parts.
Mistakes only touch how an edit is written down: what it was meant to do stays known by construction.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from benchmarks.edits_cases import Case, library, margin, parses, tree_of
from benchmarks.edits_slips import SLIPS, WRITTEN, Row

_NEW = (
    "self_check = None",
    "items.sort(key=len)",
    "flag = left < right",
    "count, total = 0, 1.5",
    "print('here', end='')",
    'label = "a # b"',
    "del cache[:]",
)
_SWAPS = (
    (r" \+ ", " - "),
    (r" == ", " != "),
    (r"\bTrue\b", "False"),
    (r" and ", " or "),
    (r" is None", " is not None"),
    (r"(?<![\w.])(\d+)(?![\w.])", r"\g<1>7"),
    (r"\((\w+)\)", r"(\1, None)"),
    (r" < ", " <= "),
)


class Found(NamedTuple):
    """A statement of a function, with the block that it is in."""

    block: list[ast.stmt]
    at: int

    @property
    def node(self) -> ast.stmt:
        """The statement."""
        return self.block[self.at]


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """All functions of more than one line."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) > node.lineno
        and node.body[0].lineno > node.lineno
    ]


def with_twin(rng: Random, text: str) -> str:
    """The text with a copy of one of its functions, or classes, next to it: with another name, perhaps another word."""
    tree = tree_of(text)
    assert tree is not None
    choices: list[ast.FunctionDef | ast.ClassDef] = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    choices = [node for node in choices if 2 < (node.end_lineno or 0) - node.lineno < 40]
    if not choices:
        return text
    node = rng.choice(choices)
    lines = text.split("\n")
    start = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
    end = node.end_lineno or 0
    copy = lines[start:end]
    head = node.lineno - 1 - start
    copy[head] = re.sub(rf"\b{node.name}\b", f"{node.name}_again", copy[head], count=1)
    if rng.random() < 0.5:
        at = rng.randrange(head + 1, len(copy))
        copy[at] = re.sub(r"\b[a-z]{3,}\b", lambda match: match[0] + "_b", copy[at], count=1)
    gap = [""] * (1 if node.col_offset else 2)
    twins = (
        [*lines[:end], *gap, *copy, *lines[end:]]
        if rng.random() < 0.5
        else [*lines[:start], *copy, *gap, *lines[start:]]
    )
    twin = "\n".join(twins)
    return twin if parses(twin) else text


def statements(function: ast.FunctionDef) -> list[Found]:
    """All statements of a function, those of its inner blocks too."""
    return [
        Found(block, at)
        for node in ast.walk(function)
        for _, block in ast.iter_fields(node)
        if isinstance(block, list) and block and all(isinstance(one, ast.stmt) for one in block)
        for at in range(len(block))
    ]


def true_rows(rng: Random, lines: Sequence[str], tree: ast.Module) -> tuple[int, int, list[str]] | None:
    """Lines from, to (left out), and what is to stand there."""
    choices = functions(tree)
    if not choices:
        return None
    function = rng.choice(choices)
    found = rng.choice(statements(function))
    node = found.node
    first, last = node.lineno - 1, node.end_lineno or 0
    indent = lines[first][: node.col_offset]
    if indent.strip() or getattr(node, "decorator_list", None) or lines[first].lstrip().startswith(("elif", "else")):
        return None
    old = list(lines[first:last])
    deeper = indent + ("\t" if "\t" in indent else "    ")
    match rng.choice(
        ("tweak", "tweak", "tweak", "before", "after", "drop", "exchange", "guard", "argument", "return", "two")
    ):
        case "tweak":
            at = rng.randrange(first, last)
            for pattern, new in rng.sample(_SWAPS, len(_SWAPS)):
                changed = re.sub(pattern, new, lines[at], count=1)
                if changed != lines[at]:
                    return at, at + 1, [changed]
        case "before":
            return first, first, [indent + rng.choice(_NEW)]
        case "after":
            new = [indent + rng.choice(_NEW)]
            return last, last, new if rng.random() < 0.5 else [indent + "if count:", deeper + rng.choice(_NEW)]
        case "drop" if len(found.block) > 1:
            return first, last, []
        case "exchange" if found.at + 1 < len(found.block):
            other = found.block[found.at + 1]
            if other.lineno == last + 1 and not getattr(other, "decorator_list", None):
                return first, other.end_lineno or 0, [*lines[last : other.end_lineno], *old]
        case "guard" if not hasattr(node, "body") and last - first == 1:
            return first, last, [indent + "if enabled:", deeper + lines[first].strip()]
        case "argument":
            at = function.lineno - 1
            changed = re.sub(
                r"\((self|cls)?(?=[,)])", lambda match: f"({match[1] + ', ' if match[1] else ''}extra=1", lines[at]
            )
            if changed != lines[at] and ", extra=1," not in changed:
                return at, at + 1, [changed]
        case "return" if isinstance(node, ast.Return) and node.value is not None and last - first == 1:
            said = lines[first].strip().removeprefix("return")
            return first, last, [f"{indent}result ={said}", f"{indent}return result"]
        case "two" if last - first > 2:
            new = [re.sub(r"\b(\w{4,})\b", r"\1_x", line, count=1) for line in old]
            return first, last, new
    return None


def clean(rng: Random, largest: int) -> tuple[Case, list[Row]]:
    """A true edit in a file, with its rows."""
    while True:
        text = rng.choice(library(largest))
        if rng.random() < 0.6:
            text = with_twin(rng, text)
        tree = tree_of(text)
        assert tree is not None
        lines = text.split("\n")
        edit = next(filter(None, (true_rows(rng, lines, tree) for _ in range(6))), None)
        if edit is None:
            continue
        start, end, new = edit
        meant = "\n".join([*lines[:start], *new, *lines[end:]])
        if meant == text or not compiles(meant):
            continue
        low = max(start - rng.choice((0, 0, 1, 1, 2, 2, 3, 4, 6)), 0)
        high = min(end + rng.choice((0, 0, 1, 1, 2, 2, 3, 4, 6)), len(lines) - 1)
        rows = [
            *(Row(" ", line) for line in lines[low:start]),
            *(Row("-", line) for line in lines[start:end]),
            *(Row("+", line) for line in new),
            *(Row(" ", line) for line in lines[end:high]),
        ]
        if not any(row.text.strip() for row in rows if row.mark != "+"):
            continue
        above = "".join(f"{line}\n" for line in lines[:low])
        below = "".join(f"\n{line}" for line in lines[high:])
        return Case(text=text, meant=meant, search=(), replace=(), above=above.rstrip(), below=below.lstrip()), rows


def compiles(text: str) -> bool:
    """Whether Python takes it as a module."""
    try:
        compile(text, "meant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def case_of(seed: int, largest: int = 300) -> Case:
    """The case of a number, always the same one, in a file of so many lines at most."""
    rng = Random(f"second {seed}")
    while True:
        case, rows = clean(rng, largest)
        kind = rng.choice(("none", *SLIPS, *WRITTEN))
        names = [kind] if kind in SLIPS else []
        if rng.random() < 0.2:
            names.append(rng.choice(list(SLIPS)))
        # together some are another edit: a depth that is nowhere said, a copied line that is no copy any more, a line
        # lost from beside the change
        if names in (["a line deeper", "all deeper"], ["lines swapped", "line lost"]) or names[1:] in (
            ["SEARCH ends early"],
            ["SEARCH begins late"],
        ):
            continue
        loose = False
        for name in names:
            slip = SLIPS[name]
            spoilt = slip.change(rng, rows)
            if spoilt is None or spoilt == rows:
                break
            rows, loose = spoilt, loose or slip.loose
        else:
            way = kind if kind in WRITTEN else rng.choice(("block", "block", "diff"))
            made = WRITTEN[way](rng, case, rows) if way in WRITTEN else None
            if made is None:
                continue
            if kind == "none" and names:
                kind = names[0]
            elif len(names) > 1 or (names and kind in WRITTEN):
                kind = "two mistakes"
            case = replace(
                case, kind=kind, answer=made.answer, text=made.text, meant=made.meant, loose=loose or made.loose
            )
            if "\r" in case.text:
                case = replace(case, above=case.above.replace("\n", "\r\n"), below=case.below.replace("\n", "\r\n"))
            return case


def indent_of(rows: Sequence[Row]) -> str:
    """The least white space before a row."""
    return min((margin(row.text) for row in rows if row.text.strip()), key=len, default="")
