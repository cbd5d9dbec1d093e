"""What a shipped problem draws, as shapes that a test can measure."""

import json
from xml.etree import ElementTree

from evoengine.pictures import Picture, picture_of

SVG = "{http://www.w3.org/2000/svg}"


def shapes(problem, outputs, tag, look):
    """The attributes of all shapes of a kind, numbers as numbers."""
    found = picture_of(problem, json.dumps(outputs))
    assert isinstance(found, Picture), found
    return [
        {name: _value(value) for name, value in element.attrib.items()}
        for element in ElementTree.fromstring(found.svg).iter(f"{SVG}{tag}")
        if element.attrib.get("class") == f"evo-{look}"
    ]


def _value(text):
    if "," in text:
        return [tuple(float(number) for number in point.split(",")) for point in text.split()]
    try:
        return float(text)
    except ValueError:
        return text
