"""How many of a model's edits are applied, by the mistake that is in them, and that none is applied wrongly.

    python benchmarks/edits.py [--edits 10000] [--seed 0] [--show]

A true edit is made on a file of Python's standard library (a change, an insertion, a deletion, a wrapping, a changed
head of a function), written down as a SEARCH/REPLACE block or a unified diff, and spoilt with mistakes that models
make. `right` gives the true result (up to blank lines, and up to comments and formatting where the
mistake lost them); `refused` gives none; `WRONG` gives another one. Beside it stands what strict matching does
with the same edits (`str.replace` where the text stands exactly once), and what taking the first exact match does.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import sysconfig
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from random import Random

from evoengine.operators.editing import Applied, Edits, apply_edits, edits_of

warnings.simplefilter("ignore")
_FILLERS = (
    ["count = 0"],
    ["if not ready:", "    return None"],
    ["# a second look", "total = sum(values) / 2.5"],
    ["for item in range(3):", "    if item:", "        print(item)"],
    ["with lock:", "    state += 1"],
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One edit as a model might have written it, with what it was meant to do."""

    text: str
    meant: str
    search: tuple[str, ...]
    replace: tuple[str, ...]
    kind: str = "none"
    answer: str = ""
    loose: bool = False
    """Whether the mistake lost comments or formatting, so that only the syntax tree can be compared."""


@cache
def library(largest: int) -> tuple[str, ...]:
    """The standard library's files of a usable size, in order of their names."""
    root = Path(sysconfig.get_paths()["stdlib"])
    texts = []
    for path in sorted([*root.glob("*.py"), *root.glob("[a-z]*/*.py")]):
        if "site-packages" in path.parts or "test" in path.parts or "idlelib" in path.parts:
            continue
        text = path.read_text(errors="ignore")
        if 30 <= text.count("\n") <= largest and "\r" not in text and "\f" not in text and parses(text):
            texts.append(text)
    return tuple(texts)


@lru_cache(maxsize=256)
def tree_of(text: str) -> ast.Module | None:
    """The tree of a text, None if it has none."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def parses(text: str) -> bool:
    """Whether Python takes it."""
    return tree_of(text) is not None


def blocks(tree: ast.Module) -> list[list[ast.stmt]]:
    """All lists of statements."""
    return [
        value
        for node in ast.walk(tree)
        for _, value in ast.iter_fields(node)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt)
    ]


def margin(line: str) -> str:
    """The white space before a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


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


def both(case: Case, change: Callable[[list[str]], list[str]], **more: object) -> Case:
    """The case with one change in both of its parts."""
    return replace(
        case,
        search=tuple(change(list(case.search))),
        replace=tuple(change(list(case.replace))),
        **more,  # type: ignore[arg-type]
    )


def deeper(by: str) -> Callable[[list[str]], list[str]]:
    """Lines with more in front."""
    return lambda lines: [by + line if line.strip() else line for line in lines]


def to_margin(lines: list[str], by: int) -> list[str]:
    """Lines with less in front."""
    return [line[by:] if not line[:by].strip() else line.lstrip() for line in lines]


def ends(case: Case) -> tuple[int, int]:
    """How many lines both parts share at their beginning, and at their end."""
    old, new = case.search, case.replace
    low = 0
    while low < min(len(old), len(new)) and old[low] == new[low]:
        low += 1
    high = 0
    while high < min(len(old), len(new)) - low and old[-1 - high] == new[-1 - high]:
        high += 1
    return low, high


def common(case: Case) -> list[int]:
    """Lines of the search that the replacement has too, at either end."""
    low, high = ends(case)
    return [*range(low), *range(len(case.search) - high, len(case.search))]


def shifted(rng: Random, case: Case) -> Case:
    """All lines more or less deep, in the same way."""
    indents = [margin(line) for line in (*case.search, *case.replace) if line.strip()]
    least = min(map(len, indents))
    if least and rng.random() < 0.6:
        by = rng.choice((least, min(least, 4), 1))
        return both(case, lambda lines: to_margin(lines, by))
    return both(case, deeper(" " * rng.choice((1, 2, 4, 8))))


def search_shifted(rng: Random, case: Case) -> Case:
    """Only one of the parts more or less deep."""
    other = shifted(rng, case)
    if rng.random() < 0.5:
        return replace(case, search=other.search, loose=True)
    return replace(case, replace=other.replace, loose=True)


def first_stripped(_: Random, case: Case) -> Case | None:
    """Both parts without the white space at their ends. In one part alone it would be another edit."""
    firsts = [next((margin(line) for line in part if line.strip()), "") for part in (case.search, case.replace)]
    if firsts[0] != firsts[1]:
        return None
    return both(case, lambda lines: "\n".join(lines).strip().split("\n"), loose=True)


def other_unit(_: Random, case: Case) -> Case:
    """Two spaces a level in place of four."""

    def halved(lines: list[str]) -> list[str]:
        return [margin(line)[: len(margin(line)) // 2] + line.lstrip(" \t") for line in lines]

    return both(case, halved, loose=True)


def tabs(rng: Random, case: Case) -> Case:
    """Tabs in place of spaces, or spaces in place of tabs."""
    if any("\t" in margin(line) for line in case.search):
        width = rng.choice((2, 4, 8))
        return both(
            case,
            lambda lines: [margin(line).replace("\t", " " * width) + line.lstrip(" \t") for line in lines],
            loose=True,
        )
    return both(
        case, lambda lines: [re.sub(r"^ +", lambda m: m[0].replace("    ", "\t"), line) for line in lines], loose=True
    )


def trailing(rng: Random, case: Case) -> Case:
    """White space behind lines."""

    def spoil(lines: list[str]) -> list[str]:
        return [line + rng.choice(("", " ", "  ", "\t")) for line in lines]

    return both(case, spoil) if rng.random() < 0.5 else replace(case, search=tuple(spoil(list(case.search))))


def blank_lines(rng: Random, case: Case) -> Case:
    """No blank lines, or one more."""
    if rng.random() < 0.5:
        return both(case, lambda lines: [line for line in lines if line.strip()])
    at = rng.random()
    return both(case, lambda lines: [*lines[: int(at * len(lines))], "", *lines[int(at * len(lines)) :]])


def elided(rng: Random, case: Case, *, only_replace: bool = False) -> Case | None:
    """Lines that stay left out of both parts, as a model does."""
    shared = common(case)
    old, new = list(case.search), list(case.replace)
    low = [at for at in shared if at + 1 in shared and at + 2 in shared and old[at] and old[at + 1]]
    if not low:
        return None
    start = rng.choice(low)
    end = start + rng.randint(1, 3)
    while end > start and not all(at in shared for at in range(start, end)):
        end -= 1
    line = margin(old[start]) + rng.choice(
        ("...", "# ...", "# ... rest unchanged", "# ... existing code ...", "# rest of the code", "# (unchanged)")
    )
    front = all(at in shared for at in range(start + 1))
    shift = 0 if front and old[:end] == new[:end] else len(new) - len(old)
    if old[start:end] != new[start + shift : end + shift]:
        return None
    new[start + shift : end + shift] = [line]
    if not only_replace:
        old[start:end] = [line]
    return replace(case, search=tuple(old), replace=tuple(new))


def lazy(rng: Random, case: Case) -> Case | None:
    """Lines left out of the new part only."""
    return elided(rng, case, only_replace=True)


def comments(rng: Random, case: Case) -> Case | None:
    """Comments left out, changed or added."""
    way = rng.choice(("drop", "change", "add"))

    def spoil(lines: list[str]) -> list[str]:
        result = []
        for line in lines:
            code, mark, said = line.partition("#")
            if mark and "'" not in line and '"' not in line:
                if way == "drop":
                    if not code.strip():
                        continue
                    line = code.rstrip()
                elif way == "change":
                    line = f"{code}# {said.upper()} now"
            elif way == "add" and line.strip() and len(line) % 3 == 0 and line.rstrip()[-1] not in "\\":
                line += "  # see above"
            result.append(line)
        return result

    spoilt = both(case, spoil, loose=True)
    if way == "add" and re.search(r'"""|' + "'''", "\n".join((*case.search, *case.replace))):
        return None
    return spoilt if spoilt.search != case.search else None


def reformatted(_: Random, case: Case) -> Case | None:
    """The statements as `ast.unparse` writes them."""
    parts = []
    for lines in (case.search, case.replace):
        solid = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        if not solid or "\t" in margin(solid[0]):
            return None
        depth = len(margin(solid[0]))
        tree = tree_of(("if 1:\n" if depth else "") + "\n".join(lines) + "\n")
        if tree is None:
            return None
        body = tree.body[0].body if depth else tree.body  # type: ignore[attr-defined]
        written = ast.unparse(ast.Module(body=body, type_ignores=[])).split("\n")
        if any('"""' in line for line in written):
            return None
        parts.append(tuple(" " * depth + line for line in written))
    return replace(case, search=parts[0], replace=parts[1], loose=True)


def repeated(rng: Random, case: Case) -> Case | None:
    """A line that stays, twice."""
    shared = [at for at in common(case) if case.search[at].strip()]
    if not shared:
        return None
    line = case.search[rng.choice(shared)]

    def spoil(lines: list[str]) -> list[str]:
        at = lines.index(line)
        return [*lines[: at + 1], line, *lines[at + 1 :]]

    return both(case, spoil)


def missing(rng: Random, case: Case) -> Case | None:
    """A line that stays, left out of the middle: without a line at its edge, an edit is another edit."""
    solid = [at for at, line in enumerate(case.search) if line.strip()]
    shared = [at for at in common(case) if at in solid[1:-1]]
    if not shared:
        return None
    line = case.search[rng.choice(shared)]
    if line not in case.replace:
        return None
    return both(
        case,
        lambda lines: [*lines[: lines.index(line)], *lines[lines.index(line) + 1 :]],
        loose=case.loose or line.lstrip().startswith("#"),
    )


def stale(rng: Random, case: Case) -> Case | None:
    """A line that the file does not have."""
    shared = [at for at in common(case) if re.search(r"\w", case.search[at].partition("#")[0])]
    if not shared:
        return None
    line = case.search[rng.choice(shared)]
    other = re.sub(r"\b\w+\b", lambda match: match[0] + "_old", line, count=rng.choice((1, 2)))
    if other.partition("#")[0] == line.partition("#")[0]:
        return None
    return both(case, lambda lines: [other if one == line else one for one in lines])


def too_little(_: Random, case: Case) -> Case | None:
    """Only the lines that change, which often stand in several places."""
    shared = set(common(case))
    gone = [at for at in range(len(case.search)) if at not in shared]
    if not gone:
        return None
    low, high = gone[0], gone[-1] + 1
    tail = len(case.search) - high
    return replace(case, search=case.search[low:high], replace=case.replace[low : len(case.replace) - tail])


def unspoilt(_: Random, case: Case) -> Case:
    """No mistake."""
    return case


MISTAKES: dict[str, Callable[[Random, Case], Case | None]] = {
    "none": unspoilt,
    "all lines shifted": shifted,
    "one part shifted": search_shifted,
    "first line at margin": first_stripped,
    "indent of two": other_unit,
    "tabs for spaces": tabs,
    "spaces behind lines": trailing,
    "blank lines": blank_lines,
    "lines left out": elided,
    "left out in new only": lazy,
    "other comments": comments,
    "other formatting": reformatted,
    "line repeated": repeated,
    "line missing": missing,
    "line not in file": stale,
    "too few lines": too_little,
}
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


def core(text: str) -> list[str]:
    """A text's lines, blank ones left out, without what stands behind them."""
    return [line.rstrip() for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def is_right(case: Case, text: str) -> bool:
    """Whether a result is the one that was meant."""
    if core(text) == core(case.meant):
        return True
    if not case.loose:
        return False
    one, other = tree_of(text), tree_of(case.meant)
    if one is None or other is None:
        return False
    # a docstring's blank lines go with the others
    return re.sub(r"(\\n *)+", r"\\n", ast.dump(one)) == re.sub(r"(\\n *)+", r"\\n", ast.dump(other))


def applied(case: Case) -> str | None:
    """What the engine makes of the answer: a text, or None when it refuses."""
    found = edits_of(case.answer)
    if not isinstance(found, Edits) or found.faults:
        return None
    result = apply_edits(case.text, found.edits)
    return result.text if isinstance(result, Applied) else None


def strictly(case: Case, *, first: bool) -> str | None:
    """What matching letter by letter makes of it: the only match, or the first."""
    found = edits_of(case.answer)
    if not isinstance(found, Edits):
        return None
    text = case.text
    for edit in found.edits:
        count = text.count(edit.search)
        if not count or (count > 1 and not first) or edit.search == edit.replace:
            return None
        text = text.replace(edit.search, edit.replace, 1)
    return text


def verdict(case: Case, text: str | None) -> str:
    """Of one way to apply."""
    return "refused" if text is None else "right" if is_right(case, text) else "WRONG"


def main() -> None:
    """Prints the table; exits with 1 if an edit was applied wrongly."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the wrong ones")
    asked = parser.parse_args()
    ways = ("engine", "strict", "first")
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: {way: Counter() for way in ways})
    seconds: list[float] = []
    for number in range(asked.edits):
        case = case_of(asked.seed + number)
        start = time.perf_counter()
        text = applied(case)
        seconds.append(time.perf_counter() - start)
        results = (text, strictly(case, first=False), strictly(case, first=True))
        for way, result in zip(ways, results, strict=True):
            for kind in (case.kind, "all"):
                counts[kind][way][verdict(case, result)] += 1
        if asked.show and verdict(case, text) == "WRONG":
            print(f"--- {asked.seed + number} {case.kind}\n{case.answer}")
    print(f"{asked.edits} edits; applied rightly, and WRONG ones")
    print(f"{'mistake':24}{'edits':>7}{'engine':>9}{'WRONG':>7}{'strict':>9}{'WRONG':>7}{'first':>9}{'WRONG':>7}")
    for kind in [*MISTAKES, *IN_ANSWERS, "two mistakes", "all"]:
        if kind not in counts:
            continue
        total = counts[kind]["engine"].total()
        cells = "".join(f"{counts[kind][way]['right'] / total:9.1%}{counts[kind][way]['WRONG']:7}" for way in ways)
        print(f"{kind:24}{total:7}{cells}")
    seconds.sort()
    print(f"an edit: median {seconds[len(seconds) // 2] * 1e3:.1f} ms, longest {seconds[-1] * 1e3:.0f} ms")
    sys.exit(bool(counts["all"]["engine"]["WRONG"]))


if __name__ == "__main__":
    main()
