"""Floors of the problems whose answer is a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from cmaes import CMA

from benchmarks.floors_parts import Array, Function, Line, ticks
from evoengine.problem import Problem


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


def cvrp(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Nearest customer, a rule with three constants, and ruin and recreate, which sees whole instances."""
    problem = module.Cvrp()

    def rule(point: Array) -> Callable[..., Array]:
        far, full, size = point

        def score_next(distance: Array, depot: Array, demand: Array, room: Array) -> Array:
            home = (demand == 0.0) * (10.0 if full < 0 else full * room / 40.0)
            scores: Array = far * depot - distance + size * demand / 9.0 - home
            return scores

        return score_next

    for stage in ("train", "held_out"):
        yield f"nearest customer, {stage}", problem.play(Function(rule(np.array([0.0, -1.0, 0.0]))), stage).value
    yield from tuned(problem, rule, np.array([0.3, 0.5, 0.0]), seconds, rng)
    for stage in ("train", "held_out"):
        lengths = []
        for instance in module.instances(problem.customers, stage):
            routes = ruin_and_recreate(instance, module.CAPACITY, 2.0, rng)
            lengths.append(module.length(instance, routes))
        yield f"ruin and recreate, 2 CPU s an instance, {stage}", float(np.mean(lengths))


def tuned(
    problem: Problem,
    rule: Callable[[Array], Callable[..., Any]],
    start: Array,
    seconds: float,
    rng: np.random.Generator,
) -> Iterator[Line]:
    """A rule whose constants CMA-ES sets on the training instances, there and on the others."""
    search = CMA(mean=start, sigma=0.3, seed=int(rng.integers(99)))
    best, kept = np.inf, start
    for _ in ticks(seconds):
        points = []
        for _ in range(search.population_size):
            point = search.ask()
            points.append((point, -problem.signed(problem.play(Function(rule(point)), "train").value)))
            if points[-1][1] < best:
                best, kept = points[-1][1], point
        search.tell(points)
    for stage in ("train", "held_out"):
        yield (
            f"a rule with {len(start)} constants set by CMA-ES, {stage}",
            problem.play(Function(rule(kept)), stage).value,
        )


def ruin_and_recreate(instance: Any, capacity: int, seconds: float, rng: np.random.Generator) -> list[list[int]]:
    """Short routes: neighbours are taken out and put back where they cost least (Schrimpf et al. 2000)."""
    matrix, demands = instance.matrix.tolist(), instance.demands.tolist()
    near = np.argsort(instance.matrix, axis=1)

    def cost(routes: list[list[int]]) -> float:
        return sum(matrix[a][b] for route in routes for a, b in zip([0, *route], [*route, 0], strict=True))

    routes: list[list[int]] = []
    length = best = np.inf
    kept = routes
    out = list(range(1, len(demands)))
    for k in ticks(seconds):
        moved = [[place for place in route if place not in out] for route in routes]
        rng.shuffle(out)
        for place in out:
            options = [(2 * matrix[0][place], len(moved), 0)]
            for r, route in enumerate(moved):
                if sum(demands[other] for other in route) + demands[place] <= capacity:
                    path = [0, *route, 0]
                    for i in range(len(route) + 1):
                        if rng.random() > 0.02:
                            a, b = path[i], path[i + 1]
                            options.append((matrix[a][place] + matrix[place][b] - matrix[a][b], r, i))
            _, r, i = min(options)
            if r == len(moved):
                moved.append([])
            moved[r].insert(i, place)
        reached = cost(moved)
        if reached < length - 0.01 * np.log(rng.random()):
            routes, length = [route for route in moved if route], reached
        if reached < best:
            best, kept = reached, [route for route in moved if route]
        centre = rng.integers(1, len(demands))
        out = [int(place) for place in near[centre] if place > 0][: rng.integers(3, 13)]
    return kept


def job_shop(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """Known dispatching rules, one with four weights, and the best of random priorities."""
    problem = module.JobShop()
    rules = {"shortest time": 0, "first come": 1, "most work left": 2, "most operations left": 3}
    for name, which in rules.items():
        for stage in ("train", "held_out"):

            def known(*shown: Array, which: int = which) -> Array:
                return -shown[which] if which < 2 else shown[which]

            yield f"{name}, {stage}", problem.play(Function(known), stage).value

    def rule(point: Array) -> Callable[..., Array]:
        def priority(time: Array, start: Array, left: Array, steps: Array, load: Array) -> Array:
            scores: Array = (
                left / 50.0 + point[0] * time / 50.0 + point[1] * start / 50.0 + point[2] * steps + point[3] * load
            )
            return scores

        return priority

    yield from tuned(problem, rule, np.array([0.0, -1.0, 0.0, 0.0]), seconds, rng)


def knapsack(module: ModuleType, seconds: float, rng: np.random.Generator) -> Iterator[Line]:
    """All that fits, what is worth more than its weight, and a threshold with three constants."""
    for family in ("uncorrelated", "correlated"):
        problem = module.Knapsack(family=family)

        def rule(point: Array) -> Callable[..., float]:
            def accept(value: float, weight: float, room: float, left: float) -> float:
                return float(
                    value / weight - point[0] - point[1] * 10.0 * left / max(room, 1.0) - point[2] * left / 100.0
                )

            return accept

        for name, limit in (("all that fits", -1.0), ("more value than weight", 1.0)):
            for stage in ("train", "held_out"):
                reached = problem.play(Function(rule(np.array([limit, 0.0, 0.0]))), stage).value
                yield f"{family}: {name}, {stage}", reached
        for line, reached in tuned(problem, rule, np.array([1.0, 0.0, 0.0]), seconds, rng):
            yield f"{family}: {line}", reached
