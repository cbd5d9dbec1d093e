"""Applying a model's edits: where they mean one place and one result for certain, and nowhere else.

An edit's lines are looked for under every reading that its writer may have meant: with other white space, without the
program's comments, as the syntax tree of whole statements. One place under all of them is needed. So an edit
whose lines stand letter by letter in one place, and shifted in another, is refused: asking again is
cheap, while a wrong edit stays in the archive as if it had been meant.
"""

from __future__ import annotations

import html
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from evoengine.operators.editing.edges import goes_below_deeper, may_leave_a_block, takes_in_more
from evoengine.operators.editing.elided import elided
from evoengine.operators.editing.elisions import leaves_out, stands_for_more
from evoengine.operators.editing.lines import Index, Line, joined, lines_of, newline_of, words_of
from evoengine.operators.editing.nearest import nearest_lines
from evoengine.operators.editing.places import (
    Place,
    other_blanks,
    outcome,
    places,
    with_a_line_between,
    with_lines_swapped,
)
from evoengine.operators.editing.repeats import repeated
from evoengine.operators.editing.syntax import check_syntax, entities_in_code, parsed, string_lines, without_comments
from evoengine.operators.editing.trees import (
    Nested,
    Piece,
    Splice,
    Statements,
    nested_in,
    piece_of,
    program_of,
    rewritten,
    runs,
    same,
)
from evoengine.operators.editing.values import Applied, Edit, How, Refused

_NAME = re.compile(r"[^\W\d]\w*")
_ESCAPED = re.compile(r"&(?:lt|gt|amp|quot|#39);")


class Change(NamedTuple):
    """What an edit does to a text's lines."""

    splices: tuple[Splice, ...]
    how: How


def apply_edit(text: str, edit: Edit, language: str = "python") -> Applied | Refused:
    """A text after one edit, or why it is not certain what the edit means. Its path is not looked at."""
    return apply_edits(text, (edit,), language)


def apply_edits(text: str, edits: Sequence[Edit], language: str = "python") -> Applied | Refused:
    """A text after all of the edits, or why one of them could not be applied: then none is.

    All are looked for in the text as it is; only one that is not found there may build on those before it.
    """
    lines = lines_of(text)
    changes: list[Change] = []
    later: list[int] = []
    for at, edit in enumerate(edits):
        change = change_of(text, edit, language)
        if isinstance(change, Refused):
            if not changes or not change.missing:
                return _numbered(change, at)
            later.append(at)
        else:
            changes.append(change)
    splices = sorted((one for change in changes for one in change.splices), key=lambda one: (one.start, one.end))
    for before, after in pairwise(splices):
        if after.start < before.end or after[:2] == before[:2]:
            return Refused(why=f"two of the edits change the same lines, at line {after.start + 1}")
    text = _spliced(lines, splices)
    for at in later:
        change = change_of(text, edits[at], language)
        if isinstance(change, Refused):
            return _numbered(change, at)
        changes.append(change)
        text = _spliced(lines_of(text), change.splices)
    if not changes:
        return Refused(why="there is no edit")
    order: tuple[How, ...] = ("exact", "whitespace", "comments", "syntax", "elision")
    return Applied(text=text, how=max((change.how for change in changes), key=order.index))


def _numbered(refused: Refused, at: int) -> Refused:
    return replace(refused, at=at)


def change_of(text: str, edit: Edit, language: str) -> Change | Refused:
    """What an edit does to a text, or why that is not certain."""
    program = _program(text, language)
    found = program.change(edit.search, edit.replace)
    if edit.unmarked is None or (isinstance(found, Change) and found.how == "exact"):
        return found
    # Read with a space in front of every context line, the hunk's lines are not the program's: so there was none.
    again = program.change(*edit.unmarked)
    if isinstance(again, Change) and again.how == "exact":
        return again
    if isinstance(found, Change) and isinstance(again, Change) and found.splices != again.splices:
        return Refused(why="it is not certain whether its context lines begin with a space of the diff")
    if isinstance(found, Refused) and found.missing and not (isinstance(again, Change) and again.how == "syntax"):
        return again
    return found


@lru_cache(maxsize=8)
def _program(text: str, language: str) -> _Program:
    return _Program(text, language)


class _Program:
    """A text that edits are looked for in."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.python = language.lower() == "python"
        self.lines = lines_of(text)
        self.texts = [line.text for line in self.lines]
        self.index = Index(self.texts)

    @cached_property
    def bare(self) -> Index | None:
        """The lines without comments."""
        bare = without_comments(self.texts)
        return None if bare is None else Index(bare)

    @cached_property
    def piece(self) -> Piece | None:
        """The whole program with its tree, where it is one of Python."""
        return program_of(self.text, self.texts) if self.python else None

    def change(self, search: str, new_text: str) -> Change | Refused:
        old, new = ([line.text for line in lines_of(part)] for part in (search, new_text))
        if not any(line.strip() for line in old):
            if self.text.strip():
                return Refused(why="its SEARCH part is empty, so that it does not say where it belongs")
            return Change((Splice(0, len(self.texts), tuple(new)),), "exact")
        if old == new:
            return Refused(why="its SEARCH and its REPLACE part are the same: it changes nothing")
        written = Counter(line.strip() for line in new if leaves_out(line))
        for line in written - Counter(line.strip() for line in old):
            return Refused(
                why=f"its REPLACE part leaves lines out, at `{line[:100]}`: write them all, "
                "or leave the same lines out of the SEARCH part"
            )
        for line in new:
            if _unescapes_to(line, old) or (not _ESCAPED.search(self.text) and _escaped(line, old)):
                return Refused(why=f"it is written as HTML, at `{line.strip()[:100]}`: write < > & as they are")
        if self.python and _says_little(old, new):
            return Refused(
                why="its SEARCH part has no name in it that says where it belongs: put lines around it into it"
            )
        change = self.placed(old, new)
        return change if isinstance(change, Refused) else self.checked(change, old, new)

    def placed(self, old: list[str], new: list[str]) -> Change | Refused:
        """What the edit does at the one place that it can mean."""
        verbatim = places(self.index, old, new)
        others, trees = self.readings(old, new, bool(verbatim))
        spans = {place.span for place in (*verbatim, *others)}
        spans |= {span for span, *_ in trees if not any(_overlap(span, known) for known in spans)}
        if len(spans) > 1:
            numbers = sorted(span.start + 1 for span in spans)
            shown = ", ".join(map(str, numbers[:8])) + (" and more" if len(numbers) > 8 else "")
            return Refused(
                why=f"its SEARCH part stands at more than one place (or does but for indents or comments): at lines "
                f"{shown}. Put lines around it into it, until only one is left"
            )
        if not spans:
            around = elided(self.index, self.texts, old, new)
            if isinstance(around, str):
                return Refused(why=around)
            if around is not None and self.python and _depth_in_doubt(*map(_written, (old, new))):
                return Refused(
                    why="around the lines left out its REPLACE part is at another depth than its SEARCH part"
                )
            if around is not None:
                return Change(around, "elision")
            near = nearest_lines(self.texts, old)
            return Refused(why="its SEARCH part is not in the program", nearest=near, missing=True)
        how: How = "whitespace" if verbatim else "comments"
        for place in (*verbatim, *others)[:1]:
            done = outcome(self.texts, place, old, new)
            if done is not None and place.first is None and self.python and _depth_in_doubt(old, new):
                return Refused(
                    why="its REPLACE part begins at another depth than its SEARCH part, and is not the same otherwise: "
                    "put a line above that stays into both"
                )
            if (
                done is not None
                and other_blanks(place)
                and (
                    any(True for _ in with_a_line_between(self.index, old, new)) or with_lines_swapped(self.index, old)
                )
            ):
                return Refused(
                    why="its blank lines are not the program's, and its lines stand at another place too but for one "
                    "that it leaves out, or two in another order: copy the lines as they are"
                )
            if (
                done is not None
                and self.piece is not None
                and not place.reindent.changes_nothing
                and may_leave_a_block(self.piece, done.splices, old, new)
            ):
                return Refused(
                    why="all of its lines stand at one depth, which is not the program's, and its new lines come at "
                    "the end of a block: whether they belong to it is in doubt. Put a line below that stays into both"
                )
            if done is not None:
                return Change(done.splices, "exact" if done.exact else how)
        for _, program, found, search, variant in trees if not (verbatim or others) else ():
            come = piece_of(variant)
            if any(line.strip() for line in new) and (come is None or come.below != search.below):
                return Refused(why="its REPLACE part is not whole statements at the depth of its SEARCH part")
            splices = rewritten(program, found, search, come)
            if splices is not None and not _beside_comments(old, search, come):
                return Change(tuple(splices), "syntax")
        return Refused(
            why="its lines differ from the program's in white space or comments, and where or how deep the new ones "
            "belong is not certain: copy the lines as they are"
        )

    def readings(
        self, old: list[str], new: list[str], verbatim: bool
    ) -> tuple[list[Place], list[tuple[range, Piece, Statements, Piece, list[str]]]]:
        """Places of the same code with other comments or other formatting.

        Comments that an edit gives and that the program has tell its place from others.
        """
        if not self.python or (verbatim and any("#" in line for line in old)):
            return [], []
        if not verbatim and any(stands_for_more(line) for line in old):
            return [], []  # what stands for lines is no comment
        bare, wanted = self.bare, without_comments(old)
        others = places(bare, wanted, new) if bare is not None and wanted is not None and any(wanted) else []
        program = self.piece
        if program is None:
            return others, []
        for strip in (False, True):
            # a model that begins a part at the margin and goes on at the program's depth means the depth
            search, variant = (_levelled(part) if strip else part for part in (old, new))
            piece = piece_of(search)
            if piece is not None:
                found = [
                    (range(program.first(run[0]), program.last(run[-1])), program, run, piece, variant)
                    for run in runs(program, piece)
                ]
                return others, found
        return others, []

    def checked(self, change: Change, old: Sequence[str], new: Sequence[str]) -> Change | Refused:
        """The change, if its result is what such a change may lead to."""
        if not any(one.lines or one.start < one.end for one in change.splices):
            return Refused(why="it changes nothing but white space or comments")
        twice = repeated(self.texts, change.splices, old, new, python=self.python)
        if twice is not None:
            return Refused(
                why=f"its REPLACE part goes on with the program's own lines, at `{twice[:100]}`, that its SEARCH part "
                "has not: they would stand there twice. Put them into both parts, or into none"
            )
        if self.piece is not None and goes_below_deeper(self.piece, change.splices, old, new):
            return Refused(
                why="its new lines stand right below a deeper block that its SEARCH part does not show, so that it is "
                "not certain that they do not belong to it: put a line above that stays into both"
            )
        return self._safe(change, new) if self.python else change

    def usual(self, block: Nested, lines: range, first: str, how: How) -> bool:
        """Whether a new block is as deep as others, or as deep as blocks may be and without a line of the program.

        Of statements found by what they say, the depth within was not compared: there it has to be that of others.
        """
        if self.piece is None or block.step in self.piece.steps:
            return True
        if how == "syntax":
            return False
        own = block.step == 1 if first.startswith("\t") else block.step in (2, 3, 4)
        return own and block.lines.stop <= lines.stop

    def _safe(self, change: Change, new: Sequence[str]) -> Change | Refused:
        """The change, if it leaves a program with no string in it whose white space had to be guessed."""
        text = _spliced(self.lines, change.splices)
        tree = parsed(text)
        if tree is None and (change.how != "exact" or parsed(self.text) is not None):
            return Refused(why=f"with it the program is not Python any more: {check_syntax('python', text)}")
        if tree is None:
            return change
        if entities_in_code(text) > entities_in_code(self.text):
            return Refused(why="it is written as HTML, outside of strings: write < > & as they are")
        if takes_in_more(tree, change.splices, new):
            return Refused(
                why="its new lines end with a block of which the program's lines below, that its SEARCH part does not "
                "show, would become a part: put a line below that stays into both"
            )
        texts = [line.text for line in lines_of(text)]
        touched = range(change.splices[0].start, _end_of(change.splices))
        strings = string_lines(tree, texts, touched) if change.how in ("whitespace", "comments", "elision") else set()
        nested = list(nested_in(tree)) if self.piece is not None and self.piece.steps else []
        shift = 0
        for splice in change.splices:
            start = splice.start + shift
            lines = range(start, start + len(splice.lines))
            if not all(self.usual(block, lines, text, change.how) for block, text in _begun(nested, splice, start)):
                return Refused(why="a block in its REPLACE part is indented in no usual way: its depth is in doubt")
            if strings & set(lines):
                return Refused(why="its white space is not the program's, and it changes a string over several lines")
            shift += len(splice.lines) - (splice.end - splice.start)
        return change


def _begun(nested: Iterable[Nested], splice: Splice, start: int) -> Iterator[tuple[Nested, str]]:
    """The blocks that begin on a splice's lines, with their first lines."""
    for block in nested:
        if 0 <= block.lines.start - start < len(splice.lines):
            yield block, splice.lines[block.lines.start - start]


def _end_of(splices: Sequence[Splice]) -> int:
    """The line after the last that splices leave changed."""
    return splices[-1].end + sum(len(one.lines) - (one.end - one.start) for one in splices) + 1


def _escaped(line: str, old: Sequence[str]) -> bool:
    """Whether a line writes `<`, `>` or `&` as HTML does: outside of strings, or where the old lines have them raw."""
    for match in _ESCAPED.finditer(line):
        before, after = html.unescape(line[: match.start()]), html.unescape(line[match.end() :])
        around = before[-2:] + html.unescape(match[0]) + after[:2]
        if ("'" not in line and '"' not in line) or any(around in one for one in old):
            return True
    return False


def _unescapes_to(line: str, old: Sequence[str]) -> bool:
    """Whether a line is one of the old ones but for what HTML does to it."""
    shown = {one.strip() for one in old}
    plain = html.unescape(line).strip()
    return plain != line.strip() and plain in shown and line.strip() not in shown


def _says_little(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether lines that all stay, to say where new ones belong, hold no name: `pass`, `)` and `else:` are anywhere."""
    stays = all(line in new for line in old)
    return stays and all(keyword.iskeyword(word) or word == "self" for line in old for word in _NAME.findall(line))


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _written(lines: Sequence[str]) -> list[str]:
    """The lines but for those that stand for more."""
    return [line for line in lines if not stands_for_more(line)]


def _depth_in_doubt(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether new lines may stand at a wrong depth, as only one of an edit's parts is as deep as its writer meant.

    Both parts should begin at one depth, or the new one with a line that stays; and a line that stays should not
    begin the new part deeper than it was, with nothing above to hold it. Lines only moved leave no doubt.
    """
    before, after = words_of(old), words_of(new)
    if not after or [word.key for word in before] == [word.key for word in after]:
        return False
    first = after[0]
    stays = [word.indent for word in before if word.key == first.key]
    if first.indent in stays:
        return False
    return first.indent != before[0].indent or any(len(indent) < len(first.indent) for indent in stays)


def _beside_comments(old: Sequence[str], search: Piece, come: Piece | None) -> bool:
    """Whether statements change at an end where the search goes on with comments, which the tree does not hold."""
    new = come.statements if come is not None else []
    solid = [line.strip() for line in old if line.strip()]
    return any(solid[end].startswith("#") and not (new and same(search.statements[end], new[end])) for end in (0, -1))


def _levelled(lines: list[str]) -> list[str]:
    """Lines with the first one, if it stands at the margin, at the depth of the least deep of the others."""
    solid = [at for at, line in enumerate(lines) if line.strip()]
    if len(solid) < 2 or lines[solid[0]][:1] in (" ", "\t"):
        return lines
    indents = [lines[at][: len(lines[at]) - len(lines[at].lstrip(" \t"))] for at in solid[1:]]
    return [min(indents, key=len) + line if at == solid[0] else line for at, line in enumerate(lines)]


def _spliced(lines: Sequence[Line], splices: Iterable[Splice]) -> str:
    """The text after splices in order that do not overlap; new lines end as most lines of the text do."""
    newline = newline_of(lines)
    result: list[Line] = []
    at = 0
    for start, end, new in splices:
        result += [*lines[at:start], *(Line(text, newline) for text in new)]
        at = end
    result += lines[at:]
    unended = bool(lines) and not lines[-1].end
    for place, line in enumerate(result[:-1]):
        if not line.end:
            result[place] = Line(line.text, newline)
    if result and unended:
        result[-1] = Line(result[-1].text, "")
    return joined(result)
