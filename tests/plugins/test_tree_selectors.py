"""UCB, PUCT and clade Thompson against computations from the whole history, done anew for every elite."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from math import log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.selectors._tree import standings
from evoengine.testing.selector import elites_after, elites_of, histories
from evoengine.types import Candidate, Cause, Failed, Insertion, Program, Record, Scored
from plugins.selectors.clade_thompson import CladeThompson
from plugins.selectors.puct import Puct
from plugins.selectors.ucb_tree import UcbTree

History = Sequence[tuple[Record, Insertion]]


def score_of(record: Record) -> float | None:
    return record.evaluation.score if isinstance(record.evaluation, Scored) else None


def child(
    number: int, parent: int, score: float | None, insertion: Insertion = Insertion.NEW
) -> tuple[Record, Insertion]:
    evaluation = Failed(cause=Cause.CRASHED) if score is None else Scored(score=score)
    candidate = Candidate(
        content=Program.of(f"# {number}"), island=0, operator="one", parents=(parent,) if parent else ()
    )
    return Record(number=number, candidate=candidate, evaluation=evaluation), (
        Insertion.REJECTED if score is None else insertion
    )


def ancestors(history: History, number: int) -> list[int]:
    """Of an elite, by looking the parents up one after the other; who was not taken in is nobody's ancestor."""
    parents = {
        record.number: record.candidate.parents[0] for record, taken in history if taken and record.candidate.parents
    }
    found = []
    while number in parents:
        number = parents[number]
        found.append(number)
    return found


def below(history: History, number: int) -> list[Record]:
    """All records that descend from one."""
    found = []
    for record, _ in history:
        if record.candidate.parents:
            parent = record.candidate.parents[0]
            if number == parent or number in ancestors(history, parent):
                found.append(record)
    return found


def mean_rank(scores: Sequence[float], score: float) -> float:
    return sum(other > score for other in scores) + (sum(other == score for other in scores) - 1) / 2


def told(selector: UcbTree | Puct | CladeThompson, history: History) -> None:
    for record, insertion in history:
        selector.observe(record, insertion)


@settings(deadline=None, max_examples=50)
@given(histories(), st.integers(0, 99), st.floats(0, 4))
def test_ucb_takes_the_highest_bound(history: History, seed: int, c: float) -> None:
    selector, elites = UcbTree(c=c), elites_after(history)
    told(selector, history)
    parents = [record.candidate.parents[0] for record, _ in history if record.candidate.parents]
    visits = Counter(parents)
    scores = [elite.scored.score for elite in elites]

    def bound(number: int, score: float) -> float:
        r = 1 - mean_rank(scores, score) / max(1, len(scores) - 1)
        return r + c * sqrt(log(max(1, len(parents))) / max(1, visits[number]))

    bounds = {elite.number: bound(elite.number, elite.scored.score) for elite in elites}
    selection = selector.select(elites, random.Random(seed), 3)
    chosen = [bounds[elite.number] for elite in (*selection.parents, *selection.inspirations)]
    assert chosen == pytest.approx(sorted(bounds.values(), reverse=True)[: len(chosen)])
    assert len(chosen) == min(5, len(elites))


@settings(deadline=None, max_examples=50)
@given(histories(), st.integers(0, 99), st.floats(0, 4), st.integers(1, 4))
def test_puct_takes_the_highest_value_and_then_only_from_other_lines(
    history: History, seed: int, c: float, group: int
) -> None:
    selector, elites = Puct(c=c, group=group), elites_after(history)
    told(selector, history)
    total = sum(bool(record.candidate.parents) for record, _ in history)
    scores = [elite.scored.score for elite in elites]
    size, scale = len(scores), max(scores) - min(scores)

    def value(number: int, score: float) -> float:
        descendants = below(history, number)
        assert selector.visits(number) == len(descendants)
        best = max((s for record in descendants if (s := score_of(record)) is not None), default=None)
        assert selector.below(number) == best
        p = (size - mean_rank(scores, score)) / (size * (size + 1) / 2)
        q = score if best is None else best
        return q + c * scale * p * sqrt(1 + total / group) / (1 + len(descendants) / group)

    values = {elite.number: value(elite.number, elite.scored.score) for elite in elites}
    selection = selector.select(elites, random.Random(seed), 3)
    chosen = [elite.number for elite in (*selection.parents, *selection.inspirations)]
    free = set(values)
    for number in chosen:
        assert number in free
        assert values[number] == pytest.approx(max(values[one] for one in free), abs=1e-9)
        line = {number, *ancestors(history, number), *(record.number for record in below(history, number))}
        free -= line
    assert len(chosen) == 5 or not free


@settings(deadline=None, max_examples=50)
@given(histories())
def test_every_result_counts_once_in_each_clade_that_holds_it(history: History) -> None:
    selector = CladeThompson()
    told(selector, history)
    known = {record.number: score_of(record) for record, taken in history if taken}

    def success(record: Record, taken: Insertion) -> bool:
        score, before = score_of(record), known.get(record.candidate.parents[0])
        return score is not None and (bool(taken) if before is None else score > before)

    for elite in elites_after(history):
        held = {record.number for record in below(history, elite.number)}
        results = [
            success(record, taken)
            for record, taken in history
            if record.candidate.parents and (record.number in held or (record.number == elite.number and taken))
        ]
        assert selector.successes(elite.number) == sum(results)
        assert selector.failures(elite.number) == len(results) - sum(results)


def test_choosing_from_clades_again_and_again_changes_no_count() -> None:
    selector = CladeThompson()
    told(selector, [child(1, 0, 1.0), child(2, 1, 2.0), child(3, 2, 1.5), child(4, 3, None)])
    elites, before = elites_of([1.0, 2.0, 1.5]), json.dumps(selector.state())
    for seed in range(100):
        selector.select(elites, random.Random(seed), 2)
    assert json.dumps(selector.state()) == before
    assert [(selector.successes(n), selector.failures(n)) for n in (1, 2, 3)] == [(1, 2), (1, 2), (0, 2)]


def test_a_child_as_good_as_its_parent_is_no_success() -> None:
    selector = CladeThompson()
    told(selector, [child(1, 0, 1.0), child(2, 1, 1.0), child(3, 1, 1.5)])
    assert (selector.successes(1), selector.failures(1)) == (1, 1)


@pytest.mark.parametrize("tau", [1.0, 4.0])
def test_clades_are_drawn_as_often_as_their_beta_says(tau: float) -> None:
    selector = CladeThompson(tau=tau)
    children = [child(3 + k, 1 + k % 2, 1.0 if k in (0, 2, 4, 1) else -1.0, Insertion.NEW) for k in range(12)]
    told(selector, [child(1, 0, 0.0), child(2, 0, 0.0), *children])
    rng, other = random.Random(1), random.Random(2)
    elites = elites_of([0.0, 0.0])
    share = sum(selector.draw(elites, rng).number == 1 for _ in range(4000)) / 4000
    wins = 0
    for _ in range(40000):  # 3 successes and 3 failures against 1 and 5
        wins += other.betavariate(tau * 4, tau * 4) > other.betavariate(tau * 2, tau * 6)
    assert abs(share - wins / 40000) < 0.04


def test_failed_children_make_a_node_less_worth_a_visit() -> None:
    for make in (UcbTree, Puct):
        selector = make(c=1.0)
        elites = elites_of([1.0, 0.9])
        told(selector, [child(1, 0, 1.0), child(2, 0, 0.9), child(3, 1, None)])
        before = selector.draw(elites, random.Random(1)).number
        told(selector, [child(number, 1, None) for number in range(4, 60)])
        assert (before, selector.draw(elites, random.Random(1)).number) == (1, 2)


def test_a_node_that_left_the_archive_still_passes_values_up() -> None:
    selector = Puct(c=0.0)
    told(selector, [child(1, 0, 1.0), child(2, 0, 3.0), child(3, 1, 2.0), child(4, 3, 9.0)])
    elites = elites_of([1.0, 3.0])  # neither 3 nor 4 is an elite
    assert selector.draw(elites, random.Random(1)).number == 1
    assert (selector.below(1), selector.visits(1)) == (9.0, 2)


def test_a_migrant_is_a_root_with_its_own_score() -> None:
    selector = Puct(c=0.0)
    told(selector, [child(1, 0, 1.0)])
    elites = elites_of([1.0, 5.0])  # number 2 was never observed here
    assert selector.draw(elites, random.Random(1)).number == 2
    selection = selector.select(elites, random.Random(1), 0)
    assert {elite.number for elite in selection.parents} == {1, 2}


def test_where_all_are_of_one_line_there_is_no_second_parent() -> None:
    selector = Puct()
    told(selector, [child(1, 0, 1.0), child(2, 1, 2.0), child(3, 2, 3.0)])
    assert len(selector.select(elites_of([1.0, 2.0, 3.0]), random.Random(1), 4).parents) == 1


@pytest.mark.parametrize("make", [UcbTree, Puct, CladeThompson])
def test_a_lineage_of_any_depth_is_walked(make: Callable[[], UcbTree | Puct | CladeThompson]) -> None:
    selector = make()
    told(selector, [child(1, 0, 0.0), *(child(number, number - 1, float(number)) for number in range(2, 1500))])
    assert selector.draw(elites_of([0.0] * 50), random.Random(1)).number <= 50


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=40), st.integers(2, 50), st.integers(0, 9))
def test_the_pool_holds_all_or_the_best_and_a_few_others(scores: list[float], limit: int, seed: int) -> None:
    pool = standings(elites_of(scores), random.Random(seed), limit)
    assert len(pool) == min(limit, len(scores)) == len({one.elite.number for one in pool})
    ranked = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    top = len(scores) if len(scores) <= limit else limit - limit // 2
    assert [one.elite.number - 1 for one in pool[:top]] == ranked[:top]
    assert all(one.rank == mean_rank(scores, one.elite.scored.score) for one in pool)
