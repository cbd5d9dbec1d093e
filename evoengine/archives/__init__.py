"""Archives: which candidates are kept."""

from evoengine.archives._shelf import Shelf
from evoengine.archives._shelved import ShelvedArchive
from evoengine.archives.base import Archive, Elites

__all__ = ["Archive", "Elites", "Shelf", "ShelvedArchive"]
