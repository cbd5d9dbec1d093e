"""Floors of the problems in integers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from types import ModuleType

import numpy as np

from benchmarks.floors_parts import Array, Line, judged, scope_of, ticks


def kissing_number(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Vectors of squared norm 4 over a constant-weight code: the code by local search (Conway and Sloane, ch. 5)."""
    for d in (8, 11):
        problem = module.KissingNumber(d=d)
        code, k = constant_weight_code(d, seconds / 2, rng)
        yield f"d = {d}: {len(code)} supports of four by local search, {k} moves", judged(problem, over_code(d, code))


def constant_weight_code(d: int, seconds: float, rng: np.random.Generator) -> tuple[list[tuple[int, ...]], int]:
    """Many 4-subsets of d places, any two with at most 2 places in common, and the moves that it took."""
    blocks = list(combinations(range(d), 4))
    clash = np.array([[len({*a} & {*b}) == 3 for a in blocks] for b in blocks])
    chosen, best, last, k = np.zeros(len(blocks), dtype=bool), np.zeros(0, dtype=int), np.zeros(len(blocks)), 0
    for k in ticks(seconds):
        against = clash[:, chosen].sum(axis=1)
        free = np.flatnonzero(~chosen & (against == 0))
        swap = np.flatnonzero(~chosen & (against == 1) & (last < k))
        one = rng.choice(free if len(free) else swap if len(swap) else np.flatnonzero(~chosen))
        last[clash[one] & chosen] = k + rng.integers(5, 15)
        chosen &= ~clash[one]
        chosen[one] = True
        if chosen.sum() > len(best):
            best = np.flatnonzero(chosen)
    return [blocks[place] for place in best], k


def over_code(d: int, code: Sequence[Sequence[int]]) -> list[list[int]]:
    """The vectors (2, 0, ...) and (1, 1, 1, 1, 0, ...) with all signs, the ones at the places of the code."""
    vectors = [[sign * 2 * (i == k) for i in range(d)] for k in range(d) for sign in (-1, 1)]
    for places in code:
        for signs in product((-1, 1), repeat=4):
            vector = [0] * d
            for place, sign in zip(places, signs, strict=True):
                vector[place] = sign
            vectors.append(vector)
    return vectors


def sum_difference(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Integer points of simplices as digits in every base, and the best of them with elements taken out and put in."""
    problem = module.SumDifference()
    found: list[tuple[float, list[int], str]] = []
    for dimension in range(2, 9):
        for most in range(1, 40):
            if math.comb(dimension + most, most) > problem.most:
                break
            points = list(simplex(dimension, most))
            for base in range(most + 1, 2 * most + 2):
                made = sorted({sum(x * base**k for k, x in enumerate(point)) for point in points})
                found.append((judged(problem, made), made, f"{dimension} digits of sum up to {most} in base {base}"))
    best, elements, what = max(found)
    yield f"{what}: {len(elements)} elements", best
    for k in ticks(seconds):
        moved = set(elements)
        moved ^= {int(x) for x in rng.integers(1, elements[-1] + 1, rng.integers(0, 3))}
        moved ^= {int(x) for x in rng.choice(elements[1:], rng.integers(0, 3), replace=False)}
        value = judged(problem, sorted(moved)) if 2 < len(moved) <= problem.most else 0.0
        if value > best:
            best, elements = value, sorted(moved)
    yield f"the same after {k} changes of a few elements", best


def simplex(dimension: int, most: int) -> Iterator[tuple[int, ...]]:
    """The points with so many non-negative integer coordinates, of sum up to `most`."""
    if dimension == 0:
        yield ()
        return
    for first in range(most + 1):
        for rest in simplex(dimension - 1, most - first):
            yield (first, *rest)


def matrix_multiplication(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Random walks on the flip graph, from the definition and from Strassen's algorithm on blocks."""
    for size in ((2, 2, 2), (3, 3, 3), (2, 4, 5)):
        n, m, p = size
        problem = module.MatrixMultiplication(n=n, m=m, p=p)
        scope = {**scope_of(problem), "random": random, "n": n, "m": m, "p": p}
        starts = [scope["construct"](*size)]
        for idiom in problem.idioms:
            exec(idiom.code.replace("$terms = walked($terms, 300000, $random)", "").replace("$", ""), scope)
        starts.append(scope["terms"])
        for what, start in zip(("the definition", "Strassen on blocks"), starts, strict=True):
            yield f"{size}: {what}", judged(problem, start)
            best = np.inf
            for k in ticks(seconds / 2):
                best = min(best, judged(problem, scope["walked"](start, 3_000_000, int(rng.integers(2**31)))))
            yield f"{size}: flips from there, {k} walks of 3 million steps", best


def cap_set(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Priorities that are the same for all vectors with zeros at the same places: random ones, and hill climbing."""
    problem = module.CapSet()
    supports = (module.vectors_of(problem.n) > 0) @ 2 ** np.arange(problem.n)

    def value(priorities: Array) -> float:
        return judged(problem, priorities[supports].tolist())

    best = 0.0
    for k in ticks(seconds / 2):
        best = max(best, value(rng.random(2**problem.n)))
    yield f"random priorities of supports, {k} of them", best
    priorities = rng.random(2**problem.n)
    best = value(priorities)
    for k in ticks(seconds / 2):
        moved = priorities.copy()
        moved[rng.integers(len(moved), size=1 + k % 3)] = rng.random(1 + k % 3)
        reached = value(moved)
        if reached >= best:
            priorities, best = moved, reached
    yield f"hill climbing on them, {k} steps", best


def difference_basis(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """Perfect difference sets modulo q^2 + q + 1 (Singer 1938) at the heights 0, 1, 4 and 6, as Leech 1956 has it."""
    problem = module.DifferenceBasis()
    best, said = np.inf, ""
    for q in (7, 13, 31, 53, 73, 79, 83, 89, 97):
        modulus = q * q + q + 1
        singer, widest, cut = singer_set(q), 0, np.zeros(0, dtype=int)
        for factor in (one for one in range(1, modulus // 2) if np.gcd(one, modulus) == 1):
            turned = np.sort(singer * factor % modulus)
            gaps = np.diff(np.append(turned, turned[0] + modulus))
            if gaps.max() > widest:
                widest, cut = (
                    int(gaps.max()),
                    np.sort((turned - turned[(int(gaps.argmax()) + 1) % len(gaps)]) % modulus),
                )
        value = judged(problem, sorted(int(x) + modulus * height for x in cut for height in (0, 1, 4, 6)))
        if value < best:
            best, said = value, f"q = {q}: {4 * len(cut)} elements, the widest gap is {widest}"
    yield f"Singer sets at four heights, best {said}", best


def singer_set(q: int) -> Array:
    """A perfect difference set of q + 1 residues modulo q^2 + q + 1, for a prime q: a line of the projective plane."""
    modulus = q * q + q + 1
    for a, b, c in product(range(q), range(q), range(1, q)):
        power, found = (1, 0, 0), []
        for k in range(modulus):
            if power[2] == 0:
                found.append(k)
            power = (power[2] * c % q, (power[0] + power[2] * b) % q, (power[1] + power[2] * a) % q)
        apart = {(x - y) % modulus for x in found for y in found if x != y} if len(found) == q + 1 else set()
        if len(apart) == modulus - 1:
            return np.array(found)
    raise ValueError(f"{q} is no prime")


def hadamard_determinant(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Rows and columns replaced by the signs of their cofactors, from Hadamard matrices with a random border."""
    problem = module.HadamardDeterminant()
    n = problem.n
    core = hadamard_28().astype(float)
    best = now = -np.inf
    kept = climbing = np.ones((n, n))
    starts, stale = 0, 3000
    for k in ticks(seconds):
        if stale >= 3000:
            moved = rng.choice((-1.0, 1.0), (n, n))
            moved[1:, 1:] = core[rng.permutation(n - 1)][:, rng.permutation(n - 1)]
            now, starts, stale = -np.inf, starts + 1, 0
        else:
            moved = climbing.copy()
            lines = moved if rng.random() < 0.5 else moved.T
            for i in rng.choice(n, rng.integers(1, 4), replace=False):
                lines[i] *= np.where(rng.random(n) < rng.uniform(0.03, 0.43), -1.0, 1.0)
        reached = climbed(moved)
        stale = 0 if reached > now + 1e-9 else stale + 1
        if reached > now - 1e-9 or rng.random() < np.exp(50.0 * (reached - now)):
            now, climbing = reached, moved
        if now > best + 1e-9:
            best, kept = now, climbing
    value = judged(problem, kept.astype(int).tolist())
    yield f"signs of cofactors, {k} climbs from {starts} bordered matrices", value


def climbed(matrix: Array) -> float:
    """Gives the logarithm of the determinant after each best row or column took its cofactors' signs, while one gains.

    The matrix (n, n) is changed. With the others fixed, the determinant is linear in one row: its cofactors' signs are
    the best row, and the gain is the sum of the sizes of a column of the inverse.
    """
    while True:
        try:
            inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            return -np.inf
        sizes = np.abs(inverse)
        gains = np.stack([sizes.sum(axis=0), sizes.sum(axis=1)])
        upright, i = np.unravel_index(int(gains.argmax()), gains.shape)
        if gains[upright, i] < 1.0 + 1e-9:
            return float(np.linalg.slogdet(matrix)[1])
        lines, cofactors = (matrix.T, inverse[i]) if upright else (matrix, inverse[:, i])
        lines[i] = np.where(np.abs(cofactors) < 1e-9, lines[i], np.sign(cofactors))


def hadamard_28() -> Array:
    """A Hadamard matrix of order 2 (q + 1) from the squares modulo q = 13 (Paley 1933)."""
    q = 13
    squares = {x * x % q for x in range(1, q)}
    conference = np.ones((q + 1, q + 1), dtype=int)
    conference[0, 0] = 0
    conference[1:, 1:] = [[0 if i == k else 1 if (i - k) % q in squares else -1 for k in range(q)] for i in range(q)]
    return np.kron(conference, [[1, 1], [1, -1]]) + np.kron(np.eye(q + 1, dtype=int), [[1, -1], [-1, -1]])
