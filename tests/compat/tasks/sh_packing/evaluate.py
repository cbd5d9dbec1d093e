"""Circles in the unit square: the sum of their radii is the score."""

import argparse

import numpy as np
from shinka.core import run_shinka_eval


def validate(result):
    centers, radii, total = result
    inside = (centers - radii[:, None] >= -1e-9).all() and (centers + radii[:, None] <= 1 + 1e-9).all()
    if not inside:
        return False, "a circle leaves the square"
    if not np.isclose(total, radii.sum()):
        return False, "the sum is another"
    return True, None


def aggregate(results):
    totals = [total for _, _, total in results]
    return {
        "combined_score": float(np.mean(totals)),
        "public": {"circles": len(results[0][1]), "nested": {"largest": float(results[0][1].max())}},
        "private": {"secret": 17.0},
        "text_feedback": "all circles are equal",
        "extra_data": {"centers": results[0][0]},
    }


def main(program_path, results_dir, repeats):
    run_shinka_eval(
        program_path=program_path,
        results_dir=results_dir,
        experiment_fn_name="run_packing",
        num_runs=repeats,
        get_experiment_kwargs=lambda i: {"seed": i + 1},
        aggregate_metrics_fn=aggregate,
        validate_fn=validate,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path", default="initial.py")
    parser.add_argument("--results_dir", default="results")
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    main(given.program_path, given.results_dir, given.repeats)
