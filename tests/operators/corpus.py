"""Programs that the operators' laws are tested on, as varied as what models and people write."""

from __future__ import annotations

PLAIN = '''\
import math


def area(width, height, scale=1.5):
    """The area, scaled."""
    # a comment that must live
    total = width * height * scale  # trailing
    for i in range(3):
        total += math.sin(i) * 0.25
        if total > 100 and width < height:
            total -= 1.0
    return total
'''

PACKING = """\
import numpy as np

# EVOLVE-BLOCK-START
def construct(n: int = 26):
    centers = np.zeros((n, 2))
    centers[0] = [0.5, 0.5]
    for i in range(8):
        angle = 2 * np.pi * i / 8
        centers[i + 1] = [0.5 + 0.3 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)]
    for i in range(16):
        angle = 2 * np.pi * i / 16
        centers[i + 9] = [0.5 + 0.7 * np.cos(angle), 0.5 + 0.7 * np.sin(angle)]
    centers = np.clip(centers, 0.01, 0.99)
    radii = max_radii(centers)
    return centers, radii


def max_radii(centers):
    n = centers.shape[0]
    radii = np.ones(n)
    for i in range(n):
        x, y = centers[i]
        radii[i] = min(x, y, 1 - x, 1 - y)
    for i in range(n):
        for j in range(i + 1, n):
            dist = np.sqrt(np.sum((centers[i] - centers[j]) ** 2))
            if radii[i] + radii[j] > dist:
                scale = dist / (radii[i] + radii[j])
                radii[i] *= scale
                radii[j] *= scale
    return radii
# EVOLVE-BLOCK-END


def main():
    centers, radii = construct(26)
    return [[float(x), float(y), float(r)] for (x, y), r in zip(centers, radii)]


if __name__ == "__main__":
    print(sum(r for *_, r in main()))
"""

TWO_BLOCKS = '''\
"""Two blocks, and a marker in a string: # EVOLVE-BLOCK-START"""
FIXED = 7
NOTE = """
# EVOLVE-BLOCK-START
not a block, 1 + 1
# EVOLVE-BLOCK-END
"""


def priority(item, bins):
    outside = FIXED * 2
    # EVOLVE-BLOCK-START
    slack = bins - item
    score = -slack / (item + 1)
    # EVOLVE-BLOCK-END
    check = 3 + 4
    # EVOLVE-BLOCK-START
    if item > 0.5:
        score = score * 2.5
    # EVOLVE-BLOCK-END
    return score
'''

CLASSES = """\
from __future__ import annotations
from dataclasses import dataclass, field
from functools import lru_cache, wraps


def logged(level: int = 3):
    def decorate(function):
        @wraps(function)
        def inner(*args, **kwargs):
            return function(*args, **kwargs)

        return inner

    return decorate


@dataclass(frozen=True)
class Point:
    x: float = 0.0
    y: float = 1.5
    tags: list[str] = field(default_factory=list)

    @property
    def norm(self) -> float:
        return (self.x ** 2 + self.y ** 2) ** 0.5

    @staticmethod
    def of(values: tuple[float, ...]) -> "Point":
        return Point(*values[:2])


@lru_cache(maxsize=None)
@logged(
    level=4,
)
def steps(n: int, /, k: int = 2, *, cap: int | None = None) -> int:
    if n <= 1: return 1
    total = 0; count = 3
    for j in range(1, k + 1):
        total += steps(n - j, k)
    else:
        count -= 1
    return min(total, cap) if cap is not None else total + count
"""

STRINGS = '''\
def describe(name, values):
    text = """first
    second "quoted" 1 + 2
third"""
    more = f"{name!r:>{10 + 2}} has {len(values) * 2} {'x' if values else 'y'}"
    if values:
        query = f"""
SELECT {values[0] + 1}
  FROM t
"""
        text = text + query + \\
            more
        text += ("implicit "
                 "joined "
                 f"{1 + 1}")
    raw = rb"\\x00" b"abc"
    return text, raw, 1_000 + 0x1F + 1e-3 + 2j
'''

MODERN = """\
import asyncio


async def gather(urls, limit=4):
    found = [u async for u in urls if (n := len(u)) > 3]
    async with asyncio.Lock() as lock:
        for url in found:
            await asyncio.sleep(0.1 * limit)
    return {url: n * 2 for url in found}


def shape(thing):
    match thing:
        case {"kind": "circle", "r": r} if r > 0:
            return 3.14 * r * r
        case [x, y, *rest] | (x, y, *rest):
            return x * y + len(rest)
        case -1 | 0:
            return 0
        case _:
            return None


def walk(tree):
    stack = [tree]
    while stack:
        node, *stack = stack
        try:
            yield node.value if node.value is not None else -1
        except (AttributeError, TypeError) as error:
            raise ValueError("bad") from error
        finally:
            stack += [child for child in node if child]


key = lambda pair, k=2: (pair[0] ** k, -pair[1])
table = {(i, j): i * j for i in range(4) for j in range(i) if i != j}
assert table, "never empty"
"""

UNICODE = '''\
# -*- coding: utf-8 -*-
def größe(λ, δ=0.5):
    """Größe — „λ“ 😀"""
    ergebnis = λ * 2.0 + δ  # Straße 😀
    名前 = "日本語" * 2
    for ß in [1.0, 2.0]: ergebnis += ß * λ
    return ergebnis if λ>1or δ<1 else(-δ)
'''

TABS = (
    "def f(x):\n\tif x > 1:\n"
    "\t\ty = x * 2\n\t\treturn y\n\telif x < -1:\n\t\treturn -x\n\telse:\n\t\tx += 1\n\treturn x"
)

CRLF = PLAIN.replace("\n", "\r\n")

NESTED = """\
def outer(data):
    best = None
    def score(item):
        nonlocal best
        value = sum(x * w for x, w in zip(item, weights))
        if best is None or value > best:
            best = value
        return value

    weights = [0.2, -0.5, 1.25, 3]
    ranked = sorted(data, key=lambda item: -score(item))
    while len(ranked) > 5:
        ranked.pop()
        if ranked[-1] is ranked[0]:
            break
    else:
        ranked = ranked[::-1]
    matrix = [[1, 2, 3],
              [4, 5, 6]]  # aligned
    a, (b, *c) = matrix[0][0], matrix[1]
    matrix[a - 1][0:2] = [b, -1]
    del c
    return ranked, best, matrix[-1], a if a else b
"""

FORMULA = "def f(x, y):\n    return 1.0 * x + 0.5\n"

ALL = {name.lower(): text for name, text in list(globals().items()) if name.isupper() and isinstance(text, str)}
