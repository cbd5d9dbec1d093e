"""Floors of the packings and of points that keep apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

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
    """Basin hopping with SLSQP on the smallest areas, from new starts where it stalls."""
    problem = module.HeilbronnTriangle()
    n = problem.n
    scope = polish_of(problem, points=rng.random((n, 2)))
    triples = np.array([scope["a"], scope["b"], scope["c"]])
    slopes = np.zeros((3, n, n, 2))
    slopes[0, range(n), range(n), 0] = slopes[1, range(n), range(n), 1] = 1.0
    slopes[2, range(n), range(n)] = -1.0

    def sides(points: Array) -> tuple[Array, Array]:
        return np.concatenate([*points.T, 1.0 - points.sum(axis=1)]), slopes.reshape(3 * n, n, 2)

    def inside(points: Array) -> Array:
        held = np.clip(points, 0.0, 1.0)
        return np.asarray(held / np.maximum(1.0, held.sum(axis=1, keepdims=True)))

    best = now = 0.0
    points = kept = np.zeros((n, 2))
    starts, stale = 0, 100
    for k in ticks(seconds):
        fresh = stale >= 100
        anywhere = rng.random((n, 2))
        anywhere = np.where(anywhere.sum(axis=1, keepdims=True) > 1.0, 1.0 - anywhere, anywhere)
        moved = inside(spread(triples, anywhere if fresh else inside(jolted(points, rng)), sides))
        reached = float(np.abs(scope["signed"](moved.T.ravel())).min())
        stale = 0 if fresh or reached > now + 1e-9 else stale + 1
        starts += fresh
        if fresh or reached > now:
            now, points = reached, moved
        if now > best:
            best, kept = now, points
    scope["construct"] = lambda _: scope["polished"](kept)
    yield f"basin hopping with SLSQP, {k} hops, {starts} random starts", judged(problem, scope["place"](n))


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
    """Basin hopping with SLSQP on the smallest areas, from new starts where it stalls."""
    for n in (13, 14):
        problem = module.HeilbronnConvex(n=n)
        scope = polish_of(problem, points=rng.random((n, 2)))
        best = now = 0.0
        points = kept = rng.random((n, 2))
        starts, stale = 0, 100
        for k in ticks(seconds):
            fresh = stale >= 100
            moved = widened(scope, rng.random((n, 2)) if fresh else jolted(points, rng))
            reached = scope["value"](moved)
            stale = 0 if fresh or reached > now + 1e-9 else stale + 1
            starts += fresh
            if fresh or reached > now:
                now, points = reached, moved
            if now > best:
                best, kept = now, points
        value = judged(problem, scope["polished"](kept).tolist())
        yield f"{n} points: basin hopping with SLSQP, {k} hops, {starts} random starts", value


def jolted(points: Array, rng: np.random.Generator) -> Array:
    """Points (N, 2) of which one or two have jumped, or all moved a little."""
    moved, move = points.copy(), rng.integers(3)
    low, high = points.min(axis=0), points.max(axis=0)
    if move < 2:
        moved[rng.choice(len(points), 1 + move, replace=False)] = rng.uniform(low, high, (1 + move, 2))
        return moved
    wider: Array = moved + rng.normal(0.0, rng.choice([0.02, 0.05, 0.1]), moved.shape) * (high - low)
    return wider


def widened(scope: dict[str, Any], points: Array) -> Array:
    """Points (N, 2) with a larger smallest triangle by their hull, or the same ones."""
    points = (points - points.mean(axis=0)) / np.sqrt(max(scope["whole_area"](points), 1e-12))
    around = scope["corners"](points)

    def hull(points: Array) -> tuple[Array, Array]:
        p, q = points[around].T
        slopes = np.zeros((1, *points.shape))
        slopes[0, around] = np.column_stack([np.roll(q, 1) - np.roll(q, -1), np.roll(p, -1) - np.roll(p, 1)])
        return np.array([1.0 - (p * np.roll(q, -1) - np.roll(p, -1) * q).sum()]), slopes

    found = spread(np.array([scope["a"], scope["b"], scope["c"]]), points, hull)
    better = np.isfinite(found).all() and scope["value"](found) > scope["value"](points)
    return found if better else points


def spread(triples: Array, start: Array, walls: Callable[[Array], tuple[Array, Array]]) -> Array:
    """Points with a larger smallest triangle, most often: as the problem's `polish`, with fewer triangles and rounds.

    Only the 90 triangles that are the smallest at the start are looked at, for 30 rounds: more than twice as many hops
    in the same time. One that was left out and became the smallest counts in the value that decides.

    Args:
        triples: places of points (3, T).
        start: the points (N, 2).
        walls: what has to stay at least 0 (W,) at some points, and its slopes (W, N, 2).
    """
    areas = twice_area(start[triples])
    near = np.argsort(np.abs(areas))[:90]
    side, row = np.sign(areas[near]), np.arange(len(near))
    a, b, c = near_triples = triples[:, near]

    def slack(z: Array) -> Array:
        points = z[:-1].reshape(-1, 2)
        return np.append(side * twice_area(points[near_triples]) - z[-1], walls(points)[0])

    def slope(z: Array) -> Array:
        points = z[:-1].reshape(-1, 2)
        x, y = points.T
        rows = np.zeros((len(row), len(x), 2))
        for one, two, three in ((a, b, c), (b, c, a), (c, a, b)):
            rows[row, one] = np.column_stack([side * (y[two] - y[three]), side * (x[three] - x[two])])
        held = walls(points)[1]
        last = np.append(-np.ones(len(rows)), np.zeros(len(held)))
        return np.column_stack([np.concatenate([rows, held]).reshape(len(last), -1), last])

    gain = np.append(np.zeros(start.size), -1.0)
    found: Array = minimize(
        lambda z: gain @ z,
        np.append(start.ravel(), np.abs(areas).min()),
        jac=lambda _: gain,
        constraints={"type": "ineq", "fun": slack, "jac": slope},
        method="SLSQP",
        options={"maxiter": 30, "ftol": 1e-9},
    ).x
    return found[:-1].reshape(-1, 2)


def twice_area(corners: Array) -> Array:
    """Of triangles (3, T, 2), with the sign of their orientation: (T,)."""
    (ax, ay), (bx, by), (cx, cy) = corners.transpose(0, 2, 1)
    return np.asarray((bx - ax) * (cy - ay) - (cx - ax) * (by - ay))


def hexagon_packing(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Basin hopping with SLSQP on centres, angles and the outer side, from new starts where it stalls."""
    for n in (11, 12):
        problem = module.HexagonPacking(n=n)
        scope = scope_of(problem)
        best = side = np.inf
        point = kept = np.zeros(0)
        starts = stale = 0
        for k in ticks(seconds):
            fresh = k == 1 or stale >= (25 if side < 1.03 * best else 4)
            reached, moved = gathered(n, scattered(n, rng) if fresh else shaken(n, point, rng))
            if fresh or reached < side - 1e-7:
                side, point, stale = reached, moved, 0
            else:
                stale += 1
            starts += fresh
            if side < best:
                best, kept = side, point
        _, kept = gathered(n, kept, rounds=300, near=1e-15)
        x, y, angle = kept[:-1].reshape(3, n)
        packing = np.column_stack([x, y]), np.degrees(angle), np.zeros(2), 0.0
        scope["construct"] = lambda _, packing=packing: packing
        value = judged(problem, scope["pack"](n))
        yield f"{n} hexagons: basin hopping with SLSQP, {k} hops, {starts} random starts", value


def scattered(n: int, rng: np.random.Generator) -> Array:
    """Unit hexagons anywhere, x (n,), y (n,), angles (n,) and the outer side: every other time in nearly one way."""
    angle = rng.uniform(0.0, np.pi / 3, n)
    if rng.random() < 0.5:
        angle = angle[0] + rng.normal(0.0, 0.05, n)
    return np.concatenate([rng.uniform(-3.0, 3.0, 2 * n), angle, [5.0]])


def shaken(n: int, point: Array, rng: np.random.Generator) -> Array:
    """The hexagons after one has jumped, two have moved far, or all a little."""
    moved = point.copy()
    rows = moved[:-1].reshape(3, n)
    move = rng.integers(4)
    if move < 2:
        some = rng.choice(n, 1 + move, replace=False)
        away = rng.uniform(-3.0, 3.0, (2, 1)) if move == 0 else rows[:2, some] + rng.normal(0.0, 0.8, (2, 2))
        rows[:2, some] = away
        rows[2, some] = rng.uniform(0.0, np.pi / 3, 1 + move)
    else:
        width = 0.25 if move == 2 else 0.1
        rows += rng.normal(0.0, width, (3, n))
    moved[-1] += 0.4
    return moved


def gathered(n: int, start: Array, rounds: int = 120, near: float = 1e-9) -> tuple[float, Array]:
    """A smallest outer side near a start, with a price on overlap that is left, and the point where it is."""
    gain = np.append(np.zeros(3 * n), 1.0)
    found = minimize(
        lambda z: z[-1],
        start,
        jac=lambda _: gain,
        constraints={"type": "ineq", "fun": lambda z: room(n, z)[0], "jac": lambda z: room(n, z)[1]},
        method="SLSQP",
        options={"maxiter": rounds, "ftol": near},
    ).x
    if not np.abs(found).max() < 100.0:
        return np.inf, start
    return float(found[-1] - 6.0 * min(room(n, found)[0].min(), 0.0)), found


def room(n: int, point: Array) -> tuple[Array, Array]:
    """How far pairs are apart, and hexagons from three of the outer one's axes: (n (n - 1) / 2 + 3 n,), with slopes.

    A pair's is along the best of the normals of both hexagons' edges: one of these separates them, or they overlap.
    """
    x, y, angle = point[:-1].reshape(3, n)
    first, second = np.triu_indices(n, 1)
    pairs, turns = np.arange(len(first)), np.radians([30.0, 90.0, 150.0])

    def folded(way: Array) -> Array:
        turned: Array = (way + np.pi / 6) % (np.pi / 3) - np.pi / 6
        return turned

    # The reach of a hexagon along its own normals is that of its edges; the other's depends on both angles.
    owner = np.column_stack([first] * 3 + [second] * 3)
    guest = np.column_stack([second] * 3 + [first] * 3)
    way = angle[owner] + np.tile(turns, 2)
    beyond = folded(way - angle[guest])
    across, up = (x[first] - x[second])[:, None], (y[first] - y[second])[:, None]
    along = across * np.cos(way) + up * np.sin(way)
    gaps = np.abs(along) - np.sqrt(0.75) - np.cos(beyond)
    axis = gaps.argmax(axis=1)
    side, cos, sin = np.sign(along)[pairs, axis], np.cos(way)[pairs, axis], np.sin(way)[pairs, axis]
    lean = np.sin(beyond)[pairs, axis]
    rows = np.zeros((len(pairs) + 3 * n, 3 * n + 1))
    rows[pairs, first], rows[pairs, second] = side * cos, -side * cos
    rows[pairs, n + first], rows[pairs, n + second] = side * sin, -side * sin
    rows[pairs, 2 * n + owner[pairs, axis]] = side * (up[:, 0] * cos - across[:, 0] * sin) + lean
    rows[pairs, 2 * n + guest[pairs, axis]] = -lean

    along = x[:, None] * np.cos(turns) + y[:, None] * np.sin(turns)
    beyond = folded(turns - angle[:, None])
    walls = point[-1] * np.sqrt(0.75) - np.abs(along) - np.cos(beyond)
    place, one = len(pairs) + np.arange(3 * n).reshape(n, 3), np.arange(n)[:, None]
    rows[place, one], rows[place, n + one] = -np.sign(along) * np.cos(turns), -np.sign(along) * np.sin(turns)
    rows[place, 2 * n + one] = -np.sin(beyond)
    rows[place, -1] = np.sqrt(0.75)
    return np.concatenate([gaps[pairs, axis], walls.ravel()]), rows
