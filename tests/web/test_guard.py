"""Who may ask the pages, under which name, and for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evoengine.stores.base import Store
from evoengine.web.serving import is_local
from tests.web.hostile import hostile, store_at
from tests.web.pages import asked

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = store_at(tmp_path)
    hostile(made)
    yield made
    made.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "127.0.0.1", "localhost", "localhost:1", "LOCALHOST:8765", "[::1]:8765"]
)
def test_this_machine_is_asked_under_its_own_names(store: Store, host: str) -> None:
    with asked(store) as client:
        assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example#localhost",
     "192.168.0.7", "", "[::2]", "localhost@evil.example", "xlocalhost"],
)  # fmt: skip
def test_a_name_that_was_pointed_at_this_machine_is_refused(store: Store, host: str) -> None:
    with asked(store) as client:
        for address in ("/", "/campaigns/1/progress", "/static/style.css"):
            answer = client.get(address, headers={"host": host})
            assert answer.status_code == 421
            assert "campaign" not in answer.text
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "hosts", [["localhost", "evil.example"], ["evil.example", "localhost"], ["localhost", "localhost"]]
)
def test_a_request_under_two_names_is_refused(store: Store, hosts: list[str]) -> None:
    with asked(store) as client:
        assert client.get("/", headers=[("host", host) for host in hosts]).status_code == 421


def test_a_name_that_was_allowed_is_answered(store: Store) -> None:
    with asked(store, hosts=["box.example"]) as client:
        assert client.get("/", headers={"host": "box.example:80"}).status_code == 200
        assert client.get("/", headers={"host": "localhost"}).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_answered(store: Store, method: str) -> None:
    with asked(store) as client:
        answer = client.request(method, "/campaigns/1")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"


def test_without_the_token_nothing_is_told(store: Store) -> None:
    with asked(store, token=TOKEN) as client:
        for address in ("/", "/campaigns/1", "/campaigns/1/progress", "/static/view.js", "/nothing", "/?token=",
                        f"/?token={TOKEN}x", f"/?token={TOKEN[:-1]}", "/?token=%ed%a0%80", "/?token=é"):  # fmt: skip
            answer = client.get(address)
            assert answer.status_code == 401, address
            assert "evoengine view" in answer.text
            assert "set-cookie" not in answer.headers
        assert client.get("/", headers={"cookie": "evoengine-x=1; a"}).status_code == 401


def test_the_token_is_asked_for_once_and_leaves_the_address(store: Store) -> None:
    with asked(store, token=TOKEN) as client:
        answer = client.get(f"/campaigns/1/map?y=two&token={TOKEN}&at=2")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/campaigns/1/map?y=two&at=2"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite" in cookie
        assert client.get(answer.headers["location"]).status_code == 200
        assert client.get("/").status_code == 200
        assert client.get("/?token=wrong").status_code == 401
    with asked(store, token="another") as client:
        other = client.get("/?token=another").headers["set-cookie"]
        assert other.partition("=")[0] != cookie.partition("=")[0], "two on one machine would take each other's place"
        client.cookies.clear()
        name, _, value = cookie.partition(";")[0].partition("=")
        assert client.get("/", headers={"cookie": f"{name}={value}"}).status_code == 401


def test_the_token_leads_nowhere_but_here(store: Store) -> None:
    with asked(store, token=TOKEN) as client:
        for path in ("//evil.example/", "/\\evil.example/", "///evil.example"):
            answer = client.get(f"http://localhost{path}?token={TOKEN}")
            location = answer.headers["location"]
            assert location.startswith("/")
            assert not location.startswith(("//", "/\\"))


def test_with_a_token_an_address_is_answered_and_a_foreign_name_is_not(store: Store) -> None:
    with asked(store, token=TOKEN) as client:
        client.get(f"/?token={TOKEN}")
        cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        assert client.get("/", headers={"host": "192.168.0.7:8765", "cookie": cookie}).status_code == 200
        assert client.get("/", headers={"host": "evil.example", "cookie": cookie}).status_code == 421


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.0.7", False), ("box.example", False), ("", False)],
)  # fmt: skip
def test_a_token_is_asked_for_wherever_others_can_reach(host: str, local: bool) -> None:
    assert is_local(host) is local
