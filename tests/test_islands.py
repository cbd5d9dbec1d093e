"""Islands are a fold over records: where elites are, where they go, and what a reset does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.archives.grid import Grid
from evoengine.bandit import Bandit
from evoengine.fold import Fold
from evoengine.islands import Islands
from evoengine.selectors.softmax import Softmax
from evoengine.types import Brief, Candidate, Feature, Program, Record, Scored
from tests.strategies import histories

FEATURES = (Feature(name="x", low=0.0, high=1.0, bins=4), Feature(name="y", low=0.0, high=1.0, bins=4))


def islands(count: int = 3, **settings: Any) -> Islands:
    made = Islands(count=count, **{"interval": 0, **settings})
    made.open(archive=Grid(), selector=Softmax(), features=FEATURES, seed=7)
    return made


def record(number: int, island: int, score: float, x: float = 0.1, y: float = 0.1) -> Record:
    return Record(
        number=number,
        candidate=Candidate(content=Program.of(f"# {number}"), island=island, operator="one", parents=(1,)),
        evaluation=Scored(score=score, features={"x": x, "y": y}),
    )


def held(made: Islands) -> list[set[int]]:
    return [{elite.number for elite in archive} for archive in made.archives]


@given(histories())
def test_without_migration_an_island_holds_its_own_records_and_the_seed_only(history: list[Record]) -> None:
    made = islands()
    for one in history:
        made.add(one)
    for place, numbers in enumerate(held(made)):
        for number in numbers:
            assert history[number - 1].candidate.island in (place, -1)


@given(histories(), st.sampled_from(["ring", "complete", "star", "random"]), st.integers(1, 9), st.integers(0, 13))
def test_every_elite_was_a_record_and_the_champion_is_the_first_of_the_best(
    history: list[Record], topology: str, interval: int, reset: int
) -> None:
    made = islands(topology=topology, interval=interval, reset_interval=reset)
    for one in history:
        made.add(one)
    evaluations = [one.evaluation for one in history]
    best = max((one.score for one in evaluations if isinstance(one, Scored)), default=None)
    assert made.champion is not None
    assert made.champion.scored.score == best
    first = next(one.number for one in history if isinstance(one.evaluation, Scored) and one.evaluation.score == best)
    assert made.champion.number == first
    for archive in made.archives:
        for elite in archive:
            assert elite.scored is history[elite.number - 1].evaluation


@pytest.mark.parametrize(("topology", "arrives_at"), [("ring", {1}), ("complete", {1, 2, 3}), ("star", {1, 2, 3})])
def test_the_best_of_the_first_island_arrives_where_the_graph_says(topology: str, arrives_at: set[int]) -> None:
    made = islands(count=4, topology=topology, interval=10)
    for number in range(1, 5):
        made.add(record(number, number - 1, score=float(number == 1)))
    made.add(record(10, 3, score=-5.0, x=0.9))
    assert {place for place, numbers in enumerate(held(made)) if 1 in numbers} - {0} == arrives_at


def test_a_random_graph_sends_each_island_s_best_to_one_other() -> None:
    made = islands(count=4, topology="random", interval=10)
    for number in range(1, 5):  # cells of their own, so that nobody is turned away
        made.add(record(number, number - 1, score=1.0, x=0.2 * number))
    made.add(record(10, 0, score=-5.0, x=0.99, y=0.99))
    for number in range(1, 5):
        assert sum(number in numbers for numbers in held(made)) == 2


def test_migrants_compete_for_cells_like_anyone_else() -> None:
    made = islands(count=2, topology="ring", interval=10)
    made.add(record(1, 0, score=1.0))
    made.add(record(2, 1, score=2.0))
    made.add(record(10, 0, score=-5.0, x=0.9))
    assert held(made) == [{2, 10}, {2}]


def test_a_share_of_the_elites_migrates() -> None:
    made = islands(count=2, interval=10, rate=0.5)
    for number in range(1, 9):
        made.add(record(number, 0, score=float(number), x=0.25 * (number % 4) + 0.1, y=0.25 * (number // 4) + 0.1))
    made.add(record(10, 1, score=0.0, x=0.6, y=0.99))
    assert held(made)[1] == {10, 5, 6, 7, 8}


def test_a_reset_gives_the_worse_half_the_best_of_a_survivor() -> None:
    made = islands(count=4, reset_interval=10)
    for number, score in enumerate([4.0, 1.0, 3.0, 2.0], start=1):
        made.add(record(number, number - 1, score=score))
    made.add(record(10, 0, score=0.0, x=0.9))
    after = held(made)
    assert after[0] == {1, 10}
    assert after[2] == {3}
    assert after[1] <= {1, 3}
    assert after[3] <= {1, 3}
    assert len(after[1]) == len(after[3]) == 1


def test_what_falls_due_is_told_by_the_record_number_alone() -> None:
    one, other = islands(interval=5), islands(interval=5)
    history = [record(number, number % 3, score=float(number % 7), x=number % 10 / 10) for number in range(1, 40)]
    for each in history:
        one.add(each)
    for each in history:
        other.add(each)
    assert one.digest() == other.digest()


def test_the_digest_tells_cells_contents_and_scores_apart() -> None:
    digests = set()
    for score, x, number in [(1.0, 0.1, 1), (2.0, 0.1, 1), (1.0, 0.9, 1), (1.0, 0.1, 2)]:
        made = islands(count=1)
        made.add(record(number, 0, score, x=x))
        digests.add(made.digest())
    assert len(digests) == 4


def fold() -> Fold:
    made = islands(interval=7, reset_interval=17)
    bandit = Bandit()
    bandit.open([("one", ""), ("other", "arm")])
    return Fold(islands=made, bandit=bandit, brief=Brief(name="p", goal="", entry="f"), seed=3, inspirations=2)


class Shelf:
    """A store's memory of a history, as far as a fold asks for it."""

    def __init__(self, history: list[Record], number: int, state: dict[str, Any]) -> None:
        self.history, self.number, self.state = history, number, json.loads(json.dumps(state))

    def load_state(self, _: object, at_most: int) -> tuple[int, dict[str, Any]]:
        assert self.number <= at_most
        return self.number, self.state

    def elite(self, _: object, number: int) -> tuple[Program, Scored]:
        record = self.history[number - 1]
        assert isinstance(record.candidate.content, Program)
        assert isinstance(record.evaluation, Scored)
        return record.candidate.content, record.evaluation

    def score(self, _: object, number: int) -> float | None:
        evaluation = self.history[number - 1].evaluation
        return evaluation.score if isinstance(evaluation, Scored) else None

    def digests(self, _: object, until: int) -> set[str]:
        return {one.candidate.content.digest for one in self.history[:until] if one.candidate.content}


@given(histories(size=40), st.data())
def test_a_fold_taken_up_from_a_kept_state_goes_on_as_if_nothing_had_happened(
    history: list[Record], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(history)))
    whole, first, second = fold(), fold(), fold()
    for one in history:
        whole.take(one)
    for one in history[:cut]:
        first.take(one)
    second.resume(Shelf(history, cut, first.state()), None, cut)  # type: ignore[arg-type]
    for one in history[cut:]:
        second.take(one)
    assert second.islands.digest() == whole.islands.digest()
    assert second.progress == whole.progress
    assert json.dumps(second.state()) == json.dumps(whole.state())
    for number in range(len(history) + 1, len(history) + 6):
        ours, theirs = second.draft(number), whole.draft(number)
        assert (ours.operator, ours.arm, ours.island) == (theirs.operator, theirs.arm, theirs.island)
        assert [one.number for one in ours.parents] == [one.number for one in theirs.parents]
        assert ours.rng.random() == theirs.rng.random()


def test_a_kept_state_of_another_format_is_left_alone() -> None:
    history = [record(1, -1, 0.0), record(2, 0, 1.0)]
    first, second = fold(), fold()
    for one in history:
        first.take(one)
    for old in ({**first.state(), "format": 1}, {"records": 2}):
        second.resume(Shelf(history, 2, old), None, 2)  # type: ignore[arg-type]
        assert second.records == 0  # so that the records are replayed
    second.resume(Shelf(history, 2, first.state()), None, 2)  # type: ignore[arg-type]
    assert second.records == 2


def test_a_gap_in_the_numbers_is_refused() -> None:
    made = fold()
    made.take(record(1, -1, 0.0))
    with pytest.raises(ValueError, match="expected record 2, got 3"):
        made.take(record(3, 0, 0.0))
