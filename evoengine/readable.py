"""Values and foreign text as people may safely be shown them."""

from __future__ import annotations

import json
import math
from typing import Any


def readable(value: Any) -> str:
    """A value for people; control characters are made visible, since it may stem from a candidate."""
    match value:
        case None:
            text = "-"
        case float():
            text = f"{value:.13g}"
        case dict():
            text = ", ".join(f"{key} {readable(one)}" for key, one in value.items()) or "-"
        case list() | tuple():
            text = ", ".join(readable(one) for one in value) or "-"
        case _:
            text = str(value)
    return plain(text)


def plain(text: str) -> str:
    """Text without control characters except newlines and tabs."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escape(ord(char)) for char in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_FORMULA = frozenset("=+-@＝＋－＠")
"""Wide forms are among them: where such texts are typed, spreadsheets read them as the narrow ones."""


def harmless(text: str) -> str:
    """Text as a cell of a table that someone may open in a spreadsheet: it is never taken for a formula.

    What begins with =, +, - or @ (also after blanks), or with a tab or a line break, is given an apostrophe in front,
    which spreadsheets read as "this is text". It is meant for texts only: a number keeps its sign.
    """
    text = plain(text)
    begins = text.lstrip()[:1]
    return f"'{text}" if begins in _FORMULA or text[:1] in ("\t", "\n") else text


def encodable(text: str) -> str:
    """Text that has a UTF-8 form: half surrogate pairs, which have none, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def finite(value: Any) -> Any:
    """A value as strict JSON has it: a sum that is no finite number is null."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: finite(one) for key, one in value.items()}
        case list() | tuple():
            return [finite(one) for one in value]
        case _:
            return value


def json_line(value: Any) -> str:
    """A value as strict JSON in ASCII: text of a candidate cannot steer a terminal or break an encoding."""
    return json.dumps(finite(value))
