"""Edits that language models write: read out of their answers, and applied where they mean one place for certain.

A refused edit costs one more question; one applied in the wrong place is a program that nobody meant.
"""

from evoengine.operators.editing.apply import apply_edit, apply_edits
from evoengine.operators.editing.blocks import Edits, Missing, Unread, edits_of
from evoengine.operators.editing.elisions import leaves_out, stands_for_more
from evoengine.operators.editing.markers import Broken, Kept, breach, kept
from evoengine.operators.editing.nearest import Numbered, nearest_lines
from evoengine.operators.editing.syntax import check_syntax
from evoengine.operators.editing.values import Applied, Edit, Refused
from evoengine.operators.editing.wholes import Whole, whole_of

__all__ = [
    "Applied",
    "Broken",
    "Edit",
    "Edits",
    "Kept",
    "Missing",
    "Numbered",
    "Refused",
    "Unread",
    "Whole",
    "apply_edit",
    "apply_edits",
    "breach",
    "check_syntax",
    "edits_of",
    "kept",
    "leaves_out",
    "nearest_lines",
    "stands_for_more",
    "whole_of",
]
