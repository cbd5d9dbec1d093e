"""The web page over real campaigns."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from evoengine import Campaign
from evoengine.generators.scripted import Scripted
from evoengine.plugins import build
from evoengine.reading import Reading
from evoengine.stores.base import Store
from evoengine.types import Record, Scored
from tests.campaigns.language import peak_answers
from tests.campaigns.numbers import campaign_of
from tests.rl import dial
from tests.web.pages import Page, asked, crawled, views


def opened(path: Path) -> Store:
    store: Store = build("stores", {"use": "sqlite", "url": f"sqlite:///{path}"})
    store.open(create=False)
    return store


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a campaign that asked a model under guidance, and one that was never run."""
    from tests.conftest import PEAK

    folder = tmp_path_factory.mktemp("web")
    (folder / "peak.py").write_text(PEAK)
    given: dict[str, Any] = {
        "operators": ["diff", "rewrite", "crossover"], "generator": Scripted(answers=peak_answers), "gates": [],
        "islands": {"count": 2, "interval": 20}, "guidance": {"rate": 0.2}, "sandbox": "none", "workers": 1,
    }  # fmt: skip
    with Campaign(f"{folder}/peak.py", store=f"{folder}/evo.db", **given) as campaign:
        campaign.run(evaluations=150)
    return folder / "evo.db"


@pytest.fixture(scope="module")
def store(spoken: Path) -> Iterator[Store]:
    made = opened(spoken)
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(store: Store) -> Iterator[TestClient]:
    with asked(store) as made:
        yield made


@pytest.fixture(scope="module")
def reading(store: Store) -> Reading:
    return Reading.named(store, "peak")


def page(client: TestClient, address: str) -> Page:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    found = Page(answer.text)
    assert found.faults == []
    return found


def figures(found: Page) -> str:
    return re.sub(r"\s+", " ", found.text)


def test_every_page_that_a_link_leads_to_is_there(client: TestClient) -> None:
    answers = crawled(client)
    assert {answer.status_code for answer in answers.values()} == {200}, [
        address for address, answer in answers.items() if answer.status_code != 200
    ]
    assert set(views(1)) <= set(answers)
    assert len(answers) > 100
    for address, answer in answers.items():
        if answer.headers["content-type"].startswith("text/html"):
            assert Page(answer.text).faults == [], address


def test_the_list_of_campaigns_tells_how_far_each_came(client: TestClient, reading: Reading) -> None:
    text = figures(page(client, "/"))
    assert "peak" in text
    assert f"{reading.summary()['best_score']:.10g}" in text


def test_the_overview_tells_what_show_tells(client: TestClient, reading: Reading) -> None:
    found, summary = page(client, "/campaigns/1"), reading.summary()
    text = figures(found)
    assert f"{summary['best_score']:.10g}" in text
    assert f"#{summary['best_number']}" in text
    assert f"{summary['evaluations']:,}" in text
    assert "the distance of a point to itself" in text
    assert "best known" in text
    assert any(tag == "path" for tag, _ in found.tags)


def test_the_progress_is_what_a_page_that_is_left_open_asks_for(client: TestClient, reading: Reading) -> None:
    told = client.get("/campaigns/1/progress").json()
    summary = reading.summary()
    assert told["last"] == told["read"] == summary["records"]
    assert told["best"] == summary["best_score"]
    assert told["best_number"] == summary["best_number"]


def test_a_running_campaign_is_followed(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        other = opened(tmp_path / "numbers.db")
        try:
            with asked(other) as client:
                assert client.get("/campaigns/1/progress").json()["read"] == campaign.progress.records
                before = campaign.progress.records
                campaign.run(evaluations=30)
                assert campaign.progress.records > before
                assert client.get("/campaigns/1/progress").json()["read"] == campaign.progress.records
                best = campaign.best()
                assert best is not None
                assert f"{best.scored.score:.10g}" in figures(page(client, "/campaigns/1"))
        finally:
            other.close()


def test_the_map_links_each_cell_to_its_best_elite(client: TestClient, reading: Reading) -> None:
    svg = re.search(r"<svg.*?</svg>", client.get("/campaigns/1/map?x=first&y=length").text, re.DOTALL)
    assert svg is not None
    drawn = {int(number) for number in re.findall(r'<a href="/campaigns/1/records/(\d+)">', svg[0])}
    best: dict[tuple[int, ...], tuple[float, int]] = {}
    for archive in reading.fold.islands.archives:
        for elite in archive:
            best[elite.cell] = max(best.get(elite.cell, (-1e9, 0)), (elite.scored.score, -elite.number))
    assert drawn == {-number for _, number in best.values()}


def test_the_map_after_an_earlier_record_shows_nothing_that_came_later(client: TestClient) -> None:
    for at in (1, 9, 40):
        links = page(client, f"/campaigns/1/map?at={at}").links
        numbers = [int(link.rsplit("/", 1)[1]) for link in links if re.fullmatch(r"/campaigns/1/records/\d+", link)]
        assert numbers
        assert max(numbers) <= at
    assert "The archive was empty then." in figures(page(client, "/campaigns/1/map?at=0"))


def test_one_island_is_shown_by_itself(client: TestClient, reading: Reading) -> None:
    links = page(client, "/campaigns/1/map?island=1").links
    numbers = {int(link.rsplit("/", 1)[1]) for link in links if re.fullmatch(r"/campaigns/1/records/\d+", link)}
    assert numbers <= {elite.number for elite in reading.fold.islands.archives[1]}
    assert numbers


def test_one_feature_may_be_looked_at_alone(client: TestClient) -> None:
    assert "cells drawn" in figures(page(client, "/campaigns/1/map?x=first&y=first"))


def test_the_page_of_a_record_holds_all_that_is_known_of_it(client: TestClient, reading: Reading) -> None:
    asked_for = [r for r in reading.records() if r.candidate.turns and isinstance(r.evaluation, Scored)][-1]
    text = page(client, f"/campaigns/1/records/{asked_for.number}").text
    assert asked_for.candidate.content is not None
    assert asked_for.candidate.content.text.strip() in text  # type: ignore[union-attr]
    for turn in asked_for.candidate.turns:
        assert turn.completion.text.strip() in text
        assert turn.prompt.messages[0]["content"].strip() in text
    assert asked_for.candidate.operator in text
    assert isinstance(asked_for.evaluation, Scored)
    assert f"{reading.shown(asked_for.evaluation.score):.10g}" in text
    assert f"#{asked_for.candidate.parents[0]}" in text


def changed(client: TestClient, number: int, against: int | None = None) -> tuple[list[str], list[str]]:
    """The removed and the added lines on a record's page."""
    address = f"/campaigns/1/records/{number}" + (f"?against={against}" if against else "")
    text = client.get(address).text
    return tuple(  # type: ignore[return-value]
        [Page(one).text.rstrip("\n")[1:] for one in re.findall(rf'<span class="{kind}">.*?</span>', text, re.DOTALL)]
        for kind in ("removed", "added")
    )


def test_the_difference_is_what_turns_one_program_into_the_other(client: TestClient, reading: Reading) -> None:
    programs: dict[int, Record] = {
        r.number: r for r in reading.records() if hasattr(r.candidate.content, "text") and r.candidate.parents
    }
    some = list(programs.values())[:25]
    for record in some:
        for against in (None, some[0].number):
            other = reading.record(against or record.candidate.parents[0])
            before, after = (one.candidate.content.text.splitlines() for one in (other, record))  # type: ignore[union-attr]
            removed, added = changed(client, record.number, against)
            for line in removed:
                before.remove(line)
            for line in added:
                after.remove(line)
            assert before == after


def test_a_lineage_goes_from_the_seed_to_the_record(client: TestClient, reading: Reading) -> None:
    best = reading.summary()["best_number"]
    line = [record.number for record in reading.lineage(best)][::-1]
    found = page(client, f"/campaigns/1/records/{best}/lineage")
    labels = [word.split()[0] for word in found.words if re.match(r"#\d+  ", word)]
    assert labels == [f"#{number}" for number in line]


def test_operators_and_models_are_told_as_costs_tells_them(client: TestClient, reading: Reading) -> None:
    text = figures(page(client, "/campaigns/1/operators"))
    for row in reading.costs():
        assert row["operator"] in text
        assert f"{row['tokens']:,}" in text


def test_contexts_come_with_their_text_and_credit(client: TestClient, reading: Reading) -> None:
    text = page(client, "/campaigns/1/contexts").text
    for elite in reading.guidance()[:10]:
        assert f"{elite.scored.score:.3f}" in text
        assert next(iter(elite.content.sections.values())) in text  # type: ignore[union-attr]


def test_failures_are_told_by_cause_with_examples(client: TestClient, reading: Reading) -> None:
    text = figures(page(client, "/campaigns/1/failures"))
    causes: dict[str, int] = {}
    for record in reading.records():
        if not isinstance(record.evaluation, Scored):
            causes[str(record.evaluation.cause)] = causes.get(str(record.evaluation.cause), 0) + 1
    assert causes
    for cause, count in causes.items():
        assert f"{cause}: {count}" in text


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("operator=diff", lambda one: one.candidate.operator == "diff"),
        ("outcome=undecodable", lambda one: str(getattr(one.evaluation, "cause", "")) == "undecodable"),
        ("island=1", lambda one: one.candidate.island == 1),
        ("island=-2", lambda one: one.candidate.island == -2),
        ("parent=1", lambda one: one.candidate.parents[:1] == (1,)),
        (
            "low=-0.5&outcome=scored",
            lambda one: getattr(one.evaluation, "score", -9) >= -0.5 and one.candidate.island != -2,
        ),
    ],
)
def test_filters_leave_what_fits(client: TestClient, reading: Reading, query: str, fits: Any) -> None:
    expected = {record.number for record in reading.records() if fits(record)}
    found: list[int] = []
    address = f"/campaigns/1/records?{query}&sort=oldest"
    for _ in range(20):
        shown = page(client, address)
        found += [int(word) for word in re.findall(r'<th scope="row"><a href="[^"]*">#(\d+)', client.get(address).text)]
        after = [attributes["href"] for tag, attributes in shown.tags if tag == "a" and attributes.get("rel") == "next"]
        if not after or after[0] is None:
            break
        address = after[0]
    assert found == sorted(expected)
    assert found


def test_records_can_be_put_in_order(client: TestClient, reading: Reading) -> None:
    [first, *_] = re.findall(
        r'<th scope="row"><a href="[^"]*">#(\d+)', client.get("/campaigns/1/records?sort=best").text
    )
    score = reading.record(int(first)).evaluation
    assert isinstance(score, Scored)
    assert reading.shown(score.score) == reading.summary()["best_score"]


def test_words_are_found_in_sources(client: TestClient) -> None:
    found = page(client, "/search?q=numbers")
    assert any(re.fullmatch(r"/campaigns/1/records/\d+", link) for link in found.links)
    assert "No source holds" in page(client, "/search?q=absentword").text
    assert page(client, "/search").text


def test_a_search_that_takes_long_is_waited_for_by_the_page_and_not_by_the_server(store: Store) -> None:
    with asked(store, patience=0.0) as client:
        for _ in range(600):
            answer = client.get("/search?q=numbers")
            assert answer.status_code == 200
            if "the most fitting first" in answer.text:
                break
            assert '<meta http-equiv="refresh" content="2;url=/search?q=numbers">' in answer.text
            time.sleep(0.05)
        else:
            raise AssertionError("the search never ended")


def test_a_typed_number_leads_to_its_record(client: TestClient) -> None:
    answer = client.get("/campaigns/1/open?number=7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/campaigns/1/records/7")


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/campaigns/99", 404, "no such campaign"),
        ("/campaigns/none", 404, "no such campaign"),
        (f"/campaigns/{'9' * 5000}", 404, "no such campaign"),
        ("/campaigns/1/records/100000", 404, "its records are 1 to"),
        ("/campaigns/1/records/0", 404, "its records are 1 to"),
        (f"/campaigns/1/records/{10**14}", 404, "its records are 1 to"),
        ("/campaigns/1/records/x", 404, "whole numbers"),
        ("/campaigns/1/records/100000/lineage", 404, "its records are 1 to"),
        ("/campaigns/1/records/1?against=100000", 400, "against should be a whole number"),
        ("/campaigns/1/map?x=nothing", 404, "There is no x 'nothing'; there are: 'first', 'length'."),
        ("/campaigns/1/map?at=-1", 400, "at should be a whole number"),
        ("/campaigns/1/map?island=7", 400, "island should be a whole number from 0 to 1"),
        ("/campaigns/1/records?operator=none", 404, "There is no operator 'none'"),
        ("/campaigns/1/records?low=nan", 400, "low should be a number"),
        ("/campaigns/1/open?number=1e9", 400, "number should be a whole number"),
        ("/search?q=a&campaign=none", 404, "There is no campaign 'none'"),
        ("/nothing", 404, "There is no such page here."),
        ("/static/../app.py", 404, "There is no such page here."),
        ("/static/%2e%2e/app.py", 404, "There is no such page here."),
    ],
)
def test_what_is_not_there_is_told_in_one_line(client: TestClient, address: str, status: int, says: str) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert says in Page(answer.text).text


def test_every_page_is_there_for_a_campaign_without_a_record(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=2)
        row = campaign.store.campaigns()[0]
        campaign.store.create(name="empty", problem="numbers", fingerprint="f", seed=0, settings=row.settings)
        with asked(campaign.store) as client:
            for address in ["/", *views(2)]:
                page(client, address)
            assert "The archive is empty." in page(client, "/campaigns/2").text
            assert client.get("/campaigns/2/records/1").status_code == 404


def test_every_page_is_there_for_a_campaign_that_trains(tmp_path: Path) -> None:
    with dial.campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=1 + 12 * 3)
        with asked(campaign.store) as client:
            for address in views(1):
                page(client, address)
            found = page(client, "/campaigns/1/training")
            updates = campaign.store.updates(campaign.store.campaigns()[0])
            assert updates
            assert updates[-1].policy in found.text
            assert "share" in found.text
            assert {answer.status_code for answer in crawled(client, "/campaigns/1").values()} == {200}


@pytest.mark.parametrize("archive", ["cvt", "novelty", {"use": "grid", "bounds": "adaptive"}])
def test_the_map_is_there_for_every_kind_of_archive(tmp_path: Path, archive: Any) -> None:
    if archive == "cvt":
        archive = {"use": "cvt", "cells": 20, "samples": 100}
    with campaign_of(tmp_path, archive=archive) as campaign:
        campaign.run(evaluations=60)
        with asked(campaign.store) as client:
            for at in ("", "?at=5", "?at=57"):
                assert "record" in page(client, f"/campaigns/1/map{at}").text
            assert page(client, "/campaigns/1/records/3").text


def test_a_page_waits_no_longer_than_it_is_told_and_says_what_it_shows(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=40)
        with asked(campaign.store, patience=0.0) as client:
            first = page(client, "/campaigns/1").text
            assert "records are read" in first or "40" in first
            for address in views(1):
                page(client, address)
            assert "number()" in page(client, "/campaigns/1/records/40").text


def test_a_column_of_values_has_its_points_in_a_line(client: TestClient) -> None:
    text = client.get("/campaigns/1/map").text
    values = re.findall(r'<td class="n">(-?\d+\.\d+)</td>', text)
    assert len(values) > 5
    assert len({len(value.partition(".")[2]) for value in values}) == 1


def test_a_context_that_guides_is_not_shown_as_a_failure(client: TestClient) -> None:
    text = client.get("/campaigns/1/records?outcome=scored&island=-2").text
    assert '<td class="n">guides</td>' in text
    assert '<td class="n failed">duplicate</td>' in client.get("/campaigns/1/records?outcome=duplicate").text


@pytest.mark.parametrize(
    ("hours", "axis"),
    [(0.0002, "seconds since"), (0.5, "minutes since"), (20, "hours since"), (24 * 30, "days since")],
)
def test_a_course_is_shown_in_a_unit_that_fits_it(tmp_path: Path, hours: float, axis: str) -> None:
    path = tmp_path / "numbers.db"
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=12)
    with closing(sqlite3.connect(path)) as base, base:  # moments are the store's own: nothing else can set them
        base.execute("UPDATE records SET at = 1e9 + number * ?", [hours * 3600 / 11])
    store = opened(path)
    with asked(store) as client:
        assert axis in page(client, "/campaigns/1?by=time").text
    store.close()


def test_what_the_same_at_every_update_is_gets_no_curve(tmp_path: Path) -> None:
    with dial.campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=1 + 12 * 4)
        with asked(campaign.store) as client:
            text = client.get("/campaigns/1/training").text
    curves = re.findall(r"<figcaption>(.*?)</figcaption>", text)
    found = re.search(r"The same at every update: (.*?)\.</p>", text)
    assert found is not None
    assert curves[0] == "best_score"
    assert "groups" in found[1].split(", ")
    assert not set(found[1].split(", ")) & set(curves)
