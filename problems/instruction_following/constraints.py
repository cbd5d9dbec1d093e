"""Constraints on a text that a program can check, in the manner of IFEval (Zhou et al. 2023, arXiv:2311.07911).

Written anew: the kinds are theirs where they do not depend on a language, the sentences and checkers are ours. Each
checker reads the answer in linear time; there is no regular expression among them, as answers are hostile text.

What is counted: words are what white space parts and has a letter or digit in it (a word that is asked for or
forbidden is a run of letters and digits, in any case); sentences end with one or more of
`.!?` before white space or the end; paragraphs are parted by one or more empty lines; bullets are lines that begin
with `- ` or `* `. White space at both ends of an answer does not count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

_PUNCTUATION = "\"'`.,;:!?()[]{}<>*_#-–—…“”‘’"
_SHOWN_CHARS = 60

Check: TypeAlias = Callable[[str, Mapping[str, Any]], str | None]
"""What a stripped answer lacks, or None, by what the constraint was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """One thing that is asked of an answer.

    Attributes:
        kind: one of `KINDS`.
        text: the sentence that asks for it.
        given: what its checker is told beside the answer.
    """

    kind: str
    text: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def fault(self, answer: str) -> str | None:
        """What an answer lacks, with counts; None when it is as asked."""
        return KINDS[self.kind].check(answer.strip(), self.given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of constraint.

    Attributes:
        check: what an answer lacks, or None.
        claims: what of an answer it decides; two kinds with a claim in common are never asked for together.
    """

    check: Check
    claims: frozenset[str]


def words(text: str) -> list[str]:
    """The words, with the punctuation around them."""
    return [word for word in text.split() if any(map(str.isalnum, word))]


def bare_words(text: str) -> list[str]:
    """The runs of letters and digits, in lower case."""
    return "".join(character if character.isalnum() else " " for character in text).lower().split()


def sentences(text: str) -> int:
    """How many sentences end, and one more if words follow the last end."""
    count, open_ = 0, False
    for word in text.split():
        open_ = open_ or any(map(str.isalnum, word))
        if open_ and word.rstrip("\"'`)]}*_”’")[-1:] in (".", "!", "?"):
            count, open_ = count + 1, False
    return count + open_


def paragraphs(text: str) -> int:
    """How many runs of lines that are not empty."""
    count, inside = 0, False
    for line in text.splitlines():
        full = bool(line.strip())
        count += full and not inside
        inside = full
    return count


def bullets(text: str) -> int:
    """How many lines begin with a bullet."""
    return sum(line.lstrip().startswith(("- ", "* ")) for line in text.splitlines())


def _at_least(count: Callable[[str], int], what: str) -> Check:
    def check(text: str, given: Mapping[str, Any]) -> str | None:
        n = count(text)
        return None if n >= given["n"] else f"{n} {what}, at least {given['n']} wanted"

    return check


def _at_most(count: Callable[[str], int], what: str) -> Check:
    def check(text: str, given: Mapping[str, Any]) -> str | None:
        n = count(text)
        if not n:
            return f"no {what}, 1 to {given['n']} wanted"
        return None if n <= given["n"] else f"{n} {what}, at most {given['n']} wanted"

    return check


def _exactly(count: Callable[[str], int], what: str) -> Check:
    def check(text: str, given: Mapping[str, Any]) -> str | None:
        n = count(text)
        return None if n == given["n"] else f"{n} {what}, exactly {given['n']} wanted"

    return check


def _number_of_words(text: str) -> int:
    return len(words(text))


def _has_words(text: str, given: Mapping[str, Any]) -> str | None:
    missing = sorted(set(given["words"]) - set(bare_words(text)))
    return f"without the words {', '.join(missing)}" if missing else None


def _lacks_words(text: str, given: Mapping[str, Any]) -> str | None:
    if not text:
        return "empty"
    found = sorted(set(given["words"]) & set(bare_words(text)))
    return f"with the forbidden words {', '.join(found)}" if found else None


def _repeats_word(text: str, given: Mapping[str, Any]) -> str | None:
    n = bare_words(text).count(given["word"])
    return None if n >= given["n"] else f"the word {given['word']} occurs {n} times, at least {given['n']} wanted"


def _in_lower_case(text: str, _: Mapping[str, Any]) -> str | None:
    letters = sum(map(str.isalpha, text))
    upper = sum(map(str.isupper, text))
    return None if letters and not upper else f"{upper} of {letters} letters are capitals, none wanted"


def _in_upper_case(text: str, _: Mapping[str, Any]) -> str | None:
    letters = sum(map(str.isalpha, text))
    lower = sum(map(str.islower, text))
    return None if letters and not lower else f"{lower} of {letters} letters are small, none wanted"


def _capital_words(text: str, given: Mapping[str, Any]) -> str | None:
    n = sum(
        len(word) > 1 and word.isalpha() and word.isupper() for word in (one.strip(_PUNCTUATION) for one in words(text))
    )
    return None if n >= given["n"] else f"{n} words in capitals, at least {given['n']} wanted"


def _is_json(text: str, given: Mapping[str, Any]) -> str | None:
    # a fence around it is what models are used to put there, and IFEval allows it
    lines = text.splitlines()
    if len(lines) > 1 and lines[0].strip() in ("```json", "```") and lines[-1].strip() == "```":
        text = "\n".join(lines[1:-1])
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "not a JSON object"
    if not isinstance(found, dict):
        return "JSON, but no object"
    missing, extra = sorted(set(given["keys"]) - set(found)), sorted(set(found) - set(given["keys"]))
    if missing or extra:
        return f"a JSON object without {', '.join(missing) or 'none'} of its keys, and {len(extra)} others"
    return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _begins(text: str, given: Mapping[str, Any]) -> str | None:
    wanted = given["phrase"]
    return None if text.startswith(wanted) else f"begins with {_shown(text[: len(wanted)])}, {wanted!r} wanted"


def _ends(text: str, given: Mapping[str, Any]) -> str | None:
    wanted = given["phrase"]
    return None if text.endswith(wanted) else f"ends with {_shown(text[-len(wanted) :])}, {wanted!r} wanted"


def _quoted(text: str, _: Mapping[str, Any]) -> str | None:
    held = len(text) > 2 and text[0] == text[-1] == '"'
    return None if held else f"begins with {_shown(text[:1])} and ends with {_shown(text[-1:])}, quotation marks wanted"


def _repeats_request(text: str, given: Mapping[str, Any]) -> str | None:
    wanted = given["phrase"]
    if not text.startswith(wanted):
        return "does not begin with the request, word for word"
    return None if words(text[len(wanted) :]) else "repeats the request, and no answer follows"


def _no_commas(text: str, _: Mapping[str, Any]) -> str | None:
    n = text.count(",")
    if not text:
        return "empty"
    return f"{n} commas, none wanted" if n else None


def _title(text: str, _: Mapping[str, Any]) -> str | None:
    for line in text.splitlines():
        start = line.find("<<")
        while start >= 0 and (end := line.find(">>", start + 2)) >= 0:
            if any(map(str.isalnum, line[start + 2 : end])):
                return None
            start = line.find("<<", end + 2)
    return "no title in double angle brackets"


def _placeholders(text: str) -> int:
    """Names in square brackets."""
    count, start = 0, -1
    for place, character in enumerate(text):
        if character == "[":
            start = place
        elif character == "]" and start >= 0:
            count += place > start + 1
            start = -1
    return count


def _highlights(text: str) -> int:
    """Runs between two single asterisks in a line; a bullet's asterisk is none."""
    count = 0
    for line in text.splitlines():
        body = line.lstrip()
        body = body[2:] if body.startswith("* ") else body
        parts = body.replace("**", "").split("*")
        count += sum(bool(part.strip()) for part in parts[1:-1:2])
    return count


def _postscript(text: str, _: Mapping[str, Any]) -> str | None:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    held = bool(lines) and lines[-1].startswith("P.S.") and bool(words(lines[-1][4:]))
    return None if held else "the last line is no postscript that begins with P.S."


def _two_answers(text: str, _: Mapping[str, Any]) -> str | None:
    parts = text.split("******")
    full = sum(bool(words(part)) for part in parts)
    return None if len(parts) == full == 2 else f"{full} answers between {len(parts) - 1} rows of ******, 2 wanted"


def _sections(text: str, given: Mapping[str, Any]) -> str | None:
    found = [line.strip() for line in text.splitlines() if line.strip().startswith("SECTION ")]
    wanted = [f"SECTION {k}" for k in range(1, given["n"] + 1)]
    return None if found == wanted else f"{len(found)} lines SECTION 1, SECTION 2, ...; {given['n']} wanted, in order"


def _kind(check: Check, *claims: str) -> Kind:
    return Kind(check=check, claims=frozenset(claims))


KINDS: dict[str, Kind] = {
    "words_at_least": _kind(_at_least(_number_of_words, "words"), "size"),
    "words_at_most": _kind(_at_most(_number_of_words, "words"), "size", "brevity"),
    "sentences": _kind(_exactly(sentences, "sentences"), "parts", "sentences"),
    "paragraphs": _kind(_exactly(paragraphs, "paragraphs"), "parts", "lines"),
    "bullets": _kind(_exactly(bullets, "bullets"), "parts", "sentences", "lines"),
    "sections": _kind(_sections, "parts", "sentences", "lines", "start", "case"),
    "two_answers": _kind(_two_answers, "parts", "sentences", "lines"),
    "required_words": _kind(_has_words),
    "forbidden_words": _kind(_lacks_words),
    "repeated_word": _kind(_repeats_word, "brevity"),
    "lower_case": _kind(_in_lower_case, "case"),
    "upper_case": _kind(_in_upper_case, "case"),
    "capital_words": _kind(_capital_words, "case"),
    "json": _kind(_is_json, "start", "end", "parts", "sentences", "lines", "case", "commas", "size", "form"),
    "begins_with": _kind(_begins, "start", "case"),
    "ends_with": _kind(_ends, "end", "case", "sentences"),
    "quoted": _kind(_quoted, "start", "end", "form"),
    "repeat_request": _kind(_repeats_request, "start", "case", "sentences", "parts", "lines", "brevity", "form"),
    "no_commas": _kind(_no_commas, "commas"),
    "title": _kind(_title, "form", "lines", "sentences"),
    "placeholders": _kind(_at_least(_placeholders, "placeholders in square brackets"), "brackets"),
    "highlights": _kind(_at_least(_highlights, "parts between single asterisks"), "brackets", "lines"),
    "postscript": _kind(_postscript, "end", "case", "sentences", "lines"),
}
"""By name. Claims: `start` and `end` of the answer, `case` of its letters, `size` and `brevity`, `parts` (how it is cut
up), `sentences` and `lines` (what a count of them would be upset by), `commas`, `brackets`, `form`."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "...")
