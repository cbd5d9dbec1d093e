"""Floors of the packings and of points that keep apart."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import numpy as np
from cmaes import CMA
from scipy.optimize import linprog, minimize

from benchmarks.floors_parts import Array, Line, judged, polish_of, scope_of, ticks


def circle_packing(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Multi-start SLSQP, basin hopping, and CMA-ES on the centres with radii by linear programming."""
    problem = module.CirclePacking()
    n = problem.n
    scope = polish_of(problem, centers=rng.random((n, 2)), radii=np.full(n, 0.05))

    def value(centers: Array, radii: Array) -> float:
        scope["construct"] = lambda _: (centers, radii)
        return judged(problem, scope["pack"](n))

    best = 0.0
    for k in ticks(seconds):
        best = max(best, value(*scope["polished"](rng.random((n, 2)), np.full(n, 0.05))))
    yield f"SLSQP on centres and radii, {k} random starts", best

    packing = scope["polished"](rng.random((n, 2)), np.full(n, 0.05))
    best = value(*packing)
    for k in ticks(seconds):
        centers, radii = packing[0].copy(), packing[1].copy()
        if k % 2:
            centers = np.clip(centers + rng.normal(0.0, 0.05, centers.shape), 0.0, 1.0)
        else:
            one = rng.integers(n)
            centers[one], radii[one] = rng.random(2), 0.01
        moved = scope["polished"](centers, radii)
        reached = value(*moved)
        if reached > best:
            packing, best = moved, reached
    yield f"basin hopping with SLSQP, {k} hops", best

    [idiom] = [one for one in problem.idioms if one.name == "best_radii"]
    program = compile(idiom.code.replace("$random", "7").replace("$", ""), "best_radii", "exec")
    search = CMA(mean=rng.random(2 * n), sigma=0.2, bounds=np.tile([0.0, 1.0], (2 * n, 1)), seed=int(rng.integers(99)))
    best = 0.0
    for k in ticks(seconds):
        points = []
        for _ in range(search.population_size):
            point = search.ask()
            names = {"np": np, "linprog": linprog, "centers": point.reshape(n, 2), "radii": np.zeros(n)}
            exec(program, names)
            points.append((point, -value(names["centers"], names["radii"])))
        search.tell(points)
        best = max(best, *(-cost for _, cost in points))
    yield f"CMA-ES on the centres, radii by linear programming, {k} generations", best


def heilbronn_triangle(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Multi-start SLSQP and basin hopping."""
    problem = module.HeilbronnTriangle()
    n = problem.n
    scope = polish_of(problem, points=rng.random((n, 2)))

    def inside(count: int) -> Array:
        points = rng.random((count, 2))
        return np.where(points.sum(axis=1, keepdims=True) > 1.0, 1.0 - points, points)

    def value(points: Array) -> float:
        scope["construct"] = lambda _: points
        return judged(problem, scope["place"](n))

    best = 0.0
    for k in ticks(seconds):
        best = max(best, value(scope["polished"](inside(n))))
    yield f"SLSQP on the smallest area, {k} random starts", best

    points, best = inside(n), 0.0
    for k in ticks(seconds):
        moved = points.copy()
        moved[rng.choice(n, 1 + k % 2, replace=False)] = inside(1 + k % 2)
        moved = scope["polished"](moved)
        reached = value(moved)
        if reached > best:
            points, best = moved, reached
    yield f"basin hopping with SLSQP, {k} hops", best


def max_min_ratio(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Multi-start SLSQP."""
    for n, d in ((16, 2), (14, 3)):
        problem = module.MaxMinRatio(n=n, d=d)
        scope = polish_of(problem, points=rng.random((n, d)))
        best = np.inf
        for k in ticks(seconds):
            best = min(best, judged(problem, scope["polished"](rng.random((n, d))).tolist()))
        yield f"{n} points in {d} dimensions: SLSQP, {k} random starts", best


def circle_packing_rectangle(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Multi-start SLSQP and basin hopping."""
    problem = module.CirclePackingRectangle()
    n = problem.n
    scope = polish_of(problem, centers=rng.random((n, 2)), radii=np.full(n, 0.05))

    def value(packing: tuple[Array, Array]) -> float:
        scope["construct"] = lambda _: packing
        return judged(problem, scope["pack"](n))

    best = 0.0
    for k in ticks(seconds):
        best = max(best, value(scope["polished"](rng.random((n, 2)), np.full(n, 0.05))))
    yield f"SLSQP on centres, radii and sides, {k} random starts", best

    packing = scope["polished"](rng.random((n, 2)), np.full(n, 0.05))
    best = value(packing)
    for k in ticks(seconds):
        centers, radii = packing[0].copy(), packing[1].copy()
        if k % 2:
            centers += rng.normal(0.0, 0.05, centers.shape)
        else:
            one = rng.integers(n)
            centers[one], radii[one] = rng.random(2), 0.01
        moved = scope["polished"](centers, radii)
        reached = value(moved)
        if reached > best:
            packing, best = moved, reached
    yield f"basin hopping with SLSQP, {k} hops", best


def heilbronn_convex(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Multi-start SLSQP and basin hopping."""
    for n in (13, 14):
        problem = module.HeilbronnConvex(n=n)
        scope = polish_of(problem, points=rng.random((n, 2)))
        best = 0.0
        for k in ticks(seconds):
            best = max(best, judged(problem, scope["polished"](rng.random((n, 2))).tolist()))
        yield f"{n} points: SLSQP on the smallest area, {k} random starts", best

        points, best = rng.random((n, 2)), 0.0
        for k in ticks(seconds):
            moved = points.copy()
            moved[rng.choice(n, 1 + k % 2, replace=False)] = rng.uniform(moved.min(0), moved.max(0), (1 + k % 2, 2))
            moved = scope["polished"](moved)
            reached = judged(problem, moved.tolist())
            if reached > best:
                points, best = moved, reached
        yield f"{n} points: basin hopping with SLSQP, {k} hops", best


def hexagon_packing(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Multi-start SLSQP on centres, angles and the outer side."""

    def reach(angle: Array) -> Array:
        found: Array = np.cos((angle + np.pi / 6) % (np.pi / 3) - np.pi / 6)
        return found

    for n in (11, 12):
        problem = module.HexagonPacking(n=n)
        scope = scope_of(problem)
        first, second = np.triu_indices(n, 1)

        def slack(z: Array, n: int = n, first: Array = first, second: Array = second) -> Array:
            x, y, angle = z[:-1].reshape(3, n)
            turns, gaps = np.radians([30.0, 90.0, 150.0]), []
            for one in (first, second):
                way = angle[one, None] + turns
                along = (x[first] - x[second])[:, None] * np.cos(way) + (y[first] - y[second])[:, None] * np.sin(way)
                gaps.append(np.abs(along) - reach(way - angle[first, None]) - reach(way - angle[second, None]))
            along = np.abs(x[:, None] * np.cos(turns) + y[:, None] * np.sin(turns))
            walls = z[-1] * np.sqrt(0.75) - along - reach(turns - angle[:, None])
            return np.concatenate([np.hstack(gaps).max(axis=1), walls.ravel()])

        gain = np.append(np.zeros(3 * n), 1.0)
        best = np.inf
        for k in ticks(seconds):
            start = np.concatenate([rng.uniform(-3.0, 3.0, 2 * n), rng.uniform(0.0, np.pi / 3, n), [5.0]])
            found = minimize(
                lambda z: z[-1],
                start,
                jac=lambda _, gain=gain: gain,
                constraints={"type": "ineq", "fun": slack},
                method="SLSQP",
                options={"maxiter": 200, "ftol": 1e-10},
            )
            x, y, angle = found.x[:-1].reshape(3, n)
            if not np.abs(found.x).max() < 100.0:
                continue
            packing = np.column_stack([x, y]), np.degrees(angle), np.zeros(2), 0.0
            scope["construct"] = lambda _, packing=packing: packing
            best = min(best, judged(problem, scope["pack"](n)))
        yield f"{n} hexagons: SLSQP on centres and angles, {k} random starts", best
