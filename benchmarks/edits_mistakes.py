"""The mistakes of the first generator, each a change of a case that leaves its meaning alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from benchmarks.edits_cases import Case, margin, tree_of


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
