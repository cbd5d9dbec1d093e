"""Texts that want to run a script in the reader's browser: it runs none, and shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from evoengine.web.app import VIEWS
from tests.browser.watched import NARROW, WIDE, opened, overflow, shot, until, violations
from tests.web.hostile import EVIL, SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

ADDRESSES = [
    "/", f"/search?q={quote(EVIL)}", "/search?q=x",
    *(f"/campaigns/1/{name}".rstrip("/") for name in VIEWS),
    *(f"/campaigns/1/records/{number}" for number in (2, 3, 4)),
    "/campaigns/1/records/3?against=5", "/campaigns/1/records/3/lineage",
    f"/campaigns/1/records?operator={quote('diff' + EVIL)}",
    "/campaigns/2", "/campaigns/2/records/2", "/campaigns/2/records/2/lineage",
]  # fmt: skip


def test_no_script_of_a_text_runs_on_any_page(browser: Browser, hostile: str) -> None:
    with opened(browser) as watched:  # one for all: each further one is a process more
        page = watched.page
        for address in ADDRESSES:
            page.set_viewport_size(WIDE)
            page.goto(hostile + address)
            page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
            assert page.locator("main img, main script, iframe, object, embed").count() == 0, address
            assert "/campaigns/2" in address or SCRIPT in page.evaluate("document.body.textContent"), address
            shot(page, "hostile" + address.partition("?")[0].removeprefix("/campaigns").replace("/", "-"))
            page.set_viewport_size(NARROW)
            assert overflow(page) == 0, address
            assert watched.faults() == [], address
        assert {f"http://{host}" for host in watched.hosts()} == {hostile}


def test_no_script_of_a_text_runs_in_a_frozen_file(browser: Browser, stores: dict[str, Path]) -> None:
    frozen = (stores["hostile"].parent / "hostile.html").as_uri()
    with opened(browser, frozen, offline=True) as watched:
        assert SCRIPT in watched.page.inner_text("main")
        assert violations(watched.page) == []
        assert watched.faults() == []
        assert watched.asked == [frozen]


def test_the_same_texts_put_into_a_page_unescaped_would_have_been_noticed(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "open.html").write_text(f"<p>{EVIL}", encoding="utf-8")
    with opened(browser, (tmp_path / "open.html").as_uri()) as watched:
        until(watched.page, "window.ran === 1")
        assert [one for one in watched.faults() if "dialog" in one]
