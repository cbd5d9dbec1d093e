"""Floors of the inequalities and of formulas."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import numpy as np
from cmaes import CMA
from scipy.linalg import convolution_matrix
from scipy.optimize import linprog, minimize

from benchmarks.floors_parts import Array, Line, judged, scope_of, ticks


def autocorrelation(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Linear programs that step towards the best partner of the present function."""
    problem = module.Autocorrelation()
    [idiom] = [one for one in problem.idioms if one.name == "ascend"]
    program = compile(idiom.code.replace("$random", "7").replace("$", ""), "ascend", "exec")
    best = np.inf
    for k in ticks(seconds):
        names = {"np": np, "linprog": linprog, "heights": rng.uniform(0.7, 1.3, 50)}
        for _ in range(3):
            for _ in range(2):
                exec(program, names)
            best = min(best, judged(problem, np.maximum(names["heights"], 0.0).tolist()))
            names["heights"] = np.repeat(names["heights"], 2) * rng.uniform(0.95, 1.05, 2 * len(names["heights"]))
    yield f"linear programming on 50, 100 and 200 steps, {k} random starts", best


def symbolic_regression(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """Least squares on monomials and on sines, cosines and exponentials of the variables."""
    for target, entry in module.TARGETS.items():
        problem = module.SymbolicRegression(target=target)
        for degree in (1, 3, 5):

            def basis(rows: Sequence[Sequence[float]], degree: int = degree) -> Array:
                columns = [np.ones(len(rows))]
                for x in np.array(rows).T:
                    columns += [x**power for power in range(1, degree + 1)]
                    columns += [np.sin(x), np.cos(x), np.exp(-x)] if degree > 1 else []
                return np.column_stack(columns)

            rows = problem.inputs("train")
            weights = np.linalg.lstsq(basis(rows), [entry.formula(*row) for row in rows], rcond=None)[0]
            for stage in ("train", "held_out"):
                value = problem.judge((basis(problem.inputs(stage)) @ weights).tolist()).value
                yield f"{target}: least squares that saw the targets, degree {degree}, {stage}", value


def autocorrelation_second(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Quasi-Newton steps on the logarithm of the ratio, with a p-norm in the place of the peak."""
    problem = module.AutocorrelationSecond()

    def loss(roots: Array, power: float) -> tuple[float, Array]:
        heights = roots**2
        folded = np.convolve(heights, heights)
        padded = np.concatenate([[0.0], folded, [0.0]])
        square = (padded[:-1] ** 2 + padded[:-1] * padded[1:] + padded[1:] ** 2).sum()
        top = folded.max()
        shares = (folded / top) ** power
        value = -np.log(square) + 2.0 * np.log(heights.sum()) + np.log(top) + np.log(shares.sum()) / power
        slope = -(4.0 * folded + padded[:-2] + padded[2:]) / square + shares / shares.sum() / np.maximum(folded, 1e-12)
        change = 2.0 * np.correlate(slope, heights, "valid") + 2.0 / heights.sum()
        return float(value), 2.0 * roots * change

    best = 0.0
    for k in ticks(seconds):
        roots = np.sqrt(rng.uniform(0.0, 1.0, 50))
        for _ in range(3):
            for power in (30.0, 200.0, 1500.0):
                options = {"maxiter": 400}
                roots = minimize(loss, roots, args=(power,), jac=True, method="L-BFGS-B", options=options).x
            best = max(best, judged(problem, (roots**2).tolist()))
            roots = np.repeat(roots, 2) * rng.uniform(0.98, 1.02, 2 * len(roots))
    yield f"L-BFGS on 50, 100 and 200 steps, {k} random starts", best


def autocorrelation_third(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Sequential linear programming on the peak."""
    for absolute in (False, True):
        problem = module.AutocorrelationThird(absolute=absolute)

        def peak(heights: Array, absolute: bool = absolute) -> tuple[Array, Array]:
            folded = np.convolve(heights, heights)
            rows = 2.0 * convolution_matrix(heights, len(heights))
            return (np.append(folded, -folded), np.vstack([rows, -rows])) if absolute else (folded, rows)

        best = np.inf
        for k in ticks(seconds):
            heights = rng.uniform(0.5, 1.5, 50)
            for _ in range(2):
                heights = lowered(peak, heights, (-50.0, 50.0))
                best = min(best, judged(problem, heights.tolist()))
                heights = np.repeat(heights, 2) + rng.normal(0.0, 0.02, 2 * len(heights))
        kind = "absolute peak" if absolute else "peak"
        yield f"{kind}: sequential linear programs on 50 and 100 steps, {k} random starts", best


def erdos_minimum_overlap(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Sequential linear programming on the largest overlap."""
    problem = module.ErdosMinimumOverlap()

    def overlap(heights: Array) -> tuple[Array, Array]:
        rest = 1.0 - heights
        rows = convolution_matrix(rest[::-1], len(heights)) - convolution_matrix(heights, len(heights))[:, ::-1]
        return np.correlate(heights, rest, "full"), rows

    best = np.inf
    for k in ticks(seconds):
        heights = rng.uniform(0.0, 1.0, 51)
        heights *= 0.5 / heights.mean()
        for _ in range(2):
            heights = lowered(overlap, np.clip(heights, 0.0, 1.0), (0.0, 1.0))
            best = min(best, judged(problem, np.clip(heights, 0.0, 1.0).tolist()))
            heights = np.repeat(heights, 2) + rng.normal(0.0, 0.01, 2 * len(heights))
    yield f"sequential linear programs on 51 and 102 steps, {k} random starts", best


def lowered(
    functions: Callable[[Array], tuple[Array, Array]], start: Array, bounds: tuple[float, float], rounds: int = 60
) -> Array:
    """A point (N,) where the largest of functions is small: linear programs in a trust region, at an equal sum.

    Args:
        functions: their values (M,) and slopes (M, N) at a point.
        start: where to begin.
        bounds: of every coordinate.
        rounds: the most linear programs.
    """
    point, radius = start, 0.2
    for _ in range(rounds):
        here, rows = functions(point)
        count = len(point)
        low, high = np.maximum(-radius, bounds[0] - point), np.minimum(radius, bounds[1] - point)
        found = linprog(
            np.append(np.zeros(count), 1.0),
            A_ub=np.column_stack([rows, -np.ones(len(here))]),
            b_ub=-here,
            A_eq=np.append(np.ones(count), 0.0)[None, :],
            b_eq=[0.0],
            bounds=[*zip(np.minimum(low, 0.0), np.maximum(high, 0.0), strict=True), (None, None)],
        )
        if found.x is None:
            break
        moved = point + found.x[:-1]
        if functions(moved)[0].max() < here.max():
            point, radius = moved, 1.5 * radius
        else:
            radius /= 4.0
        if radius < 1e-7:
            break
    return point


def uncertainty(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """CMA-ES on the terms' values at 0, from random starts, and linear programs with bisection."""
    for k in (3, 7):
        problem = module.Uncertainty(k=k)
        scope = scope_of(problem)
        best, starts, search = np.inf, 0, None
        for _ in ticks(seconds):
            if search is None or search.should_stop():
                search = CMA(mean=rng.normal(0.0, 0.3, k - 1), sigma=0.2, seed=int(rng.integers(99)))
                starts += 1
            points = []
            for _ in range(search.population_size):
                point = search.ask()
                scope["construct"] = lambda _, point=point: [1.0, *point]
                points.append((point, judged(problem, scope["coefficients"](k))))
            search.tell(points)
            best = min(best, *(value for _, value in points))
        yield f"{k} coefficients: CMA-ES, {starts} random starts", best

        begun = time.process_time()
        value = min(judged(problem, found) for found in positive_from(k, (0.3, 0.4)))
        spent = time.process_time() - begun
        yield f"{k} coefficients: linear programs on a grid, {spent:.0f} CPU s", value


def positive_from(k: int, bounds: tuple[float, float]) -> Iterator[list[float]]:
    """Coefficients of sums that are 0 at 0 and positive from smaller and smaller values on.

    "Positive from there on" is linear in the coefficients: a linear program makes the least value on a grid, each
    divided by the largest term there, as large as can be. The touching points are between those of the grid, so the
    judge's value is a little larger than what was asked for.
    """
    grid = np.concatenate([np.linspace(1e-3, 12.0, 60_001), np.geomspace(12.0, 300.0, 3_001)[1:]])
    scaled, zero = scaled_terms(grid, k), scaled_terms(np.zeros(1), k)
    gain = np.append(np.zeros(k + 1), -1.0)
    tolerances = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    low, high = bounds
    while high - low > 1e-10:
        middle = (low + high) / 2.0
        start = np.sqrt(2.0 * np.pi * middle)
        rows = np.vstack([scaled_terms(np.array([start]), k), scaled[grid >= start]])
        part = rows[::30]
        for _ in range(30):
            solved = linprog(
                gain,
                A_ub=np.column_stack([-part, np.ones(len(part))]),
                b_ub=np.zeros(len(part)),
                A_eq=np.append(zero, 0.0)[None, :],
                b_eq=[0.0],
                bounds=[*[(-1.0, 1.0)] * k, (0.0, 1.0), (None, None)],
                method="highs-ds",
                options=tolerances,
            ).x
            if solved is None:  # The solver gave up: as good as not positive, since only what is judged counts.
                least = -np.inf
                break
            # The program is solved on a part of the grid, to which the lowest points beyond it are added.
            height, least = rows @ solved[:-1], solved[-1]
            inner = height[1:-1]
            dips = 1 + np.flatnonzero((inner < height[:-2]) & (inner <= height[2:]) & (inner < least - 1e-11))
            if len(dips) == 0:
                break
            part = np.vstack([part, rows[dips]])
        if least > 1e-9:
            high = middle
            sizes = [math.sqrt(2.0 ** (4 * i) * math.factorial(4 * i)) for i in range(k)]
            yield [float(one / size / solved[0]) for one, size in zip(solved[:-2], sizes, strict=True)]
        else:
            low = middle


def scaled_terms(points: Array, k: int) -> Array:
    """Normed Hermite polynomials of degrees 0, 4, ..., 4 k at points (N,): (N, k + 1), the largest of a row 1."""
    rows = [np.ones_like(points), np.sqrt(2.0) * points]
    for n in range(2, 4 * k + 1):
        rows.append(np.sqrt(2.0 / n) * points * rows[-1] - np.sqrt((n - 1) / n) * rows[-2])
    terms: Array = np.array(rows[::4]).T
    terms /= np.abs(terms).max(axis=1, keepdims=True)
    return terms
