"""The attacks: programs that try one thing each, with what must come of it in their headers."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evoengine.errors import PluginError
from evoengine.paths import bundled
from evoengine.types import JSON, Cause, Limits

GROUPS = {
    0: "honest controls",
    1: "time",
    2: "memory",
    3: "processes and threads",
    4: "writes",
    5: "reads of secrets",
    6: "network",
    7: "attacks on the parent",
    8: "kernel surface",
    9: "forging",
    10: "hostile values",
    11: "patience",
}
"""What attacks are about, by the number that their names begin with, less its last two digits."""

WATCHED = (
    "cause", "outputs", "measure", "text", "secrets", "canaries", "leftovers", "listeners", "processes",
    "memory", "engine", "warm", "after",
)  # fmt: skip
"""What a judge looks at, for every attack:

cause: what the job came to is among what must follow; outputs: what was answered is, and is plain data;
measure: CPU time is what was used; text: what was printed is bounded, and cannot steer a terminal;
secrets: none is in anything that was captured; canaries: files are as they were; leftovers: no file or shared
memory segment is new; listeners: nobody connected; processes: none is left; memory: the most in use on the
machine; engine: the engine's process is as it was; warm: so is the process that candidates are forked from;
after: the next honest candidate scores right, at once.
"""

LAYERS = {
    "namespaces", "user", "limits", "landlock", "seccomp", "cgroup", "capabilities", "no new privileges",
    "engine", "reaping", "frames", "descriptors", "environment", "separate processes", "measured outside",
    "cleaned text",
}  # fmt: skip
"""What may hold an attack: the jail's layers, and how the engine deals with any process that it runs."""

SCORED = "scored"

_BASE = {
    "cpu_seconds": 2.0,
    "wall_seconds": 30.0,
    "memory_mib": 128,
    "output_mib": 1.0,
    "printed_mib": 1.0,
    "processes": 0,
    "descriptors": 64,
}
_HEADER = {"MUST", "OUTPUTS", "WATCH", "LAYERS", "LIMITS", "CALLS", "LEAST_CPU_SECONDS", "NEEDS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A program that tries one thing.

    Attributes:
        name: of its file; begins with a number of four digits.
        tries: what it tries, in a line.
        text: the program; its function `attack` is called with the facts of a `World`.
        must: what may come of it: causes, or "scored" when its calls may be answered.
        outputs: what each answer must be one of, where it may be answered; None for any plain data.
        watch: where it shows when it gets through; any of `WATCHED`.
        layers: what holds it.
        calls: how often it is called.
        least_cpu_seconds: what it uses, and must be measured.
        needs: modules without which it makes no sense.
    """

    name: str
    tries: str
    text: str
    must: frozenset[str]
    outputs: tuple[JSON, ...] | None = None
    watch: frozenset[str] = frozenset()
    layers: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    calls: int = 1
    least_cpu_seconds: float = 0.0
    needs: tuple[str, ...] = ()

    @property
    def group(self) -> int:
        """A key of `GROUPS`."""
        return int(self.name[:4]) // 100

    @property
    def honest(self) -> bool:
        """Whether it is no attack: a control that must score."""
        return self.group == 0

    @property
    def possible(self) -> bool:
        """Whether the modules that it needs are there."""
        return all(find_spec(name) is not None for name in self.needs)


def attacks(folder: Path | None = None) -> list[Attack]:
    """Every attack of a folder, by default those that ship with evoengine, in the order of their numbers.

    The programs are read, never run.

    Raises:
        PluginError: a header is missing or wrong; the message names the file.
    """
    place = bundled("attacks") if folder is None else folder
    found = [_read(path) for path in sorted(place.glob("[0-9][0-9][0-9][0-9]_*.py"))]
    if not found:
        raise PluginError(f"there are no attacks in {place}; expected files called 0101_name.py")
    return found


def _read(path: Path) -> Attack:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, str(path))
    header: dict[str, Any] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _HEADER:
                header[name] = ast.literal_eval(value)
    tries = (ast.get_docstring(tree) or "").partition("\n")[0]
    if not tries or "MUST" not in header:
        raise PluginError(f"{path}: an attack needs a first line that says what it tries, and MUST = {{...}}")
    must, outputs = frozenset(header["MUST"]), header.get("OUTPUTS", ())
    watch = frozenset(header.get("WATCH", ()))
    layers = tuple(header.get("LAYERS", ()))
    wrong = (must - {SCORED, *map(str, Cause)}) | (watch - set(WATCHED)) | (set(layers) - LAYERS)
    if wrong or (SCORED in must) != ("OUTPUTS" in header) or int(path.name[:4]) // 100 not in GROUPS:
        raise PluginError(
            f"{path}: MUST holds causes and, along with OUTPUTS, 'scored'; WATCH any of {', '.join(WATCHED)}; "
            f"LAYERS any of {', '.join(sorted(LAYERS))}; "
            f"the number is one of a group. Wrong: {', '.join(sorted(wrong)) or 'OUTPUTS or number'}"
        )
    return Attack(
        name=path.stem,
        tries=tries,
        text=text,
        must=must,
        outputs=None if outputs is ... else tuple(outputs),
        watch=watch,
        layers=layers,
        limits=_limits(header.get("LIMITS", {}), path),
        calls=header.get("CALLS", 1),
        least_cpu_seconds=header.get("LEAST_CPU_SECONDS", 0.0),
        needs=tuple(header.get("NEEDS", ())),
    )


def _limits(given: Mapping[str, Any], path: Path) -> Limits:
    unknown = set(given) - {one.name for one in fields(Limits)}
    if unknown:
        raise PluginError(f"{path}: LIMITS has no {', '.join(sorted(unknown))}")
    return Limits(**{**_BASE, **given})
