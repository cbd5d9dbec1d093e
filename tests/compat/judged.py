"""Tasks of other engines, judged as a campaign judges them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from evoengine.compat import Foreign
from evoengine.evaluator import Evaluator
from evoengine.plugins import build
from evoengine.sandboxes.jail import Jail
from evoengine.types import Evaluation, Program


def problem_in(folder: Path) -> Foreign:
    """The problem that a folder is recognised as."""
    problem = build("problems", str(folder))
    assert isinstance(problem, Foreign)
    return problem


def evaluation_of(folder: Path, text: str | None = None, tier: Any = "auto") -> Evaluation:
    """Of a program, or of the task's own first one."""
    problem = problem_in(folder)
    [seed] = problem.seeds()
    assert isinstance(seed, Program)
    evaluator = Evaluator(problem=problem, sandbox=Jail(tier=tier))
    try:
        return evaluator.evaluate(seed if text is None else seed.with_text(dedent(text))).evaluation
    finally:
        evaluator.close()


def written(folder: Path, **files: str) -> Path:
    """A task of some files (`initial_program` stands for `initial_program.py`, and so on), open to others."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + (".yaml" if name == "config" else ".py"))
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return folder
