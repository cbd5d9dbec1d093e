"""Writing a native problem from a task of another engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from pprint import pformat
from typing import Any

from evoengine.compat.foreign import attributes
from evoengine.compat.mapping import Mapped
from evoengine.compat.tasks import Task
from evoengine.errors import SettingError

_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", ".*", "openevolve_output", "*.db", "*.db-wal", "*.db-shm", "results_*", "*.pyc"
)

_TEXT = '''"""{name}: a task of {engine}, whose evaluator scores it in the candidate's own process.

Written by `evoengine import`. To have scores that a candidate cannot forge, write `inputs` and `judge` (see
`evoengine new problem`) and drop the evaluator.
"""

from pathlib import Path

from evoengine.compat import Foreign
from evoengine.types import Feature, Limits, Program

_TASK = Path(__file__).parent / "task"


class {title}(Foreign):
    name = {name!r}
    goal = {goal}
    entry = {entry!r}
    engine = {engine!r}
    folder = _TASK
    evaluator = {evaluator!r}
    seed = Program(files={{{main!r}: (_TASK / {program!r}).read_text(encoding="utf-8")}}, language={language!r})
    features = {features}
    limits = {limits}
    options = {options}
    fitness = {fitness!r}
    apart = {apart!r}
    notes = {notes}
'''


def write_problem(task: Task, out: Path) -> list[Path]:
    """Writes `problem.py`, `campaign.toml` and the task's files below `task/`; gives what was written.

    Raises:
        SettingError: the folder is there and not empty, or the task's settings cannot be read.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingError(f"{out} is there and not empty; name another folder with --out.")
    if out.resolve().is_relative_to(task.folder):
        raise SettingError(f"{out} lies in the task itself, which is to be copied there; name another with --out.")
    mapped = Mapped.of(task)
    made = attributes(task, mapped)
    shutil.copytree(task.folder, out / "task", ignore=_LEFT_OUT)
    text = _TEXT.format(
        name=task.name,
        title="".join(part.capitalize() for part in task.name.split("_")),
        goal=_written(made["goal"]),
        entry=made["entry"],
        engine=task.engine,
        evaluator=task.evaluator,
        main=made["seed"].main,
        program=task.program,
        language=made["seed"].language,
        features=_written(made["features"]),
        limits=_written(made["limits"]),
        options=_written(dict(made["options"])),
        fitness=made["fitness"],
        apart=made["apart"],
        notes=_written(made["notes"]),
    )
    written = [out / "problem.py", out / "campaign.toml"]
    written[0].write_text(text, encoding="utf-8")
    settings = {"problem": str(out.resolve()), **mapped.campaign}
    written[1].write_text("".join(f"{name} = {_toml(value)}\n" for name, value in settings.items()), encoding="utf-8")
    return [*written, out / "task"]


def _written(value: Any) -> str:
    return pformat(value, width=100, sort_dicts=False).replace("\n", "\n    ")


def _toml(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{json.dumps(str(key))} = {_toml(one)}" for key, one in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value)
