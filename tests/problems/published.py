"""Constructions that were published, as data beside the tests."""

import json
from pathlib import Path
from typing import Any


def published(name: str) -> Any:
    """One entry of the constructions of AlphaEvolve that are geometric."""
    text = (Path(__file__).parent / "data" / "alphaevolve_geometry.json").read_text(encoding="utf-8")
    return json.loads(text)[name]
