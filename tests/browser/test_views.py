"""Every view in a browser: nothing goes wrong, anyone can use it, and it fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evoengine.web.app import VIEWS
from tests.browser.campaigns import EMPTY, SPOKEN, TRAINED
from tests.browser.watched import NARROW, WIDE, Watched, opened, overflow, shot, until, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

_BASE = f"/campaigns/{SPOKEN}"
ADDRESSES = {
    "campaigns": "/",
    **{label: f"{_BASE}/{name}".rstrip("/") for name, label in VIEWS.items()},
    "trained": f"/campaigns/{TRAINED}/training",
    "record": f"{_BASE}/records/140",
    "crashed": f"{_BASE}/records/19",
    "guidance": f"{_BASE}/records/2",
    "lineage": f"{_BASE}/records/140/lineage",
    "search": "/search?q=numbers+0.9",
    "nothing-found": "/search?q=absentword",
    "empty-overview": f"/campaigns/{EMPTY}",
    "empty-archive": f"/campaigns/{EMPTY}/map",
}


@pytest.fixture(scope="module")
def watched(browser: Browser) -> Iterator[Watched]:
    """One page for all views: each further one is a process more."""
    with opened(browser) as made:
        yield made


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_view_shows_no_fault_and_asks_no_other_host(watched: Watched, served: str, name: str) -> None:
    page = watched.page
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(served + ADDRESSES[name])
    assert page.locator("h1").count() == 1
    shot(page, f"{name}-light")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    shot(page, f"{name}-dark")
    page.set_viewport_size(NARROW)
    shot(page, f"{name}-phone")
    assert violations(page) == []
    assert overflow(page) == 0
    assert watched.faults() == []
    assert {f"http://{host}" for host in watched.hosts()} == {served}


def test_a_page_that_is_not_there_is_a_page_too(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}/campaigns/99") as watched:
        shot(watched.page, "not-there")
        assert violations(watched.page) == []
        assert "no such campaign" in watched.page.inner_text("main")


def test_light_and_dark_follow_the_system(browser: Browser, served: str) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        with opened(browser, served, color_scheme=scheme) as watched:
            told = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
            grounds[scheme] = sum(map(int, told.removeprefix("rgb(").removesuffix(")").split(",")))
    assert grounds["light"] > 3 * 200
    assert grounds["dark"] < 3 * 60


def test_the_watch_tells_of_all_that_it_is_there_for(browser: Browser, served: str, tmp_path: Path) -> None:
    """Tests that find no fault say something only if one would have been found."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<title>bad</title><body><script>ran = 1; alert(1); console.error('no'); undefined.x</script>"
        "<img src='http://127.0.0.1:1/x.png'><input>",
    )
    with opened(browser, bad.as_uri()) as watched:
        told = "\n".join(watched.faults())
        assert "127.0.0.1:1" in watched.hosts()
        for fault in ("texts ran", "dialog", "in the console: no", "error: Cannot read", "not answered: http://127"):
            assert fault in told
        assert [one for one in violations(watched.page) if "label" in one]
    with opened(browser, f"{served}/nowhere") as watched:
        assert "answered with 404" in "\n".join(watched.faults())
        watched.page.evaluate(
            "document.head.append(Object.assign(document.createElement('style'), {textContent: 'a{}'}))"
        )
        until(watched.page, "window.refused.length > 0")
        assert "against the policy" in "\n".join(watched.faults())
        watched.page.evaluate("document.body.style.width = '3000px'")
        assert overflow(watched.page) > 0
