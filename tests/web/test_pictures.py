"""What a problem draws, on a page and in a frozen file: an image that can do nothing, or one line."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from evoengine import Campaign
from evoengine.bandit import Bandit
from evoengine.examining import HOSTILE
from evoengine.executors.inline import Inline
from evoengine.gallery import Gallery
from evoengine.islands import Islands
from evoengine.reading import Reading
from evoengine.types import Candidate, Program, Record, Scored
from evoengine.web.freezing import freeze
from tests.campaigns.numbers import campaign_of
from tests.rings import NONE_DRAWN, put
from tests.web.hostile import store_at
from tests.web.pages import Page, asked
from tests.web.test_frozen import assert_self_contained
from tests.web.test_hostile import assert_harmless

pytestmark = pytest.mark.slow

ADDRESS = "/campaigns/1/records/1/picture.svg"


@contextmanager
def rings(folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[tuple[Campaign, TestClient]]:
    """A campaign of one record whose problem draws, and a client of its pages."""
    put(folder, monkeypatch)
    given: dict[str, Any] = {"executor": Inline(), "sandbox": "none", "operators": ["structural"]}
    with Campaign({"use": "rings", **settings}, store=f"sqlite:///{folder}/evo.db", **given) as campaign:
        campaign.run(evaluations=1)
        with asked(campaign.store) as client:
            yield campaign, client


def images(text: str) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in Page(text).tags if tag == "img"]


def test_the_best_and_every_record_are_shown_with_their_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rings(tmp_path, monkeypatch) as (_, client):
        for address in ("/campaigns/1", "/campaigns/1/records/1"):
            answer = client.get(address)
            assert images(answer.text) == [{"src": ADDRESS, "alt": "a ring <of> 0.25"}]
            assert "a ring <of> 0.25. Once round." in Page(answer.text).text
            assert Page(answer.text).faults == []
        answer = client.get(ADDRESS)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert "<ellipse" in answer.text


def test_a_picture_is_answered_under_a_policy_that_lets_nothing_run_or_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rings(tmp_path, monkeypatch) as (_, client):
        headers = client.get(ADDRESS).headers
        policy = dict((part.strip() + " ").split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["sandbox"].strip() == ""
        assert policy["default-src"].strip() == "'none'"
        assert policy["style-src"].strip() == "'unsafe-inline'"
        assert "script-src" not in policy
        assert headers.get_list("content-security-policy") == [headers["content-security-policy"]]
        assert headers["x-content-type-options"] == "nosniff"
        page = client.get("/campaigns/1/records/1").headers["content-security-policy"]
        assert "img-src 'self'" in page
        assert "unsafe" not in page


@pytest.mark.parametrize("how", NONE_DRAWN)
def test_a_picture_that_cannot_be_had_is_one_line_and_never_an_error(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rings(tmp_path, monkeypatch, how=how) as (campaign, client):
        for address in ("/campaigns/1", "/campaigns/1/records/1"):
            answer = client.get(address)
            assert answer.status_code == 200
            assert_harmless(address, answer.text)
            assert f"There is no picture: problem 'rings' {NONE_DRAWN[how]}" in Page(answer.text).text or (
                "what problem 'rings' drew is not shown" in Page(answer.text).text
                and NONE_DRAWN[how] in Page(answer.text).text
            )
        answer = client.get(ADDRESS)
        assert answer.status_code == 404
        assert NONE_DRAWN[how] in Page(answer.text).text
        frozen = freeze(Reading.named(campaign.store, None))
        assert NONE_DRAWN[how] in assert_self_contained(frozen).text
        assert "<img" not in frozen
        assert "img-src" not in frozen


def test_a_problem_that_draws_nothing_leaves_its_pages_as_they_are(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=5)
        with asked(campaign.store) as client:
            for address in ("/campaigns/1", "/campaigns/1/records/1"):
                assert "icture" not in Page(client.get(address).text).text
            assert client.get(ADDRESS).status_code == 404


@pytest.mark.parametrize("number", ["0", "99", "-1", "x", "1e3", "%00"])
def test_a_picture_of_no_record_is_not_there(number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rings(tmp_path, monkeypatch) as (_, client):
        assert client.get(f"/campaigns/1/records/{number}/picture.svg").status_code == 404
        assert client.get("/campaigns/7/records/1/picture.svg").status_code == 404


def test_a_frozen_file_holds_its_pictures_as_images_and_lets_nothing_else_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rings(tmp_path, monkeypatch) as (campaign, client):
        text = freeze(Reading.named(campaign.store, None))
        drawn = client.get(ADDRESS).text
    assert_self_contained(text, images="; img-src data:")
    found = images(text)
    assert len(found) == 2  # the best so far, and its record
    for image in found:
        assert image["alt"] == "a ring <of> 0.25"
        source = image["src"]
        assert source is not None
        kind, _, held = source.partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(held).decode() == drawn


def test_a_problem_that_is_a_file_is_drawn_where_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, name="mine.py")
    given: dict[str, Any] = {"executor": Inline(), "sandbox": "none", "operators": ["structural"]}
    with Campaign(str(path), store=f"sqlite:///{tmp_path}/evo.db", **given) as campaign:
        campaign.run(evaluations=1)
        with asked(campaign.store) as client:
            answer = client.get("/campaigns/1")
            assert f"say --problem {path}" in Page(answer.text).text
            assert not images(answer.text)
        with asked(campaign.store, gallery=Gallery([str(path)])) as client:
            assert images(client.get("/campaigns/1").text)


@pytest.mark.parametrize(
    "name", ["autocorrelation", "circle_packing", "heilbronn_triangle", "online_bin_packing", "tsp_construct"]
)
def test_no_outputs_of_a_shipped_problem_make_an_error_of_its_page(name: str, tmp_path: Path) -> None:
    store = store_at(tmp_path)
    about = {
        "goal": "g", "direction": "maximize", "features": [], "speaking": [], "best_known": None, "floor": None,
        "use": name, "draws": True,
    }  # fmt: skip
    settings = {
        "about": about, "problem": {}, "islands": Islands(count=1).settings(), "bandit": Bandit().settings(),
        "archive": {"use": "grid"},
    }  # fmt: skip
    row = store.create(name=name, problem=name, fingerprint="f", seed=1, settings=settings)
    told = ['{"stage":%s,"tours":%s,"room":%s}' % ((one,) * 3) for one in ("NaN", "[[]]", '"train"', "1e400")]
    told += ['{"stage":"train","tours":%s,"room":%s}' % ((one,) * 2) for one in ("[[-1]]", "[[1e308]]", "[[0,1]]")]
    told += ["", "\0", "[" * 9999, "NaN", *(json.dumps(one) for one in HOSTILE), *(f"[[[{one}]]]" for one in told)]
    records = [
        Record(
            number=number,
            candidate=Candidate(content=Program.of(str(number)), island=0, operator="x"),
            evaluation=Scored(score=float(number), outputs=outputs),
        )
        for number, outputs in enumerate(told, start=1)
    ]
    store.append(row, records)
    with asked(store) as client:
        assert client.get("/campaigns/1").status_code == 200
        for record in records:
            answer = client.get(f"/campaigns/1/records/{record.number}")
            assert answer.status_code == 200
            assert Page(answer.text).faults == []
            drawn = bool(images(answer.text))
            assert drawn or "There is no picture: " in answer.text
            found = client.get(f"/campaigns/1/records/{record.number}/picture.svg")
            assert found.status_code == (200 if drawn else 404)
            assert not drawn or not re.search("nan|inf", found.text.partition("</style>")[2])
    store.close()
