"""What every archive must show."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.archives.base import Archive
from evoengine.testing._laws import INHERITED
from evoengine.types import Elite, Feature, Insertion, Program, Scored

UNIT_SQUARE = (Feature(name="x", low=0.0, high=1.0, bins=5), Feature(name="y", low=0.0, high=1.0, bins=5))
"""The axes that the contract opens archives over."""

_places = st.floats(-0.5, 1.5) | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
_scores = st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0])
offers = st.lists(
    st.builds(lambda score, x, y: Scored(score=score, features={"x": x, "y": y}), score=_scores, x=_places, y=_places),
    max_size=60,
)
"""Scored candidates inside and outside the unit square, with ties."""


def offer(archive: Archive, offered: list[Scored], after: int = 0) -> list[Insertion]:
    """Adds candidates, numbered from `after` + 1."""
    return [
        archive.add(number, Program.of(f"# {number}"), scored) for number, scored in enumerate(offered, start=after + 1)
    ]


def held(archive: Archive) -> list[tuple[int, tuple[int, ...]]]:
    """Record numbers and cells, in the archive's order."""
    return [(elite.number, elite.cell) for elite in archive]


class ArchiveContract:
    """What every archive must show. Needs a fixture `archive`: any archive; each test opens it anew."""

    def opened(self, archive: Archive) -> Archive:
        """An empty archive like the fixture, over x and y in 0 to 1."""
        made = archive.fresh()
        made.open(UNIT_SQUARE)
        return made

    def test_an_empty_archive_has_nothing(self, archive: Archive) -> None:
        made = self.opened(archive)
        assert (len(made), list(made), made.best(), made.coverage, made.qd_score) == (0, [], None, 0.0, 0.0)
        with pytest.raises(IndexError):
            made.sample(random.Random(1), 1)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_the_best_that_was_offered_is_kept(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        offer(made, offered)
        best = made.best()
        if offered:
            assert best is not None
            assert best.scored.score == max(scored.score for scored in offered)
            assert best in list(made)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_what_is_said_of_an_offer_is_what_became_of_it(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        for number, scored in enumerate(offered, start=1):
            before, version = {elite.number: elite for elite in made}, made.elites.version
            insertion = made.add(number, Program.of(f"# {number}"), scored)
            after = {elite.number: elite for elite in made}
            assert (number in after) == bool(insertion)
            assert after.keys() - {number} <= before.keys()
            lost = before.keys() - after.keys()
            for gone in lost:  # to somebody who is at least as good
                assert any(elite.scored.score >= before[gone].scored.score for elite in made)
            if insertion:
                assert made.elites.version != version
            if insertion is Insertion.IMPROVED:  # somebody had to go for it who is worse
                assert any(scored.score > before[gone].scored.score for gone in lost)
            if insertion is Insertion.NEW and not lost:
                assert len(made) == len(before) + 1

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_cells_have_one_owner_each_and_elites_are_what_was_offered(
        self, archive: Archive, offered: list[Scored]
    ) -> None:
        made = self.opened(archive)
        offer(made, offered)
        assert len({elite.cell for elite in made}) == len(made) == len(list(made))
        for elite in made:
            assert elite.scored is offered[elite.number - 1]
            assert elite.content == Program.of(f"# {elite.number}")

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_offering_the_elites_again_changes_nothing(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        offer(made, offered)
        before, version = list(made), made.elites.version
        for elite in before:
            assert made.add(elite.number + 1000, elite.content, elite.scored) is Insertion.REJECTED
        assert list(made) == before
        assert made.elites.version == version

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers, more=offers)
    def test_the_sequence_of_offers_decides_alone(
        self, archive: Archive, offered: list[Scored], more: list[Scored]
    ) -> None:
        one, other = self.opened(archive), self.opened(archive)
        assert offer(one, offered) == offer(other, offered)
        assert held(one) == held(other)
        one.sample(random.Random(3), 2) if len(one) else None
        assert offer(one, more, after=100) == offer(other, more, after=100)
        assert held(one) == held(other)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers, more=offers)
    def test_a_restored_archive_goes_on_as_the_one_that_was_saved(
        self, archive: Archive, offered: list[Scored], more: list[Scored]
    ) -> None:
        saved, restored = self.opened(archive), self.opened(archive)
        offer(saved, offered)
        state = json.loads(json.dumps(saved.state(), allow_nan=False))
        assert set(state["elites"]) == {elite.number for elite in saved}
        contents = {elite.number: (elite.content, elite.scored) for elite in saved}
        offer(restored, more[:3])  # whatever was in it goes
        restored.restore(state, contents)
        for _ in range(2):
            assert held(restored) == held(saved)
            assert restored.best() == saved.best()
            assert (restored.coverage, restored.qd_score) == (saved.coverage, saved.qd_score)
            assert offer(restored, more, after=100) == offer(saved, more, after=100)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_sums_kept_up_step_by_step_are_those_of_the_elites(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        offer(made, offered)
        offset = getattr(made, "qd_offset", 0.0)
        assert made.qd_score == pytest.approx(sum(e.scored.score - offset for e in made), rel=1e-9, abs=1e-3)
        assert 0.0 <= made.coverage <= 1.0
        assert (made.coverage > 0.0) == (len(made) > 0)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_selectors_see_the_elites_by_place_and_by_rank(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        for start in range(0, len(offered), 10):  # asked in between, since orders may be kept up step by step
            offer(made, offered[start : start + 10], after=start)
            view, elites = made.elites, list(made)
            assert [view[place] for place in range(len(view))] == elites
            ranked = sorted(elites, key=lambda elite: (-elite.scored.score, elite.number))
            assert [view.ranked(rank) for rank in range(len(view))] == ranked
            for count in (0, 1, len(ranked) + 1):
                told = [(elite.number, elite.content, elite.scored) for elite in ranked[:count]]
                assert made.leaders(count) == told
            for rank, elite in enumerate(ranked):
                same = [place for place, other in enumerate(ranked) if other.scored.score == elite.scored.score]
                assert list(view.ties(rank)) == same
            for score in (*(elite.scored.score for elite in elites), 0.5):
                below = sum(elite.scored.score < score for elite in elites)
                assert view.share_below(score) == pytest.approx(below / len(elites))

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_who_is_taken_out_is_gone_and_the_others_stay(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        offer(made, offered)
        gone = {elite.number for elite in made if elite.number % 3 == 0}
        stay = {elite.number: elite.scored for elite in made if elite.number not in gone}
        made.remove({*gone, 10**6})
        assert {elite.number for elite in made} <= stay.keys()
        if not gone:
            assert {elite.number for elite in made} == stay.keys()
        if stay:  # a smaller archive may have no cell for some of them any more, but always one for the best
            best = made.best()
            assert best is not None
            assert best.scored.score == max(scored.score for scored in stay.values())

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(offered=offers)
    def test_a_cleared_archive_is_empty_and_of_use(self, archive: Archive, offered: list[Scored]) -> None:
        made = self.opened(archive)
        offer(made, offered)
        version = made.elites.version
        made.clear()
        assert (len(made), list(made), made.best(), made.coverage, made.qd_score) == (0, [], None, 0.0, 0.0)
        assert made.elites.version != version or not offered
        offer(made, offered)
        assert (len(made) > 0) == bool(offered)

    def test_a_sample_is_uniform(self, archive: Archive) -> None:
        made = self.opened(archive)
        offer(made, [Scored(score=float(k), features={"x": k / 4, "y": (3 - k) / 4}) for k in range(4)])
        drawn: list[Elite] = made.sample(random.Random(5), 4000)
        for elite in made:
            share = sum(one == elite for one in drawn) / 4000
            assert abs(share - 1 / len(made)) < 0.05
