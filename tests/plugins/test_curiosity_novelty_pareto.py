"""Curiosity, novelty and the per-instance Pareto front against their definitions."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.testing.selector import elites_after, elites_of, histories
from evoengine.types import Candidate, Cause, Failed, Insertion, Program, Record, Scored
from plugins.selectors.curiosity import Curiosity
from plugins.selectors.novelty import Novelty
from plugins.selectors.pareto import Pareto, front_counts


def child_of(parent: int, number: int = 1000) -> Record:
    candidate = Candidate(content=Program.of("#"), island=0, operator="one", parents=(parent,))
    return Record(number=number, candidate=candidate, evaluation=Failed(cause=Cause.CRASHED))


@settings(deadline=None)
@given(histories())
def test_curiosity_goes_up_and_down_with_the_children_and_never_below_nought(
    history: list[tuple[Record, Insertion]],
) -> None:
    selector = Curiosity(initial=0.75)
    expected: dict[int, float] = {}
    for record, insertion in history:
        selector.observe(record, insertion)
        for parent in record.candidate.parents[:1]:
            expected[parent] = max(0.0, expected.get(parent, 0.75) + (1.0 if insertion else -0.5))
    for elite in elites_after(history):
        assert selector.curiosity(elite.number) == expected.get(elite.number, 0.75)


@pytest.mark.parametrize("count", [10, 200])
def test_elites_are_drawn_in_proportion_to_their_curiosity(count: int) -> None:
    selector, elites, rng = Curiosity(), elites_of([0.0] * count), random.Random(3)
    for _ in range(3):
        selector.observe(child_of(1), Insertion.NEW)
    for _ in range(2):
        selector.observe(child_of(2), Insertion.REJECTED)
    drawn = Counter(selector.draw(elites, rng).number for _ in range(20_000))
    total = 4.0 + 0.0 + (count - 2)
    assert abs(drawn[1] / 20_000 - 4 / total) < 0.02
    assert drawn[2] == 0
    others = [drawn[number] for number in range(3, count + 1)]
    mean = 20_000 / total
    assert all(abs(one - mean) < 6 * mean**0.5 for one in others)


def test_when_nobody_is_curious_all_are_alike() -> None:
    for count in (5, 100):
        selector, elites, rng = Curiosity(initial=0.0), elites_of([0.0] * count), random.Random(3)
        drawn = Counter(selector.draw(elites, rng).number for _ in range(100 * count))
        assert len(drawn) == count
        assert max(drawn.values()) < 160


def test_the_elite_far_from_all_others_wins_every_tournament_that_it_is_in() -> None:
    features = [{"x": 0.01 * (place % 7), "y": 0.0} for place in range(20)] + [{"x": 1.0, "y": 0.0}]
    elites = elites_of([0.0] * 21, features=features)
    drawn = Counter(Novelty(size=4).draw(elites, random.Random(seed)).number for seed in range(3000))
    expected = 1 - (20 / 21) ** 4
    assert abs(drawn[21] / 3000 - expected) < 0.03


def test_novelty_counts_in_ranges_so_that_no_feature_outweighs_another_by_its_unit() -> None:
    features = [{"x": 0.0, "y": 10.0 * place} for place in range(5)] + [{"x": 1e-6, "y": 20.0}]
    elites = elites_of([0.0] * 6, features=features)
    assert Novelty(size=200, k=1).draw(elites, random.Random(1)).number == 6


def test_ranges_seen_earlier_count_too() -> None:
    selector = Novelty(size=200, k=1)
    seen = Candidate(content=Program.of("#"), island=0, operator="one")
    for number, x in ((1, -1e6), (2, 1e6)):
        evaluation = Scored(score=0.0, features={"x": x, "y": 0.0})
        selector.observe(Record(number=number, candidate=seen, evaluation=evaluation), Insertion.REJECTED)
    features = [{"x": 0.0, "y": 0.0}, {"x": 0.1, "y": 0.0}, {"x": 1.0, "y": 0.5}, {"x": 0.0, "y": 1.5}]
    # of x, all differences are now next to nothing
    assert selector.draw(elites_of([0.0] * 4, features=features), random.Random(1)).number == 4


def test_elites_without_features_can_be_chosen() -> None:
    elites = elites_of([1.0, 2.0], features=[{}, {}])
    assert Novelty().draw(elites, random.Random(1)).number in (1, 2)


tables = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4)),
    min_size=1,
    max_size=12,
)


@given(tables)
def test_fronts_are_those_of_gepa(table: list[tuple[float, list[float]]]) -> None:
    elites = elites_of(
        [score for score, _ in table], instances=[{f"i{k}": v for k, v in enumerate(row)} for _, row in table]
    )
    fronts = []
    for column in range(4):
        best = max(row[column] for _, row in table)
        fronts.append({number for number, (_, row) in enumerate(table, start=1) if row[column] == best})
    left = set().union(*fronts)
    while True:  # drop one, then look at all again, as the published procedure does
        for number in sorted(left, key=lambda n: (table[n - 1][0], -n)):
            if all((front & left) - {number} for front in fronts if number in front):
                left.remove(number)
                break
        else:
            break
    expected = [(number, sum(number in front for front in fronts)) for number in sorted(left)]
    assert [(elite.number, count) for elite, count in front_counts(list(elites))] == expected


def test_an_elite_is_drawn_as_often_as_it_has_fronts() -> None:
    rows = [(1.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0), (0.9, 0.9, 0.9, 0.9)]
    elites = elites_of([0.5, 0.1, 0.9], instances=[dict(zip("abcd", row, strict=True)) for row in rows])
    rng, selector = random.Random(2), Pareto()
    drawn = Counter(selector.draw(elites, rng).number for _ in range(4000))
    assert drawn[3] == 0  # the best mean, but best at nothing
    assert abs(drawn[1] / 4000 - 0.75) < 0.03


def test_without_instances_the_best_score_is_the_front() -> None:
    elites = elites_of([1.0, 3.0, 3.0, 2.0])
    assert {Pareto().draw(elites, random.Random(seed)).number for seed in range(20)} == {2}


def test_fronts_follow_the_elites() -> None:
    elites, selector, rng = elites_of([1.0, 3.0]), Pareto(), random.Random(1)
    assert selector.draw(elites, rng).number == 2
    elites.put((0,), 9, Program.of("# 9"), Scored(score=4.0))
    assert selector.draw(elites, rng).number == 9
    assert selector.draw(elites_of([7.0]), rng).scored.score == 7.0


def test_a_restored_selector_rejects_as_the_saved_one_among_many_elites() -> None:
    saved, restored, elites = Curiosity(), Curiosity(), elites_of([0.0] * 200)
    for _ in range(20):
        saved.observe(child_of(1), Insertion.NEW)
    restored.restore(saved.state())
    one, other = random.Random(1), random.Random(1)
    assert [saved.draw(elites, one) for _ in range(50)] == [restored.draw(elites, other) for _ in range(50)]
