"""A frozen campaign, opened from the disk by a browser that has no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.watched import NARROW, opened, overflow, shot, until, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["peak", "heights"])
def test_a_frozen_file_shows_everything_with_no_network(browser: Browser, stores: dict[str, Path], name: str) -> None:
    with opened(browser, offline=True) as watched:
        page = watched.page
        page.goto((stores["real"].parent / f"{name}.html").as_uri())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            shot(page, f"frozen-{name}-{scheme}")
        assert name == "peak" or violations(page) == []  # of the smaller one: a long page takes it long
        page.set_viewport_size(NARROW)
        shot(page, f"frozen-{name}-phone")
        assert overflow(page) == 0
        assert watched.faults() == []
        assert watched.hosts() == {""}
        assert len(watched.asked) == 1, "the file asks for nothing but itself"


def test_every_link_of_a_frozen_file_leads_to_what_it_names(browser: Browser, stores: dict[str, Path]) -> None:
    with opened(browser, (stores["real"].parent / "peak.html").as_uri(), offline=True) as watched:
        page = watched.page
        views = page.locator("nav a")
        assert views.count() >= 7
        for place in range(views.count()):
            link = views.nth(place)
            href = link.get_attribute("href")
            link.click()
            until(page, f"location.hash === {href!r}")
            top = page.evaluate("document.querySelector(location.hash).getBoundingClientRect().top")
            assert -1 <= top < 800, href
        page.locator("svg a").first.click()
        number = page.evaluate("location.hash").removeprefix("#record-")
        assert page.locator(f"#record-{number} h1").inner_text().startswith(f"Record {number}: ")
        lost = page.evaluate(
            "[...document.querySelectorAll('a')].map(one => one.getAttribute('href'))"
            ".filter(href => !href.startsWith('#') || !document.getElementById(href.slice(1)))"
        )
        assert lost == []
        assert watched.faults() == []
