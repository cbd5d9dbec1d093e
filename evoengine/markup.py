"""Tables for notebooks. Every text is escaped: names, feedback and programs are foreign."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from evoengine.readable import plain, readable

_LONGEST = 20_000
"""Characters of a text; a notebook keeps what it shows."""


def table_of(rows: Mapping[str, Any], *, caption: str, texts: Mapping[str, str] | None = None) -> str:
    """Names beside their values as an HTML table, and longer texts below it."""
    told = "".join(
        f'<tr><th style="text-align: left">{_escaped(name)}</th>'
        f'<td style="text-align: left">{_escaped(readable(value))}</td></tr>'
        for name, value in rows.items()
    )
    below = "".join(
        f"<details open><summary>{_escaped(name)}</summary><pre>{_escaped(text)}</pre></details>"
        for name, text in (texts or {}).items()
        if text
    )
    return f'<table><caption style="text-align: left">{_escaped(caption)}</caption>{told}</table>{below}'


def _escaped(text: str) -> str:
    cut = f"{text[:_LONGEST]}\n... {len(text) - _LONGEST} characters more" if len(text) > _LONGEST else text
    return escape(plain(cut))
