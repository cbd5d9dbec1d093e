"""What a problem draws of a record, looked at before anybody is shown it.

A picture is made of numbers that a candidate chose. Wherever it is looked at (a page, a notebook, a file that someone
opens in a browser), it must not be able to do anything: only elements and attributes that draw are let through, and
what is shown is written anew from what was looked at.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn
from xml.etree import ElementTree

from evoengine.drawing import SVG
from evoengine.errors import CampaignError
from evoengine.problem import Problem
from evoengine.readable import plain

MOST = 1 << 20
"""Characters of one picture."""
_MOST_SAID = 300
_DRAWS = {
    "svg", "g", "defs", "title", "desc", "style", "circle", "ellipse", "line", "rect", "polyline", "polygon", "path",
    "text", "tspan", "linearGradient", "radialGradient", "stop", "clipPath",
}  # fmt: skip
_LEADS = re.compile(r"url\(\s*(?!#)|@import|@font-face|image-set|\\|//|:\s*expression", re.IGNORECASE)
"""What of style or of an attribute could have something loaded; a backslash could hide any of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a candidate came to, as its problem draws it. A notebook shows it.

    Attributes:
        svg: holds nothing that loads or runs anything, and no invisible characters.
        title: what it shows, in a line.
        description: what else there is to say of it.
    """

    svg: str
    title: str = ""
    description: str = ""

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, slots=True, kw_only=True)
class Undrawn:
    """There is no picture, and why, in one line."""

    why: str


def picture_of(problem: Problem, outputs: str | None) -> Picture | Undrawn:
    """What a problem draws of a record's outputs. Never raises, whatever they are and whatever it does.

    Args:
        problem: of the record's campaign.
        outputs: of the record (`Scored.outputs`).
    """
    if not problem.draws:
        return Undrawn(why=f"problem {problem.name!r} draws no pictures; it has no render().")
    if outputs is None:
        return Undrawn(why="no outputs of it were kept: none were named when it was judged, or over 256 KiB.")
    try:
        drawn = problem.render(json.loads(outputs, parse_constant=_refused))
    except Exception as error:  # foreign code on untrusted numbers: there is no picture, and the page goes on
        return _undrawn(f"problem {problem.name!r} cannot draw this: {type(error).__name__}: {error}")
    if drawn is None:
        return Undrawn(why=f"problem {problem.name!r} draws nothing of these outputs.")
    try:
        return _inspected(drawn)
    except Exception as error:  # of a parser on foreign text: as above
        return _undrawn(f"what problem {problem.name!r} drew is not shown: {error}")


def _inspected(drawn: object) -> Picture:
    """A picture of what draws and does nothing else.

    Raises:
        ValueError: it is no such SVG.
        ElementTree.ParseError: it is no XML.
    """
    if not isinstance(drawn, str):
        raise ValueError(f"expected SVG text, got a {type(drawn).__name__}")
    if len(drawn) > MOST:
        raise ValueError(f"it has {len(drawn):,} characters, and at most {MOST:,} are shown")
    if "<!DOCTYPE" in drawn:
        raise ValueError("it has a document type, whose entities could make it any size; leave it out")
    root = ElementTree.fromstring(plain(drawn))
    if root.tag != f"{{{SVG}}}svg":
        raise ValueError(f'its outermost element is {root.tag!r}, not svg with xmlns="{SVG}"')
    for element in root.iter():
        space, _, name = str(element.tag).rpartition("}")
        if space != f"{{{SVG}" or name not in _DRAWS:
            raise ValueError(f"it has an element {element.tag!r}, which does not only draw")
        for attribute, value in element.attrib.items():
            low = attribute.lower()
            if low.startswith(("on", "{")) or low in ("href", "src") or _LEADS.search(value):
                raise ValueError(f"its {name} has {attribute}={value[:60]!r}, which does not only draw")
        if name == "style" and (len(element) or _LEADS.search(element.text or "")):  # what follows a child is style too
            raise ValueError("its style loads something, or holds more than text")
        element.tag = name
    root.set("xmlns", SVG)
    return Picture(
        svg=ElementTree.tostring(root, encoding="unicode"),
        title=_said(root.findtext("title")),
        description=_said(root.findtext("desc")),
    )


def _said(text: str | None) -> str:
    return " ".join((text or "").split())[:_MOST_SAID]


def _undrawn(why: str) -> Undrawn:
    return Undrawn(why=_said(plain(why)))


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def required(found: Picture | Undrawn | None, what: str) -> Picture:
    """The picture, for those who have asked for it.

    Args:
        found: what was had for them.
        what: it was to be a picture of.

    Raises:
        CampaignError: there is none; says why.
    """
    match found:
        case Picture():
            return found
        case Undrawn(why=why):
            raise CampaignError(f"there is no picture of {what}: {why}")
        case None:
            raise CampaignError(f"there is no picture of {what}: it has no score, or its problem has no render().")
