"""Constructions that were published, as data beside the tests."""

import json
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


def published(name: str) -> Any:
    """One entry of the constructions of AlphaEvolve that are geometric."""
    return json.loads((_DATA / "alphaevolve_geometry.json").read_text(encoding="utf-8"))[name]


def published_vectors(name: str) -> list[list[int]]:
    """The integer vectors of a text file: one a line, apart from comments."""
    lines = (_DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [[int(entry) for entry in line.split()] for line in lines if not line.startswith("#")]
