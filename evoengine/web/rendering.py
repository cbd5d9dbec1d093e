"""Templates to pages: everything that is put into one is escaped, and nothing invisible gets through."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evoengine.readable import plain

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"count": _count, "percent": _percent, "duration": _duration, "money": _money, "signed": _signed}
    made.filters |= {"moment": _moment, "alike": _alike}
    return made


def warmed() -> None:
    """Compiles all templates, so that the first visitor does not wait for it."""
    made = environment()
    for name in made.list_templates(extensions=["html"]):
        made.get_template(name)


def rendered(name: str, **values: Any) -> str:
    """A template filled in."""
    return environment().get_template(name).render(values)


def _final(value: Any) -> Any:
    """What a value looks like; all but the markup that was made here is escaped after this."""
    match value:
        case Markup():
            return value
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case _:
            return plain(str(value))


def _count(value: float | None) -> str:
    """A count with its thousands apart."""
    return "–" if value is None else f"{value:,.0f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.3g}%"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.6g}"


def _money(value: float | None) -> str:
    return "–" if value is None else f"${value:,.4g}" if value < 100 else f"${value:,.2f}"


def _duration(seconds: float | None) -> str:
    """A time span in its two largest units."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if minutes < 60:
        return f"{int(minutes)} min {int(seconds % 60)} s"
    return f"{int(hours)} h {int(minutes % 60)} min" if hours < 48 else f"{int(days)} d {int(hours % 24)} h"


def _moment(told: str) -> str:
    """A moment to the minute; what is none stays as it is."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return told
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _alike(values: Iterable[Any]) -> list[Any]:
    """The values of a table's column, numbers with equally many decimals, so that their points stand in a line."""
    found = list(values)
    written = [f"{value:.10g}" for value in found if isinstance(value, float)]
    if any("e" in text or not math.isfinite(float(text)) for text in written):
        return found
    decimals = max((len(text.partition(".")[2]) for text in written), default=0)
    return [f"{value:.{decimals}f}" if isinstance(value, float) else value for value in found]
