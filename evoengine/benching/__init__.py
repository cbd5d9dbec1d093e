"""Benchmarks of whole campaigns: a suite of problems, methods and seeds in, tables and plots out."""

from evoengine.benching.results import Outcome, standings
from evoengine.benching.running import Bench, Cell
from evoengine.benching.suites import Suite, Task

__all__ = ["Bench", "Cell", "Outcome", "Suite", "Task", "standings"]
