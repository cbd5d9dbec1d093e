"""The shipped problems' modules."""

import sys
from typing import Any

from evoengine.paths import bundled
from evoengine.plugins import load_module


def shipped(name: str) -> Any:
    """The module of a shipped problem."""
    path = bundled("problems") / name / "problem.py"
    load_module(f"shipped_{name}", path)
    return sys.modules[f"shipped_{name}"]
