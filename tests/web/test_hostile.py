"""What candidates, models and names say is text on a page, and never anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from evoengine.stores.base import Store
from evoengine.web.app import VIEWS
from tests.web.hostile import EVIL, SCRIPT, big, hostile, store_at
from tests.web.pages import Page, asked, crawled, views

_TAGS = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "p", "form", "label", "input", "button",
    "nav", "ul", "li", "main", "div", "h1", "h2", "h3", "section", "dl", "dt", "dd", "table", "thead", "tbody", "tr",
    "th", "td", "span", "details", "summary", "pre", "code", "figure", "figcaption", "svg", "rect", "path", "line",
    "text", "g", "circle", "select", "option", "output", "strong", "article",
}  # fmt: skip
"""All that the templates and charts use."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = store_at(tmp_path)
    hostile(made)
    yield made
    made.close()


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with asked(store) as made:
        yield made


def assert_harmless(address: str, text: str) -> None:
    """Asserts that a page has the elements and attributes of its templates and no others."""
    found = Page(text)
    assert found.faults == [], address
    assert {tag for tag, _ in found.tags} <= _TAGS, address
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (address, tag)
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            assert value is None or re.match(r"[/#][^/]|/$", value), (address, tag, value)
    scripts = [attributes for tag, attributes in found.tags if tag == "script"]
    assert scripts == [{"src": "/static/view.js", "defer": None}]
    assert SCRIPT not in text
    assert not [char for char in text if not char.isprintable() and char not in "\n\t"], address


def addresses(client: TestClient) -> list[str]:
    extra = [
        "/search?q=x", f"/search?q={SCRIPT}", "/search?q=%00%ff%22%3E", "/campaigns/1/records/3?against=5",
        "/campaigns/1/map?y=two&at=2", "/campaigns/1/records?sort=best&low=1", f"/campaigns/{SCRIPT}",
        f"/campaigns/1/map?x={SCRIPT}", f"/campaigns/1/records?low={SCRIPT}", f"/{SCRIPT}",
    ]  # fmt: skip
    return [*crawled(client), *extra]


def test_no_page_holds_anything_but_what_its_template_holds(client: TestClient) -> None:
    found = addresses(client)
    assert {f"/campaigns/1/records/{number}" for number in range(1, 6)} <= set(found)
    assert set(views(1)) <= set(found)
    for address in found:
        answer = client.get(address)
        assert answer.status_code in (200, 400, 404), (address, answer.status_code)
        if answer.headers["content-type"].startswith("text/html"):
            assert_harmless(address, answer.text)


def test_hostile_text_is_shown_as_the_text_that_it_is(client: TestClient) -> None:
    """A page that left it out would be harmless too."""
    for address in ["/", "/campaigns/1", *(f"/campaigns/1/{name}" for name in VIEWS if name),
                    "/campaigns/1/records/3", "/campaigns/1/records/3/lineage"]:  # fmt: skip
        assert SCRIPT in Page(client.get(address).text).text, address
    text = Page(client.get("/campaigns/1/records/3").text).text
    assert text.count(EVIL) > 15
    assert "\\x1b[31m\\x00\\u202e\\u2066\\ud800\\x07" in text


def test_the_policy_of_every_answer_lets_no_foreign_or_inline_script_run(client: TestClient) -> None:
    for address in [*addresses(client), "/static/style.css", "/static/none.css", "/campaigns/1/progress"]:
        headers = client.get(address).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'", address
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


def test_an_answer_about_a_fault_of_ours_has_the_policy_and_tells_nothing_of_it(store: Store) -> None:
    store.create(name="broken", problem="p", fingerprint="f", seed=0, settings={"about": {"secret": 1}})
    with asked(store) as client:
        answer = client.get("/campaigns/2")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_list_is_there_beside_a_campaign_that_cannot_be_read(store: Store) -> None:
    store.create(name="broken", problem="p", fingerprint="f", seed=0, settings={"about": {"secret": 1}})
    with asked(store) as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert "broken" in answer.text


def test_lines_of_ten_million_characters_make_small_pages(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    big(store)
    with asked(store) as client:
        for address in ("/", "/campaigns/1", "/campaigns/1/records/2", "/campaigns/1/records/2/lineage",
                        "/campaigns/1/failures"):  # fmt: skip
            answer = client.get(address)
            assert answer.status_code == 200
            assert len(answer.content) < 4_000_000
            assert_harmless(address, answer.text)
        text = Page(client.get("/campaigns/1/records/2").text).text
        assert "10,000,001 characters" in text
        assert "evoengine diff 1 2 does" in text
    store.close()
