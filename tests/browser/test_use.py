"""What a person does with the pages: the film, search, filters, the keyboard, and waiting for a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.campaigns import SPOKEN
from tests.browser.conftest import viewing
from tests.browser.watched import opened, until
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

_BASE = f"/campaigns/{SPOKEN}"
_TOLD = "document.querySelector('#drawn > p').textContent"


def cells(page: Page) -> set[str]:
    return set(page.eval_on_selector_all("#drawn svg a", "all => all.map(one => one.getAttribute('href'))"))


def asked(page: Page) -> dict[str, list[str]]:
    """The query of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def test_the_slider_shows_the_archive_after_any_record(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}/map") as watched:
        page = watched.page
        whole = cells(page)
        assert whole
        slider = page.get_by_role("slider")
        slider.focus()
        page.keyboard.press("Home")
        until(page, f"{_TOLD}.startsWith('After record 0 ')")
        assert cells(page) == set()
        before: set[str] = set()
        for step in range(1, 9):
            page.keyboard.press("ArrowRight")
            until(page, f"{_TOLD}.startsWith('After record {step} of')")
            assert asked(page)["at"] == [str(step)]
            assert page.locator("output").inner_text() == str(step)
            before |= cells(page)
            assert all(int(href.rsplit("/", 1)[1]) <= step for href in cells(page))
        assert before
        assert before != whole
        page.reload()  # the address says all that the page shows
        assert page.get_by_role("slider").input_value() == "8"
        page.keyboard.press("Tab")
        page.get_by_role("slider").focus()
        page.keyboard.press("End")
        until(page, f"!{_TOLD}.includes(' of ')")
        assert cells(page) == whole
        assert watched.faults() == []


def test_the_film_plays_to_the_end(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}/map?at=146") as watched:
        page = watched.page
        page.get_by_role("button", name="Play").click()
        until(page, f"!{_TOLD}.includes(' of ')")
        page.get_by_role("button", name="Play").wait_for()  # it said Stop until it was through
        assert watched.faults() == []


def test_a_cell_opens_its_elite(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}/map?x=first&y=length") as watched:
        page = watched.page
        link = page.locator("#drawn svg a").first
        href = link.get_attribute("href")
        assert href is not None
        link.click()
        page.wait_for_url(f"**{href}")
        assert page.locator("h1").inner_text().startswith(f"Record {href.rsplit('/', 1)[1]}: ")
        assert "def numbers" in page.inner_text("main")
        assert watched.faults() == []


def test_a_text_is_found_in_the_sources_and_the_address_says_what_was_asked(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}") as watched:
        page = watched.page
        page.keyboard.press("/")
        page.keyboard.type("return numbers")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?*")
        assert asked(page) == {"q": ["return numbers"]}
        page.get_by_label("campaign").select_option("peak")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**campaign=peak*")
        assert asked(page) == {"q": ["return numbers"], "campaign": ["peak"]}
        page.locator("tbody th a").first.click()
        page.wait_for_url(f"**{_BASE}/records/*")
        assert "def numbers" in page.inner_text("main")
        assert watched.faults() == []


def test_filters_end_up_in_the_address(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}/records") as watched:
        page = watched.page
        page.get_by_label("outcome").select_option("duplicate")
        page.get_by_label("operator").select_option("diff")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**outcome=duplicate*")
        for _ in range(2):
            assert asked(page)["operator"] == ["diff"]
            rows = [row.split("\t") for row in page.locator("tbody tr").all_inner_texts()]
            assert rows
            assert {(row[1], row[2]) for row in rows} == {("duplicate", "diff")}
            assert page.get_by_label("outcome").input_value() == "duplicate"
            page.reload()


def focused(page: Page) -> str:
    """What has the focus, as a person sees it; it has to be marked."""
    told = page.evaluate(
        "(() => { const it = document.activeElement, box = it.getBoundingClientRect();"
        " return [it.innerText || it.id, getComputedStyle(it).outlineStyle, box.left >= 0 && box.width > 0]; })()"
    )
    assert told[1:] == ["solid", True], told
    return str(told[0])


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}/records/20") as watched:
        page = watched.page
        reached = []
        for _ in range(15):
            page.keyboard.press("Tab")
            reached.append(focused(page))
        assert reached == [
            "Skip to the content", "evoengine", "q", "Search", "overview", "archive", "records", "operators",
            "contexts", "training", "failures", "decisions", "#19", "#21", "lineage",
        ]  # fmt: skip
        page.reload()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # past the navigation
        page.keyboard.press("Tab")
        assert focused(page) == "#19"
        page.keyboard.press("j")
        page.wait_for_url("**/records/21")
        page.keyboard.press("k")
        page.wait_for_url("**/records/20")
        page.keyboard.press("/")
        page.keyboard.type("jk/")  # letters are letters where one types
        assert page.locator("#q").input_value() == "jk/"
        assert watched.faults() == []


def test_the_pages_work_without_a_script(browser: Browser, served: str) -> None:
    with opened(browser, f"{served}{_BASE}/map", java_script_enabled=False) as watched:
        page = watched.page
        page.get_by_label("island").select_option("1")
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**island=1*")
        assert "on island 1" in page.inner_text("#drawn")


RUN = """
from pathlib import Path
from tests.campaigns.numbers import campaign_of
with campaign_of(Path.cwd()) as campaign:
    for line in iter(input, ""):
        campaign.run(evaluations=int(line))
        print("done", flush=True)
"""


def test_an_open_overview_follows_a_run_in_another_process(browser: Browser, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def run(evaluations: int) -> None:
        """Lets the other process go on, and not further."""
        assert process.stdin is not None
        assert process.stdout is not None
        print(evaluations, file=process.stdin, flush=True)
        assert process.stdout.readline() == "done\n"

    try:
        run(10)
        with viewing(tmp_path / "numbers.db") as address, opened(browser) as watched, opened(browser) as other:
            overview, archive = watched.page, other.page
            overview.goto(f"{address}/campaigns/1")
            archive.goto(f"{address}/campaigns/1/map")
            for page in (overview, archive):
                page.evaluate("window.same = true")
            for evaluations in (20, 40):
                charts, told = overview.locator("#curves").inner_html(), f"evaluations\\n{evaluations}\\n"
                until(overview, f"!document.querySelector('#standing').innerText.includes('{told}')")
                run(evaluations)
                until(overview, f"document.querySelector('#standing').innerText.includes('{told}')")
                assert overview.locator("#curves").inner_html() != charts
                until(archive, f"{_TOLD}.startsWith('After record {evaluations}:')")
                assert archive.get_by_role("slider").get_attribute("max") == str(evaluations)
            assert process.poll() is None, "it is still at it"
            for one in (watched, other):
                assert one.page.evaluate("window.same"), "the page was not loaded again"
                assert one.faults() == []
    finally:
        process.kill()
        process.communicate()
