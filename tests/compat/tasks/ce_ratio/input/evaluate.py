import importlib.util
import json
import os
import sys

if __name__ == "__main__":
    program_path, results_path = sys.argv[1], sys.argv[2]
    sys.path.insert(0, os.getcwd())
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    found = program.solve()
    with open(results_path, "w") as file:
        json.dump({"benchmark_ratio": sum(found) / 15, "eval_time": 0.25}, file)
