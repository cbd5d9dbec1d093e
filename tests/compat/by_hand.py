"""What the evaluators of the tasks beside this file say when they are called by hand, as their own engines call them.

Nothing of `evoengine` or of the harness is used here, but for the modules that stand for the engines' packages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TASKS = Path(__file__).resolve().parent / "tasks"
_SHIMS = Path(__file__).resolve().parents[2] / "sandbox" / "foreign" / "shims"

_CALLS_EVALUATE = """
import asyncio, importlib.util, inspect, json, sys
sys.path.insert(0, ".")
spec = importlib.util.spec_from_file_location("evaluation_module", "evaluator.py")
module = importlib.util.module_from_spec(spec)
sys.modules["evaluation_module"] = module
spec.loader.exec_module(module)
found = module.evaluate(sys.argv[1])
if inspect.iscoroutine(found):
    found = asyncio.run(found)
metrics = getattr(found, "metrics", found)
numbers = {name: float(value) for name, value in metrics.items() if not isinstance(value, (str, dict))}
print("told:" + json.dumps(numbers))
"""


def openevolve(task: str, program: str, folder: Path) -> dict[str, float]:
    """The numbers that `evaluate` gives."""
    copied = folder / f"copied{Path(program).suffix}"
    copied.write_text((TASKS / task / program).read_text(encoding="utf-8"), encoding="utf-8")
    printed = _run([sys.executable, "-c", _CALLS_EVALUATE, str(copied)], TASKS / task)
    [told] = [line for line in printed.splitlines() if line.startswith("told:")]
    return dict(json.loads(told.removeprefix("told:")))


def shinka(task: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """What `evaluate.py` writes into metrics.json."""
    script = [sys.executable, "evaluate.py", "--program_path", "initial.py", "--results_dir", str(folder), *arguments]
    _run(script, TASKS / task)
    assert json.loads((folder / "correct.json").read_text(encoding="utf-8"))["correct"] is True
    return dict(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))


def codeevolve(task: str, folder: Path) -> dict[str, Any]:
    """What `evaluate.py` writes into its second argument."""
    inside = TASKS / task / "input"
    _run([sys.executable, str(inside / "evaluate.py"), "init_program.py", str(folder / "out.json")], inside / "src")
    return dict(json.loads((folder / "out.json").read_text(encoding="utf-8")))


def _run(command: list[str], folder: Path) -> str:
    path = {**os.environ, "PYTHONPATH": str(_SHIMS), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
