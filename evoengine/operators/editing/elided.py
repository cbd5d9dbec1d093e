"""Edits that leave lines out in both of their parts: the lines around determine which, and they stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from evoengine.operators.editing.elisions import stands_for_more
from evoengine.operators.editing.lines import Index, Word, words_of
from evoengine.operators.editing.places import Place, indents_of, outcome, placed
from evoengine.operators.editing.trees import Splice

_MOST_TRIED = 2_000
_MANY = 40


def elided(program: Index, texts: Sequence[str], old: list[str], new: list[str]) -> tuple[Splice, ...] | str | None:
    """The splices of an edit that leaves lines out, or why they are not certain; None for an edit that does not."""
    search, replace = segments(old), segments(new)
    if len(search) == 1 and not any(stands_for_more(line) for line in old):
        return None
    if len(search) != len(replace):
        return "its SEARCH and its REPLACE part leave out lines at different places"
    if any(_open(search, end) != _open(replace, end) for end in (0, -1)):
        return "one of its parts begins or ends with lines left out, and the other does not"
    pairs = [
        (one, other)
        for at, (one, other) in enumerate(zip(search, replace, strict=True))
        if at not in (0, len(search) - 1) or any(line.strip() for line in one)
    ]
    if not pairs or not all(any(line.strip() for line in one) for one, _ in pairs):
        return "no lines stand around those that its SEARCH part leaves out"
    found = list(islice(_spans(program, [one for one, _ in pairs], [line for _, other in pairs for line in other]), 2))
    if not found and all(any(True for _ in program.runs([word.key for word in words_of(one)])) for one, _ in pairs):
        return "the lines that its SEARCH part leaves out are not in one block with those behind them"
    if not found:
        return None
    if len(found) > 1:
        return "the lines around those left out stand at more than one place"
    [places] = found
    splices: list[Splice] = []
    for place, (one, other) in zip(places, pairs, strict=True):
        done = outcome(texts, place, one, other)
        if done is None:
            return "the depth of its new lines is not certain"
        splices += done.splices
    return tuple(splices)


def segments(lines: Sequence[str]) -> list[list[str]]:
    """The lines between those that stand for more."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if stands_for_more(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _open(parts: Sequence[Sequence[str]], end: int) -> bool:
    return not any(line.strip() for line in parts[end])


def _spans(program: Index, parts: Sequence[Sequence[str]], replace: Sequence[str]) -> Iterator[tuple[Place, ...]]:
    """All ways in which the parts stand in the program one behind the other, with lines of one block between."""
    words = [words_of(part) for part in parts]
    starts = [list(islice(program.runs([word.key for word in part]), _MANY + 1)) for part in words]
    if any(len(options) > _MANY for options in starts):
        return
    shifted = [0]
    for part in parts:
        shifted.append(shifted[-1] + len(part))
    flat = [Word(word.at + at, *word[1:]) for at, part in zip(shifted, words, strict=False) for word in part]
    for chosen in islice(_rising(starts, [len(part) for part in words]), _MOST_TRIED):
        found = [
            word for start, part in zip(chosen, words, strict=True) for word in program.words[start : start + len(part)]
        ]
        whole = placed(program, flat, found, indents_of(replace))
        if whole is None or not _in_one_block(program, chosen, words):
            continue
        yield tuple(
            Place({one.at: whole.lines[one.at + at] for one in part}, whole.reindent, None if at else whole.first)
            for at, part in zip(shifted, words, strict=False)
        )


def _rising(starts: Sequence[Sequence[int]], sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Choices of one start for each part such that none overlaps the next, and something lies between."""
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        chosen = waiting.pop()
        at = len(chosen)
        if at == len(starts):
            yield chosen
            continue
        least = chosen[-1] + sizes[at - 1] if chosen else -1
        waiting += [(*chosen, start) for start in starts[at] if start > least]


def _in_one_block(program: Index, chosen: Sequence[int], words: Sequence[Sequence[Word]]) -> bool:
    """Whether no line left out stands less deep than the line behind the gap: else the gap leaves its block."""
    for (start, part), (after, _) in pairwise(zip(chosen, words, strict=True)):
        depth = len(program.words[after].indent.expandtabs(4))
        gap = program.words[start + len(part) : after]
        if any(len(word.indent.expandtabs(4)) < depth for word in gap):
            return False
    return True
