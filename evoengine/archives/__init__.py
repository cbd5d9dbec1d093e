"""Archives: which candidates are kept."""

from evoengine.archives.base import Archive, Elites

__all__ = ["Archive", "Elites"]
