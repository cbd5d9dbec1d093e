"""Lines by which a model says that it left lines out: "..." and "# rest of the code unchanged"."""

from __future__ import annotations

import re

_BARE = re.compile(r"[\[(<{]*(?:\.{3}|…)[\])>}]*")
_COMMENT = re.compile(r"(?:#+|//+|--+|%+|;+|/\*+|<!--|\(\*)\s*(.*?)\s*(?:\*/|-->|\*\))?", re.DOTALL)
_DOTS = re.compile(r"[\[(<]*\s*(?:\.{3}|…).*|.*(?:\.{3}|…)\s*[\])>]*")
_WHAT = r"(?:code|function|method|class|file|implementation|body|program|logic|line|part|content|import|definition)e?s?"
_STATE = (
    r"(?:unchanged|(?:remains?|stays?|is|are|kept)\s+(?:exactly\s+)?(?:the\s+same|unchanged|as\s+(?:is|before))"
    r"|same\s+as\s+(?:before|above|the\s+original)|as\s+before|omitted|no\s+changes?|not\s+changed)"
)
_PHRASE = re.compile(
    rf"[\[(<]*(?:"
    rf"(?:the\s+)?(?:rest|remainder)\s+(?:of\b.*|(?:is|are|remains?|stays?)\b.*|unchanged.*|here.*|omitted.*)?"
    rf"|(?:the\s+)?(?:existing|unchanged|previous|original|remaining|other)\s+(?:\w+\s+){{0,2}}{_WHAT}"
    rf"(?:\s+(?:here|goes\s+here|above|below|{_STATE}))?"
    rf"|(?:\w+\s+){{0,4}}{_STATE}"
    rf")[\])>.]*",
    re.IGNORECASE,
)
_HINT = re.compile(
    r"\.{3}|…|\bunchanged\b|\bomitted\b|\b(?:rest|remainder) of\b"
    r"|\b(?:existing|remaining) (?:code|logic|implementation)\b"
    r"|\b(?:same )?as before\b|\bsame as (?:above|the original)\b|\bremains? the same\b|\bno changes?\b",
    re.IGNORECASE,
)
_STUB = re.compile(r".*:\s*\.\.\.(?:\s*#.*)?")


def stands_for_more(line: str) -> bool:
    """Whether a line is one that only says that lines were left out."""
    line = line.strip()
    if _BARE.fullmatch(line):
        return True
    comment = _COMMENT.fullmatch(line)
    if comment is None:
        return False
    said = comment[1].strip()
    return bool(said) and bool(_DOTS.fullmatch(said) or _PHRASE.fullmatch(said))


def leaves_out(line: str) -> bool:
    """Whether a line that is new may stand for more: it does, it says so, or its body does (`def area(x): ...`)."""
    line = line.strip()
    hints = bool(_COMMENT.fullmatch(line) and _HINT.search(line))
    return hints or stands_for_more(line) or bool(_STUB.fullmatch(line))
