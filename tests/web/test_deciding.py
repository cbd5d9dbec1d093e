"""People have a say on the page, where whoever started it allows it, and nobody else has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from evoengine.stores.base import CampaignRow, Store
from evoengine.types import Action, ActionKind, Program
from tests.campaigns.numbers import campaign_of
from tests.web.hostile import ALL, hostile, store_at
from tests.web.pages import Page, asked

TOKEN = "a-token-that-nobody-guesses"
HERE = {"origin": "http://localhost"}
SENT = "application/x-www-form-urlencoded"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=12)
        yield campaign.store


def row_of(store: Store) -> CampaignRow:
    [row] = store.campaigns()
    return row


def decide(client: TestClient, headers: dict[str, str] | None = None, **form: Any) -> Response:
    answer: Response = client.post("/campaigns/1/decide", data=form, headers=HERE if headers is None else headers)
    return answer


def test_a_form_puts_a_decision_into_the_queue_and_leads_to_what_was_decided(store: Store) -> None:
    with asked(store, edits=True) as client:
        answer = decide(client, kind="note", target=3, text="look here")
        assert answer.status_code == 303
        page = client.get(answer.headers["location"])
    assert store.decided(row_of(store)) == [Action(kind=ActionKind.NOTE, target=3, text="look here", place=1)]
    assert "Decision 1 waits" in Page(page.text).text
    assert "look here" in Page(page.text).text


def test_a_program_made_from_a_record_keeps_its_other_files(tmp_path: Path) -> None:
    made = store_at(tmp_path)
    hostile(made)
    with asked(made, edits=True) as client:
        answer = client.post("/campaigns/1/decide", data={"kind": "submit", "target": "1", "program": "x = 9\r\ny = 1"},
                             headers=HERE)  # fmt: skip
        assert answer.status_code == 303
    [action] = made.decided(row_of(made))
    content = action.content
    assert isinstance(content, Program)
    assert content.text == "x = 9\ny = 1"
    assert len(content.files) == 2
    made.close()


def test_a_program_of_one_s_own_has_one_file(store: Store) -> None:
    with asked(store, edits=True) as client:
        decide(client, kind="submit", program="def number():\n    return 5000\n")
    [action] = store.decided(row_of(store))
    assert action.content == Program.of("def number():\n    return 5000\n")


def test_every_form_of_the_pages_is_one_that_can_be_sent(store: Store) -> None:
    with asked(store, edits=True) as client:
        for address in ("/campaigns/1/decisions", "/campaigns/1/records/3"):
            page = Page(client.get(address).text)
            forms = [attributes for tag, attributes in page.tags if tag == "form" and "method" in attributes]
            assert forms
            assert {form["action"] for form in forms} == {"/campaigns/1/decide"}
            kinds = {attributes.get("value") for tag, attributes in page.tags if attributes.get("name") == "kind"}
            assert kinds <= {str(kind) for kind in ActionKind}


def test_what_was_decided_is_told_beside_its_record(store: Store, tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        best = campaign.best()
        assert best is not None
        for action in (
            Action(kind=ActionKind.NOTE, target=best.number, text="the best so far"),
            Action(kind=ActionKind.PIN, target=best.number),
            Action(kind=ActionKind.QUARANTINE, target=2),
            Action(kind=ActionKind.GOAL, text="be odd"),
        ):
            campaign.decide(action)
        campaign.run(evaluations=24)
    with asked(store) as client:
        page = Page(client.get(f"/campaigns/1/records/{best.number}").text).text
        assert "the best so far" in page
        assert "Pinned" in page
        assert "In quarantine" in Page(client.get("/campaigns/1/records/2").text).text
        listed = Page(client.get("/campaigns/1/decisions").text).text
        assert "be odd" in listed
        assert "records taken out" in listed


# -- who may not -----------------------------------------------------------------------------------------------------


def test_the_page_is_read_only_unless_it_was_started_otherwise(store: Store) -> None:
    with asked(store) as client:
        assert decide(client, kind="clear").status_code == 405
        for address in ("/campaigns/1/decisions", "/campaigns/1/records/3"):
            tags = Page(client.get(address).text).tags
            assert not [tag for tag, attributes in tags if tag == "form" and "method" in attributes]
    assert store.decided(row_of(store)) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://127.0.0.1"},
    ],
)
def test_a_form_from_another_site_is_refused(store: Store, headers: dict[str, str]) -> None:
    with asked(store, edits=True) as client:
        assert decide(client, headers, kind="clear").status_code == 403
    assert store.decided(row_of(store)) == []


def test_a_form_with_two_origins_is_refused(store: Store) -> None:
    with asked(store, edits=True) as client:
        sent = [("origin", "http://localhost"), ("origin", "http://evil.example"), ("content-type", SENT)]
        assert client.post("/campaigns/1/decide", content=b"kind=clear", headers=sent).status_code == 403


def test_whoever_lacks_the_token_decides_nothing(store: Store) -> None:
    with asked(store, edits=True, token=TOKEN) as client:
        assert decide(client, kind="clear").status_code == 401
        assert store.decided(row_of(store)) == []
        client.get("/", params={"token": TOKEN})
        assert decide(client, kind="clear").status_code == 303


def test_under_a_name_that_was_pointed_here_nothing_is_decided(store: Store) -> None:
    with asked(store, edits=True) as client:
        headers = {"host": "evil.example", "origin": "http://evil.example"}
        assert decide(client, headers, kind="clear").status_code == 421


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_page_knows_other_methods(store: Store, method: str) -> None:
    with asked(store, edits=True) as client:
        assert client.request(method, "/campaigns/1/decide", headers=HERE).status_code == 405


# -- what is no decision ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "status", "why"),
    [
        ({"kind": "destroy"}, 404, "Nothing of that kind"),
        ({}, 404, "Nothing of that kind"),
        ({"kind": "pin"}, 400, "say which one"),
        ({"kind": "pin", "target": "99"}, 400, "records are 1 to"),
        ({"kind": "pin", "target": "one"}, 400, "whole number"),
        ({"kind": "note", "target": "1", "text": "  "}, 400, "needs a text"),
        ({"kind": "goal", "text": "a" * 4001}, 400, "4000 are the most"),
        ({"kind": "submit", "program": " \n"}, 400, "A program has to be given"),
    ],
)
def test_what_is_no_decision_is_told_so(store: Store, form: dict[str, str], status: int, why: str) -> None:
    with asked(store, edits=True) as client:
        answer = decide(client, **form)
        assert answer.status_code == status
        assert why in Page(answer.text).text
    assert store.decided(row_of(store)) == []


def test_more_than_a_program_may_have_is_not_read(store: Store) -> None:
    with asked(store, edits=True) as client:
        answer = decide(client, kind="submit", program="x" * (5 << 20))
        assert answer.status_code == 413
    assert store.decided(row_of(store)) == []


def test_bytes_that_are_no_text_are_told_so(store: Store) -> None:
    with asked(store, edits=True) as client:
        sent = {**HERE, "content-type": SENT}
        assert client.post("/campaigns/1/decide", content=b"kind=\xff", headers=sent).status_code == 400


def test_what_was_written_by_whoever_wants_to_run_a_script_is_shown_as_text(tmp_path: Path) -> None:
    made = store_at(tmp_path)
    row = hostile(made)
    for kind in (ActionKind.NOTE, ActionKind.GOAL):
        made.decide(row, Action(kind=kind, target=1 if kind is ActionKind.NOTE else None, text=ALL))
    with asked(made, edits=True) as client:
        for address in ("/campaigns/1/decisions", "/campaigns/1/records/1"):
            page = Page(client.get(address).text)
            assert page.faults == []
            assert not [tag for tag, attributes in page.tags if tag == "script" and not attributes.get("src")]
            assert not [one for _, attributes in page.tags for one in attributes if one.startswith("on")]
    made.close()
