"""Spoilt edits: true edits of library files, written down with one of the mistakes that models make."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from random import Random

from benchmarks.edits_cases import Case, library, margin, parses, tree_of
from benchmarks.edits_mistakes import MISTAKES, ends, unspoilt

_FILLERS = (
    ["count = 0"],
    ["if not ready:", "    return None"],
    ["# a second look", "total = sum(values) / 2.5"],
    ["for item in range(3):", "    if item:", "        print(item)"],
    ["with lock:", "    state += 1"],
)


def blocks(tree: ast.Module) -> list[list[ast.stmt]]:
    """All lists of statements."""
    return [
        value
        for node in ast.walk(tree)
        for _, value in ast.iter_fields(node)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt)
    ]


def true_edit(rng: Random, text: str) -> tuple[int, int, list[str]] | None:
    """Lines from, to (left out), and what takes their place."""
    tree = tree_of(text)
    assert tree is not None
    lines = text.split("\n")
    block = rng.choice(blocks(tree))
    at = rng.randrange(len(block))
    statement = block[at]
    first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", ()))]) - 1
    last = statement.end_lineno or 0
    if margin(lines[first]) != lines[first][: statement.col_offset] or lines[first].lstrip().startswith("elif"):
        return None
    indent = margin(lines[first])
    tabbed = "\n\t" in text
    step = "\t" if tabbed else "    "
    match rng.choice(("change", "change", "insert", "delete", "wrap", "head", "rename")):
        case "change":
            line = rng.randrange(first, last)
            found = list(re.finditer(r"\b[A-Za-z_]\w*\b|\b\d+\b", lines[line].partition("#")[0]))
            if not found:
                return None
            word = rng.choice(found)
            new = word[0] + ("1" if word[0].isdigit() else "_new")
            return line, line + 1, [lines[line][: word.start()] + new + lines[line][word.end() :]]
        case "insert":
            filler = rng.choice(_FILLERS)
            new_lines = [indent + (line.replace("    ", "\t") if tabbed else line) for line in filler]
            return (last, last, new_lines) if rng.random() < 0.5 else (first, first, new_lines)
        case "delete":
            return (first, last, []) if len(block) > 1 else None
        case "wrap" if last - first < 15 and '"""' not in "".join(lines[first:last]):
            return (
                first,
                last,
                [indent + "if enabled:", *(f"{step}{line}" if line else "" for line in lines[first:last])],
            )
        case "head" if (
            isinstance(statement, ast.FunctionDef) and f"def {statement.name}(" in lines[statement.lineno - 1]
        ):
            line = statement.lineno - 1
            return line, line + 1, [lines[line].replace(f"def {statement.name}(", f"def {statement.name}_two(")]
        case "rename" if last - first < 30:
            names = sorted({node.id for node in ast.walk(statement) if isinstance(node, ast.Name)})
            if names:
                name = rng.choice(names)
                return first, last, [re.sub(rf"\b{name}\b", f"{name}_other", line) for line in lines[first:last]]
    return None


def clean_case(rng: Random, largest: int) -> Case:
    """A true edit in a file, with some lines around it."""
    while True:
        text = rng.choice(library(largest))
        manner = rng.random()
        if manner < 0.08:
            text = re.sub(r"^(?: {4})+", lambda match: "\t" * (len(match[0]) // 4), text, flags=re.MULTILINE)
        edit = true_edit(rng, text)
        if edit is None:
            continue
        start, end, new = edit
        lines = text.split("\n")
        meant = "\n".join([*lines[:start], *new, *lines[end:]])
        if meant == text or not parses(meant):
            continue
        above, below = (rng.choice((0, 1, 1, 2, 3, 3, 5, 8)) for _ in "ab")
        low, high = max(start - above, 0), min(end + below, len(lines) - 1)
        search = lines[low:high]
        if not any(line.strip() for line in search):
            continue
        if 0.08 < manner < 0.16:
            text, meant = text.replace("\n", "\r\n"), meant.replace("\n", "\r\n")
        return Case(
            text=text,
            meant=meant,
            search=tuple(search),
            replace=(*lines[low:start], *new, *lines[end:high]),
        )


IN_ANSWERS = ("fences", "CRLF answer", "wrong numbers", "no space before context", "no headers")


def blocks_answer(rng: Random, case: Case, way: str) -> str:
    """The edit as a SEARCH/REPLACE block."""
    lines = ["<<<<<<< SEARCH", *case.search, "=======", *case.replace, ">>>>>>> REPLACE"]
    if way == "fences":
        lines = rng.choice(
            (
                ["Here it is:", "```python", *lines, "```", "Done."],
                ["```", *lines],
                ["<<<<<<< SEARCH", "```python", *case.search, "```", "=======", "```", *case.replace, "```", lines[-1]],
            )
        )
    return "\n".join([*lines, ""])


def diff_answer(rng: Random, case: Case, way: str) -> str:
    """The edit as one hunk of a unified diff."""
    low, tail = ends(case)
    high = len(case.search) - tail
    space = "" if way == "no space before context" else " "
    body = [
        *(space + line for line in case.search[:low]),
        *("-" + line for line in case.search[low:high]),
        *("+" + line for line in case.replace[low : len(case.replace) - tail]),
        *(space + line for line in case.search[high:]),
    ]
    wrong = way == "wrong numbers"
    numbers = [rng.randrange(1, 900) if wrong else len(body) for _ in range(4)]
    head = ["--- a/main.py", "+++ b/main.py", "@@ -{},{} +{},{} @@".format(*numbers)]
    if way == "no headers":
        head = rng.choice((["@@"], head[:2], ["@@ ... @@"]))
    lines = [*head, *body]
    return "\n".join(["```diff", *lines, "```", ""] if rng.random() < 0.5 else [*lines, ""])


def case_of(seed: int, largest: int = 900) -> Case:
    """The case of a number, always the same one, in a file of so many lines at most."""
    rng = Random(seed)
    names = list(MISTAKES)
    while True:
        clean = clean_case(rng, largest)
        name = rng.choice([*names, *IN_ANSWERS])
        case = MISTAKES.get(name, unspoilt)(rng, clean)
        if case is None:
            continue
        kind = name
        if rng.random() < 0.15:
            second = rng.choice(names[1:])
            again = MISTAKES[second](rng, case)
            # lines left out without the comment that says so are an edit that deletes them
            silent = "left out in new only" in (name, second) and (
                {"other comments", "other formatting"} & {name, second}
            )
            if again is not None and second != name and not silent:
                case, kind = again, "two mistakes"
        if not any(line.strip() for line in case.search):
            continue
        in_diff = name in IN_ANSWERS[2:] or (name not in IN_ANSWERS and rng.random() < 0.3)
        answer = (diff_answer if in_diff else blocks_answer)(rng, case, name)
        if name == "CRLF answer":
            answer = answer.replace("\n", "\r\n")
        return replace(case, kind=kind, answer=answer)
