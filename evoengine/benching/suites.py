"""Suites: which problems are run, by which methods, over how many seeds, at which budget."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field

from evoengine.component import Component
from evoengine.errors import SettingError
from evoengine.mutators import EVOLVE, FLOOR, MUTATORS

_SHIPPED = Path(__file__).parent / "suites"


class Task(Component):
    """A problem with a budget.

    Attributes:
        problem: a name or path, or a table with `use` and settings.
        name: by which its campaigns and rows are called; the problem's when left out.
        evaluations: the budget of each campaign; the suite's when left out.
        parts: any other settings of its campaigns, whatever the method.
    """

    problem: str | dict[str, Any]
    name: str = ""
    evaluations: int | None = Field(default=None, ge=1)
    parts: dict[str, Any] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called."""
        use = self.problem if isinstance(self.problem, str) else str(self.problem.get("use", ""))
        return self.name or Path(use).stem


class Suite(Component):
    """What a benchmark runs.

    Attributes:
        name: by which it is called.
        about: one line.
        evaluations: the budget of each campaign.
        seconds: after which a campaign ends before its budget is spent; None for never. With it, results depend on the
            machine where campaigns are that slow; how many were is told.
        seeds: how many campaigns each method has on each problem; their seeds are 0, 1, 2, ...
        methods: names of mutators (`evoengine.mutators.MUTATORS`) or of one's own, and the campaign settings that make
            the method what it is.
        tasks: at least one.
    """

    name: str
    about: str = ""
    evaluations: int = Field(default=1000, ge=1)
    seconds: float | None = Field(default=None, gt=0)
    seeds: int = Field(default=3, ge=1)
    methods: dict[str, dict[str, Any]]
    tasks: tuple[Task, ...] = Field(min_length=1)

    @classmethod
    def named(cls, name: str) -> Suite:
        """A suite that ships with evoengine, or the one that a TOML file describes.

        Raises:
            SettingError: there is none, or a setting is wrong.
        """
        path = Path(name).expanduser() if name.endswith(".toml") else _SHIPPED / f"{name}.toml"
        if not path.is_file():
            known = suites()
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SettingError(
                f"there is no suite {name!r}; there are: {', '.join(known)}, or give a .toml file.{hint}"
            )
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingError(f"the suite {path} cannot be read: {error}.") from None
        return cls(**{"name": path.stem, **given, "tasks": tuple(Task(**one) for one in _tables(given, path))})

    def narrowed(
        self,
        *,
        only: tuple[str, ...] = (),
        methods: tuple[str, ...] = (),
        seeds: int | None = None,
        evaluations: int | None = None,
        model: bool = False,
    ) -> Suite:
        """The suite with some of its tasks and methods, other budgets, and what belongs beside a language model.

        Args:
            only: labels of tasks; all of them when left out.
            methods: names of its methods or of mutators; its own when left out, and the floor where a model is asked.
            seeds: how many, in the place of its own.
            evaluations: the budget of each campaign, in the place of its own.
            model: whether the campaigns are given a language model.

        Raises:
            SettingError: a name is not known.
        """
        labels = {task.label: task for task in self.tasks}
        tasks = tuple(labels[_known(label, list(labels), "task")] for label in only) or self.tasks
        if evaluations is not None:
            tasks = tuple(task.model_copy(update={"evaluations": evaluations}) for task in tasks)
        names = methods or (*self.methods, *((FLOOR,) if model and FLOOR not in self.methods else ()))
        known = [*self.methods, *(name for name in MUTATORS if name not in self.methods)]
        chosen = {name: self.methods.get(_known(name, known, "method"), {"mutator": name}) for name in names}
        return self.model_copy(update={"tasks": tasks, "methods": chosen, "seeds": seeds or self.seeds})

    @property
    def baselines(self) -> list[str]:
        """The methods that others are compared with: those whose mutator leaves something out."""
        found = [name for name, given in self.methods.items() if given.get("mutator", EVOLVE) != EVOLVE]
        return found if len(found) < len(self.methods) else []


def suites() -> list[str]:
    """The names of the suites that ship with evoengine."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def _tables(given: Mapping[str, Any], path: Path) -> list[dict[str, Any]]:
    tasks = given.get("tasks")
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise SettingError(f"the suite {path} has no [[tasks]]; give at least one, with problem = NAME.")
    return tasks


def _known(name: str, names: list[str], what: str) -> str:
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"the suite has no {what} {name!r}; there are: {', '.join(names)}.{hint}")
    return name
