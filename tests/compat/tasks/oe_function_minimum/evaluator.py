"""Scores a search by how near it comes to the lowest point."""

import importlib.util

import numpy as np


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    x, y = program.run_search()
    distance = np.hypot(x - 0.31, y + 0.68)
    return {
        "distance": distance,
        "within": bool(distance < 1),
        "combined_score": 1 / (1 + distance),
        "steps": np.int64(1600),
    }
