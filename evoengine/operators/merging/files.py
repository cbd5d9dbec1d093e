"""Merges of whole programs: each file against the same file of the program that both sides are from."""

from __future__ import annotations

from collections.abc import Mapping

from evoengine.operators.editing import check_syntax
from evoengine.operators.merging.checks import lost_names, lost_statements
from evoengine.operators.merging.lines import merged_lines
from evoengine.operators.merging.trees import merged_tree
from evoengine.operators.merging.values import Merged, Merger, Side


def merged_files(
    base: Mapping[str, str],
    first: Mapping[str, str],
    second: Mapping[str, str],
    language: str = "python",
    *,
    last_word: Side = "first",
) -> Merged[dict[str, str]]:
    """The files with what both sides changed in them, added and took away; by path, in order."""
    merger = Merger(last_word)
    result: dict[str, str] = {}
    for path in sorted({*base, *first, *second}):
        old, one, other = base.get(path), first.get(path), second.get(path)
        text: str | None
        if one in (old, other):
            text = other
        elif other == old:
            text = one
        elif old is None or one is None or other is None:
            what = "add a file" if old is None else "change and take away the file"
            text = merger.chosen(one, other, f"they {what} {path} in different ways")
        else:
            known = "python" if path.endswith(".py") else language
            merged = merged_text(old, one, other, known, last_word=last_word)
            merger.conflicts += [f"{path}: {why}" if len(base) > 1 else why for why in merged.conflicts]
            text = merged.content
        if text is not None:
            result[path] = text
    return Merged(content=result, conflicts=tuple(merger.conflicts))


def merged_text(
    base: str, first: str, second: str, language: str = "python", *, last_word: Side = "first"
) -> Merged[str]:
    """A text with what both sides changed in it.

    Where the merge of Python comes to what does not compile, or has lost a change, that is a conflict about the whole.
    """
    if first in (base, second):
        return Merged(content=second)
    if second == base:
        return Merged(content=first)
    merger = Merger(last_word)
    python = language.lower() == "python"
    text = merged_tree(merger, base, first, second) if python else None
    if text is None:
        text = merged_lines(merger, base, first, second)
    if python and not merger.conflicts:
        why = check_syntax(language, text)
        if why is None:
            why = lost_statements(base, first, second, text) or lost_names(first, second, text)
        if why is not None:
            text = merger.chosen(first, second, why)
    return Merged(content=text, conflicts=tuple(merger.conflicts))
