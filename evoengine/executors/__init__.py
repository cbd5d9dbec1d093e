"""Executors: where evaluations run."""

from evoengine.executors.base import Executor, Trial

__all__ = ["Executor", "Trial"]
