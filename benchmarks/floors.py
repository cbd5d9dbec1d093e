"""What a person's own script reaches on the shipped problems, without a language model and without evolution.

    python -m benchmarks.floors circle_packing --seconds 60

Every line is a score by the problem's own judge. Engines should be compared with these at equal CPU time. A floor is
the function of its problem's name in one of the modules `floors_*`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType

# Read when numpy is loaded. The budget is in CPU seconds, and more threads spend it without being faster.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from benchmarks.floors_parts import Line
from evoengine.paths import bundled

Floor = Callable[[ModuleType, float, np.random.Generator], Iterator[Line]]
_MODULES = {
    "geometry": (
        "circle_packing",
        "heilbronn_triangle",
        "max_min_ratio",
        "circle_packing_rectangle",
        "heilbronn_convex",
        "hexagon_packing",
    ),
    "analysis": (
        "autocorrelation",
        "autocorrelation_second",
        "autocorrelation_third",
        "erdos_minimum_overlap",
        "uncertainty",
        "symbolic_regression",
    ),
    "integers": (
        "kissing_number",
        "sum_difference",
        "matrix_multiplication",
        "cap_set",
        "difference_basis",
        "hadamard_determinant",
    ),
    "rules": ("online_bin_packing", "tsp_construct", "cvrp", "job_shop", "knapsack"),
    "learned": (
        "cfr_regret",
        "policy_gradient_loss",
        "tabular_pipeline",
        "small_optimizer",
        "kernel_speed",
        "expression_evaluator",
        "sql_query",
    ),
}
PLACES = {problem: f"benchmarks.floors_{module}" for module, problems in _MODULES.items() for problem in problems}
"""Problem to the module that its floor is in."""


def main() -> None:
    """Prints the floors of one problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", choices=sorted(PLACES))
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds for each floor that searches")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    module = shipped(given.problem)
    for line, value in floor_of(given.problem)(module, given.seconds, np.random.default_rng(given.seed)):
        print(f"{given.problem:20} {line:64} {value:.12g}", flush=True)


def floor_of(problem: str) -> Floor:
    """The function that yields a problem's floors."""
    found: Floor = getattr(import_module(PLACES[problem]), problem)
    return found


def shipped(name: str) -> ModuleType:
    """The module of a shipped problem."""
    folder = bundled("problems") / name
    spec = importlib.util.spec_from_file_location(
        f"floor_{name}", folder / "problem.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
