import argparse
import importlib.util
import json
import os


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program_path")
    parser.add_argument("--results_dir")
    given = parser.parse_args()
    spec = importlib.util.spec_from_file_location("program", given.program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    right = sum(program.answer(x) == x + 1 for x in range(10))
    os.makedirs(given.results_dir, exist_ok=True)
    with open(os.path.join(given.results_dir, "metrics.json"), "w") as file:
        json.dump({"combined_score": right / 10, "public": {"right": right}, "private": {}}, file)
    with open(os.path.join(given.results_dir, "correct.json"), "w") as file:
        json.dump({"correct": right == 10, "error": None if right == 10 else f"{10 - right} are wrong"}, file)


if __name__ == "__main__":
    main()
