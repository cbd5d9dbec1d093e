"""Charts are well-formed, stay inside their bounds, and hold nothing but what they were given."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from evoengine.testing.store import texts
from evoengine.web.charts import Axis, Cell, Level, Node, Series, heat_map, line_chart, lineage_graph, share_bar

_numbers = st.floats() | st.sampled_from([0.0, 1e308, -1e308, 5e-324, math.inf, math.nan, 1.0, 1.0 + 2**-52])
_points = st.lists(st.tuples(_numbers, _numbers), max_size=40)


def numbers_of(svg: ElementTree.Element) -> list[float]:
    """All coordinates in a chart."""
    found: list[float] = []
    for element in svg.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy"):
            if name in element.attrib:
                found.append(float(element.attrib[name]))
        found += [float(one) for one in re.findall(r"-?[\d.]+|nan|inf", element.attrib.get("d", ""))]
    return found


@given(points=_points, stepped=st.booleans(), level=_numbers, name=texts)
def test_a_line_chart_of_any_numbers_is_well_formed_and_inside_its_bounds(
    points: list[tuple[float, float]], stepped: bool, level: float, name: str
) -> None:
    series = Series(name=name, xs=[x for x, _ in points], ys=[y for _, y in points], stepped=stepped)
    chart = line_chart([series], title=name, x_name=name, y_name=name, levels=[Level(name=name, value=level)])
    drawable = any(math.isfinite(x) and math.isfinite(y) for x, y in points)
    assert (chart is not None) == drawable
    if chart is not None:
        svg = ElementTree.fromstring(str(chart))
        assert all(-20 <= value <= 740 for value in numbers_of(svg))
        assert {element.tag for element in svg.iter()} <= {"svg", "line", "text", "path", "circle"}


def test_a_line_goes_through_its_points() -> None:
    chart = line_chart([Series(name="a", xs=[0, 5, 10], ys=[0, 10, 5])], title="t", x_name="x", y_name="y")
    path = ElementTree.fromstring(str(chart)).find("path")
    assert path is not None
    xs, ys = zip(*(map(float, one) for one in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"])), strict=True)
    assert xs[1] - xs[0] == xs[2] - xs[1] > 100
    assert ys[0] > ys[2] > ys[1], "up is more, and SVG counts from the top"
    assert abs((ys[0] - ys[1]) - 2 * (ys[0] - ys[2])) < 0.3


def test_a_line_of_a_million_points_is_drawn_with_a_screenful_and_keeps_its_ends() -> None:
    xs = [float(x) for x in range(100_000)]
    chart = line_chart([Series(name="a", xs=xs, ys=xs)], title="t", x_name="x", y_name="y")
    assert chart is not None
    assert len(chart) < 30_000
    path = ElementTree.fromstring(str(chart)).find("path")
    assert path is not None
    assert len(re.findall("[ML]", path.attrib["d"])) == 600
    assert path.attrib["d"].endswith("544.0 22.0")


@given(
    places=st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 4)), st.floats(0, 1), max_size=12), name=texts
)
def test_a_map_has_a_link_at_the_place_of_every_cell(places: dict[tuple[int, int], float], name: str) -> None:
    cells = {
        place: Cell(shade=shade, title=f"{place} {name}", href=f"/c/{place[0]}-{place[1]}")
        for place, shade in places.items()
    }
    x, y = Axis(name=name, low=0, high=1, bins=7), Axis(name=name, low=0, high=1, bins=5)
    svg = ElementTree.fromstring(str(heat_map(cells, title=name, x=x, y=y)))
    drawn: dict[tuple[int, int], tuple[float, float]] = {}
    for link in svg.findall("a"):
        column, row = map(int, link.attrib["href"].removeprefix("/c/").split("-"))
        rect = link.find("rect")
        assert rect is not None
        shade = int(rect.attrib["class"].removeprefix("cell v"))
        assert shade == min(15, int(places[column, row] * 16))
        drawn[column, row] = (float(rect.attrib["x"]), float(rect.attrib["y"]))
    assert drawn.keys() == places.keys()
    for (column, row), (left, top) in drawn.items():
        for (other_column, other_row), (other_left, other_top) in drawn.items():
            assert (column < other_column) == (left < other_left)
            assert (row < other_row) == (top > other_top), "row 0 is at the bottom"


@given(labels=st.lists(texts, min_size=1, max_size=5), share=st.floats(-1, 2))
def test_names_of_any_kind_stay_text(labels: list[str], share: float) -> None:
    nodes = [Node(label=label, kind="improved", href="/a?b=1&c=2", others=((label, None),)) for label in labels]
    svg = ElementTree.fromstring(str(lineage_graph(nodes, title=labels[0])))
    assert {element.tag for element in svg.iter()} <= {"svg", "line", "text", "a", "circle"}
    assert ElementTree.fromstring(str(share_bar(share, labels[0]))).tag == "svg"
