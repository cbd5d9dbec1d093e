"""Where a model's lines stand in a program, and what the program's lines become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from evoengine.operators.editing.indents import Pair, Reindent, reindents
from evoengine.operators.editing.lines import Index, Word, words_of
from evoengine.operators.editing.trees import Splice

_UNCHANGED = Reindent()
_MANY = 10


class Place(NamedTuple):
    """Where some lines of an edit stand."""

    lines: Mapping[int, int]
    """Each line (from 0) of the edit that says something, to the program's line."""
    reindent: Reindent
    first: str | None = None
    """The indent of the first line, where the model left it out and wrote all others as they are."""

    @property
    def span(self) -> range:
        """The program's lines from the first to the last."""
        return range(min(self.lines.values()), max(self.lines.values()) + 1)


def indents_of(texts: Sequence[str]) -> list[str]:
    """The indents of the lines that are not blank."""
    return [word.indent for word in words_of(texts)]


def places(program: Index, search: Sequence[str], replace: Sequence[str]) -> list[Place]:
    """The places where the lines stand in this order with no others (but blank ones) between them.

    White space at their ends does not count, and indents may all be changed in the same way. Many are not
    looked for: more than one is too much.
    """
    words = words_of(search)
    found = []
    for start in program.runs([word.key for word in words]):
        place = placed(program, words, program.words[start : start + len(words)], indents_of(replace))
        if place is not None:
            found.append(place)
            if len(found) == _MANY:
                break
    return found


def placed(program: Index, words: Sequence[Word], found: Sequence[Word], others: Sequence[str]) -> Place | None:
    """The place at which words of an edit are those of the program, if their indents agree."""
    pairs = [Pair(word.indent, other.indent) for word, other in zip(words, found, strict=True)]
    lines = {word.at: other.at for word, other in zip(words, found, strict=True)}
    for reindent in reindents(pairs, others, program.unit):
        return Place(lines, reindent)
    if not pairs[0].written and all(pair.written == pair.found for pair in pairs[1:]):
        return Place(lines, _UNCHANGED, pairs[0].found)
    return None


def with_a_line_between(program: Index, search: Sequence[str], replace: Sequence[str]) -> Iterator[Place]:
    """The places where the lines stand in this order with one more between them, as when a model left it out."""
    words = words_of(search)
    keys = [word.key for word in words]
    for cut in range(1, len(words)):
        for start in program.runs(keys[:cut]):
            found = program.words[start : start + cut] + program.words[start + cut + 1 : start + len(words) + 1]
            if [word.key for word in found] == keys:
                place = placed(program, words, found, indents_of(replace))
                if place is not None:
                    yield place


def with_lines_swapped(program: Index, search: Sequence[str]) -> bool:
    """Whether the lines stand somewhere but for two neighbours, each in the place of the other."""
    keys = [word.key for word in words_of(search)]
    return any(
        True
        for at, (one, other) in enumerate(pairwise(keys))
        if one != other
        for _ in program.runs([*keys[:at], other, one, *keys[at + 2 :]])
    )


def other_blanks(place: Place) -> bool:
    """Whether there is nothing between two lines here and something there, in the edit or in the program."""
    return any(
        (after - before > 1) != (place.lines[after] - place.lines[before] > 1)
        for before, after in pairwise(sorted(place.lines))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an edit does at a place.

    Attributes:
        splices: of the program's lines, in order.
        exact: whether the program has the lines letter by letter.
    """

    splices: tuple[Splice, ...]
    exact: bool


def outcome(program: Sequence[str], place: Place, search: Sequence[str], replace: Sequence[str]) -> Outcome | None:
    """What the edit does there; None if the depth or the place of its new lines is not certain."""
    span = place.span
    solid = [at for at, text in enumerate(search) if text.strip()]
    if place.first is not None and not _same_first(program, place, search, replace):
        return None
    exact = list(search[solid[0] : solid[-1] + 1]) == list(program[span.start : span.stop])
    old, new = list(search), list(replace)
    if not exact:
        if not _same_depth(search, replace, place):
            return None
        fitted = [_fitted(lines, place) for lines in (search, replace)]
        if fitted[0] is None or fitted[1] is None:
            return None
        old, new = fitted[0], fitted[1]
    bounds = _bounds(program, place, search)
    if bounds is None:
        return None
    lows, highs = bounds
    first, last = min(place.lines), max(place.lines)
    absent = [at for at in range(len(search)) if lows[at] == highs[at] and not first < at < last]
    splices = []
    for kind, low, high, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        beside = [at for at in absent if (at < first and low <= first) or (at > last and high > last)]
        if start < end and beside:
            return None  # new lines beside one that is not there: the model may have seen another place
        if low == high and any(_instead(program, at, lows, highs) for at in (low - 1, high) if first < at < last):
            return None  # and where another comment stands in its place, on which side of it?
        if low < high:
            splices.append(Splice(lows[low], highs[high - 1], tuple(new[start:end])))
        else:
            at = highs[low - 1] if low else lows[0]
            splices.append(Splice(at, at, tuple(new[start:end])))
    return Outcome(splices=tuple(one for one in splices if one.lines or one.start < one.end), exact=exact)


def _same_depth(search: Sequence[str], replace: Sequence[str], place: Place) -> bool:
    """Whether both parts of an edit begin at one depth, so that what is wrong with one is wrong with the other."""
    old, new = indents_of(search), indents_of(replace)
    if place.reindent.changes_nothing or not new:
        return True
    if all(line.lstrip().startswith("#") for line in search if line.strip()):
        return False  # a comment may stand at any depth: its own says nothing of the others'
    # one depth alone does not tell a shift from levels of another width: less deep lines are not known then
    known = len(set(old)) > 1 or all(len(indent) >= len(old[0]) for indent in new)
    return known and old[0] == new[0]


def _same_first(program: Sequence[str], place: Place, search: Sequence[str], replace: Sequence[str]) -> bool:
    """Whether the depth of a first line at the margin is known: it alone changes, or does not, or all have one."""
    words, others = words_of(search), words_of(replace)
    if words[0].at not in place.lines:
        return False
    if not others or others[0].key == words[0].key:
        return True
    if [word.key for word in others[1:]] == [word.key for word in words[1:]]:
        return True
    return {margin.indent for margin in words_of([program[line] for line in place.lines.values()])} == {place.first}


def _fitted(lines: Sequence[str], place: Place) -> list[str] | None:
    """An edit's lines with the program's indents and nothing behind them."""
    fitted = []
    first = place.first
    for line in lines:
        if not line.strip():
            fitted.append("")
            continue
        old = line[: len(line) - len(line.lstrip(" \t"))]
        indent = place.reindent(old)
        if first is not None:
            if old not in ("", first):
                return None
            indent, first = first, None
        if indent is None:
            return None
        fitted.append(indent + line.strip())
    return fitted


def _bounds(program: Sequence[str], place: Place, search: Sequence[str]) -> tuple[list[int], list[int]] | None:
    """For every line of the edit the program's lines that it stands for: from, up to; none for one not there.

    None where a comment stands at another place among the lines than in the program.
    """
    known = dict(place.lines)
    for at in _blank(known, search):
        below, above = known.get(at - 1), known.get(at + 1)
        after = below + 1 if below is not None else None
        taken = after is not None and after in known.values()
        if after is not None and not taken and after < len(program) and not program[after].strip():
            known[at] = after
        elif above and not program[above - 1].strip() and above - 1 not in known.values() and below is None:
            known[at] = above - 1
    _find_comments(known, program, search)
    if _moved(known, program, search):
        return None
    lows, highs = [], []
    here = min(place.lines.values())
    for at in range(len(search)):
        line = known.get(at)
        if line is None:
            lows.append(here)
            highs.append(here)
        else:
            here = line + 1
            lows.append(line)
            highs.append(here)
    leading = [at for at in range(len(search)) if at in known]
    for at in range(leading[0]):
        lows[at] = highs[at] = known[leading[0]]
    return lows, highs


def _find_comments(known: dict[int, int], program: Sequence[str], search: Sequence[str]) -> None:
    """Adds the lines between known ones that the program has as they are: comments, as no others are unknown."""
    before = -1
    for at in range(min(known) + 1, max(known)):
        before = known.get(at - 1, before)
        if at not in known and search[at].strip():
            after = min(line for other, line in known.items() if other > at)
            for line in range(before + 1, after):
                if program[line].strip() == search[at].strip() and line not in known.values():
                    known[at] = line
                    break


def _instead(program: Sequence[str], at: int, lows: Sequence[int], highs: Sequence[int]) -> bool:
    """Whether a line that is not there has others of the program in its place."""
    if lows[at] < highs[at]:
        return False
    below = next((low for low, high in zip(lows[at:], highs[at:], strict=True) if low < high), lows[at])
    return any(program[line].strip() for line in range(lows[at], below))


def _moved(known: Mapping[int, int], program: Sequence[str], search: Sequence[str]) -> bool:
    """Whether a line that is not found at its place is found beside one of the others."""
    low, high = max(min(known.values()) - 1, 0), max(known.values()) + 2
    others = {program[line].strip() for line in range(low, min(high, len(program))) if line not in known.values()}
    return any(text.strip() in others for at, text in enumerate(search) if at not in known and text.strip())


def _blank(known: Mapping[int, int], search: Sequence[str]) -> Iterator[int]:
    """Blank lines of an edit: those behind a known line in order, then those before the first, backwards."""
    first = min(known)
    yield from (at for at in range(first, len(search)) if not search[at].strip())
    yield from (at for at in range(first - 1, -1, -1) if not search[at].strip())
