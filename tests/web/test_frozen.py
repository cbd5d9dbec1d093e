"""One file that holds a campaign: no script, no network, and all of its links lead somewhere."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from evoengine.reading import Reading
from evoengine.web.freezing import freeze
from tests.campaigns.numbers import campaign_of
from tests.rl import dial
from tests.web.hostile import EVIL, SCRIPT, hostile, store_at
from tests.web.pages import Page


def assert_self_contained(text: str, images: str = "") -> Page:
    found = Page(text)
    assert found.faults == []
    ids = [attributes["id"] for _, attributes in found.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in found.tags:
        assert tag not in ("script", "iframe", "object", "form", "base")
        if tag == "img":
            assert images
            assert set(attributes) == {"src", "alt"}
            assert str(attributes["src"]).startswith("data:image/svg+xml;base64,")
            continue
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "action")]
        href = attributes.get("href")
        assert href is None or (href.startswith("#") and href[1:] in ids), href
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    [policy] = [a["content"] for t, a in found.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'{images}"
    return found


def test_a_frozen_campaign_holds_its_best_program_and_how_it_came_about(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=60)
        reading = Reading.named(campaign.store, None)
        found = assert_self_contained(freeze(reading))
        best = reading.summary()["best_number"]
        for record in reading.lineage(best):
            assert f"Record {record.number}: " in found.text
            assert record.candidate.content.text.strip() in found.text  # type: ignore[union-attr]
        assert f"#record-{best}" in found.links


def test_no_more_records_are_put_in_than_asked_for(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=60)
        text = freeze(Reading.named(campaign.store, None), records=3)
        assert len(re.findall(r'<article id="record-', text)) == 3
        assert_self_contained(text)


def test_an_empty_and_a_trained_campaign_can_be_frozen(tmp_path: Path) -> None:
    with dial.campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=1 + 12 * 2)
        row = campaign.store.campaigns()[0]
        empty = campaign.store.create(name="none", problem="p", fingerprint="f", seed=0, settings=row.settings)
        assert "updates of the model" in assert_self_contained(freeze(Reading(campaign.store, row))).text
        assert_self_contained(freeze(Reading(campaign.store, empty)))


def test_hostile_text_stays_text_in_a_frozen_file(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    row = hostile(store)
    text = freeze(Reading(store, row))
    assert SCRIPT not in text
    found = assert_self_contained(text)
    assert found.text.count(EVIL) > 20
    assert not [char for char in text if not char.isprintable() and char not in "\n\t"]
    store.close()
