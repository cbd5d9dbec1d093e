"""Merges of texts by their lines, for languages whose syntax nobody here knows."""

from __future__ import annotations

from evoengine.operators.editing.lines import lines_of
from evoengine.operators.merging.sequences import chunks, matches
from evoengine.operators.merging.values import Merger, shown_of


def merged_lines(merger: Merger, base: str, first: str, second: str) -> str:
    """A text with what both sides changed. Changes of lines side by side are a conflict, as in diff3."""
    texts = [[line.text + line.end for line in lines_of(text)] for text in (base, first, second)]
    old, one, other = texts
    result: list[str] = []
    found = [matches([old], [side]) for side in (one, other)]
    for chunk in chunks(found[0], found[1], len(old), (len(one), len(other))):
        parts = [side[span.start : span.stop] for side, span in zip(texts, chunk[:3], strict=True)]
        if parts[1] in (parts[0], parts[2]):
            result += parts[2]
        elif parts[2] == parts[0]:
            result += parts[1]
        else:
            result += merger.chosen(parts[1], parts[2], f"both change the lines at {shown_of(*parts)}")
    return "".join(result)
