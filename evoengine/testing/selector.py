"""What every selector must show."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.archives import Shelf
from evoengine.selectors.base import Selector
from evoengine.testing._laws import INHERITED
from evoengine.types import (
    EVERY_ISLAND,
    SEED,
    Candidate,
    Cause,
    Elite,
    Elites,
    Failed,
    Insertion,
    Program,
    Record,
    Scored,
    Selection,
)

_scores = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=30)


def elites_of(
    scores: Sequence[float],
    *,
    features: Sequence[Mapping[str, float]] = (),
    instances: Sequence[Mapping[str, float]] = (),
) -> Shelf:
    """Elites number 1, 2, ... with these scores; features x and y follow from the number where none are given."""
    shelf = Shelf()
    for place, score in enumerate(scores):
        position = features[place] if features else {"x": (place * 0.618034) % 1.0, "y": (place * 0.414214) % 1.0}
        scored = Scored(score=score, features=position, instances=instances[place] if instances else {})
        shelf.put(place, place + 1, Program.of(f"# {place + 1}"), scored)
    return shelf


@st.composite
def histories(draw: st.DrawFn, size: int = 24) -> list[tuple[Record, Insertion]]:
    """What one island's selector observes: a seed, then children of earlier records and of migrants."""
    seen: list[tuple[Record, Insertion]] = []
    number = 0
    for step in range(draw(st.integers(0, size)) + 1):
        number += draw(st.integers(1, 3)) if step else 1  # the numbers between belong to other islands
        score = draw(st.none() | st.sampled_from([0.0, 1.0, 2.0, 3.0]) | st.floats(-10, 10))
        parents = () if not step else (draw(st.integers(1, number - 1)),)
        place = {"x": draw(st.floats(-1, 2)), "y": draw(st.floats(0, 1))}
        record = Record(
            number=number,
            candidate=Candidate(
                content=Program.of(f"# {number}"),
                island=0 if step else EVERY_ISLAND,
                operator="one" if step else SEED,
                parents=parents,
            ),
            evaluation=Failed(cause=Cause.CRASHED) if score is None else Scored(score=score, features=place),
        )
        insertion = Insertion.REJECTED if score is None else draw(st.sampled_from(Insertion))
        seen.append((record, insertion))
    return seen


def elites_after(history: Sequence[tuple[Record, Insertion]]) -> Shelf:
    """Every record of a history that was taken in, as an elite; a migrant, if there is none."""
    shelf = Shelf()
    for record, insertion in history:
        if insertion and isinstance(record.evaluation, Scored) and record.candidate.content is not None:
            shelf.put(record.number, record.number, record.candidate.content, record.evaluation)
    if not len(shelf):
        shelf.put(0, 10_000, Program.of("# migrant"), Scored(score=0.5, features={"x": 0.5, "y": 0.5}))
    return shelf


class SelectorContract:
    """What every selector must show. Needs a fixture `selector`; each test uses fresh ones like it."""

    def told(self, selector: Selector, history: Sequence[tuple[Record, Insertion]]) -> Selector:
        """A fresh selector like the fixture, after a history."""
        made = selector.fresh()
        for record, insertion in history:
            made.observe(record, insertion)
        return made

    def choices(self, selector: Selector, elites: Elites, seed: int, n: int = 2) -> list[Selection]:
        """A few selections."""
        return [selector.select(elites, random.Random(seed + step), n) for step in range(3)]

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=40)
    @given(scores=_scores, n=st.integers(0, 6), seed=st.integers(0, 99))
    def test_a_selection_is_of_different_elites_that_are_there(
        self, selector: Selector, scores: list[float], n: int, seed: int
    ) -> None:
        elites = elites_of(scores)
        selection = selector.fresh().select(elites, random.Random(seed), n)
        chosen: list[Elite] = [*selection.parents, *selection.inspirations]
        assert 1 <= len(selection.parents) <= 2
        assert len(selection.inspirations) <= n
        assert not selection.inspirations or len(selection.parents) == 2
        assert len({elite.number for elite in chosen}) == len(chosen)
        held = list(elites)
        assert all(elite in held for elite in chosen)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=40)
    @given(scores=_scores, seed=st.integers(0, 99))
    def test_a_draw_is_one_of_the_elites(self, selector: Selector, scores: list[float], seed: int) -> None:
        elites = elites_of(scores)
        assert selector.fresh().draw(elites, random.Random(seed)) in list(elites)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=40)
    @given(history=histories(), seed=st.integers(0, 99))
    def test_the_same_history_and_the_same_random_numbers_give_the_same_choice(
        self, selector: Selector, history: list[tuple[Record, Insertion]], seed: int
    ) -> None:
        elites = elites_after(history)
        one, other = self.told(selector, history), self.told(selector, history)
        assert self.choices(one, elites, seed) == self.choices(other, elites, seed)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=40)
    @given(history=histories(), seed=st.integers(0, 99))
    def test_choosing_teaches_nothing(
        self, selector: Selector, history: list[tuple[Record, Insertion]], seed: int
    ) -> None:
        elites = elites_after(history)
        made = self.told(selector, history)
        before = json.dumps(made.state())
        first = self.choices(made, elites, seed)
        assert self.choices(made, elites, seed) == first
        assert json.dumps(made.state()) == before

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=40)
    @given(history=histories(), until=st.integers(0, 24), seed=st.integers(0, 99))
    def test_a_restored_selector_goes_on_as_the_one_that_was_saved(
        self, selector: Selector, history: list[tuple[Record, Insertion]], until: int, seed: int
    ) -> None:
        saved, restored = self.told(selector, history[:until]), selector.fresh()
        restored.restore(json.loads(json.dumps(saved.state(), allow_nan=False)))
        for record, insertion in history[until:]:
            saved.observe(record, insertion)
            restored.observe(record, insertion)
        elites = elites_after(history)
        assert self.choices(restored, elites, seed) == self.choices(saved, elites, seed)
        assert restored.state() == saved.state()

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=30)
    @given(history=histories(), seed=st.integers(0, 99))
    def test_elites_that_come_go_and_improve_are_chosen_from_as_they_are(
        self, selector: Selector, history: list[tuple[Record, Insertion]], seed: int
    ) -> None:
        made, elites = self.told(selector, history), elites_after(history)
        for step, elite in enumerate(list(elites)):
            self.choices(made, elites, seed)
            if step % 2 and len(elites) > 1:
                elites.remove(elite.cell[0])
            else:
                better = Scored(score=elite.scored.score + 1.0, features=elite.scored.features)
                elites.put(elite.cell[0], 20_000 + step, elite.content, better)
            for selection in self.choices(made, elites, seed):
                assert all(one in list(elites) for one in (*selection.parents, *selection.inspirations))

    def test_there_are_two_parents_where_there_are_many_elites(self, selector: Selector) -> None:
        made, elites = selector.fresh(), elites_of([float(place % 7) for place in range(20)])
        pairs = [made.select(elites, random.Random(seed), 0).parents for seed in range(50)]
        assert sum(len(parents) == 2 for parents in pairs) >= 40
