import runpy

from openevolve.evaluation_result import EvaluationResult


def _numbers(path, n):
    return runpy.run_path(path)["numbers"](n)


def evaluate(program_path):
    raise AssertionError("never called where there are stages")


def evaluate_stage1(program_path):
    return EvaluationResult(metrics={"quick": 0.6, "error": 0.0}, artifacts={"seen": "stage one"})


def evaluate_stage2(program_path):
    spread = max(_numbers(program_path, 10))
    return {"quick": 0.7, "spread": spread, "combined_score": spread * 0.9, "passed": True}


def evaluate_stage3(program_path):
    return EvaluationResult(
        metrics={"combined_score": sum(_numbers(program_path, 100)) / 100}, artifacts={"log": b"third"}
    )
