"""Drawings of points, circles and lines, for problems that show what a candidate came to.

Elements are made as a tree, never as text: nothing that a number or a word holds can become markup. Colours are CSS
variables that a page may set, with what suits a light and a dark ground where it does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, TypeAlias
from xml.etree import ElementTree

from evoengine.readable import plain

SVG = "http://www.w3.org/2000/svg"
MOST_ELEMENTS = 5_000
MOST_POINTS = 50_000
"""Of all lines and polygons together."""
_MOST_WORDS = 200
"""Characters of one text."""
_MARGIN = 12.0
_FAR = 1e5
"""Pixels from the picture's corner within which everything has to be."""

Look: TypeAlias = Literal["area", "mark", "edge", "line", "soft"]
"""How it is drawn: "area" and "mark" are filled, in two colours; "edge" and "line" are not, in the colour of text and
in that of areas; "soft" is a thin line in the background."""

_COLOURS = {"ground": ("#ffffff", "#10171e"), "text": ("#14202b", "#e6edf3"), "area": ("#0b63b5", "#66b2ff"),
            "mark": ("#b5520b", "#ffab66"), "soft": ("#8895a1", "#5d6b78")}  # fmt: skip
"""On a light and on a dark ground."""
_RULES = (
    ("evo-drawing", "color", "text"),
    ("evo-ground", "fill", "ground"),
    ("evo-area", "fill", "area"),
    ("evo-area", "stroke", "area"),
    ("evo-mark", "fill", "mark"),
    ("evo-mark", "stroke", "mark"),
    ("evo-line", "stroke", "area"),
    ("evo-soft", "stroke", "soft"),
)
_SHAPES = (
    ".evo-area,.evo-mark{fill-opacity:.3;stroke-width:1.2}.evo-line,.evo-edge,.evo-soft{fill:none;stroke-width:1.5}"
    ".evo-soft{stroke-width:.8}.evo-edge{stroke:currentColor}.evo-words{fill:currentColor;font:12px sans-serif}"
)


class Drawing:
    """A picture of a part of the plane, y upwards.

    Args:
        title: what it shows, in one line; read out in the place of the picture.
        x: from the left to the right edge.
        y: from the lower to the upper edge.
        width: of the picture, in pixels.
        height: in pixels; by default what makes one as long upwards as it is to the right.
        description: what else there is to say of it.

    Raises:
        ValueError: the bounds are not finite, or not apart.
    """

    def __init__(
        self,
        title: str,
        *,
        x: tuple[float, float] = (0.0, 1.0),
        y: tuple[float, float] = (0.0, 1.0),
        width: float = 480.0,
        height: float | None = None,
        description: str = "",
    ) -> None:
        for low, high in (x, y):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(f"a drawing needs finite bounds, low < high, got {low!r} and {high!r}")
        inner = width - 2 * _MARGIN
        self._across = inner / (x[1] - x[0])
        self._up = self._across if height is None else (height - 2 * _MARGIN) / (y[1] - y[0])
        self._left, self._top = x[0], y[1]
        self._elements = self._points = 0
        tall = self._up * (y[1] - y[0]) + 2 * _MARGIN
        size = {"width": _pixels(width), "height": _pixels(tall)}
        viewed = {"viewBox": f"0 0 {size['width']} {size['height']}", **size}
        self._root = ElementTree.Element("svg", {"xmlns": SVG, "class": "evo-drawing", "role": "img", **viewed})
        ElementTree.SubElement(self._root, "title").text = plain(title[:_MOST_WORDS])
        if description:
            ElementTree.SubElement(self._root, "desc").text = plain(description[: 10 * _MOST_WORDS])
        ElementTree.SubElement(self._root, "style").text = _style()
        ElementTree.SubElement(self._root, "rect", {"class": "evo-ground", **size})

    def circle(self, x: float, y: float, radius: float, look: Look = "area") -> None:
        """A circle; an ellipse where a height was given.

        Raises:
            ValueError: for this and all that follow: a number is not finite or far off the picture, or there are
                more elements or points than a picture holds.
        """
        if not radius >= 0:
            raise ValueError(f"a circle needs a radius of at least 0, got {radius!r}")
        across, up = _pixels(radius * self._across), _pixels(radius * self._up)
        self._add("ellipse", look, cx=self._x(x), cy=self._y(y), rx=across, ry=up)

    def dot(self, x: float, y: float, look: Look = "mark", size: float = 3.0) -> None:
        """A point, as a disc of so many pixels' radius."""
        self._add("circle", look, cx=self._x(x), cy=self._y(y), r=_pixels(size))

    def rectangle(self, x: float, y: float, width: float, height: float, look: Look = "area") -> None:
        """A rectangle by its lower left corner."""
        if not (width >= 0 and height >= 0):
            raise ValueError(f"a rectangle needs sides of at least 0, got {width!r} and {height!r}")
        across, up = _pixels(width * self._across), _pixels(height * self._up)
        self._add("rect", look, x=self._x(x), y=self._y(y + height), width=across, height=up)

    def polygon(self, points: Iterable[tuple[float, float]], look: Look = "edge") -> None:
        """A closed line through points."""
        self._add("polygon", look, points=self._path(points))

    def line(self, points: Iterable[tuple[float, float]], look: Look = "line") -> None:
        """A line through points."""
        self._add("polyline", look, points=self._path(points))

    def text(self, x: float, y: float, words: str, anchor: Literal["start", "middle", "end"] = "start") -> None:
        """Words that begin, have their middle or end at a place."""
        made = self._add("text", None, x=self._x(x), y=self._y(y), **{"text-anchor": anchor})
        made.text = plain(words[:_MOST_WORDS])

    def svg(self) -> str:
        """The picture as SVG text."""
        return ElementTree.tostring(self._root, encoding="unicode")

    def _x(self, x: float) -> str:
        return _pixels(_MARGIN + (x - self._left) * self._across)

    def _y(self, y: float) -> str:
        return _pixels(_MARGIN + (self._top - y) * self._up)

    def _path(self, points: Iterable[tuple[float, float]]) -> str:
        placed = []
        for x, y in points:
            self._points += 1
            if self._points > MOST_POINTS:
                raise ValueError(f"a drawing holds at most {MOST_POINTS:,} points of lines and polygons")
            placed.append(f"{self._x(x)},{self._y(y)}")
        return " ".join(placed)

    def _add(self, tag: str, look: Look | None, **attributes: str) -> ElementTree.Element:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise ValueError(f"a drawing holds at most {MOST_ELEMENTS:,} elements")
        kind = "evo-words" if look is None else f"evo-{look}"
        return ElementTree.SubElement(self._root, tag, {"class": kind, **attributes})


def _pixels(value: float) -> str:
    """A length or place as text, to a hundredth of a pixel."""
    if not abs(value) <= _FAR:  # NaN is not either
        raise ValueError(f"a drawing needs finite numbers that are not far off it, got {value!r} pixels")
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _style() -> str:
    """The colours of both grounds; the plain colour goes first, for viewers that know no variables."""
    light = "".join(
        f".{name}{{{what}:{_COLOURS[colour][0]};{what}:var(--evo-{colour},{_COLOURS[colour][0]})}}"
        for name, what, colour in _RULES
    )
    dark = "".join(f".{name}{{{what}:var(--evo-{colour},{_COLOURS[colour][1]})}}" for name, what, colour in _RULES)
    return f"{_SHAPES}{light}@media (prefers-color-scheme:dark){{{dark}}}"
