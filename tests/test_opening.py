"""An archive of a kept state is opened without reading its programs, and is else the same archive."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.archives.grid import Grid
from evoengine.errors import StoreError
from evoengine.overhead import measured_campaign
from evoengine.stopping import Records
from evoengine.stores.sqlite import Sqlite
from evoengine.types import Candidate, Cause, Content, Failed, Feature, Program, Record, Scored

FEATURES = (Feature(name="x", low=0.0, high=1.0, bins=4), Feature(name="y", low=-1.0, high=1.0, bins=3))


class Sources(dict[int, tuple[Content, Scored]]):
    """Counts what is read."""

    def __init__(self, sources: dict[int, tuple[Content, Scored]]) -> None:
        super().__init__(sources)
        self.asked: list[int] = []

    def __getitem__(self, number: int) -> tuple[Content, Scored]:
        self.asked.append(number)
        return super().__getitem__(number)


def grid() -> Grid:
    made = Grid()
    made.open(FEATURES)
    return made


offers = st.lists(
    st.builds(
        lambda score, x, y: Scored(score=score, features={"x": x, "y": y}),
        st.sampled_from([-1.5, 0.0, 0.5, 2.0]),
        st.floats(0, 1),
        st.floats(-1, 1),
    ),
    max_size=40,
)


@given(offers, offers)
def test_an_archive_taken_up_from_its_state_answers_and_goes_on_like_the_first(
    before: list[Scored], after: list[Scored]
) -> None:
    first, second = grid(), grid()
    sources: dict[int, tuple[Content, Scored]] = {}
    for number, scored in enumerate(before, start=1):
        sources[number] = (Program.of(f"# {number}"), scored)
        first.add(number, *sources[number])
    second.restore(json.loads(json.dumps(first.state())), sources)
    for number, scored in enumerate(after, start=len(before) + 1):
        content = Program.of(f"# {number}")
        assert first.add(number, content, scored) == second.add(number, content, scored)
        assert first.best() == second.best()
    assert list(first) == list(second)
    assert first.state() == second.state()
    size = len(first)
    assert [first.elites.ranked(rank) for rank in range(size)] == [second.elites.ranked(rank) for rank in range(size)]
    assert [first.elites.ties(rank) for rank in range(size)] == [second.elites.ties(rank) for rank in range(size)]
    assert [first.elites[place] for place in range(size)] == [second.elites[place] for place in range(size)]


@given(offers)
def test_ties_are_the_ranks_of_one_score(made: list[Scored]) -> None:
    archive = grid()
    for number, scored in enumerate(made, start=1):
        archive.add(number, Program.of(f"# {number}"), scored)
        scores = sorted((elite.scored.score for elite in archive), reverse=True)
        for rank, score in enumerate(scores):
            assert list(archive.elites.ties(rank)) == [place for place, other in enumerate(scores) if other == score]


def test_taking_up_a_state_reads_nothing_and_a_draw_reads_what_it_draws_once() -> None:
    archive, again = grid(), grid()
    sources = Sources({})
    for number in range(1, 60):
        scored = Scored(score=number, features={"x": number % 7 / 7, "y": number % 5 / 5})
        sources[number] = (Program.of(f"# {number}"), scored)
        archive.add(number, *sources[number])
    sources.asked.clear()
    again.restore(archive.state(), sources)
    assert sources.asked == []
    best = again.best()
    assert best is not None
    assert again.elites.ranked(0) == best
    assert sources.asked == [best.number]
    again.sample(random.Random(0), 500)
    assert sorted(sources.asked) == sorted(elite.number for elite in archive)


def test_an_archive_without_features_is_taken_up_too() -> None:
    first, second = Grid(), Grid()
    first.open(())
    second.open(())
    scored = Scored(score=1.0)
    first.add(1, Program.of("a"), scored)
    second.restore(first.state(), {1: (Program.of("a"), scored)})
    assert list(second) == list(first)


def test_an_improvement_of_an_elite_that_was_never_read_takes_its_place() -> None:
    archive, again = grid(), grid()
    old = Scored(score=1.0, features={"x": 0.5, "y": 0.0})
    archive.add(1, Program.of("a"), old)
    sources = Sources({1: (Program.of("a"), old)})
    again.restore(archive.state(), sources)
    assert not again.add(2, Program.of("b"), Scored(score=1.0, features=old.features))
    assert again.add(3, Program.of("c"), Scored(score=1.5, features=old.features))
    assert [elite.number for elite in again] == [3]
    assert again.qd_score == 1.5
    assert sources.asked == []


def test_a_store_gives_the_digests_and_scores_of_a_campaign_up_to_a_record(tmp_path: Path) -> None:
    store = Sqlite(url=f"sqlite:///{tmp_path}/s.db")
    store.open()
    texts = {"one": ["a", "b", "c", "a", "d"], "two": ["c", "e", "a"]}
    for name, programs in texts.items():
        row = store.create(name=name, problem="p", fingerprint="f", seed=0, settings={})
        records = [
            Record(
                number=number,
                candidate=Candidate(content=Program.of(text), island=0, operator="o"),
                evaluation=Scored(score=number) if number != 2 else Failed(cause=Cause.CRASHED),
            )
            for number, text in enumerate(programs, start=1)
        ]
        store.append(row, records)
    for name, programs in texts.items():
        row = store.campaign(name)  # type: ignore[assignment]
        for until in range(len(programs) + 1):
            assert store.digests(row, until) == {Program.of(text).digest for text in programs[:until]}
        for number in range(1, len(programs) + 1):
            assert store.score(row, number) == (None if number == 2 else float(number))
        assert store.elite(row, 1) == (Program.of(programs[0]), Scored(score=1))
        assert store.elite(row, 1)[0].digest == Program.of(programs[0]).digest
        with pytest.raises(KeyError):
            store.elite(row, 2)
    store.close()


def test_what_came_after_a_record_is_not_among_the_digests_up_to_it(tmp_path: Path) -> None:
    store = Sqlite(url=f"sqlite:///{tmp_path}/s.db")
    store.open()
    row = store.create(name="one", problem="p", fingerprint="f", seed=0, settings={})
    texts = ["a", "b", "a", "c", "b", "d"]
    store.append(
        row,
        [
            Record(
                number=number,
                candidate=Candidate(content=Program.of(text), island=0, operator="o"),
                evaluation=Scored(score=0.0),
            )
            for number, text in enumerate(texts, start=1)
        ],
    )
    for until in range(len(texts) + 1):
        assert store.digests(row, until) == {Program.of(text).digest for text in texts[:until]}
    store.close()


def test_a_campaign_opened_from_a_kept_state_drafts_as_the_one_that_never_closed(tmp_path: Path) -> None:
    with measured_campaign(f"sqlite:///{tmp_path}/s.db", window=16) as campaign:
        campaign.run(stop=Records(300))
        kept, row = campaign.progress.records, campaign.store.campaign(campaign.name)
        assert row is not None
        campaign.run(stop=Records(400))
        assert campaign.store.load_state(row, 400 - 16) is not None, "the test is about a kept state"
        drafts = [campaign.ask() for _ in range(16)]
        digest = campaign.digest()
    assert kept == 300
    with measured_campaign(f"sqlite:///{tmp_path}/s.db", window=16) as campaign:
        again = [campaign.ask() for _ in range(16)]
        assert [(one.number, one.parents, one.inspirations) for one in again] == [
            (one.number, one.parents, one.inspirations) for one in drafts
        ]
        assert campaign.digest() == digest
        found = campaign.elites()
    assert all(elite.content for elite in found), "elites outlive the store that they were read from"


def test_a_kept_state_cannot_be_read_once_its_store_is_closed(tmp_path: Path) -> None:
    with measured_campaign(f"sqlite:///{tmp_path}/s.db", window=4) as campaign:
        campaign.run(stop=Records(50))
        campaign.run(stop=Records(60))
    campaign = measured_campaign(f"sqlite:///{tmp_path}/s.db", window=4)
    archive = campaign.islands.archives[0]
    campaign.store.close()
    with pytest.raises(StoreError, match="not open"):
        list(archive)
