"""Recognising a folder that was written for another engine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evoengine.errors import MissingExtra, SettingError

ENGINES = {
    "openevolve": "OpenEvolve (initial_program.* and evaluator.py)",
    "shinka": "ShinkaEvolve (initial.* and evaluate.py)",
    "codeevolve": "CodeEvolve (evaluate.py and src/init_program.*, or both under input/)",
}
"""Engine to what its tasks are recognised by."""
_PLACES = (
    ("openevolve", "evaluator.py", "", "initial_program"),
    ("codeevolve", "evaluate.py", "src", "init_program"),
    ("codeevolve", "evaluate.py", "", "init_program"),
    ("shinka", "evaluate.py", "", "initial"),
)
"""Engine, evaluator, and where the first program is and what it is called, without its suffix."""
_CONFIGS = ("config.yaml", "config.yml", "shinka.yaml", "configs/config.yaml")
_NO_PROGRAMS = {".md", ".pyc", ".yaml", ".yml", ".json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of another engine, as it lies in a folder.

    Attributes:
        folder: what its evaluator may read; absolute.
        name: the task's, a Python name.
        evaluator: a path in the folder.
        program: the first program, likewise.
        config: of the engine; None where there is none.
    """

    engine: str
    folder: Path
    name: str
    evaluator: str
    program: str
    config: Path | None = None

    @classmethod
    def found(cls, folder: Path) -> Task | None:
        """The task in a folder; None where there is none.

        Raises:
            SettingError: several files could be the first program.
        """
        folder = folder.expanduser().resolve()
        for inner in (folder, folder / "input"):
            for engine, evaluator, place, stem in _PLACES:
                if inner != folder and engine != "codeevolve":
                    continue
                program = _program(inner / place, stem) if (inner / evaluator).is_file() else None
                if program is not None:
                    return cls(
                        engine=engine,
                        folder=inner,
                        name=_name(folder.name),
                        evaluator=evaluator,
                        program=str(program.relative_to(inner)),
                        config=_config(folder) or _config(inner),
                    )
        return None

    @property
    def text(self) -> str:
        """The first program."""
        return (self.folder / self.program).read_text(encoding="utf-8")

    def settings(self) -> dict[str, Any]:
        """What its config file says; nothing where there is none.

        Raises:
            SettingError: it cannot be read, or is no YAML with names at its top.
            MissingExtra: there is one, and nothing to read it with.
        """
        if self.config is None:
            return {}
        if find_spec("yaml") is None:
            raise MissingExtra(f"reading {self.config.name} of another engine", "compat")
        import yaml

        try:
            found = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SettingError(f"{self.config} cannot be read: {' '.join(str(error).split())}.") from None
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise SettingError(f"{self.config} holds a {type(found).__name__}; expected settings by name.")
        return {str(key): value for key, value in found.items()}


def _program(folder: Path, stem: str) -> Path | None:
    if not folder.is_dir():
        return None
    found = sorted(
        path for path in folder.iterdir() if path.stem == stem and path.is_file() and path.suffix not in _NO_PROGRAMS
    )
    if len(found) > 1:
        python = [path for path in found if path.suffix == ".py"]
        if len(python) != 1:
            names = ", ".join(path.name for path in found)
            raise SettingError(f"{folder} has several first programs ({names}); keep one of them there.")
        found = python
    return found[0] if found else None


def _config(folder: Path) -> Path | None:
    named = [folder / name for name in _CONFIGS if (folder / name).is_file()]
    if named:
        return named[0]
    others = [*folder.glob("config*.yaml"), *folder.glob("configs/*.yaml")]
    return others[0] if len(others) == 1 else None


def _name(folder: str) -> str:
    made = "".join(one if one.isascii() and one.isalnum() else "_" for one in folder.lower()).strip("_") or "task"
    return f"task_{made}" if made[0].isdigit() else made
