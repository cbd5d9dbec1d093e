"""The pages as a browser asks for them, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

from evoengine.stores.base import Store
from evoengine.web.app import VIEWS, application
from evoengine.web.following import Following

PATIENCE = 60.0
"""A test waits until everything is read, however slow the machine is."""
_NO_CHILD = {"meta", "link", "input", "br", "img", "hr", "rect", "line", "circle", "path"}


@contextmanager
def asked(store: Store, patience: float = PATIENCE, **settings: Any) -> Iterator[TestClient]:
    """A client of the pages over a store."""
    with Following(store, patience) as following:
        client = TestClient(
            application(following, **settings), base_url="http://localhost", follow_redirects=False,
            raise_server_exceptions=False,
        )  # fmt: skip
        yield client


class Page(HTMLParser):
    """What a browser makes of a page, as far as tests need it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _NO_CHILD:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _NO_CHILD:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.tags if tag == "a"]


def views(campaign: int) -> list[str]:
    """The addresses of a campaign's pages."""
    return [f"/campaigns/{campaign}/{name}" if name else f"/campaigns/{campaign}" for name in VIEWS]


def crawled(client: TestClient, start: str = "/", most: int = 300) -> dict[str, Any]:
    """Every page that can be reached by links, with its answer."""
    waiting, seen = [start], {}
    while waiting and len(seen) < most:
        address = waiting.pop(0)
        if address in seen:
            continue
        answer = seen[address] = client.get(address)
        if answer.headers["content-type"].startswith("text/html"):
            for link in Page(answer.text).links:
                if link.startswith("/") and link not in seen:
                    waiting.append(link)
    return seen
