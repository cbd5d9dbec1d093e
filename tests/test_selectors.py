"""How often the core selectors choose whom, and that a choice costs the same at any number of elites."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.archives import Shelf
from evoengine.plugins import build
from evoengine.selectors.base import Selector
from evoengine.selectors.rank import Rank
from evoengine.selectors.softmax import Softmax
from evoengine.selectors.tournament import Tournament
from evoengine.selectors.uniform import Uniform
from evoengine.testing import elites_of
from evoengine.types import Candidate, Elite, Elites, Insertion, Program, Record, Scored

CORE = ["uniform", "tournament", "rank", "softmax"]
ALL = [*CORE, "novelty", "curiosity", "ucb_tree", "puct", "clade_thompson"]
"""But the Pareto front, which is computed anew when the elites change."""


def frequencies(selector: Selector, elites: Elites, draws: int = 20_000) -> list[float]:
    """By rank."""
    rng = random.Random(11)
    drawn = Counter(selector.draw(elites, rng).number for _ in range(draws))
    return [drawn[elites.ranked(rank).number] / draws for rank in range(len(elites))]


def close(found: Sequence[float], expected: Sequence[float], draws: int = 20_000) -> bool:
    """A chi-square test with a wide margin: five deviations above its mean."""
    chi = sum((f - e) ** 2 / e for f, e in zip(found, expected, strict=True)) * draws
    freedom = len(expected) - 1
    return chi < freedom + 5 * math.sqrt(2 * freedom)


def entropy(shares: Sequence[float]) -> float:
    """Relative to that of the uniform distribution."""
    return -sum(p * math.log(p) for p in shares if p > 0) / math.log(len(shares))


def test_uniform_is_uniform() -> None:
    assert close(frequencies(Uniform(), elites_of([float(k) for k in range(20)])), [1 / 20] * 20)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_tournament_is_won_by_the_best_of_those_drawn(size: int) -> None:
    count = 10
    expected = [((count - r) / count) ** size - ((count - r - 1) / count) ** size for r in range(count)]
    found = frequencies(Tournament(size=size), elites_of([float(k) for k in range(count)]))
    keep = [r for r in range(count) if expected[r] > 1e-3]
    assert close([found[r] for r in keep], [expected[r] for r in keep])


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
def test_rank_follows_its_power_law(alpha: float) -> None:
    count = 15

    def area(low: float, high: float) -> float:
        steps = 2000
        return sum((low + (high - low) * (k + 0.5) / steps) ** -alpha for k in range(steps)) / steps

    weights = [area(r + 1, r + 2) for r in range(count)]
    expected = [weight / sum(weights) for weight in weights]
    assert close(frequencies(Rank(alpha=alpha), elites_of([float(k) for k in range(count)])), expected)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 1.0 + 1e-8, 60.0])
def test_rank_stays_inside_the_elites_at_the_ends_of_the_random_numbers(alpha: float) -> None:
    class Fixed(random.Random):
        def random(self) -> float:
            return self.value

        value = 0.0

    rng, elites = Fixed(), elites_of([3.0, 2.0, 1.0])
    for value in (0.0, 1e-300, 0.5, 1.0 - 2**-53):
        rng.value = value
        assert Rank(alpha=alpha).draw(elites, rng) in list(elites)


@pytest.mark.parametrize("make", [Rank, Softmax])
def test_elites_with_equal_scores_share(make: Callable[[], Selector]) -> None:
    shares = frequencies(make(), elites_of([1.0, 5.0, 5.0, 5.0, 0.0, 0.0]))
    assert max(shares[:3]) - min(shares[:3]) < 0.02
    assert abs(shares[4] - shares[5]) < 0.02
    assert shares[0] > shares[3] > shares[4]


transforms = st.sampled_from(
    [
        lambda s: s,
        lambda s: 0.999 + 1e-3 * s,
        lambda s: -1e6 + 1e-9 * s * 1e3,
        lambda s: math.exp(20 * s),
        lambda s: s**3,
        lambda s: math.atan(s),
    ]
)


@settings(deadline=None, max_examples=30)
@given(st.sets(st.integers(-50, 50), min_size=2, max_size=80), transforms, st.sampled_from(["rank", "softmax"]))
def test_only_the_order_of_scores_matters(values: set[int], transform: Callable[[float], float], name: str) -> None:
    scores = [value / 50 for value in sorted(values)]
    random.Random(len(scores)).shuffle(scores)
    plain, bunched = elites_of(scores), elites_of([transform(score) for score in scores])
    one, other = build("selectors", name), build("selectors", name)
    rngs = random.Random(5), random.Random(5)
    for _ in range(30):
        assert one.draw(plain, rngs[0]).number == other.draw(bunched, rngs[1]).number


@pytest.mark.parametrize("scores", ["early", "late"])
@pytest.mark.parametrize("count", [10, 40, 64, 500])
def test_softmax_has_the_entropy_that_it_is_told(scores: str, count: int) -> None:
    rng = random.Random(2)
    values = [rng.random() if scores == "early" else 0.999 + 1e-3 * rng.random() for _ in range(count)]
    elites = elites_of(values)
    for target in (0.5, 0.75):
        shares = frequencies(Softmax(entropy_low=target, entropy_high=0.9), elites)
        places = min(count, 64)
        binned = [0.0] * places
        for rank, share in enumerate(shares):
            binned[rank * places // count] += share
        assert abs(entropy(binned) - target) < 0.03
        assert binned[0] == max(binned)


def child(number: int, score: float) -> Record:
    candidate = Candidate(content=Program.of("#"), island=0, operator="one", parents=(1,))
    return Record(number=number, candidate=candidate, evaluation=Scored(score=score))


def test_softmax_spreads_on_a_plateau_and_focuses_on_an_improvement() -> None:
    selector, elites = Softmax(entropy_low=0.5, entropy_high=0.95, patience=50), elites_of(list(range(30)))
    levels = [entropy(frequencies(selector, elites, 5000))]
    for number in range(1, 101):
        selector.observe(child(number, 1.0), Insertion.NEW if number == 1 else Insertion.REJECTED)
        if number in (25, 100):
            levels.append(entropy(frequencies(selector, elites, 5000)))
    assert levels[0] < levels[1] < levels[2]
    assert abs(levels[2] - 0.95) < 0.03
    selector.observe(child(101, 2.0), Insertion.IMPROVED)
    assert abs(entropy(frequencies(selector, elites, 5000)) - 0.5) < 0.03


class Counting:
    """A view of elites that counts how often it is asked."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf, self.calls = shelf, 0

    @property
    def version(self) -> int:
        return self.shelf.version

    def __len__(self) -> int:
        return len(self.shelf)

    def __getitem__(self, index: int, /) -> Elite:
        self.calls += 1
        return self.shelf[index]

    def ranked(self, rank: int) -> Elite:
        self.calls += 1
        return self.shelf.ranked(rank)

    def ties(self, rank: int) -> range:
        self.calls += 1
        return self.shelf.ties(rank)

    def share_below(self, score: float) -> float:
        self.calls += 1
        return self.shelf.share_below(score)


@pytest.fixture(scope="module")
def shelves() -> dict[int, Shelf]:
    """Shelves of 100, 1,000 and 100,000 elites that differ in score."""
    return {size: elites_of([float((k * 7919) % size) for k in range(size)]) for size in (100, 1000, 100_000)}


@pytest.mark.parametrize("name", ALL)
def test_a_choice_asks_no_more_questions_of_many_elites_than_of_few(name: str, shelves: dict[int, Shelf]) -> None:
    asked = {}
    for size, shelf in shelves.items():
        view = Counting(shelf)
        selector = build("selectors", name)
        for seed in range(5):
            selector.select(view, random.Random(seed), 3)
        asked[size] = view.calls
    assert asked[100_000] <= 1.5 * asked[1000]
    assert asked[100_000] <= 5 * 600


def test_fronts_are_computed_once_for_each_change_of_the_elites(shelves: dict[int, Shelf]) -> None:
    view = Counting(shelves[1000])
    selector = build("selectors", "pareto")
    for _ in range(50):
        selector.draw(view, random.Random(1))
    assert view.calls == 1000
