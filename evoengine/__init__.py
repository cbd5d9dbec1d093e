"""evoengine evolves code: problems as plugins, islands of MAP-Elites archives, candidates judged in a sandbox."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evoengine.campaign import Campaign
    from evoengine.problem import Player, Problem, Reject, Score
    from evoengine.types import Anchor, Context, Feature, Idiom, Limits, Program, Stage

__version__ = "0.1.0"

_HOME = {
    "Anchor": "types",
    "Campaign": "campaign",
    "Context": "types",
    "Feature": "types",
    "Idiom": "types",
    "Limits": "types",
    "Player": "problem",
    "Problem": "problem",
    "Program": "types",
    "Reject": "problem",
    "Score": "problem",
    "Stage": "types",
}

__all__ = [
    "Anchor",
    "Campaign",
    "Context",
    "Feature",
    "Idiom",
    "Limits",
    "Player",
    "Problem",
    "Program",
    "Reject",
    "Score",
    "Stage",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evoengine' has no attribute {name!r}")
    return getattr(import_module(f"evoengine.{_HOME[name]}"), name)
