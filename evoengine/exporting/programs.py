"""The elites' programs as files that a person can open, run and compare."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from evoengine.errors import CampaignError
from evoengine.readable import harmless, json_line
from evoengine.reading import Reading
from evoengine.types import Content, Program

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 80
"""Characters of one name."""
_DEEPEST = 8
"""Folders inside each other; the rest of a path becomes one name."""
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})
"""Names that are devices on some systems, whatever follows a point."""


def write_programs(reading: Reading, folder: Path) -> int:
    """Writes the elites' programs into a folder, with an `index.csv`, best first; gives their number.

    A program of one file is `NUMBER.py` (or as its file's name ends), one of several files a folder `NUMBER`. Names
    are a candidate's own words: what is no plain name is replaced, and the index tells which.

    Raises:
        CampaignError: the folder is there and not empty.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise CampaignError(
            f"{folder} is not empty: programs of other records would lie beside the elites; name a new folder, "
            f"or empty this one."
        )
    elites = reading.elites()
    records = (reading.record(elite.number) for elite in elites)
    features = [feature.name for feature in reading.features]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "index.csv").open("w", encoding="utf-8", newline="", errors="backslashreplace") as index:
        writer = csv.writer(index, lineterminator="\n")
        named = [harmless(f"feature:{name}") for name in features]
        mark = ["self_scored"] if reading.self_scored else []
        writer.writerow(
            ["number", "score", "operator", "island", "parents", *named, "digest", "path", "renamed", *mark]
        )
        for elite, record in zip(elites, records, strict=True):
            path, renamed = _write(elite.content, folder, f"{elite.number:08d}")
            writer.writerow(
                [
                    elite.number,
                    reading.shown(elite.scored.score),
                    harmless(record.candidate.operator),
                    record.candidate.island,
                    json_line(record.candidate.parents),
                    *(elite.scored.features.get(name) for name in features),
                    elite.content.digest,
                    path,
                    json_line(renamed) if renamed else "",
                    *([True] * len(mark)),
                ]
            )
    return len(elites)


def _write(content: Content, folder: Path, name: str) -> tuple[str, dict[str, str]]:
    """Writes a content; gives its place in the folder, and which of its files are called otherwise, safe to own."""
    match content:
        case Program(files=files) if len(files) == 1:
            [(own, text)] = files.items()
            path = f"{name}{_suffix(own)}"
            _save(folder / path, text)
            return path, {}
        case Program(files=files):
            named = _named(files)
        case _:
            named = _named({f"{section}.md": text for section, text in content.sections.items()})
    renamed = {}
    for own, (path, text) in named.items():
        _save(folder / name / path, text)
        if path != own:
            renamed[path] = own
    return f"{name}/", renamed


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _suffix(path: str) -> str:
    suffix = PurePosixPath(path).suffix
    return suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else ".txt"


def _named(files: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By a file's own path: a safe one that no other has, whatever case the file system minds, and its text."""
    found: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    # those that may keep their names come first: a hostile neighbour cannot take a name away
    for own in sorted(files, key=lambda one: (_safe(one) != one, one)):
        path, copy = _safe(own), 1
        while _clashes(path.lower(), taken):
            copy += 1
            first, *rest = _safe(own).split("/")
            path = "/".join([f"{copy}-{first}"[:_LONGEST], *rest])
        taken.add(path.lower())
        found[own] = (path, files[own])
    return found


def _clashes(path: str, taken: set[str]) -> bool:
    """Whether a path is taken, is a folder of one that is, or would need a file as its folder."""
    above = {str(parent) for parent in PurePosixPath(path).parents}
    return any(other == path or other in above or other.startswith(f"{path}/") for other in taken)


def _safe(path: str) -> str:
    """A relative path of plain names: no way up, nothing hidden, nothing that a shell or a terminal would read."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    parts = [*parts[: _DEEPEST - 1], "_".join(parts[_DEEPEST - 1 :])] if len(parts) > _DEEPEST else parts
    return "/".join(map(_plain_name, parts)) or "_"


def _plain_name(part: str) -> str:
    name = _UNSAFE.sub("_", part)
    if name[:1] in (".", "-") or name.partition(".")[0].lower() in _RESERVED or name.endswith("."):
        name = f"_{name.rstrip('.')}"
    if len(name) > _LONGEST:
        suffix = _suffix(name) if "." in name else ""
        name = name[: _LONGEST - len(suffix)] + suffix
    return name
