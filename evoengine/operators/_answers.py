"""What a model's answer makes of a program: its blocks kept, its syntax checked, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from evoengine.operators.editing import (
    Broken,
    Edit,
    Numbered,
    Refused,
    Unread,
    apply_edits,
    breach,
    check_syntax,
    edits_of,
    kept,
    whole_of,
)
from evoengine.prompts import Subject
from evoengine.types import Content, Note

_SAID = re.compile(r"^[ \t>*#_-]*(HYPOTHESIS|CHANGE|PREDICTED)[*_ \t]*:[*_ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)
_MOST_NEW_FILES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an answer gives no program.

    Attributes:
        nearest: the lines most like those that an edit looked for in vain.
    """

    why: str
    nearest: tuple[Numbered, ...] = ()


def note_of(text: str) -> Note | None:
    """What a model said of its change; None when it said nothing."""
    said: dict[str, str] = {}
    for match in _SAID.finditer(text):
        said.setdefault(match[1].lower(), match[2].strip())
    return Note(**said) if said else None


def whole(text: str, subject: Subject) -> Content | Fault:
    """The program that an answer gives in full."""
    found = whole_of(text, subject.language, tuple(subject.files))
    if isinstance(found, Unread):
        return Fault(why=found.why)
    given = {(path or subject.main): file for path, file in found.files.items()}
    files: dict[str, str] = {}
    for path, file in given.items():
        if path not in subject.files:
            files[path] = file
            continue
        safe = kept(subject.files[path], file, subject.language)
        if isinstance(safe, Broken):
            return Fault(why=f"{path}: {safe.why}")
        files[path] = safe.text
    return _checked(files, subject)


def edited(text: str, subject: Subject) -> Content | Fault:
    """The program with the edits of an answer; all of them are applied, or none."""
    found = edits_of(text, tuple(subject.files))
    if isinstance(found, Unread):
        return Fault(why=found.why)
    if found.faults or found.truncated:
        return Fault(why="; ".join((*found.faults, *(["the last block does not end"] if found.truncated else []))))
    by_path: dict[str, list[Edit]] = {}
    for edit in found.edits:
        by_path.setdefault(_place(edit, subject), []).append(edit)
    files: dict[str, str] = {}
    for path, edits in by_path.items():
        if path not in subject.files:
            if len(edits) == 1 and not edits[0].search.strip():
                files[path] = edits[0].replace
                continue
            return Fault(why=f"there is no file {path!r}; there are: {', '.join(sorted(subject.files))}")
        result = apply_edits(subject.files[path], edits, subject.language)
        if isinstance(result, Refused):
            where = f"block {result.at + 1}" + ("" if subject.single else f" of {path}")
            return Fault(why=f"{where}: {result.why}", nearest=result.nearest)
        outside = breach(subject.files[path], result.text, subject.language)
        if outside is not None:
            return Fault(why=outside)
        files[path] = result.text
    return _checked(files, subject)


def _place(edit: Edit, subject: Subject) -> str:
    """The file that an edit is of: the one it names, or the only one that has its first line."""
    if edit.path is not None and edit.path in subject.files:
        return edit.path
    if subject.single:
        return subject.main
    if edit.path is not None:
        ends = [path for path in subject.files if path.endswith("/" + edit.path)]
        return ends[0] if len(ends) == 1 else edit.path
    first = next((line.strip() for line in edit.search.splitlines() if line.strip()), "")
    holding = [path for path, text in subject.files.items() if first and first in text]
    return holding[0] if len(holding) == 1 else subject.main


def _checked(files: Mapping[str, str], subject: Subject) -> Content | Fault:
    """A content with these files, unless one has a path that leads elsewhere or a syntax that is none."""
    new = [path for path in files if path not in subject.files]
    if new and (subject.language == "markdown" or len(new) > _MOST_NEW_FILES):
        return Fault(why=f"there is no {new[0]!r}; there are: {', '.join(sorted(subject.files))}")
    for path, text in files.items():
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            return Fault(why=f"{path!r} is no path inside the program")
        known = subject.language if path in subject.files or path.endswith(".py") else ""
        wrong = check_syntax("json" if path.endswith(".json") else known, text)
        if wrong is not None:
            return Fault(why=f"{'' if subject.single else f'{path}: '}{wrong}")
    return subject.with_files(files)
