"""What a notebook shows of a campaign, an elite and a record. Foreign text stays text."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from evoengine.reading import Reading
from evoengine.types import Elite, Scored
from tests.campaigns.numbers import campaign_of as numbers_of
from tests.campaigns.slopes import Descent, Slope, campaign_of
from tests.web.hostile import EVIL, SCRIPT, hostile, store_at


def text_of(html: str) -> str:
    """What is read, with the tags taken out; and nothing but the few tags of a table was there."""
    tags = set(re.findall(r"<\s*/?\s*([^\s>/]+)", html))
    assert tags <= {"table", "caption", "tr", "th", "td", "details", "summary", "pre"}, tags
    attributes = set(re.findall(r"<[a-z]+ ([^>]*)>", html))
    assert attributes <= {'style="text-align: left"', "open"}, attributes
    return unescape(re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("problem", [Slope(), Descent()], ids=["maximize", "minimize"])
def test_a_campaign_tells_where_it_stands_and_how_to_go_on(tmp_path: Path, problem: Slope) -> None:
    with campaign_of(tmp_path, problem) as campaign:
        campaign.run(evaluations=40)
        text = text_of(campaign._repr_html_())
        best = campaign.best()
        assert best is not None
        value = problem.signed(best.scored.score)
        assert f"{value:.10g} (record {best.number})" in text
        assert f"records {campaign.progress.records}" in re.sub(r"\s+", " ", text)
        assert "coverage" in text
        assert f"campaign.run(evaluations={campaign.progress.evaluations + 100})" in text
        assert f"evoengine view sqlite:///{tmp_path}/numbers.db" in text


def test_a_campaign_that_is_opened_again_is_told_from_its_store(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Slope()) as campaign:
        campaign.run(evaluations=20)
        told = campaign._repr_html_()
    with campaign_of(tmp_path, Slope()) as again:
        assert again._repr_html_() == told


def test_looking_at_a_campaign_that_was_never_run_makes_no_store(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Slope()) as campaign:
        text = text_of(campaign._repr_html_())
        assert "there is no store" in text
        assert "campaign.run(evaluations=100)" in text
        assert list(tmp_path.iterdir()) == []


def test_a_campaign_that_cannot_be_gone_on_with_says_why(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Slope(), seed=1) as campaign:
        campaign.run(evaluations=5)
    with campaign_of(tmp_path, Slope(), seed=2) as other:
        assert "was started with seed = 1, now it is 2" in text_of(other._repr_html_())


def test_an_elite_and_a_record_show_score_features_and_code(tmp_path: Path) -> None:
    with numbers_of(tmp_path, Descent()) as campaign:
        campaign.run(evaluations=30)
        best = campaign.best()
        assert best is not None
        record = Reading.named(campaign.store, None).record(best.number)
    for shown in (best, record):
        text = text_of(shown._repr_html_())
        assert f"record {best.number}" in text
        assert f"{best.scored.score:.13g}" in text
        assert "higher is better" in text, "it does not know the problem's direction, and says so"
        assert f"x {best.scored.features['x']:.13g}" in text
        assert best.content.text.strip() in text  # type: ignore[union-attr]


def test_hostile_text_of_any_field_stays_text(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    row = hostile(store)
    for record in store.replay(row):
        html = record._repr_html_()
        assert SCRIPT not in html
        assert not [char for char in html if not char.isprintable() and char not in "\n\t"]
        assert EVIL in text_of(html)
        if isinstance(record.evaluation, Scored) and record.candidate.content is not None:
            elite = Elite(number=record.number, content=record.candidate.content, scored=record.evaluation, cell=(1,))
            assert EVIL in text_of(elite._repr_html_())
    store.close()


def test_a_hostile_name_of_a_campaign_stays_text(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Slope(), name=f"mine {EVIL}") as campaign:
        campaign.run(evaluations=3)
        html = campaign._repr_html_()
    assert SCRIPT not in html
    assert EVIL in text_of(html)


def test_a_very_long_program_is_cut(tmp_path: Path) -> None:
    from evoengine.types import Candidate, Program, Record

    long = Record(
        number=1,
        candidate=Candidate(content=Program.of("<b>" * 1_000_000), island=0, operator="o"),
        evaluation=Scored(score=1.0),
    )
    html = long._repr_html_()
    assert len(html) < 200_000
    assert "characters more" in html
