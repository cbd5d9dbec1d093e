"""Values and foreign text as people may safely be shown them."""

from __future__ import annotations

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
