"""The mistakes of the second generator: in an edit's rows, or in how they are written down."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple

from benchmarks.edits_cases import Case, margin


class Row(NamedTuple):
    """A line of an edit: " " stays, "-" goes, "+" is new; "<" is only in SEARCH, ">" only in REPLACE, by mistake."""

    mark: str
    text: str


Rows = list[Row]


class Slip(NamedTuple):
    """A mistake in the rows."""

    change: Callable[[Random, Rows], Rows | None]
    loose: bool = False
    """Whether it loses comments or formatting."""


class Made(NamedTuple):
    """An edit as it was written, with what it was meant to do."""

    text: str
    meant: str
    answer: str
    loose: bool = False


def in_stays(change: Callable[[Random, str], str]) -> Callable[[Random, Rows], Rows | None]:
    """A mistake in one or in all of the lines that stay."""

    def spoil(rng: Random, rows: Rows) -> Rows | None:
        places = [at for at, row in enumerate(rows) if row.mark == " " and change(rng, row.text) != row.text]
        if not places:
            return None
        chosen = set(places) if rng.random() < 0.5 else {rng.choice(places)}
        return [row._replace(text=change(rng, row.text)) if at in chosen else row for at, row in enumerate(rows)]

    return spoil


def everywhere(change: Callable[[str], str]) -> Callable[[Random, Rows], Rows | None]:
    """A mistake in all lines."""
    return lambda _, rows: [row._replace(text=change(row.text)) for row in rows]


def other_quotes(_: Random, line: str) -> str:
    """One kind of quotes for the other, where no string holds any."""
    if "'''" in line or '"""' in line or ("'" in line and '"' in line):
        return line
    return line.translate({ord("'"): '"', ord('"'): "'"})


def comma_at_end(_: Random, line: str) -> str:
    """A comma more or less at the end of a line."""
    code = line.rstrip()
    if code.endswith(","):
        return code[:-1]
    return code + "," if re.search(r"[\w'\"\])]$", code) and not code.lstrip().startswith(("return", "raise")) else line


def smart(_: Random, line: str) -> str:
    """The quotes and dashes of a word processor."""
    return re.sub(r'"([^"]*)"', "“\\1”", line).replace("'", "’").replace("--", "—").replace("...", "…")


def hard_spaces(rng: Random, line: str) -> str:
    """Spaces that do not break."""
    if rng.random() < 0.5:
        return "\u00a0" * len(margin(line)) + line.lstrip()
    return margin(line) + line.lstrip().replace(" ", "\u00a0", 1)


def comment_lost(_: Random, line: str) -> str:
    """No comment."""
    code, mark, _rest = line.partition("#")
    return code.rstrip() if mark and code.strip() and "'" not in line and '"' not in line else line


def respaced(_: Random, line: str) -> str:
    """Spaces around operators and behind commas, or none."""
    if "'" in line or '"' in line or "#" in line:
        return line
    if ", " in line:
        return margin(line) + line.lstrip().replace(", ", ",")
    return margin(line) + re.sub(r"(?<=\w)([*/+])(?=\w)", r" \1 ", line.lstrip())


def reworded(rng: Random, line: str) -> str:
    """A name that the program has not."""
    words = re.findall(r"\b[a-z_]{4,}\b", line.partition("#")[0])
    return re.sub(rf"\b{rng.choice(words)}\b", "renamed_thing", line, count=1) if words else line


def swapped(rng: Random, rows: Rows) -> Rows | None:
    """Two lines that stay, one for the other."""
    places = [
        at for at in range(len(rows) - 1) if rows[at].mark == rows[at + 1].mark == " " and rows[at] != rows[at + 1]
    ]
    places = [at for at in places if rows[at].text.strip() and rows[at + 1].text.strip()]
    if not places:
        return None
    at = rng.choice(places)
    return [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]


def search_ends_early(rng: Random, rows: Rows) -> Rows | None:
    """The last lines that stay are missing in SEARCH, and stand in REPLACE."""
    tail = 0
    while tail < len(rows) and rows[-1 - tail].mark == " ":
        tail += 1
    if not tail or not any(row.text.strip() for row in rows[-tail:]):
        return None
    solid = [at for at in range(len(rows) - tail, len(rows)) if rows[at].text.strip()]
    start = rng.choice(solid)
    return [*rows[:start], *(row._replace(mark=">") for row in rows[start:])]


def search_begins_late(rng: Random, rows: Rows) -> Rows | None:
    """The first lines that stay are missing in SEARCH, and stand in REPLACE."""
    turned = search_ends_early(rng, rows[::-1])
    return None if turned is None else turned[::-1]


def numbered(rng: Random, rows: Rows) -> Rows:
    """Numbers of lines in front of them, in one part or in both."""
    style = rng.choice(("{} | {}", "{}: {}", "{:4d}\t{}", "{:>3} {}"))
    first, marks = rng.randrange(1, 300), rng.choice((" -+", " -+", " -"))
    return [
        row._replace(text=style.format(first + at, row.text)) if row.mark in marks else row
        for at, row in enumerate(rows)
    ]


def dots(rng: Random, rows: Rows) -> Rows | None:
    """Some lines that stay left out, with dots in their place: in both parts, or at an end."""
    runs = [at for at, row in enumerate(rows) if row.mark == " " and row.text.strip()]
    if len(runs) < 2:
        return None
    start = rng.choice(runs)
    end = start
    while end < len(rows) and rows[end].mark == " " and end - start < 4:
        end += 1
    dot = margin(rows[start].text) + rng.choice(("...", "# ...", "# existing code", "# same as before", "[...]", "… "))
    return [*rows[:start], Row(rng.choice((" ", " ", " ", "<", ">")), dot), *rows[end:]]


def only_changes(_: Random, rows: Rows) -> Rows | None:
    """No line around the change."""
    if {row.mark for row in rows} & {"<", ">"}:  # lines copied too far, and not from beside the change, are new ones
        return None
    return [row for row in rows if row.mark != " "] if any(row.mark == "-" for row in rows) else None


def one_blank_line(rng: Random, rows: Rows) -> Rows | None:
    """A SEARCH of a blank line, or of one that stands anywhere."""
    new = [row for row in rows if row.mark == "+"]
    if not new:
        return None
    line = rng.choice(("", "    ", "        pass", "    else:", "        )", "    return None", "        self"))
    return [Row(" ", line), *new]


def code_deeper(rng: Random, rows: Rows) -> Rows:
    """All lines more or less deep by a level, by one space, or all at the margin's depth."""
    least = min((margin(row.text) for row in rows if row.text.strip()), key=len)
    by = rng.choice((4, 1, -1, -len(least)))
    if by >= 0:
        return [row._replace(text=" " * by + row.text if row.text.strip() else "") for row in rows]
    by = min(-by, len(least))
    return [row._replace(text=row.text[by:]) for row in rows]


def stays_deeper(rng: Random, rows: Rows) -> Rows | None:
    """Only one line that stays, or the first of both parts, at another depth."""
    places = [at for at, row in enumerate(rows) if row.mark == " " and row.text.strip()]
    if not places:
        return None
    at = rng.choice(places)
    text = rng.choice(
        ("    " + rows[at].text, " " + rows[at].text, rows[at].text[1:] if rows[at].text[0] == " " else "\t")
    )
    return [*rows[:at], rows[at]._replace(text=text if text.strip() else " " + rows[at].text), *rows[at + 1 :]]


def tabbed(rng: Random, rows: Rows) -> Rows:
    """Tabs for spaces, in some lines or in all."""
    share = rng.choice((1.0, 0.5))
    return [
        row._replace(text=re.sub(r"^(?: {4})+", lambda match: "\t" * (len(match[0]) // 4), row.text))
        if rng.random() < share
        else row
        for row in rows
    ]


def line_lost(rng: Random, rows: Rows) -> Rows | None:
    """A line among those that stay is in neither part; beside a change, it would be another change."""
    places = [
        at
        for at, row in enumerate(rows[1:-1], start=1)
        if {row.mark, rows[at - 1].mark, rows[at + 1].mark} == {" "} and row.text.strip()
    ]
    if not places:
        return None
    at = rng.choice(places)
    return [*rows[:at], *rows[at + 1 :]]


def escaped(rng: Random, rows: Rows) -> Rows | None:
    """`<`, `>` and `&` as HTML writes them, in all lines or in the new ones only."""
    marks = rng.choice((" -+", "+"))
    return [row._replace(text=html.escape(row.text, quote=False)) if row.mark in marks else row for row in rows]


SLIPS: Mapping[str, Slip] = {
    "other quotes": Slip(in_stays(other_quotes), loose=True),
    "comma at an end": Slip(in_stays(comma_at_end), loose=True),
    "smart quotes": Slip(in_stays(smart), loose=True),
    "hard spaces": Slip(in_stays(hard_spaces)),
    "comment lost": Slip(in_stays(comment_lost), loose=True),
    "other spacing": Slip(in_stays(respaced), loose=True),
    "other name": Slip(in_stays(reworded)),
    "lines swapped": Slip(swapped),
    "SEARCH ends early": Slip(search_ends_early),
    "SEARCH begins late": Slip(search_begins_late),
    "numbers of lines": Slip(numbered),
    "dots": Slip(dots),
    "no lines around": Slip(only_changes),
    "a line of anywhere": Slip(one_blank_line),
    "all deeper": Slip(code_deeper, loose=True),
    "a line deeper": Slip(stays_deeper),
    "tabs": Slip(tabbed, loose=True),
    "line lost": Slip(line_lost),
    "HTML": Slip(escaped),
}


def parts(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """SEARCH and REPLACE."""
    return [row.text for row in rows if row.mark in " -<"], [row.text for row in rows if row.mark in " +>"]


def block(_: Random, case: Case, rows: Rows) -> Made:
    """A SEARCH/REPLACE block."""
    old, new = parts(rows)
    lines = ["I will change it.", "", "<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE", ""]
    return Made(case.text, case.meant, "\n".join(lines))


def fenced(rng: Random, case: Case, rows: Rows) -> Made:
    """Fences within a block or around it, or only one of them."""
    old, new = parts(rows)
    match rng.randrange(4):
        case 0:
            lines = ["<<<<<<< SEARCH", "```python", *old, "```", "=======", "```python", *new, "```", ">>>>>>> REPLACE"]
        case 1:
            lines = ["```python", "<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE", "```"]
        case 2:
            lines = ["<<<<<<< SEARCH", "```python", *old, "=======", *new, "```", ">>>>>>> REPLACE"]
        case _:
            lines = ["<<<<<<< SEARCH", *old, "```", "=======", *new, "```", ">>>>>>> REPLACE"]
    return Made(case.text, case.meant, "\n".join(lines))


def crlf(rng: Random, case: Case, rows: Rows) -> Made:
    """A file of CRLF lines and an answer of LF, or the other way round, or an answer of both."""
    made = block(rng, case, rows)
    match rng.randrange(3):
        case 0:
            return made._replace(text=case.text.replace("\n", "\r\n"), meant=case.meant.replace("\n", "\r\n"))
        case 1:
            return made._replace(answer=made.answer.replace("\n", "\r\n"))
    return made._replace(answer="".join(line + rng.choice(("\n", "\r\n")) for line in made.answer.split("\n")))


def cut_off(rng: Random, case: Case, rows: Rows) -> Made | None:
    """An answer that ends in the middle of a block, or has a marker line too few."""
    lines = block(rng, case, rows).answer.split("\n")[:-1]
    if rng.random() < 0.4:
        lines = lines[: rng.randrange(3, len(lines) - 1)]
    else:
        lines = [line for line in lines if line != rng.choice(("=======", ">>>>>>> REPLACE", "<<<<<<< SEARCH"))]
    return Made(case.text, case.meant, "\n".join([*lines, "```"]))


def two_blocks(rng: Random, case: Case, rows: Rows) -> Made:
    """Another block behind it or before it: the same one again, or one of a line that is not there."""
    one = block(rng, case, rows).answer
    other = one if rng.random() < 0.5 else one.replace("<<<<<<< SEARCH\n", "<<<<<<< SEARCH\nnot_in_the_file()\n")
    return Made(case.text, case.meant, one + other if rng.random() < 0.5 else other + one)


def diff(rng: Random, case: Case, rows: Rows) -> Made:
    """A unified diff with wrong numbers."""
    head = ["--- a/main.py", "+++ b/main.py", f"@@ -{rng.randrange(900)},7 +{rng.randrange(900)},8 @@ def other():"]
    return Made(case.text, case.meant, "\n".join([*head, *body(rows), ""]))


def body(rows: Sequence[Row]) -> list[str]:
    """The rows with their marks as a diff has them."""
    return [{"<": "-", ">": "+"}.get(row.mark, row.mark) + row.text for row in rows]


def loose_diff(rng: Random, case: Case, rows: Rows) -> Made:
    """A diff with lines whose spaces are missing: in front of some of those that stay, or behind a + or a -."""
    lines = body(rows)
    match rng.randrange(4):
        case 0:
            lines = [line[1:] if line[0] == " " and rng.random() < 0.5 else line for line in lines]
        case 1:
            lines = [line if line.strip() else "" for line in lines]
        case 2:
            lines = [line[0] + " " + line[1:] for line in lines]
        case _:
            lines = [line[0] + line[2:] if line[1:2] == " " and line[0] != " " else line for line in lines]
    head = rng.choice((["@@ @@"], ["--- main.py", "+++ main.py", "@@"], ["--- main.py", "+++ main.py"]))
    return Made(case.text, case.meant, "\n".join(["```diff", *head, *lines, "```", ""]), loose=True)


def new_first(rng: Random, case: Case, rows: Rows) -> Made | None:
    """A diff with the new lines above those that go, where no line that stays is between them."""
    first = next(at for at, row in enumerate(rows) if row.mark != " ")
    changes = [row for row in rows if row.mark != " "]
    rest = rows[first + len(changes) :]
    if any(row.mark != " " for row in rest):
        return None
    return diff(rng, case, [*rows[:first], *sorted(changes, key=lambda row: row.mark not in "+>"), *rest])


WRITTEN: Mapping[str, Callable[[Random, Case, Rows], Made | None]] = {
    "block": block,
    "fences": fenced,
    "CRLF": crlf,
    "cut off": cut_off,
    "two blocks": two_blocks,
    "diff": diff,
    "loose diff": loose_diff,
    "new lines first": new_first,
}
