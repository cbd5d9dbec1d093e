"""Runs another engine's evaluator on a candidate, in the candidate's own process, and tells what it said.

It is the program that the jail runs in every candidate's stead; the candidate is a text that is handed to `assess`,
written to a file and left to the evaluator. So nothing that comes out of here is more than the candidate's own word.

What an evaluator is given is what its own engine gives it: the task's folder to read and to be in, its folder and
the program's on the path, a program's file whose name can be imported, a folder for what it writes, and those
modules of its engine that evaluators import (`shims`, beside this file).
"""

from __future__ import annotations

import asyncio
import builtins
import importlib.util
import inspect
import json
import math
import os
import runpy
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

_MOST_NAMES = 200
_MOST_CHARS = 20_000
_OF_THE_RUN = frozenset({"extra_data", "early_stop", "execution_time_mean", "execution_time_std"})
"""What `run_shinka_eval` adds of its own; times would make every repetition another result."""
_made = 0


class Failure(Exception):
    """The evaluator did not give what its engine would take for a result."""


def assess(task: dict[str, Any]) -> dict[str, Any]:
    """What the evaluator says of a candidate.

    Args:
        task: `engine`, `folder` (of the task), `evaluator` (a path in it), `text` and `suffix` (of the candidate),
            `shims` (their folder), and what the engine's function below asks for.

    Returns:
        `numbers`, `flags` and `texts` by name, `bad` (names of numbers that are infinite or none), `failed`
        (why there is no result, or None).
    """
    builtins.__dict__["_knobs_"] = globals().get("_knobs_", [])  # for a candidate whose numbers are being tuned
    try:
        evaluator, program = _prepared(task)
        told = _ENGINES[task["engine"]](task, evaluator, program)
    except BaseException as error:  # foreign code, SystemExit included
        told = _Told()
        last = traceback.format_exception(error) if not isinstance(error, Failure) else [str(error)]
        told.failed = "".join(last)[-_MOST_CHARS:]
    return {
        "numbers": told.numbers, "flags": told.flags, "texts": told.texts, "bad": told.bad, "failed": told.failed,
    }  # fmt: skip


class _Told:
    """A result, taken apart into what can be sent."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}
        self.flags: dict[str, bool] = {}
        self.texts: dict[str, str] = {}
        self.bad: dict[str, str] = {}
        self.failed: str | None = None

    def add(self, values: dict[Any, Any]) -> None:
        """Takes in metrics: numbers, flags, and whatever else evaluators put among them."""
        for key, value in list(values.items())[:_MOST_NAMES]:
            name, value = str(key)[:100], _python(value)
            if isinstance(value, bool):
                self.flags[name] = value
            elif isinstance(value, int | float):
                number = _float(value)
                if math.isfinite(number):
                    self.numbers[name] = number
                else:
                    self.bad[name] = str(number)
            elif name == "artifacts" and isinstance(value, dict):
                self.say(value)
            elif value is not None:
                self.say({name: value})

    def say(self, values: dict[Any, Any]) -> None:
        """Takes in texts, and anything else as a text."""
        for key, value in list(values.items())[:_MOST_NAMES]:
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            elif not isinstance(value, str):
                value = json.dumps(value, default=_told_as_text)
            self.texts[str(key)[:100]] = value.encode("utf-8", "backslashreplace").decode()[:_MOST_CHARS]


# -- OpenEvolve ------------------------------------------------------------------------------------------------------


def _openevolve(task: dict[str, Any], evaluator: str, program: str) -> _Told:
    """`evaluate(path)`, or the stages of a cascade (`cascade`, `thresholds`), as OpenEvolve 0.4.0 calls them."""
    module = _module("evaluation_module", evaluator)
    if not hasattr(module, "evaluate"):
        raise Failure(f"{task['evaluator']} defines no function 'evaluate'")
    if task["cascade"] and hasattr(module, "evaluate_stage1"):
        metrics, artifacts = _cascade(module, program, task["thresholds"])
    else:
        metrics, artifacts = _result(module.evaluate, program)
    told = _Told()
    told.add(metrics)
    told.say(artifacts)
    return told


def _cascade(module: Any, program: str, thresholds: list[float]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    metrics, artifacts = _result(module.evaluate_stage1, program)
    for number in (2, 3):
        # a threshold that is not there is an error for the second stage and an end before the third one
        if number == 3 and len(thresholds) < 2:
            break
        stage = getattr(module, f"evaluate_stage{number}", None)
        if not _reaches(metrics, thresholds[number - 2]) or stage is None:
            break
        try:
            more, said = _result(stage, program)
        except Exception as error:  # what was reached stands
            artifacts |= {
                f"stage{number}_stderr": str(error),
                f"stage{number}_traceback": traceback.format_exc(),
                "failure_stage": f"stage{number}",
            }
            metrics[f"stage{number}_passed"] = 0.0
            break
        metrics = _floats(metrics) | _floats(more)
        artifacts |= said
    return metrics, artifacts


def _reaches(metrics: dict[Any, Any], threshold: float) -> bool:
    """Whether the combined score does, or else the mean of all numbers but `error`; flags count as numbers here."""
    combined = metrics.get("combined_score")
    if isinstance(combined, int | float):
        return _float(combined) >= threshold
    numbers = [*_floats(metrics).values()]
    return bool(numbers) and sum(numbers) / len(numbers) >= threshold


def _floats(metrics: dict[Any, Any]) -> dict[Any, float]:
    return {name: _float(one) for name, one in metrics.items() if isinstance(one, int | float) and name != "error"}


def _result(function: Callable[[str], Any], program: str) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The metrics and artifacts of a dict, an `EvaluationResult`, or a coroutine that comes to one."""
    found = function(program)
    if inspect.isawaitable(found):
        found = asyncio.run(_awaited(found))
    metrics = found if isinstance(found, dict) else getattr(found, "metrics", None)
    if not isinstance(metrics, dict):
        raise Failure(f"{function.__name__}() returned a {type(found).__name__}, which is no dict of metrics")
    artifacts = {} if found is metrics else getattr(found, "artifacts", None) or {}
    return {name: _python(value) for name, value in metrics.items()}, dict(artifacts)


async def _awaited(found: Any) -> Any:
    return await found


# -- ShinkaEvolve and CodeEvolve -------------------------------------------------------------------------------------


def _shinka(task: dict[str, Any], evaluator: str, program: str) -> _Told:
    """`evaluate.py --program_path FILE --results_dir FOLDER ...`, which writes metrics.json and correct.json."""
    results = tempfile.mkdtemp()
    given = [word for name, value in task["arguments"].items() for word in (f"--{name}", str(value))]
    _run(evaluator, ["--program_path", program, "--results_dir", results, *given])
    verdict = _read(os.path.join(results, "correct.json"))
    metrics = _read(os.path.join(results, "metrics.json"))
    told = _Told()
    public = metrics.pop("public", None)
    if isinstance(public, dict):
        told.add(public)
    told.add({name: value for name, value in metrics.items() if name not in _OF_THE_RUN})
    if verdict.get("correct") is not True:
        why = verdict.get("error") or "evaluate.py does not call it correct"
        told.failed = "\n".join([str(why)[:_MOST_CHARS], told.texts.get("text_feedback", "")]).strip()
    return told


def _codeevolve(task: dict[str, Any], evaluator: str, program: str) -> _Told:
    """`evaluate.py FILE RESULTS`, in a copy of the code base (`base`), which writes its metrics as JSON."""
    if task["base"]:
        place = os.path.join(tempfile.mkdtemp(), "base")
        shutil.copytree(os.path.join(task["folder"], task["base"]), place)
        os.chdir(place)
    results = os.path.join(tempfile.mkdtemp(), "results.json")
    with open(results, "w", encoding="utf-8"):
        pass
    _run(evaluator, [program, results])
    told = _Told()
    told.add(_read(results))
    return told


def _run(evaluator: str, arguments: list[str]) -> None:
    """Runs a script as its engine would from the command line."""
    before, sys.argv = sys.argv, [evaluator, *arguments]
    try:
        runpy.run_path(evaluator, run_name="__main__")
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise Failure(f"{os.path.basename(evaluator)} ended with status {ended.code}") from None
    finally:
        sys.argv = before


def _read(path: str) -> dict[str, Any]:
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise Failure(f"the evaluator left no readable {name}: {error}") from None
    if not isinstance(found, dict):
        raise Failure(f"the evaluator's {name} holds a {type(found).__name__} where an object was expected")
    return found


# -- what they have in common ----------------------------------------------------------------------------------------

_ENGINES: dict[str, Callable[[dict[str, Any], str, str], _Told]] = {
    "openevolve": _openevolve,
    "shinka": _shinka,
    "codeevolve": _codeevolve,
}


def _prepared(task: dict[str, Any]) -> tuple[str, str]:
    """The paths of the evaluator and of the candidate's file, in the surroundings that both expect."""
    global _made
    _made += 1
    evaluator = os.path.join(task["folder"], task["evaluator"])
    folder = tempfile.mkdtemp()
    program = os.path.join(folder, f"candidate_{_made}{task['suffix']}")
    with open(program, "w", encoding="utf-8") as file:
        file.write(task["text"])
    path = [task["shims"], os.path.dirname(evaluator), folder]
    sys.path[:] = [*path, *(one for one in sys.path if one not in path)]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    try:
        os.chdir(task["folder"])
        with open(evaluator, "rb"):
            pass
    except PermissionError:
        raise Failure(
            f"the task cannot be read by the user that candidates are run as; run: chmod -R o+rX {task['folder']}"
        ) from None
    return evaluator, program


def _module(name: str, path: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Failure(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _python(value: Any) -> Any:
    """A numpy scalar, or an array of one number, as Python's own."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    return value.item() if isinstance(value, np.generic) else value


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _told_as_text(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else repr(value)[:_MOST_CHARS]
