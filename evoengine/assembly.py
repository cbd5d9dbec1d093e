"""Parts from what a person gives for them: a name, settings, or the part itself."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from evoengine.component import Component
from evoengine.errors import CampaignError
from evoengine.executors.base import Executor
from evoengine.gates.base import Gate
from evoengine.islands import Islands
from evoengine.operators.base import Operator
from evoengine.plugins import build, name_of
from evoengine.problem import Problem
from evoengine.shipping import own_files
from evoengine.stores.base import Store
from evoengine.types import Harness

Given: TypeAlias = str | Mapping[str, Any]
"""A plugin's name, or `{"use": name, setting: value, ...}`."""


def store_of(given: Store | str) -> Store:
    """A store from its URL (a bare path is a SQLite file)."""
    if isinstance(given, Store):
        return given
    scheme, found, _ = given.partition("://")
    url = given if found else f"sqlite:///{given}"
    store: Store = build("stores", {"use": scheme if found else "sqlite", "url": url})
    return store


def islands_of(given: Islands | int | Mapping[str, Any]) -> Islands:
    """Islands from their number or settings."""
    match given:
        case Islands():
            return given
        case int():
            return Islands(count=given)
        case _:
            return Islands(**given)


def executor_of(given: Executor | Given, workers: int | None) -> Executor:
    """An executor, on so many workers if that is said."""
    if workers is None or isinstance(given, Executor):
        return cast(Executor, build("executors", given))
    settings = {"use": given} if isinstance(given, str) else dict(given)
    return cast(Executor, build("executors", {**settings, "workers": workers}))


def operators_of(given: Sequence[Operator | Given]) -> dict[str, Operator]:
    """Operators by name, in the order given."""
    if not given:
        raise CampaignError("a campaign needs at least one operator.")
    return _named("operators", given)


def gates_of(given: Sequence[Gate | Given]) -> dict[str, Gate]:
    """Gates by name, in the order given."""
    return _named("gates", given)


def _named(kind: str, given: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in given:
        part = build(kind, one)
        match one:
            case str():
                name = one
            case Component():
                name = name_of(kind, part)
            case _:
                name = str(one["use"])
        name = Path(name).stem
        if name in found or "." in name:
            raise CampaignError(f"{kind[:-1]} {name!r} is given twice; give each once.")
        found[name] = part
    return found


def described(kind: str, part: Component) -> dict[str, Any]:
    """A part's name and settings, as JSON values that `build` takes."""
    return {"use": name_of(kind, part), **part.settings()}


def _sources(problem: type[Problem]) -> list[str]:
    """The texts that define a problem: its plugin's files, or else its class."""
    module = sys.modules.get(problem.__module__)
    where = getattr(module, "__evoengine_plugin__", None)
    if where is not None:
        path = Path(where)
        files = sorted(path.parent.rglob("*.py")) if path.name == "problem.py" else [path]
        return [file.read_text(encoding="utf-8") for file in files]
    try:
        return [inspect.getsource(problem)]
    except (OSError, TypeError):  # typed in at a prompt: there is no source to be had
        return []


def _read_by(harness: Harness) -> Iterator[bytes]:
    """What a harness is and what it may read, but for what runs leave behind."""
    yield harness.program.digest.encode()
    for folder in map(Path, harness.readable):
        for path in own_files(folder):
            yield f"\0{path.relative_to(folder)}\0".encode("utf-8", "surrogateescape") + path.read_bytes()


def fingerprint_of(problem: Problem) -> str:
    """A hash of a problem, its settings and its source: equal where evaluations are comparable."""
    hashed = hashlib.blake2b(digest_size=16)
    hashed.update(json.dumps([problem.name, problem.settings()], sort_keys=True).encode())
    for text in _sources(type(problem)):
        hashed.update(text.encode())
    if problem.harness is not None:
        for data in _read_by(problem.harness):
            hashed.update(data)
    return hashed.hexdigest()
