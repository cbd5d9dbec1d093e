"""What a person's own script reaches on the shipped problems, without a language model and without evolution.

    python benchmarks/floors.py circle_packing --seconds 60

Every line is a score by the problem's own judge. Engines should be compared with these at equal CPU time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from cmaes import CMA
from scipy.linalg import convolution_matrix
from scipy.optimize import linprog, minimize

from evoengine.paths import bundled
from evoengine.problem import Player, Problem
from evoengine.types import Content, Program

Array = npt.NDArray[Any]
Line = tuple[str, float]
"""What was done, and the problem's own value."""


def main() -> None:
    """Prints the floors of one problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", choices=sorted(FLOORS))
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds for each floor that searches")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    module = shipped(given.problem)
    for line, value in FLOORS[given.problem](module, given.seconds, np.random.default_rng(given.seed)):
        print(f"{given.problem:20} {line:64} {value:.12g}", flush=True)


def shipped(name: str) -> ModuleType:
    """The module of a shipped problem."""
    folder = bundled("problems") / name
    spec = importlib.util.spec_from_file_location(
        f"floor_{name}", folder / "problem.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Function(Player):
    """A function of this script as a candidate."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @property
    def content(self) -> Content:
        """None that matters."""
        return Program.of("")

    def __call__(self, *args: Any) -> Any:
        """What the function returns."""
        return self.function(*args)

    def batch(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """What it returns for each."""
        return [self.function(*call) for call in calls]


def ticks(seconds: float) -> Iterator[int]:
    """Counts from 1 for so many CPU seconds."""
    end, count = time.process_time() + seconds, 0
    while count == 0 or time.process_time() < end:
        count += 1
        yield count


def scope_of(problem: Problem) -> dict[str, Any]:
    """The names that the problem's seed defines."""
    scope: dict[str, Any] = {"np": np, "minimize": minimize, "linprog": linprog}
    exec(compile(str(problem.seed), f"{problem.name}/seed.py", "exec"), scope)
    return scope


def polish_of(problem: Problem, **names: Array) -> dict[str, Any]:
    """The names of the seed, and those that the problem's `polish` idiom defines: `polished` among them."""
    [idiom] = [one for one in problem.idioms if one.name == "polish"]
    scope = scope_of(problem)
    scope.update(names)
    exec(compile(idiom.code.replace("$random", "7").replace("$", ""), "polish", "exec"), scope)
    return scope


def judged(problem: Problem, answer: Any) -> float:
    """The value of one answer, as it would come out of the jail."""
    return problem.judge(json.loads(json.dumps([answer]))).value


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


def online_bin_packing(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """First fit's kin, best fit, and one rule with three constants tuned on the training instances."""

    def avoid_band(point: Array) -> Callable[[float, Array], Array]:
        low, high, price = point

        def priority(item: float, bins: Array) -> Array:
            left = bins - item
            scores: Array = -left - price * ((left > low) & (left < high))
            return scores

        return priority

    for family in ("or3", "weibull"):
        problem = module.OnlineBinPacking(family=family)
        yield f"{family}: best fit, held out", problem.play(Function(lambda item, bins: item - bins), "held_out").value
        yield f"{family}: first fit, held out", first_fit_excess(module, family)
        search = CMA(mean=np.array([2.0, 20.0, 50.0]), sigma=15.0, seed=int(rng.integers(99)))
        best, rule = np.inf, np.zeros(3)
        for _ in ticks(seconds):
            points = []
            for _ in range(search.population_size):
                point = search.ask()
                points.append((point, problem.play(Function(avoid_band(point))).value))
                if points[-1][1] < best:
                    best, rule = points[-1][1], point
            search.tell(points)
        yield f"{family}: best fit but for a tuned band of leftovers, train", best
        held_out = problem.play(Function(avoid_band(rule)), "held_out").value
        yield f"{family}: best fit but for a tuned band of leftovers, held out", held_out


def first_fit_excess(module: ModuleType, family: str) -> float:
    """Of the held-out instances. First fit needs the order of the bins, which a candidate is not shown."""
    capacity, excess = module.CAPACITY[family], []
    for items in module.instances(family, "held_out"):
        bins: list[int] = []
        for item in items:
            place = next((k for k, left in enumerate(bins) if left >= item), None)
            if place is None:
                bins.append(capacity - item)
            else:
                bins[place] -= item
        excess.append(100.0 * (len(bins) / -(-sum(items) // capacity) - 1.0))
    return float(np.mean(excess))


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


def tsp_construct(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Nearest neighbour, a rule with one constant, and local search, which no rule of this kind should beat."""
    problem = module.TspConstruct()
    for weight in (0.0, 0.5):

        def rule(distance: Array, home: Array, *_: Array, weight: float = weight) -> Array:
            return weight * home - distance

        for stage in ("train", "held_out"):
            yield f"{weight} * home - distance, {stage}", problem.play(Function(rule), stage).value
    for stage in ("train", "held_out"):
        matrices = module.distances(problem.cities, stage)
        tours = [local_search(matrix, seconds / len(matrices), rng) for matrix in matrices]
        yield f"2-opt with random segment moves, {stage}", problem.play(Follow(tours), stage).value


def local_search(matrix: Array, seconds: float, rng: np.random.Generator) -> list[int]:
    """A short tour from city 0: 2-opt, then double bridges (Martin, Otto and Felten 1991) and 2-opt again."""
    best = two_opt(matrix, rng.permutation(len(matrix)))
    for _ in ticks(seconds):
        a, b, c = np.sort(rng.choice(np.arange(1, len(best)), 3, replace=False))
        other = two_opt(matrix, np.concatenate([best[:a], best[b:c], best[a:b], best[c:]]))
        if length(matrix, other) < length(matrix, best):
            best = other
    return [int(city) for city in np.roll(best, -int(np.argmin(best)))]


def length(matrix: Array, tour: Array) -> float:
    """Of a closed tour."""
    return float(matrix[tour, np.roll(tour, -1)].sum())


def two_opt(matrix: Array, tour: Array) -> Array:
    """The tour (N,) after the best reversals, until none is left (Croes 1958)."""
    while True:
        after = np.roll(tour, -1)
        here = matrix[tour, after]
        change = matrix[np.ix_(tour, tour)] + matrix[np.ix_(after, after)] - here[:, None] - here[None, :]
        i, j = np.unravel_index(np.argmin(np.triu(change, 1)), change.shape)
        if change[i, j] > -1e-12 or i >= j:
            return tour
        tour = np.concatenate([tour[: i + 1], tour[i + 1 : j + 1][::-1], tour[j + 1 :]])


class Follow(Function):
    """A candidate that knows whole tours, one for each instance, and rates the next city of its tour highest."""

    def __init__(self, tours: list[list[int]]) -> None:
        self.tours = tours
        self.left = [sorted(tour[1:]) for tour in tours]
        self.step = 0

    def batch(self, _: Sequence[Sequence[Any]]) -> list[Any]:
        """One-hot scores."""
        self.step += 1
        answers = []
        for tour, left in zip(self.tours, self.left, strict=True):
            place = left.index(tour[self.step])
            answers.append(np.eye(len(left))[place])
            left.pop(place)
        return answers


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
    """CMA-ES on the terms' values at 0, from random starts."""
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


FLOORS: dict[str, Callable[[ModuleType, float, np.random.Generator], Iterator[Line]]] = {
    "autocorrelation": autocorrelation,
    "autocorrelation_second": autocorrelation_second,
    "autocorrelation_third": autocorrelation_third,
    "circle_packing": circle_packing,
    "circle_packing_rectangle": circle_packing_rectangle,
    "erdos_minimum_overlap": erdos_minimum_overlap,
    "heilbronn_convex": heilbronn_convex,
    "heilbronn_triangle": heilbronn_triangle,
    "hexagon_packing": hexagon_packing,
    "max_min_ratio": max_min_ratio,
    "online_bin_packing": online_bin_packing,
    "symbolic_regression": symbolic_regression,
    "tsp_construct": tsp_construct,
    "uncertainty": uncertainty,
}

if __name__ == "__main__":
    main()
