"""Drawings: finite, bounded, and never anything but what was put in."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.drawing import MOST_ELEMENTS, MOST_POINTS, Drawing

SVG = "{http://www.w3.org/2000/svg}"
any_float = st.floats(allow_nan=True, allow_infinity=True)


def shapes(drawing: Drawing, tag: str) -> list[dict[str, str]]:
    """The shapes of a kind, without the ground."""
    found = ElementTree.fromstring(drawing.svg()).iter(f"{SVG}{tag}")
    return [one.attrib for one in found if one.attrib.get("class") != "evo-ground"]


def test_a_circle_is_where_it_belongs_with_y_upwards() -> None:
    drawing = Drawing("one", x=(0.0, 2.0), y=(0.0, 1.0), width=224.0)  # 12 pixels of margin, 100 to a unit
    drawing.circle(0.5, 0.25, 0.1)
    [circle] = shapes(drawing, "ellipse")
    assert [float(circle[name]) for name in ("cx", "cy", "rx", "ry")] == [62.0, 87.0, 10.0, 10.0]
    assert ElementTree.fromstring(drawing.svg()).attrib["viewBox"] == "0 0 224 124"


def test_a_rectangle_is_given_by_its_lower_left_corner() -> None:
    drawing = Drawing("one", width=124.0, height=224.0)
    drawing.rectangle(0.0, 0.0, 0.5, 0.25)
    [found] = shapes(drawing, "rect")
    assert [float(found[name]) for name in ("x", "y", "width", "height")] == [12.0, 162.0, 50.0, 50.0]


def test_sizes_below_nothing_are_refused() -> None:
    drawing = Drawing("none")
    for draw in (lambda: drawing.circle(0, 0, -0.1), lambda: drawing.rectangle(0, 0, -1, 1),
                 lambda: drawing.rectangle(0, 0, 1, -1)):  # fmt: skip
        with pytest.raises(ValueError, match="at least 0"):
            draw()


def test_lines_polygons_dots_and_words_keep_their_order_and_places() -> None:
    drawing = Drawing("all", width=124.0)
    drawing.line([(0, 0), (1, 1)])
    drawing.polygon([(0, 0), (1, 0), (0, 1)])
    drawing.dot(1, 1, size=4.0)
    drawing.text(0, 1, "corner", anchor="end")
    assert [one["points"] for one in shapes(drawing, "polyline")] == ["12,112 112,12"]
    assert [one["points"] for one in shapes(drawing, "polygon")] == ["12,112 112,112 12,12"]
    assert [(one["cx"], one["cy"], one["r"]) for one in shapes(drawing, "circle")] == [("112", "12", "4")]
    [words] = ElementTree.fromstring(drawing.svg()).iter(f"{SVG}text")
    assert (words.text, words.attrib["text-anchor"]) == ("corner", "end")


@settings(deadline=None)
@given(st.lists(st.tuples(any_float, any_float, any_float, any_float), max_size=6))
def test_whatever_the_numbers_a_drawing_is_refused_or_finite(numbers: list[tuple[float, float, float, float]]) -> None:
    drawing = Drawing("hostile")
    for a, b, c, d in numbers:
        for draw in (
            lambda a=a, b=b, c=c: drawing.circle(a, b, c),
            lambda a=a, b=b: drawing.dot(a, b),
            lambda a=a, b=b, c=c, d=d: drawing.rectangle(a, b, c, d),
            lambda a=a, b=b, c=c, d=d: drawing.line([(a, b), (c, d)]),
            lambda a=a, b=b: drawing.text(a, b, "x"),
        ):
            try:
                draw()
            except (ValueError, OverflowError):
                continue
    for element in ElementTree.fromstring(drawing.svg()).iter():
        for name, value in element.attrib.items():
            if name in ("cx", "cy", "rx", "ry", "r", "x", "y", "width", "height", "points"):
                for number in re.split("[ ,]", value):
                    assert re.fullmatch(r"-?\d+(\.\d+)?", number), (name, value)
                    assert abs(float(number)) <= 1e5


@pytest.mark.parametrize("bounds", [(0.0, 0.0), (1.0, 0.0), (0.0, math.inf), (math.nan, 1.0)])
def test_bounds_that_are_none_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="low < high"):
        Drawing("none", x=bounds)
    with pytest.raises(ValueError, match="low < high"):
        Drawing("none", y=bounds)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_words_and_titles_are_text_whatever_they_say(words: str) -> None:
    told = f"<b>&amp;]]>{words}"
    drawing = Drawing(told, description=told)
    drawing.text(0.5, 0.5, told)
    root = ElementTree.fromstring(drawing.svg())
    found = [root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc"), root.findtext(f"{SVG}text")]
    assert len(set(found)) == 1
    assert str(found[0]).startswith("<b>&amp;]]>")
    assert {str(element.tag).removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "desc", "style", "rect", "text",
    }  # fmt: skip
    assert not [char for char in drawing.svg() if not char.isprintable() and char not in "\n\t"]


def test_there_is_an_end_to_elements_and_points() -> None:
    drawing = Drawing("many")
    for _ in range(MOST_ELEMENTS):
        drawing.dot(0, 0)
    with pytest.raises(ValueError, match="elements"):
        drawing.dot(0, 0)
    with pytest.raises(ValueError, match="points"):
        Drawing("long").line((0.0, 0.0) for _ in range(MOST_POINTS + 1))


def test_colours_suit_a_light_and_a_dark_ground_and_can_be_set_by_a_page() -> None:
    style = ElementTree.fromstring(Drawing("any").svg()).findtext(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in style
    assert "var(--evo-area,#" in style
    assert "currentColor" in style
    assert "url(" not in style
