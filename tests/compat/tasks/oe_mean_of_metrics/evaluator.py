import json
import os

from measures import mean_error  # beside this file
from openevolve.evaluation_result import EvaluationResult


def evaluate(program_path):
    with open("data/points.json") as file:  # relative to the task's folder
        xs, ys = json.load(file)
    import sys

    sys.path.insert(0, os.path.dirname(program_path))
    program = __import__(os.path.splitext(os.path.basename(program_path))[0])
    error = mean_error(program.fit(xs), ys)
    return EvaluationResult(
        metrics={"accuracy": 1 / (1 + error), "brevity": 0.5, "diversity": 9.0, "ok": True, "gone": float("nan")}
    )
