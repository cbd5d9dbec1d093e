"""What a person's own script reaches on the shipped problems, without a language model and without evolution.

    python benchmarks/floors.py circle_packing --seconds 60

Every line is a score by the problem's own judge. Engines should be compared with these at equal CPU time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from cmaes import CMA
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
    spec = importlib.util.spec_from_file_location(f"floor_{name}", bundled("problems") / name / "problem.py")
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
    """The best sign change, again and again, from random matrices, and from the best one with some signs changed."""
    problem = module.HadamardDeterminant()
    n = problem.n

    def climbed(matrix: Array) -> tuple[float, Array]:
        while True:
            try:
                gain = np.abs(1.0 - 2.0 * matrix * np.linalg.inv(matrix).T)
            except np.linalg.LinAlgError:
                gain = rng.random((n, n)) + 1.0
            i, k = np.unravel_index(int(gain.argmax()), gain.shape)
            if gain[i, k] < 1.0 + 1e-9:
                return float(np.linalg.slogdet(matrix)[1]), matrix
            matrix[i, k] *= -1.0

    best, kept = max((climbed(rng.choice((-1.0, 1.0), (n, n))) for _ in ticks(seconds / 2)), key=lambda one: one[0])
    yield "sign changes from random matrices", judged(problem, kept.astype(int).tolist())
    for k in ticks(seconds / 2):
        moved = kept.copy()
        places = rng.integers(n, size=(2, int(rng.integers(2, 30))))
        moved[places[0], places[1]] *= -1.0
        reached, moved = climbed(moved)
        if reached >= best:
            best, kept = reached, moved
    yield f"and from the best with some signs changed, {k} times", judged(problem, kept.astype(int).tolist())


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


FLOORS: dict[str, Callable[[ModuleType, float, np.random.Generator], Iterator[Line]]] = {
    "autocorrelation": autocorrelation,
    "cap_set": cap_set,
    "circle_packing": circle_packing,
    "cvrp": cvrp,
    "difference_basis": difference_basis,
    "hadamard_determinant": hadamard_determinant,
    "heilbronn_triangle": heilbronn_triangle,
    "job_shop": job_shop,
    "kissing_number": kissing_number,
    "knapsack": knapsack,
    "matrix_multiplication": matrix_multiplication,
    "online_bin_packing": online_bin_packing,
    "sum_difference": sum_difference,
    "symbolic_regression": symbolic_regression,
    "tsp_construct": tsp_construct,
}

if __name__ == "__main__":
    main()
