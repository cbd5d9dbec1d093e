"""A problem that draws, and one for each way in which a picture can go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

RINGS = '''
"""Rings round a point: some that are drawn well, and some that are not."""

from evoengine import Feature, Problem, Reject, Score
from evoengine.drawing import Drawing

SVG = '<svg xmlns="http://www.w3.org/2000/svg"{}>{}</svg>'


class Rings(Problem):
    name = "rings"
    goal = "Write rings() -> one radius."
    entry = "rings"
    seed = "def rings():\\n    return [0.25]\\n"
    features = (Feature(name="length", low=0, high=500, bins=5),)
    preload = ()

    how: str = "well"

    def inputs(self):
        return [()]

    def judge(self, outputs):
        [[radius]] = outputs
        if type(radius) is not float:
            raise Reject("expected a float")
        return Score(radius)

    def render(self, outputs):
        [[radius]] = outputs
        match self.how:
            case "well":
                drawing = Drawing(f"a ring <of> {radius}", description="Once round.")
                drawing.circle(0.5, 0.5, radius)
                return drawing.svg()
            case "raises":
                raise LookupError("no ring\\n\\x1b[31m<script>alert(1)</script>")
            case "rubbish":
                return "<svg><g></svg>"
            case "script":
                return SVG.format("", "<script>alert(1)</script>")
            case "number":
                return 7
            case "nothing":
                return None
'''

NONE_DRAWN = {
    "raises": "cannot draw this: LookupError",
    "rubbish": "mismatched tag",
    "script": "which does not only draw",
    "number": "expected SVG text, got a int",
    "nothing": "draws nothing of these outputs",
}
"""Why there is no picture, by how it went wrong."""


def put(folder: Path, monkeypatch: pytest.MonkeyPatch | None = None, name: str = "problems/rings.py") -> Path:
    """Writes the problem, by default where it is found by its name."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(RINGS, encoding="utf-8")
    if monkeypatch is not None:
        monkeypatch.chdir(folder)
    return path
