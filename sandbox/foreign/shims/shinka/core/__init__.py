"""`run_shinka_eval`: calls a program's function several times, and writes down what it came to.

What differs from ShinkaEvolve's own: all runs are made, in this process and in order (nothing is stopped early),
and no plot is made. Their scores do not depend on that.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np

_FAILED: dict[str, Any] = {
    "combined_score": 0.0,
    "execution_time_mean": 0.0,
    "execution_time_std": 0.0,
    "num_successful_runs": 0,
    "num_valid_runs": 0,
    "num_invalid_runs": 0,
    "all_validation_errors": [],
}


def load_program(program_path: str) -> Any:
    """The module in a file, run anew."""
    spec = importlib.util.spec_from_file_location("program", program_path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{program_path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_shinka_eval(
    program_path: str,
    results_dir: str,
    experiment_fn_name: str,
    num_runs: int,
    get_experiment_kwargs: Callable[[int], dict[str, Any]] | None = None,
    aggregate_metrics_fn: Callable[[list[Any]], dict[str, Any]] | None = None,
    validate_fn: Callable[[Any], tuple[bool, str | None]] | None = None,
    plotting_fn: Any = None,  # noqa: ARG001
    default_metrics_on_error: dict[str, Any] | None = None,
    early_stop_method: Any = None,  # noqa: ARG001
    early_stop_threshold: float | None = None,  # noqa: ARG001
    early_stop_score_fn: Any = None,  # noqa: ARG001
    early_stop_kwargs: Any = None,  # noqa: ARG001
    run_workers: int = 1,
    max_workers_cap: int | None = None,
    verbose: bool = True,  # noqa: ARG001
) -> tuple[dict[str, Any], bool, str | None]:
    """Metrics, whether every run was valid, and the first error; also written to `results_dir`.

    Args:
        program_path: of the program.
        results_dir: where `metrics.json` and `correct.json` are put.
        experiment_fn_name: the program's function that is called.
        num_runs: how often.
        get_experiment_kwargs: from a run's number, from 0, to its keyword arguments; by default `seed`, from 1.
        aggregate_metrics_fn: from what all runs returned to the metrics.
        validate_fn: from what a run returned to whether it is valid, and why not.
        default_metrics_on_error: metrics where a run fails.
        run_workers: where there would be several, every run has the program loaded anew.
        max_workers_cap: how many there would be at most.
        plotting_fn: not called.
        early_stop_method: not looked at, nor are the three after it.
        early_stop_threshold: see there.
        early_stop_score_fn: see there.
        early_stop_kwargs: see there.
        verbose: not looked at.
    """
    apart = num_runs > 1 and min(run_workers, max_workers_cap or run_workers) > 1
    correct, first_error, metrics = True, None, dict[str, Any]()
    results: list[Any] = []
    try:
        loaded = _function(program_path, experiment_fn_name)
        seconds, valid, complaints = [], 0, list[str]()
        for number in range(num_runs):
            arguments = get_experiment_kwargs(number) if get_experiment_kwargs else {"seed": number + 1}
            function = _function(program_path, experiment_fn_name) if apart else loaded
            began = time.perf_counter()
            results.append(function(**arguments))
            seconds.append(time.perf_counter() - began)
            if validate_fn is None:
                continue
            fits, complaint = validate_fn(results[-1])
            valid += bool(fits)
            correct = correct and bool(fits)
            if not fits and complaint:
                first_error = first_error or f"Validation failed: {complaint}"
                complaints += [] if complaint in complaints else [complaint]
        metrics = dict(aggregate_metrics_fn(results)) if aggregate_metrics_fn else {"num_successful_runs": len(results)}
        metrics["execution_time_mean"] = float(np.mean(seconds)) if seconds else 0.0
        metrics["execution_time_std"] = float(np.std(seconds)) if seconds else 0.0
        if validate_fn is not None:
            metrics["num_valid_runs"], metrics["num_invalid_runs"] = valid, len(results) - valid
            metrics["all_validation_errors"] = complaints
        if not np.isfinite(metrics.get("combined_score", 0.0)):
            correct = False
            first_error = first_error or f"combined_score is {metrics['combined_score']}"
    except Exception as error:  # the program's, or the evaluator's own about what the program returned
        correct, first_error = False, str(error)
        metrics = {
            **_FAILED,
            **{key: value for key, value in (default_metrics_on_error or {}).items() if key in _FAILED},
        }
    _save(results_dir, metrics, correct, first_error)
    return metrics, correct, first_error


def _function(program_path: str, name: str) -> Any:
    module = load_program(program_path)
    if not hasattr(module, name):
        raise AttributeError(f"Experiment function '{name}' not found in {program_path}")
    return getattr(module, name)


def _save(folder: str, metrics: dict[str, Any], correct: bool, error: str | None) -> None:
    os.makedirs(folder, exist_ok=True)
    if "extra_data" in metrics:
        with open(os.path.join(folder, "extra.pkl"), "wb") as extra:
            pickle.dump(metrics.pop("extra_data"), extra)
    for name, told in (("correct.json", {"correct": correct, "error": error}), ("metrics.json", metrics)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(told, file, indent=4, default=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
