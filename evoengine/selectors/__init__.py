"""Selectors: which elites become parents."""

from evoengine.selectors.base import Elites, Selection, Selector

__all__ = ["Elites", "Selection", "Selector"]
