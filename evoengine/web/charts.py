"""Charts as inline SVG, made on the server.

They need no script and no inline style, so the content security policy stays as strict as it can be; they are the
same in a frozen file; and every mark can be a link. Elements are made as a tree, never as text: nothing that a name
or a value holds can become markup. Colours are classes, so that the style sheet decides on light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

from evoengine.analysis.maps import Axis
from evoengine.readable import plain

_WIDTH, _HEIGHT = 560.0, 250.0
_LETTER = 8.0
"""The width of a letter beside a node, set in the style sheet's 13 pixels."""
_MAP_WIDTH, _MAP_HEIGHT = 560.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 76.0, 16.0, 22.0, 40.0
_POINTS = 600
"""Points of one line at most; a screen has no more."""
_FAR = 1e300
"""Values are held within this and its inverse, so that no difference of two overflows or is lost."""
SHADES = 16
"""Classes v0 to v15, the worst to the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line: values by place, in order of the places. `stepped` holds each value until the next."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A horizontal line to compare with."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a cell of a map shows. `shade` is 0 (the worst) to 1."""

    shade: float
    title: str
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A record in a graph of lineage.

    Attributes:
        label: beside the mark.
        kind: a class of the style sheet.
        others: further parents, beside the one that stands above.
    """

    label: str
    kind: str
    href: str | None = None
    others: Sequence[tuple[str, str | None]] = ()


def line_chart(
    series: Sequence[Series], *, title: str, x_name: str, y_name: str, levels: Sequence[Level] = ()
) -> Markup | None:
    """Lines over one axis; None where there is no finite point."""
    drawn = [_finite(one) for one in series]
    points = [point for _, found in drawn for point in found]
    if not points:
        return None
    xs = [x for x, _ in points]
    held = [_held(level.value) for level in levels if math.isfinite(level.value)]
    left, right = _range(xs)
    low, high = _range([*(y for _, y in points), *held])
    across = _Scale(left, right, _LEFT, _WIDTH - _RIGHT)
    up = _Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    svg = _svg(_WIDTH, _HEIGHT, title)
    svg.set("class", "chart plot")
    _axes(svg, across, up, x_name, y_name)
    above: list[float] = []
    for level in levels:
        if math.isfinite(level.value):
            y = up(_held(level.value))
            _add(svg, "line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, **{"class": "level"})
            # at the start, as a line that rises comes near to its levels towards its end; two must not lie on another
            is_near = any(abs(y - other) < 16 for other in above)
            above.append(y)
            _add(svg, "text", level.name, x=_LEFT + 4, y=y + 13 if is_near else y - 4, **{"class": "level-name"})
    for place, (one, found) in enumerate(drawn):
        path: list[str] = []
        for x, y in _thinned(found):
            if one.stepped and path:
                path.append(f"H{across(x):.1f}")
            path.append(f"{'L' if path else 'M'}{across(x):.1f} {up(y):.1f}")
        _add(svg, "path", d="".join(path), **{"class": f"line s{place % 6}"})
        if len(found) == 1:
            _add(svg, "circle", cx=across(found[0][0]), cy=up(found[0][1]), r=3, **{"class": f"dot s{place % 6}"})
    return _markup(svg)


def heat_map(cells: Mapping[tuple[int, int], Cell], *, title: str, x: Axis, y: Axis | None) -> Markup:
    """Cells by (column, row), row 0 at the bottom; every cell that shows something can be a link."""
    rows = 1 if y is None else y.bins
    wide = max(8.0, min(56.0, _MAP_WIDTH / x.bins))
    high = max(8.0, min(wide, _MAP_HEIGHT / rows))
    width = _LEFT + wide * x.bins + _RIGHT
    height = _TOP + high * rows + _BOTTOM
    svg = _svg(width, height, title)
    svg.set("class", "chart map")
    bottom = height - _BOTTOM
    _add(svg, "rect", x=_LEFT, y=_TOP, width=wide * x.bins, height=high * rows, **{"class": "ground"})
    for (column, row), cell in sorted(cells.items(), key=lambda one: (-one[0][1], one[0][0])):
        parent = _add(svg, "g") if cell.href is None else _add(svg, "a", href=cell.href)
        shade = min(SHADES - 1, max(0, int(cell.shade * SHADES)))
        _add(parent, "title", cell.title)  # what a link is called, and its tooltip
        _add(
            parent, "rect", x=_LEFT + wide * column, y=bottom - high * (row + 1), width=wide, height=high,
            **{"class": f"cell v{shade}"},
        )  # fmt: skip
    _bounds(svg, Axis(name=x.name, low=x.low, high=x.high, bins=x.bins), _LEFT, _LEFT + wide * x.bins, bottom)
    if y is not None:
        _add(svg, "text", _number(y.high), x=_LEFT - 6, y=_TOP + 10, **{"text-anchor": "end"})
        _add(svg, "text", _number(y.low), x=_LEFT - 6, y=bottom, **{"text-anchor": "end"})
        middle = (_TOP + bottom) / 2
        turned = {"text-anchor": "middle", "transform": f"rotate(-90 14 {middle:.1f})", "class": "axis-name"}
        _add(svg, "text", _short(y.name, _fitting(bottom - _TOP)), x=14, y=middle, **turned)
    return _markup(svg)


def lineage_graph(nodes: Sequence[Node], *, title: str) -> Markup:
    """Records one below the other, the seed on top, each with its further parents at its side."""
    step = 34.0
    axis = 120.0 if any(node.others for node in nodes) else 24.0
    longest = max((len(node.label) for node in nodes), default=0)
    svg = _svg(axis + 18 + _LETTER * longest + _RIGHT, step * len(nodes) + 12, title)
    svg.set("class", "chart graph")
    for place, node in enumerate(nodes):
        y = step * place + 22
        if place:
            _add(svg, "line", x1=axis, x2=axis, y1=y - step, y2=y, **{"class": "edge"})
        for other, (label, href) in enumerate(node.others[:2]):
            x, beside = axis - 34.0, y - 16 + 15 * other
            _add(svg, "line", x1=axis, x2=x, y1=y, y2=beside, **{"class": "edge crossed"})
            _linked(svg, href, label, x - 8, beside + 4, "node-name beside")
            _add(svg, "circle", cx=x, cy=beside, r=4, **{"class": "node crossed"})
    for place, node in enumerate(nodes):
        y = step * place + 22
        _add(svg, "circle", cx=axis, cy=y, r=7 if "improved" in node.kind else 5, **{"class": f"node {node.kind}"})
        _linked(svg, node.href, node.label, axis + 18, y + 4, "node-name")
    return _markup(svg)


def share_bar(share: float, title: str) -> Markup:
    """A bar filled from the left by a share, 0 to 1."""
    svg = _svg(120, 12, title)
    _add(svg, "rect", x=0, y=0, width=120, height=12, **{"class": "ground"})
    _add(svg, "rect", x=0, y=0, width=120 * min(1.0, max(0.0, share)), height=12, **{"class": "bar"})
    svg.set("class", "share")
    return _markup(svg)


def shade_legend(low: str, high: str) -> Markup:
    """The shades of a map, with what the outermost stand for."""
    low, high = f"{low} (worst)", f"{high} (best)"
    svg = _svg(320, 30, f"from {low} to {high}")
    for shade in range(SHADES):
        _add(svg, "rect", x=20 * shade, y=0, width=20, height=12, **{"class": f"v{shade}"})
    _add(svg, "text", low, x=0, y=26)
    _add(svg, "text", high, x=320, y=26, **{"text-anchor": "end"})
    svg.set("class", "legend")
    return _markup(svg)


class _Scale:
    """Values between two bounds to places between two others."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self._start, self._end = low, high, start, end

    def __call__(self, value: float) -> float:
        return self._start + (value - self.low) / (self.high - self.low) * (self._end - self._start)

    def ticks(self, about: int) -> list[float]:
        """Round values inside the bounds."""
        raw = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(raw))
        step = next((factor * power for factor in (1.0, 2.0, 5.0) if factor * power >= raw), 10.0 * power)
        first = math.ceil(self.low / step)
        found = [step * (first + place) for place in range(4 * about)]
        return [tick for tick in found if self.low <= tick <= self.high]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Bounds around values that are apart by what floats can tell."""
    low, high = min(values), max(values)
    room = max(abs(low), abs(high)) * 1e-9
    if high - low <= room:
        room = max(abs(low) * 0.05, 1e-12) if low else 1.0
        return low - room, high + room
    return low, high


def _held(value: float) -> float:
    return min(_FAR, max(-_FAR, value)) if abs(value) * _FAR > 1.0 else 0.0


def _finite(series: Series) -> tuple[Series, list[tuple[float, float]]]:
    pairs = zip(series.xs, series.ys, strict=True)
    return series, [(_held(x), _held(y)) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_POINTS` of them, evenly, with the first and the last."""
    if len(points) <= _POINTS:
        return list(points)
    return [points[round(place * (len(points) - 1) / (_POINTS - 1))] for place in range(_POINTS)]


def _axes(svg: ElementTree.Element, across: _Scale, up: _Scale, x_name: str, y_name: str) -> None:
    bottom = _HEIGHT - _BOTTOM
    for tick in up.ticks(4):
        y = up(tick)
        _add(svg, "line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, **{"class": "grid"})
        _add(svg, "text", _number(tick), x=_LEFT - 6, y=y + 4, **{"text-anchor": "end"})
    for tick in across.ticks(6):
        _add(svg, "text", _number(tick), x=across(tick), y=bottom + 16, **{"text-anchor": "middle"})
    middle = (_TOP + bottom) / 2
    turned = {"text-anchor": "middle", "transform": f"rotate(-90 12 {middle:.1f})", "class": "axis-name upward"}
    _add(svg, "text", _short(y_name, _fitting(bottom - _TOP)), x=12, y=middle, **turned)
    named = {"text-anchor": "middle", "class": "axis-name"}
    x_name = _short(x_name, _fitting(_WIDTH - _LEFT - _RIGHT))
    _add(svg, "text", x_name, x=(_LEFT + _WIDTH - _RIGHT) / 2, y=_HEIGHT - 6, **named)


def _bounds(svg: ElementTree.Element, axis: Axis, left: float, right: float, bottom: float) -> None:
    _add(svg, "text", _number(axis.low), x=left, y=bottom + 16)
    _add(svg, "text", _number(axis.high), x=right, y=bottom + 16, **{"text-anchor": "end"})
    named = {"text-anchor": "middle", "class": "axis-name"}
    _add(svg, "text", _short(axis.name, _fitting(right - left)), x=(left + right) / 2, y=bottom + 32, **named)


def _number(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3g}"


def _fitting(width: float) -> int:
    """How many letters of an axis' name fit beside it."""
    return max(8, int(width / 7.0))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _svg(width: float, height: float, title: str) -> ElementTree.Element:
    svg = ElementTree.Element("svg", {"viewBox": f"0 0 {width:.0f} {height:.0f}", "class": "chart"})
    svg.set("width", f"{width:.0f}")
    svg.set("height", f"{height:.0f}")
    svg.set("role", "group")
    svg.set("aria-label", plain(title))
    return svg


def _add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: float | str) -> ElementTree.Element:
    told = {name: plain(value) if isinstance(value, str) else f"{value:.1f}" for name, value in attributes.items()}
    made = ElementTree.SubElement(parent, tag, told)
    if text:
        made.text = plain(text)
    return made


def _linked(svg: ElementTree.Element, href: str | None, label: str, x: float, y: float, kind: str) -> None:
    parent = svg if href is None else _add(svg, "a", href=href)
    _add(parent, "text", label, x=x, y=y, **{"class": kind})


def _markup(svg: ElementTree.Element) -> Markup:
    return Markup(ElementTree.tostring(svg, encoding="unicode"))  # a serialized tree is escaped
