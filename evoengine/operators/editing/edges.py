"""New lines at an edge of an edit, beside a block that it does not show: which of the two they belong to.

A block of Python ends where a line is less deep, so that new lines at its end may be meant to go on with it, or to
come behind it, and the lines below may be taken for theirs. The edit's own lines would tell, and there are none.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from evoengine.operators.editing.lines import Word, words_of
from evoengine.operators.editing.trees import Piece, Splice, Statements, blocks_of


def goes_below_deeper(program: Piece, splices: Sequence[Splice], old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether new lines above all that an edit shows go right below a block that is deeper than they are.

    A model that wrote them less deep than it meant, all at the margin say, meant them to end that block.
    """
    first = splices[0]
    come, written, shown = words_of(first.lines), words_of(new), words_of(old)
    if not come or not first.lines[0].strip() or any(line.strip() for line in program.lines[first.start : first.end]):
        return False  # nothing comes, or it has a blank line above, or takes the place of lines
    if not _same(come, written[: len(come)]) or (shown and shown[0].key == come[0].key):
        return False
    end = first.start
    while end and program.lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return any(_width(come[0].indent) < _depth(program, block) for block in _blocks_to(program, end))


def may_leave_a_block(program: Piece, splices: Sequence[Splice], old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether new lines below all that a shifted edit shows go on with a block to which they may not belong.

    Where all that it shows, and what the new lines begin with, have one depth, that depth says nothing of a difference
    between them.
    """
    come = _come_last(splices, new)
    if not come:
        return False
    begins = words_of(new)[-len(come)]
    if len({word.indent for word in (*words_of(old), begins)}) > 1:
        return False
    depth = _width(come[0].indent)
    return any(0 < depth == _depth(program, block) for block in _blocks_to(program, splices[-1].start))


def takes_in_more(tree: ast.Module, splices: Sequence[Splice], new: Sequence[str]) -> bool:
    """Whether a new block, below all that an edit shows, goes on with lines of the program.

    Args:
        tree: of the text after the edit.
        splices: what led to it.
        new: the REPLACE part.
    """
    if not _come_last(splices, new):
        return False
    start = splices[-1].start + sum(len(one.lines) - (one.end - one.start) for one in splices[:-1])
    solid = [at for at, line in enumerate(splices[-1].lines, start) if line.strip() and line.lstrip()[0] != "#"]
    for block in blocks_of(tree.body):
        begins = min(one.lineno for one in (block[0], *getattr(block[0], "decorator_list", ()))) - 1
        last = block[-1].end_lineno
        assert last is not None
        if begins in solid[1:] and last > start + len(splices[-1].lines):
            return True
    return False


def _come_last(splices: Sequence[Splice], new: Sequence[str]) -> list[Word]:
    """The lines that an edit only adds, below all others of its REPLACE part."""
    if not splices or splices[-1].start < splices[-1].end:
        return []
    come = words_of(splices[-1].lines)
    return come if come and _same(come, words_of(new)[-len(come) :]) else []


def _same(some: Sequence[Word], others: Sequence[Word]) -> bool:
    return [word.key for word in some] == [word.key for word in others]


def _blocks_to(program: Piece, end: int) -> list[Statements]:
    """The blocks whose last line is the one before `end`."""
    return [block for block in blocks_of(program.statements) if program.last(block[-1]) == end]


def _depth(program: Piece, block: Statements) -> int:
    return _width(program.indent(block[0]))


def _width(indent: str) -> int:
    return len(indent.expandtabs(4))
