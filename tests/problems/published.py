"""Constructions that were published, as data beside the tests."""

import json
import re
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


def published(name: str, of: str = "geometry") -> Any:
    """One entry of the constructions of AlphaEvolve that are `of` geometry or of functions (and sets of integers)."""
    return json.loads((_DATA / f"alphaevolve_{of}.json").read_text(encoding="utf-8"))[name]


def published_vectors(name: str) -> list[list[int]]:
    """The integer vectors of a text file: one a line, apart from comments."""
    lines = (_DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [[int(entry) for entry in line.split()] for line in lines if not line.startswith("#")]


def decomposition(n: int, m: int, p: int) -> list[Any]:
    """The terms [a, b, c] of AlphaEvolve for <n, m, p>, with the coefficients of A, B and C row by row.

    Coefficients are numbers, or pairs [real, imaginary] where a decomposition has complex ones.
    """
    text = (_DATA / "tensors" / f"{n}_{m}_{p}.txt").read_text(encoding="utf-8")
    head, *factors = text.split("\n\n")
    denominator = int(head.removeprefix("denominator "))
    a, b, transposed = (
        [[_coefficient(word, denominator) for word in line.split()] for line in factor.splitlines()]
        for factor in factors
    )
    c = [transposed[k * n + i] for i in range(n) for k in range(p)]
    return [list(map(list, term)) for term in zip(*(zip(*factor, strict=True) for factor in (a, b, c)), strict=True)]


def _coefficient(word: str, denominator: int) -> Any:
    """An entry over the denominator, a power of two, so that the quotient is exact."""
    if not word.endswith("i"):
        return int(word) / denominator
    real, imaginary = re.findall(r"[+-]?\d+", word)
    return [int(real) / denominator, int(imaginary) / denominator]
