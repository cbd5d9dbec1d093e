"""Unified diffs as models write them: with wrong numbers, without headers, with spaces left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evoengine.operators.editing.values import Edit

_HUNK = re.compile(r"@@.*")
_OLD = re.compile(r"--- +(\S.*)")
_NEW = re.compile(r"\+\+\+ +(\S.*)")
_NOTES = re.compile(
    r"(?:diff --git .*|index [0-9a-f]+\.\..*|(?:new|deleted) file mode .*|(?:old|new) mode .*|similarity index .*"
    r"|rename (?:from|to) .*|\*\*\* .*)"
)
_PROSE = re.compile(r"[A-Z][a-z']*(?: [\w'`\"(),.-]+)+[.!:]")
"""A sentence below a diff that nothing fences. Other lines are context: without them a hunk may mean another place."""
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*(\S*)[ \t]*")


def hunks_of(lines: Sequence[str]) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """The hunks of the unified diffs among an answer's lines, and what is wrong with others.

    Numbers in @@ lines are not looked at, as models cannot count: a hunk is known by its lines alone.
    """
    edits: list[Edit] = []
    faults: list[str] = []
    for path, body in _bodies(lines):
        edit = _edit_of(body, path)
        if isinstance(edit, str):
            faults.append(edit)
        elif edit is not None:
            edits.append(edit)
    return tuple(edits), tuple(faults)


def _bodies(lines: Sequence[str]) -> list[tuple[str | None, list[str]]]:
    """The lines of each hunk, with the path of its file."""
    found: list[tuple[str | None, list[str]]] = []
    path: str | None = None
    body: list[str] | None = None
    fenced = False
    at = 0
    while at < len(lines):
        line = lines[at]
        after = lines[at + 1] if at + 1 < len(lines) else ""
        fence = _FENCE.fullmatch(line)
        old = _OLD.fullmatch(line)
        if fence is not None:
            opens = not fenced
            fenced, body = opens, None
            headless = after[:1] in ("+", "-", " ") and not _OLD.fullmatch(after)
            if opens and headless and fence[1].lower() in ("diff", "patch", "udiff"):
                body = []
                found.append((path, body))
        elif old is not None and _NEW.fullmatch(after):
            path, body = _path(old[1], after[3:]), None
            at += 1
            following = lines[at + 1] if at + 1 < len(lines) else ""
            if not _HUNK.fullmatch(following):
                body = []  # headers, but no @@ line
                found.append((path, body))
        elif _HUNK.fullmatch(line):
            body = []
            found.append((path, body))
        elif _NOTES.fullmatch(line):
            body = None
        elif body is not None and not line.startswith("\\"):
            body.append(line)
        at += 1
    return found


def _path(old: str, new: str) -> str | None:
    """The file that a diff's two header lines name."""
    for name in (new, old):
        name = name.strip().partition("\t")[0].strip('"')
        if name != "/dev/null":
            return name[2:] if name[:2] in ("a/", "b/") else name.removeprefix("./")
    return None


def _edit_of(body: Sequence[str], path: str | None) -> Edit | str | None:
    """A hunk as lines to be found and lines that replace them; None for one without any line."""
    changes = [at for at, line in enumerate(body) if line[:1] in ("+", "-")]
    below = changes[-1] if changes else len(body) - 1
    for at in range(below + 1, len(body) - 1):
        if not body[at].strip() and _PROSE.fullmatch(body[at + 1]):
            body = body[:at]
            break
    while body and not body[-1]:  # a line of a space alone is context; an empty one may be none
        body = body[:-1]
    if not body:
        return None
    if not any(line[:1] in ("+", "-") for line in body):
        return "a hunk has no line that begins with + or -"
    if all(line[:1] == "+" or not line.strip() for line in body):
        return "a hunk has new lines only: it needs lines around them that say where they belong"
    marked = _parts(body, all_marked=True)
    unmarked = _parts(body, all_marked=False)
    return Edit(search=marked[0], replace=marked[1], path=path, unmarked=None if marked == unmarked else unmarked)


def _parts(body: Sequence[str], *, all_marked: bool) -> tuple[str, str]:
    """The lines before and after; those that begin with neither + nor - stand in both."""
    old, new = [], []
    for line in body:
        if line.startswith("-"):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])
        else:
            text = line[1:] if all_marked and line.startswith(" ") else line
            old.append(text)
            new.append(text)
    return "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new)
