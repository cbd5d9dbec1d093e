"""Floors of the problems that learn, of the timed kernel, and of programs of several files or in SQL."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.floors_parts import Array, Function, Line
from evoengine.evaluator import Evaluator
from evoengine.sandboxes.jail import Jail
from evoengine.types import Content, Program, Scored


def cfr_regret(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """CFR, CFR+ and discounted CFR as published, and the last one after a search over its three constants."""

    def discounted(alpha: float, beta: float, gamma: float) -> Callable[..., Array]:
        def step(t: int, memory: Array, regret: Array, policy: Array, reach: Array, __: Array) -> Array:
            sums, other = np.split(memory, 2)
            sums = sums + regret
            weights = np.maximum(sums, 0.0)
            scale = np.where(sums > 0.0, _discount(t, alpha), _discount(t, beta))
            return np.concatenate([sums * scale, other, weights, float(t) ** gamma * reach * policy])

        return step

    def plus(t: int, memory: Array, regret: Array, policy: Array, reach: Array, _: Array) -> Array:
        sums, other = np.split(memory, 2)
        sums = np.maximum(sums + regret, 0.0)
        return np.concatenate([sums, other, sums, t * reach * policy])

    problem = module.CfrRegret()
    rules = {
        "CFR (Zinkevich et al. 2007)": discounted(np.inf, np.inf, 0.0),
        "CFR+ (Tammelin 2014)": plus,
        "linear CFR (Brown and Sandholm 2019)": discounted(1.0, 1.0, 1.0),
        "discounted CFR, 3/2, 0, 2 (Brown and Sandholm 2019)": discounted(1.5, 0.0, 2.0),
    }
    tried = [(a, b, c) for a in (1.0, 1.5, 2.0, 3.0) for b in (-2.0, -0.5, 0.0) for c in (1.0, 2.0, 3.0, 5.0, 8.0)]
    best = min(tried, key=lambda constants: problem.play(Function(discounted(*constants))).value)
    rules[f"discounted CFR, the best of {len(tried)} settings: {best}"] = discounted(*best)
    for name, rule in rules.items():
        for stage in ("train", "held_out"):
            yield f"{name}, {stage}", problem.play(Function(rule), stage).value


def _discount(t: int, power: float) -> float:
    return 1.0 if power == np.inf else t**power / (t**power + 1.0)


def policy_gradient_loss(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """REINFORCE with a baseline, and PPO's clipped weights, each with its best of some step sizes."""

    def reinforce(size: float) -> Callable[..., Array]:
        return lambda _, __, returns, baseline, *___: size * (returns - baseline)

    def scaled(advantage: Array) -> Array:
        return advantage / (advantage.std() + 1e-8)

    def normalised(size: float) -> Callable[..., Array]:
        return lambda _, __, returns, baseline, *___: size * scaled(returns - baseline)

    def clipped(size: float) -> Callable[..., Array]:
        def weights(now: Array, old: Array, returns: Array, baseline: Array, *_: Any) -> Array:
            gain, ratio = scaled(returns - baseline), np.exp(np.clip(now - old, -20.0, 20.0))
            out = ((gain > 0.0) & (ratio > 1.2)) | ((gain < 0.0) & (ratio < 0.8))
            return np.where(out, 0.0, size * ratio * gain)

        return weights

    problem = module.PolicyGradientLoss()
    for name, rule in (
        ("REINFORCE with a baseline (Williams 1992)", reinforce),
        ("the same, advantages divided by their deviation", normalised),
        ("PPO, clipped at 0.2 (Schulman et al. 2017)", clipped),
    ):
        sizes = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
        size = max(sizes, key=lambda size: problem.play(Function(rule(size))).value)
        for stage in ("train", "held_out"):
            yield f"{name}, size {size:g}, {stage}", problem.play(Function(rule(size)), stage).value


def tabular_pipeline(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """Nearest neighbours, ridge and logistic regression, boosted trees, and the means behind the targets."""

    def filled(train: Any, test: Any) -> tuple[Array, Array]:
        x, z = (np.array(rows, dtype=float) for rows in (train, test))
        middle = np.nanmedian(x, axis=0)
        x, z = (np.where(np.isnan(part), middle, part) for part in (x, z))
        scale = x.std(axis=0) + 1e-12
        return (x - middle) / scale, (z - middle) / scale

    def kept(answer: Array, kind: str) -> Array:
        return np.clip(answer, 0.0, 1.0) if kind == "probability" else answer

    def neighbours(train_x: Any, train_y: Any, test_x: Any, kind: str, k: int = 10) -> Array:
        (x, z), y = filled(train_x, test_x), np.array(train_y)
        far = ((z[:, None] - x) ** 2).sum(axis=2)
        return kept(y[np.argsort(far, axis=1)[:, :k]].mean(axis=1), kind)

    def ridge(train_x: Any, train_y: Any, test_x: Any, kind: str) -> Array:
        (x, z), y = filled(train_x, test_x), np.array(train_y)
        x, z = (np.column_stack([np.ones(len(part)), part]) for part in (x, z))
        penalty = np.diag([0.0, *[5.0] * (x.shape[1] - 1)])
        weights = np.linalg.solve(x.T @ x + penalty, x.T @ y) if kind == "regression" else np.zeros(x.shape[1])
        for _ in range(20 if kind == "probability" else 0):
            chance = 1.0 / (1.0 + np.exp(-x @ weights))
            bent = x.T @ (x * (chance * (1.0 - chance))[:, None]) + penalty + 1e-6 * np.eye(x.shape[1])
            weights = weights + np.linalg.solve(bent, x.T @ (y - chance) - penalty @ weights)
        return z @ weights if kind == "regression" else 1.0 / (1.0 + np.exp(-z @ weights))

    def boosting(train_x: Any, train_y: Any, test_x: Any, kind: str) -> Array:
        (x, z), y = filled(train_x, test_x), np.array(train_y)
        if kind == "regression":  # far-off targets count less
            low, high = np.quantile(y, [0.02, 0.98])
            y = np.clip(y, low, high)
        now, answer = np.full(len(x), y.mean()), np.full(len(z), y.mean())
        for _ in range(150):
            now_step, answer_step = tree_steps(x, y - now, z, depth=3)
            now, answer = now + 0.08 * now_step, answer + 0.08 * answer_step
        return kept(answer, kind)

    problem = module.TabularPipeline()
    for name, rule in (
        ("10 nearest neighbours", neighbours),
        ("ridge or logistic regression", ridge),
        ("150 boosted trees of depth 3", boosting),
    ):
        for stage in ("train", "held_out"):
            yield f"{name}, {stage}", problem.play(Function(rule), stage).value
    for stage in ("train", "held_out"):
        means = iter([table.mean[-module.HIDDEN :] for table in module.made(stage).values()])
        known = Function(lambda *_, means=means: next(means))
        yield f"the means that the targets were drawn around, {stage}", problem.play(known, stage).value


def tree_steps(x: Array, left: Array, z: Array, depth: int) -> tuple[Array, Array]:
    """What a regression tree on what is left (N,) says of rows x (N, K) and z (M, K)."""
    mean = left.sum() / (len(left) + 1.0)
    best, split = 0.0, None
    if depth and len(left) >= 16:
        for column in range(x.shape[1]):
            order = np.argsort(x[:, column], kind="stable")
            values, sums = x[order, column], np.cumsum(left[order])
            counts = np.arange(1, len(left) + 1)
            cuts = np.flatnonzero((values[:-1] < values[1:]) & (counts[:-1] >= 8) & (counts[:-1] <= len(left) - 8))
            if len(cuts):
                below, above = counts[cuts], len(left) - counts[cuts]
                gains = sums[cuts] ** 2 / below + (sums[-1] - sums[cuts]) ** 2 / above - sums[-1] ** 2 / len(left)
                if gains.max() > best:
                    best, cut = float(gains.max()), int(cuts[gains.argmax()])
                    split = column, (values[cut] + values[cut + 1]) / 2.0
    if split is None:
        return np.full(len(x), mean), np.full(len(z), mean)
    column, at = split
    known, asked = np.zeros(len(x)), np.zeros(len(z))
    for side, other in ((x[:, column] <= at, z[:, column] <= at), (x[:, column] > at, z[:, column] > at)):
        known[side], asked[other] = tree_steps(x[side], left[side], z[other], depth - 1)
    return known, asked


def small_optimizer(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """Gradient descent with momentum, and Adam, without and with a linear decay; each with its best step size."""

    def momentum(size: float, decay: bool) -> Callable[..., Array]:
        def update(_: int, progress: float, gradient: Array, __: Array, memory: Array) -> Array:
            speed, other = np.split(memory, 2)
            speed = 0.9 * speed + gradient
            return np.concatenate([-size * (1.0 - decay * progress) * speed, speed, other])

        return update

    def adam(size: float, decay: bool) -> Callable[..., Array]:
        def update(step: int, progress: float, gradient: Array, _: Array, memory: Array) -> Array:
            first, second = np.split(memory, 2)
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            scale = np.sqrt(second / (1.0 - 0.999**step)) + 1e-8
            change = -size * (1.0 - decay * progress) * first / (1.0 - 0.9**step) / scale
            return np.concatenate([change, first, second])

        return update

    problem = module.SmallOptimizer()
    for name, rule in (("momentum 0.9 (Polyak 1964)", momentum), ("Adam (Kingma and Ba 2015)", adam)):
        for decay in (False, True):
            sizes = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
            size = min(sizes, key=lambda size: problem.play(Function(rule(size, decay))).value)
            for stage in ("train", "held_out"):
                value = problem.play(Function(rule(size, decay)), stage).value
                yield f"{name}, size {size:g}{', decaying to 0' if decay else ''}, {stage}", value


def kernel_speed(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """The pairs of neighbouring cells of a grid, in numpy; in the jail, as any candidate."""
    evaluator = Evaluator(problem=module.KernelSpeed(), sandbox=Jail())
    try:
        for stage in ("train", "held_out"):
            values = []
            for _ in range(15):
                judged = evaluator.evaluate(Program.of(CELLS), stage=stage).evaluation
                assert isinstance(judged, Scored), judged
                values.append(judged.score)
            for name, value in (("median", np.median(values)), ("lowest", min(values)), ("highest", max(values))):
                yield f"pairs of neighbouring cells, {name} of 15, {stage}", float(value)
    finally:
        evaluator.close()


CELLS = """
import numpy as np


def neighbours(xs, ys, radius):
    size, across = int(radius), 4096 // int(radius) + 3
    cell = (xs // size).astype(int) * across + (ys // size).astype(int) + across + 1
    order = np.argsort(cell, kind="stable")
    cell, x, y = cell[order], xs[order], ys[order]
    starts = np.searchsorted(cell, np.arange(across * across + 1))
    counts, places = np.zeros(len(xs)), np.arange(len(xs))
    for column in (-across, 0, across):
        first, end = starts[cell + column - 1], starts[cell + column + 2]
        many = end - first
        i = np.repeat(places, many)
        j = np.arange(len(i)) + np.repeat(first - np.cumsum(many) + many, many)
        near = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 <= radius * radius
        counts += np.bincount(i[near], minlength=len(xs))
    answer = np.empty(len(xs))
    answer[order] = counts - 1.0
    return answer
"""
"""A program for `kernel_speed`."""


def expression_evaluator(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """Texts turned into Python by regular expressions, for Python to evaluate."""

    def evaluate(text: str) -> int | str:
        python = re.sub(r"#[^\n]*", " ", text)
        python = re.sub(r"(\d+)\s*!(?!=)", r"factorial(\1)", python)
        for sign, written in (("^", "**"), ("/", "//"), ("\n", " ")):
            python = python.replace(sign, written)
        python = re.sub(r"\blet\s+(\w+)\s*=(?!=)([^=]*?)\bin\b", r"(\1 := (\2)) * 0 + ", python)
        python = re.sub(r"\bif\b(.*?)\bthen\b(.*?)\belse\b(.*)", r"((\2) if (\1) else (\3))", python)
        try:
            found = eval(python, {"factorial": math.factorial, "gcd": math.gcd})
        except Exception:  # whatever is wrong with the text
            return "error"
        return int(found) if type(found) in (int, bool) and abs(found) <= 10**15 else "error"

    problem = module.ExpressionEvaluator()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        for stage in ("train", "held_out"):
            yield f"regular expressions and Python's eval, {stage}", problem.play(Function(evaluate), stage).value


def sql_query(module: ModuleType, _: float, __: np.random.Generator) -> Iterator[Line]:
    """Queries rewritten by a person: aggregates once, joins instead of subqueries for every row."""
    cost = "coalesce(sum(i.pieces * i.cents), 0)"
    rewritten = {
        "latest_order": "WITH o AS MATERIALIZED (SELECT customer, id, max(placed * 1000000 + id) FROM orders GROUP BY "
        "customer), costs AS (SELECT i.order_id, sum(i.pieces * i.cents) AS cost FROM items i WHERE i.order_id IN "
        "(SELECT id FROM o) GROUP BY 1) SELECT o.customer, o.id, coalesce(costs.cost, 0) FROM o LEFT JOIN costs ON "
        "costs.order_id = o.id ORDER BY 1",
        "above_average": f"WITH costs(id, region, cost) AS MATERIALIZED (SELECT o.id, c.region, {cost} FROM orders o "
        "JOIN customers c ON c.id = o.customer LEFT JOIN items i ON i.order_id = o.id GROUP BY o.id), regions AS "
        "(SELECT region, sum(cost) AS total, count(*) AS many FROM costs GROUP BY region) SELECT id, cost FROM costs "
        "JOIN regions USING (region) WHERE cost * many > total ORDER BY id",
        "running_total": f"WITH costs AS (SELECT o.customer, o.id, o.placed, {cost} AS cost FROM orders o LEFT JOIN "
        "items i ON i.order_id = o.id WHERE o.state IN ('paid', 'sent') GROUP BY o.id) SELECT customer, id, sum(cost) "
        "OVER (PARTITION BY customer ORDER BY placed, id) FROM costs ORDER BY customer, placed, id",
        "best_sellers": "SELECT region, product, many FROM (SELECT region, product, many, max(many * 1000 - product) "
        "FROM (SELECT c.region, i.product, sum(i.pieces) AS many FROM items i JOIN orders o ON o.id = i.order_id JOIN "
        "customers c ON c.id = o.customer GROUP BY c.region, i.product) GROUP BY region) ORDER BY region",
    }
    for task, sql in rewritten.items():
        problem = module.SqlQuery(task=task)
        for stage in ("train", "held_out"):
            candidate = Query(sql, module.counted)
            yield f"{task}: rewritten by hand, {stage}", problem.play(candidate, stage).value


class Query(Function):
    """A query as a candidate."""

    def __init__(self, sql: str, harness: Callable[..., Any]) -> None:
        super().__init__(harness)
        self.sql = sql

    @property
    def content(self) -> Content:
        """The query."""
        return Program(files={"main.sql": self.sql}, language="sql")
