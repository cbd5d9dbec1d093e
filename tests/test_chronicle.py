"""A campaign's course in columns: the same facts as the campaign itself has, at any of its records."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evoengine import Campaign
from evoengine.chronicle import Chronicle
from evoengine.generators.scripted import Scripted
from evoengine.islands import Islands
from evoengine.plugins import build
from evoengine.reading import Reading
from evoengine.stores.base import Store
from evoengine.types import Cause, Scored
from tests.campaigns.language import peak_answers
from tests.campaigns.numbers import campaign_of


def chronicle_of(store: Store, reading: Reading, cut: int | None = None) -> Chronicle:
    chronicle = Chronicle(reading.row)
    chronicle.take(store.outlines(reading.row, until=cut))
    return chronicle


def told(reading: Reading, chronicle: Chronicle) -> None:
    """Asserts that a chronicle and a replay of everything say the same."""
    summary, progress = reading.summary(), chronicle.progress
    assert (progress.records, progress.evaluations) == (summary["records"], summary["evaluations"])
    assert chronicle.shown(progress.best) == summary["best_score"]  # type: ignore[arg-type]
    assert sum(len(archive) for archive in chronicle.islands.archives) == summary["elites"]
    assert chronicle.best(np.concatenate(chronicle.elites())) == [one.number for one in reading.elites()]
    efforts = {(one.operator, one.model): one for one in chronicle.efforts()}
    for row in reading.costs():
        one = efforts.pop((row["operator"], row["model"]))
        for name in ("records", "scored", "improved", "champions", "calls", "tokens"):
            assert getattr(one, name) == row[name], name
        assert one.money == pytest.approx(row["money"])
    assert not efforts


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a campaign that asked a model, with guidance, islands that migrate and resets."""
    from tests.conftest import PEAK

    folder = tmp_path_factory.mktemp("chronicle")
    (folder / "peak.py").write_text(PEAK)
    given: dict[str, Any] = {
        "operators": ["diff", "rewrite", "crossover"], "generator": Scripted(answers=peak_answers), "gates": [],
        "islands": {"count": 3, "interval": 20, "reset_interval": 70}, "guidance": {"rate": 0.2},
    }  # fmt: skip
    with Campaign(f"{folder}/peak.py", store=f"{folder}/evo.db", sandbox="none", workers=1, **given) as campaign:
        campaign.run(evaluations=220)
    return folder


@pytest.fixture
def store(spoken: Path) -> Any:
    made = build("stores", {"use": "sqlite", "url": f"sqlite:///{spoken}/evo.db"})
    made.open(create=False)
    yield made
    made.close()


def test_it_says_what_a_replay_of_everything_says(store: Store) -> None:
    reading = Reading.named(store, None)
    chronicle = chronicle_of(store, reading)
    told(reading, chronicle)
    worth = {elite.number: elite.scored.score for elite in reading.guidance()}
    assert worth
    assert {one.number: one.credit for one in chronicle.guided() if one.credit is not None} == worth


def test_the_archives_at_any_record_are_those_of_a_replay_up_to_it(store: Store) -> None:
    reading = Reading.named(store, None)
    chronicle = chronicle_of(store, reading)
    settings = reading.row.settings
    islands = Islands(**settings["islands"])
    islands.open(
        archive=build("archives", settings["archive"]), selector=build("selectors", "uniform"),
        features=reading.features, seed=reading.row.seed,
    )  # fmt: skip
    assert [len(numbers) for numbers in chronicle.elites(0)] == [0, 0, 0]
    for record in store.replay(reading.row):
        islands.add(record)
        expected = {(place, elite.number) for place, one in enumerate(islands.archives) for elite in one}
        if record.number % 9 == 0 or record.number > reading.store.last(reading.row) - 3:
            found = chronicle.elites(record.number)
            assert {(place, int(number)) for place, held in enumerate(found) for number in held} == expected


def test_what_was_made_under_a_context_is_counted(store: Store) -> None:
    reading = Reading.named(store, None)
    guided = {one.number: one for one in chronicle_of(store, reading).guided()}
    records = {record.number: record for record in reading.records()}
    for number, one in guided.items():
        children = [record for record in records.values() if record.candidate.guidance == number]
        assert one.children == len(children)
        gains = []
        for child in children:
            before = records[child.candidate.parents[0]].evaluation
            if isinstance(child.evaluation, Scored) and isinstance(before, Scored):
                gains.append(child.evaluation.score - before.score)
        rises = [gain for gain in gains if gain > 0]
        assert one.improved == len(rises)
        assert one.uplift == (pytest.approx(sum(rises) / len(rises)) if rises else None)


def test_taking_records_in_parts_is_taking_them_at_once(store: Store) -> None:
    reading = Reading.named(store, None)
    whole, parts = chronicle_of(store, reading), chronicle_of(store, reading, 37)
    parts.take(store.outlines(reading.row, after=37))
    for at in (None, 20, 60):
        for one, other in zip(parts.elites(at), whole.elites(at), strict=True):
            assert one.tolist() == other.tolist()
    assert parts.efforts() == whole.efforts()
    assert parts.outcomes() == whole.outcomes()


def test_snapshots_stay_few_however_long_the_campaign_is(tmp_path: Path) -> None:
    with campaign_of(tmp_path, islands=1) as campaign:
        campaign.run(evaluations=3)
        reading = Reading.named(campaign.store, None)
        [*_, last] = campaign.store.outlines(reading.row)
        chronicle = chronicle_of(campaign.store, reading)
    later = (last._replace(number=number, score=float(number)) for number in range(last.number + 1, 7001))
    chronicle.take(later)
    assert chronicle.count == 7000
    assert 20 <= len(chronicle.coverage) <= 64
    assert max(chronicle.elites(6543)[0]) == 6543
    assert chronicle.nearest(6543) == 6543, "it is at hand by now"
    for at in (0, 1, 40, 700, 3333, 6999, 7000):
        assert at - 500 <= chronicle.nearest(at) <= at


def test_of_a_long_campaign_a_kept_moment_is_shown_in_place_of_one_that_takes_long(tmp_path: Path) -> None:
    with campaign_of(tmp_path, islands=1) as campaign:
        campaign.run(evaluations=3)
        reading = Reading.named(campaign.store, None)
        [*_, last] = campaign.store.outlines(reading.row)
        chronicle = chronicle_of(campaign.store, reading)
    later = (last._replace(number=number, score=float(number)) for number in range(last.number + 1, 60_001))
    chronicle.take(later)
    kept = chronicle.nearest(33_333)
    assert 0 < kept < 33_333
    assert max(chronicle.elites(kept)[0]) == kept
    assert max(chronicle.elites(33_333)[0]) == 33_333, "which can still be asked for"


def test_children_and_ancestors_are_those_of_the_records(store: Store) -> None:
    reading = Reading.named(store, None)
    chronicle = chronicle_of(store, reading)
    last = reading.store.last(reading.row)
    line = [record.number for record in reading.lineage(last)]
    assert list(chronicle.ancestors(last)) == line
    for record in reading.records():
        assert chronicle.parents(record.number) == record.candidate.parents
        if record.candidate.parents:
            assert record.number in chronicle.children(record.candidate.parents[0])


def test_a_store_that_names_a_record_as_its_own_ancestor_holds_nobody_up(store: Store) -> None:
    reading = Reading.named(store, None)
    chronicle = chronicle_of(store, reading, 10)
    [*_, last] = store.outlines(reading.row, until=10)
    failed = last._replace(score=None, cause=Cause.CRASHED)
    chronicle.take([failed._replace(number=11, parents=(11,)), failed._replace(number=12, parents=(13,))])
    assert list(islice(chronicle.ancestors(11), 5)) == [11]
    assert list(islice(chronicle.ancestors(12), 5)) == [12]
