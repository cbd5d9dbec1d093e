"""Tries a built wheel in a clean environment without extras: `python tests/smoke_wheel.py DIST`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def main(dist: Path) -> None:
    """Installs the newest wheel of `dist` elsewhere and runs what a newcomer runs.

    Raises:
        SystemExit: something does not hold.
    """
    wheel = max(dist.glob("evoengine-*.whl"), key=lambda path: path.stat().st_mtime)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [str(python), *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
            )
            if done.returncode:
                sys.exit(f"smoke test failed: {' '.join(arguments)}\n{done.stdout}\n{done.stderr}")
            return done.stdout

        run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel.resolve()))
        listed = json.loads(run("-m", "evoengine", "problems", "--format", "json"))
        if len(listed) < 6 or not all("_bundled" in row["place"] for row in listed):
            sys.exit(f"smoke test failed: the wheel does not bring its problems: {listed}")
        run("-m", "evoengine", "check", "circle_packing")
        store = "sqlite:///smoke.db"
        run("-m", "evoengine", "run", "circle_packing", "--store", store, "--evaluations", "60", "--quiet")
        shown = json.loads(run("-m", "evoengine", "show", "--store", store, "--format", "json"))
        if shown["evaluations"] < 60 or shown["best_score"] < 0.95:
            sys.exit(f"smoke test failed: the run came to {shown}")
        asked = ["--name", "asked", "--store", store, "--generator", "scripted", "--set", 'operators=["diff"]']
        run("-m", "evoengine", "run", "circle_packing", *asked, "--evaluations", "4", "--quiet")
        prompt = json.loads(run("-m", "evoengine", "prompt", "asked", "--store", store, "--format", "json"))
        if "circles" not in prompt["messages"][0]["content"]:
            sys.exit(f"smoke test failed: the wheel brings no templates: {prompt}")
        for selector in ("puct", "pareto"):
            run("-c", f"from evoengine.plugins import build; build('selectors', '{selector}')")
        for name in ("plugins", "problems", "sandbox", "tests"):
            found = run("-c", f"import importlib.util as u; print(u.find_spec('{name}') is not None)")
            if found.strip() != "False":
                sys.exit(f"smoke test failed: the wheel makes {name!r} importable")
    print(f"{wheel.name}: smoke test passed in a clean environment")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
