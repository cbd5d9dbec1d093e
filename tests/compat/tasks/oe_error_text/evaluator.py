import numpy as np


def evaluate(program_path):
    space = {}
    with open(program_path) as file:
        exec(compile(file.read(), program_path, "exec"), space)
    try:
        total = float(np.sum([float(one) for one in space["construct"]()]))
        return {"combined_score": total}
    except Exception as error:
        return {
            "combined_score": 0.0,
            "error": str(error),
            "artifacts": {"hint": "give numbers", "values": [1, 2]},
            "baseline_comparison": {"ours": 0.0, "theirs": np.float32(2.5)},
        }
