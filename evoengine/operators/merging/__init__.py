"""Three-way merges: what two descendants of one program changed, in one program.

`merged_files` works on the files of whole programs; each file is merged on its syntax tree where it is Python, and by
its lines where it is not.
"""

from evoengine.operators.merging.files import merged_files, merged_text
from evoengine.operators.merging.values import Merged, Merger, Side

__all__ = ["Merged", "Merger", "Side", "merged_files", "merged_text"]
