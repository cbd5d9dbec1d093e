"""The metadata for Datasette describes the store that there is, and its queries give the campaign's own facts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign
from evoengine.exporting.datasette import metadata_of
from evoengine.reading import Reading
from tests.campaigns.slopes import Descent, Slope, campaign_of

pytestmark = pytest.mark.slow


@pytest.fixture(params=[Slope, Descent], ids=["maximize", "minimize"])
def campaign(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Campaign]:
    with campaign_of(tmp_path, request.param()) as made:
        made.run(evaluations=60)
        yield made


def database_of(campaign: Campaign) -> dict[str, Any]:
    [(name, described)] = metadata_of(campaign.store.path)["databases"].items()  # type: ignore[attr-defined]
    assert name == "numbers", "what Datasette calls numbers.db"
    return dict(described)


def asked(campaign: Campaign, query: str, /, **given: Any) -> list[dict[str, Any]]:
    connection = sqlite3.connect(f"file:{campaign.store.path}?mode=ro", uri=True)  # type: ignore[attr-defined]
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(database_of(campaign)["queries"][query]["sql"], given)]
    finally:
        connection.close()


def test_every_table_and_column_of_a_store_is_described_or_hidden(campaign: Campaign) -> None:
    campaign.store.search("number")  # which makes the tables of the search
    connection = sqlite3.connect(campaign.store.path)  # type: ignore[attr-defined]
    names = [name for (name,) in connection.execute("select name from sqlite_master where type in ('table', 'view')")]
    tables = database_of(campaign)["tables"]
    assert set(names) - {"sqlite_stat1"} == set(tables)
    for name in names:
        columns = {row[1] for row in connection.execute(f"pragma table_info([{name}])")}
        described = tables[name]
        if not described.get("hidden"):
            assert described["title"]
            assert described["description"]
            assert set(described["columns"]) == columns, name
            assert set(described.get("units", {})) <= columns
    connection.close()


def test_the_best_and_the_standing_are_the_campaigns_own_values(campaign: Campaign) -> None:
    best = campaign.best()
    assert best is not None
    own = campaign.problem.signed(best.scored.score)
    rows = asked(campaign, "best", campaign=campaign.name)
    assert (rows[0]["number"], rows[0]["value"]) == (best.number, own)
    assert rows[0]["source"] == best.content.text  # type: ignore[union-attr]
    [standing] = asked(campaign, "standing")
    assert (standing["name"], standing["best"]) == (campaign.name, own)
    assert standing["records"] == campaign.progress.records


def test_outcomes_and_operators_count_every_record(campaign: Campaign) -> None:
    count = campaign.progress.records
    outcomes = {row["outcome"]: row["records"] for row in asked(campaign, "outcomes", campaign=campaign.name)}
    assert sum(outcomes.values()) == count
    assert set(outcomes) == {"scored", "rejected"}
    operators = asked(campaign, "operators", campaign=campaign.name)
    assert {row["operator"] for row in operators} == {"seed", "plus"}
    assert sum(row["records"] for row in operators) == count


def test_improvements_and_lineage_are_those_of_the_records(campaign: Campaign) -> None:
    from evoengine.chronicle import Chronicle

    reading = Reading.named(campaign.store, None)
    chronicle = Chronicle(reading.row)
    chronicle.take(campaign.store.outlines(reading.row))
    improvements = asked(campaign, "improvements", campaign=campaign.name)
    assert [row["number"] for row in improvements] == chronicle.champions().tolist()
    last = int(chronicle.champions()[-1])
    for number in (last, str(last)):  # a form of a web page gives text
        rows = asked(campaign, "lineage", campaign=campaign.name, number=number)
        assert [row["number"] for row in rows] == [record.number for record in reading.lineage(last)]
    assert asked(campaign, "lineage", campaign="none", number=1) == []
