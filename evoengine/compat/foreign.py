"""A task of another engine as a problem."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from evoengine.compat.mapping import Mapped
from evoengine.compat.tasks import Task
from evoengine.errors import ProblemError
from evoengine.paths import bundled
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.shipping import moved
from evoengine.types import Harness, Program

_LANGUAGES = {
    ".py": "python", ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".cu": "cuda", ".f90": "fortran", ".go": "go",
    ".java": "java", ".jl": "julia", ".js": "javascript", ".r": "r", ".rs": "rust", ".swift": "swift",
    ".ts": "typescript", ".v": "verilog", ".wl": "wolfram",
}  # fmt: skip
_GOAL_CHARS = 400
_PART_CHARS = 1500
_FIRST = ("error", "stderr", "text_feedback", "failure_stage", "traceback")
"""Texts that are told before others."""
_HIDDEN = ("private", "combined_score")
_SET = (
    "name", "goal", "entry", "seed", "features", "limits", "notes", "engine", "folder", "evaluator", "options",
    "fitness", "apart",
)  # fmt: skip
"""What `attributes` gives; pydantic asks for annotations where a class is made without a body."""
_RESERVED = frozenset({"value", "instances", "feedback", "outputs"})


class Foreign(Problem):
    """A problem whose score another engine's evaluator computes, in the candidate's own process.

    That evaluator and the candidate run together in the jail, and what they say is believed as far as its form goes:
    a candidate can forge its score (`self_scored`), and cannot leave the jail.

    Attributes:
        engine: whose task it is: "openevolve", "shinka" or "codeevolve".
        folder: the task's; what the evaluator may read.
        evaluator: its path in the folder.
        options: what it has to be given, by engine (`sandbox/foreign/harness.py`).
        fitness: the metric that is the score; None for the combined score, or the mean of all metrics.
        apart: metrics that the mean leaves out.
    """

    self_scored: ClassVar[bool] = True
    engine: ClassVar[str]
    folder: ClassVar[Path]
    evaluator: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    fitness: ClassVar[str | None] = None
    apart: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def harness(self) -> Harness:  # type: ignore[override]  # a property in the place of a class's attribute
        """The evaluator's surroundings."""
        text = (bundled("sandbox") / "foreign" / "harness.py").read_text(encoding="utf-8")
        return Harness(program=Program.of(text), entry="assess", readable=(str(self.folder.resolve()),))

    def play(self, candidate: Player, stage: str = "full") -> Score:  # noqa: ARG002  # there is one
        program = candidate.content
        if not isinstance(program, Program):
            raise Reject("a task of another engine judges programs, not contexts")
        task = {
            **self.options,
            "engine": self.engine,
            "folder": str(self.folder.resolve()),
            "evaluator": self.evaluator,
            "text": program.text,
            "suffix": Path(program.main).suffix,
            "shims": str(bundled("sandbox") / "foreign" / "shims"),
        }
        return self.scored(candidate(task))

    def scored(self, told: Any) -> Score:
        """The score that an evaluator told, as the other engine would have it.

        Args:
            told: as `sandbox/foreign/harness.py` gives it; untrusted.

        Raises:
            Reject: there is none.
        """
        numbers, flags, texts, bad = _parts(told)
        feedback = _feedback(texts, bad)
        if told["failed"] is not None:
            raise Reject("\n".join([str(told["failed"]), feedback]).strip())
        value, how = self._value(numbers, texts, bad, feedback)
        metrics = {**numbers, **{name: float(flag) for name, flag in flags.items()}}
        if any(feature.name == "score" for feature in self.features):
            metrics.setdefault("score", value)
        named: dict[str, Any] = {f"{name}_" if name in _RESERVED else name: one for name, one in metrics.items()}
        return Score(
            value,
            feedback="\n".join(part for part in (how, feedback) if part),
            outputs={"flags": flags, "texts": texts},
            **named,
        )

    def _value(
        self, numbers: Mapping[str, float], texts: Mapping[str, str], bad: Mapping[str, str], feedback: str
    ) -> tuple[float, str]:
        """The value, and how it was come by where that is not plain."""
        wanted = self.fitness or "combined_score"
        if wanted in numbers:
            return numbers[wanted], ""
        if wanted in bad:
            raise Reject(f"{wanted} is {bad[wanted]}\n{feedback}".strip())
        try:
            found = float(texts[wanted])
        except (KeyError, ValueError):
            found = math.nan
        if math.isfinite(found):
            return found, ""
        counted = {name: one for name, one in numbers.items() if name not in self.apart} or dict(numbers)
        if self.engine != "openevolve" or not counted or set(counted) == {"error"}:
            raise Reject(f"the evaluator gave no {wanted}\n{feedback}".strip())
        if any(one != "nan" and name not in self.apart for name, one in bad.items()):
            raise Reject(f"a metric is infinite, and the score is the mean of all\n{feedback}".strip())
        return sum(counted.values()) / len(counted), f"There is no combined_score: the mean of {', '.join(counted)}."

    def __reduce__(self) -> tuple[Any, ...]:
        """By the folder where it was recognised in one: no module holds its class."""
        place = vars(type(self)).get("__evoengine_plugin__")
        return super().__reduce__() if place is None else (_again, (place, self.settings()))  # type: ignore[return-value]


_classes: dict[str, type[Foreign]] = {}


def problem_class(folder: Path) -> type[Foreign]:
    """The problem of a folder that holds a task, made once for each process.

    Raises:
        ProblemError: it holds none.
        SettingError, MissingExtra: its config cannot be read.
    """
    place = str(folder.expanduser().resolve())
    if place not in _classes:
        task = Task.found(folder)
        if task is None:
            raise ProblemError(f"{folder} is no task of another engine.")
        title = "".join(part.capitalize() for part in task.name.split("_"))
        _classes[place] = type(title, (Foreign,), {"__evoengine_plugin__": place, **attributes(task)})
    return _classes[place]


def attributes(task: Task, mapped: Mapped | None = None) -> dict[str, Any]:
    """What a task comes to as attributes of a subclass of `Foreign`, but for where it lies."""
    mapped = Mapped.of(task) if mapped is None else mapped
    judge = (task.folder / task.evaluator).read_text(encoding="utf-8", errors="replace")
    suffix = Path(task.program).suffix
    language = _LANGUAGES.get(suffix, "text")
    message = mapped.message
    return {
        "__module__": __name__,
        "__doc__": f"A task of {task.engine}.",
        "name": task.name,
        "goal": _goal(message) or _goal(_docstring(judge)) or f"Improve the program by what {task.evaluator} says.",
        "entry": _entry(task.text, judge) if language == "python" else Path(task.program).stem,
        "seed": Program(files={Path(task.program).name: task.text}, language=language),
        "features": mapped.features,
        "limits": mapped.limits,
        "notes": message,
        "engine": task.engine,
        "folder": task.folder,
        "evaluator": task.evaluator,
        "options": mapped.options,
        "fitness": mapped.fitness,
        "apart": mapped.apart,
        "__annotations__": dict.fromkeys(_SET, ClassVar[Any]),
    }


def _again(place: str, settings: dict[str, Any]) -> Foreign:
    return problem_class(Path(moved(place)))(**settings)  # on another machine it lies where it was unpacked


def _parts(told: Any) -> tuple[dict[str, float], dict[str, bool], dict[str, str], dict[str, str]]:
    """What was told, by kind.

    Raises:
        Reject: it has another form; the candidate had its hands in it.
    """
    kinds: dict[str, type | tuple[type, ...]] = {"numbers": (int, float), "flags": bool, "texts": str, "bad": str}
    if not isinstance(told, dict) or not {*kinds, "failed"} <= set(told):
        raise Reject("what came back is not the form of a result")
    for name, kind in kinds.items():
        part = told[name]
        fits = isinstance(part, dict) and all(
            isinstance(one, kind) and isinstance(one, bool) == (name == "flags") for one in part.values()
        )
        if not fits:
            raise Reject("what came back is not the form of a result")
    try:
        numbers = {name: float(one) for name, one in told["numbers"].items()}
    except OverflowError:
        raise Reject("what came back is not the form of a result") from None
    return numbers, dict(told["flags"]), dict(told["texts"]), dict(told["bad"])


def _feedback(texts: Mapping[str, str], bad: Mapping[str, str]) -> str:
    """The texts that an evaluator gave, what went wrong first."""
    told = [name for name in texts if name not in _HIDDEN]
    told.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    parts = [f"{name}: {texts[name].strip()[:_PART_CHARS]}" for name in told if texts[name].strip()]
    parts += [f"{name} is {one}." for name, one in bad.items()]
    return "\n".join(parts)


def _goal(text: str) -> str:
    """The first paragraph of a text that says something, on one line."""
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in paragraph.splitlines() if not line.lstrip().startswith("#")]
        told = " ".join(" ".join(lines).split())
        if len(told) > len("SETTING:") and " " in told:
            return told if len(told) <= _GOAL_CHARS else f"{told[:_GOAL_CHARS].rsplit(' ', 1)[0]} …"
    return ""


def _docstring(text: str) -> str:
    try:
        return ast.get_docstring(ast.parse(text)) or ""
    except (SyntaxError, ValueError, RecursionError):
        return ""


def _entry(program: str, evaluator: str) -> str:
    """The function of the first program that the evaluator is most likely to call; for what models are told.

    One that the evaluator names in quotes or behind a dot, the last of them as helpers come first; or else the last.
    """
    named = re.findall(r"^def\s+(\w+)\s*\(|^async\s+def\s+(\w+)\s*\(", program, flags=re.MULTILINE)
    names: list[str] = [plain or later for plain, later in named]
    called = [name for name in names if re.search(rf"[.'\"]{name}\b", evaluator)]
    return (called or names or ["main"])[-1]
