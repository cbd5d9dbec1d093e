"""A page of a real browser, with all that went wrong in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Response

SHOTS = Path(__file__).parent / "shots"
"""Screenshots are left here, to be looked at."""
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
_PATIENCE_MS = 30_000
_WATCH = """
window.refused = [];
window.ran = 0;
document.addEventListener("securitypolicyviolation", (event) => {
  window.refused.push(event.violatedDirective + " " + event.blockedURI + " " + event.sample);
});
"""


class Watched:
    """A page and the faults that the browser has told of so far.

    Args:
        page: blank, so that nothing is missed.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self._faults: list[str] = []
        page.set_default_timeout(_PATIENCE_MS)
        page.add_init_script(_WATCH)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._faults.append(f"error: {error}"))
        page.on("dialog", self._opened)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append(f"{message.type} in the console: {message.text}")

    def _opened(self, dialog: Dialog) -> None:
        self._faults.append(f"a script opened a dialog: {dialog.message}")
        dialog.dismiss()

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what is still under way when a page is left
            self._faults.append(f"not answered: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._faults.append(f"answered with {response.status}: {response.url}")

    def faults(self) -> list[str]:
        """What went wrong since this was asked last."""
        told, self._faults = self._faults, []
        refused = self.page.evaluate("window.refused")
        ran = ["a script of the campaign's texts ran"] if self.page.evaluate("window.ran") else []
        return [*told, *(f"against the policy: {one}" for one in refused), *ran]

    def hosts(self) -> set[str]:
        """The hosts that it asked; "" for the disk."""
        return {urlsplit(address).netloc for address in self.asked}


@contextmanager
def opened(browser: Browser, address: str | None = None, **settings: Any) -> Iterator[Watched]:
    """A page in a profile of its own; `settings` are those of a Playwright context."""
    with browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **settings}) as context:
        watched = Watched(context.new_page())
        if address is not None:
            watched.page.goto(address)
        yield watched


def violations(page: Page) -> list[str]:
    """What axe-core finds against the rules of accessibility, of any weight."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['impact']}: {one['help']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def until(page: Page, claim: str) -> None:
    """Waits until an expression is true; asked from outside, as the pages' policy forbids them to evaluate text."""
    end = time.monotonic() + _PATIENCE_MS / 1000
    while not page.evaluate(claim):
        assert time.monotonic() < end, f"never came true: {claim}"
        page.wait_for_timeout(50)


def shot(page: Page, name: str) -> None:
    """Leaves a picture of the whole page."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
