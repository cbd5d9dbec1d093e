"""Pictures that problems draw: nothing is shown but what draws, and nothing that goes wrong goes further."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine import Campaign, Problem, Score
from evoengine.errors import CampaignError
from evoengine.gallery import Gallery
from evoengine.pictures import MOST, Picture, Undrawn, picture_of
from evoengine.testing import ProblemContract
from evoengine.types import GUIDANCE, Candidate, Cause, Context, Evaluation, Failed, Program, Record, Scored
from tests.campaigns.numbers import Numbers
from tests.rings import NONE_DRAWN, put

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


class Shown(Numbers):
    """Draws whatever the candidate said."""

    def render(self, outputs: Any) -> str | None:
        return outputs  # type: ignore[no-any-return]  # that is the point


def of(drawn: Any) -> Picture | Undrawn:
    return picture_of(Shown(), json.dumps(drawn))


def test_a_picture_is_what_was_drawn_with_its_title() -> None:
    found = of(f"{OPEN}<title>one\n ring</title><desc>of &lt;gold&gt;</desc><g><circle r='3' class='a'/></g></svg>")
    assert isinstance(found, Picture)
    assert (found.title, found.description) == ("one ring", "of <gold>")
    assert '<circle r="3" class="a" />' in found.svg
    assert found.svg.startswith('<svg xmlns="http://www.w3.org/2000/svg">')
    assert found._repr_svg_() == found.svg
    again = of(found.svg)
    assert again == found


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>", "<x:script xmlns:x='http://www.w3.org/2000/svg'>alert(1)</x:script>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
        "<image href='http://evil.example/x.png'/>", "<a href='javascript:alert(1)'><text>x</text></a>",
        "<use xlink:href='#a'/>", "<circle xlink:href='x'/>", "<circle href='x'/>", "<circle onload='alert(1)'/>",
        "<circle ONLOAD='alert(1)'/>", "<animate attributeName='href' to='javascript:alert(1)'/>",
        "<set attributeName='onload' to='alert(1)'/>", "<circle fill='url(http://evil.example/x)'/>",
        "<circle style='fill:url( //evil.example/x)'/>", "<circle style='fill:u\\72l(x)'/>",
        "<style>@import '//evil.example/x.css';</style>", "<style>@import 'x.css';</style>",
        "<style>circle{fill:url(x.svg)}</style>", "<style>@font-face{src:local(x)}</style>",
        "<style>svg{background:image-set('x.png' 1x)}</style>", "<html xmlns='http://www.w3.org/1999/xhtml'/>",
        "<iframe/>", "<metadata/>", "<style>a<title/>@import 'x.css';</style>", "<style>a<script/></style>",
        "<circle xmlns='http://www.w3.org/1999/xhtml'/>", "<circle xmlns=''/>", "<circle xml:base='http://evil.example/'/>",
    ],
)  # fmt: skip
def test_what_could_do_more_than_draw_is_not_shown(inside: str) -> None:
    assert isinstance(of(f"{OPEN}{inside}</svg>"), Undrawn)


@pytest.mark.parametrize(
    "drawn",
    [
        "<g xmlns='http://www.w3.org/2000/svg'/>",
        "", "x", "<svg/>", "<html/>", OPEN, f"{OPEN}</svg><svg/>", 7, None, ["<svg/>"], f"{OPEN}{' ' * MOST}</svg>",
        "<svg xmlns='http://www.w3.org/1999/xhtml'/>", f'<!DOCTYPE svg [<!ENTITY a "b">]>{OPEN}&a;</svg>',
        f"{OPEN}&unknown;</svg>", f"{OPEN}{'<g>' * 100_000}{'</g>' * 100_000}</svg>", "\ud800", "\0",
    ],
    ids=lambda drawn: repr(drawn)[:30],
)  # fmt: skip
def test_rubbish_gives_one_line_and_no_picture(drawn: Any) -> None:
    found = of(drawn)
    assert isinstance(found, Undrawn)
    assert found.why.isprintable()
    assert len(found.why) <= 300


def test_what_is_no_element_does_not_reach_anybody() -> None:
    found = of(f'<?xml version="1.0"?><?xml-stylesheet href="x.css"?>{OPEN}<!-- <script/> --><g><?php x?></g></svg>')
    assert isinstance(found, Picture)
    assert found.svg == '<svg xmlns="http://www.w3.org/2000/svg"><g /></svg>'


def test_invisible_characters_are_made_visible() -> None:
    found = of(f"{OPEN}<title>a\u202eb\u200b</title></svg>")
    assert isinstance(found, Picture)
    assert found.title == "a\\u202eb\\u200b"
    assert found.svg.isprintable()


@settings(deadline=None)
@given(st.text(max_size=80) | st.text(alphabet="<>/=\"'svg xmln:&;!-[]?on#", max_size=80))
def test_nothing_that_is_drawn_is_an_error(text: str) -> None:
    for drawn in (text, f"{OPEN}{text}</svg>"):
        match of(drawn):
            case Picture(svg=svg):
                assert "<script" not in svg.lower()
            case Undrawn(why=why):
                assert why.isprintable()


@settings(deadline=None)
@given(st.text(max_size=30) | st.sampled_from(["NaN", "[1e999]", "[" * 100_000, "1" * 10_000, '{"a":', "Infinity"]))
def test_outputs_that_are_no_json_are_no_error(outputs: str) -> None:
    assert isinstance(picture_of(Shown(), outputs), Undrawn)


@pytest.mark.parametrize("outputs", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_outputs_are_strict_json_for_the_problem_too(outputs: str) -> None:
    assert "is no number" in told(picture_of(Shown(), outputs))


def test_a_problem_without_render_and_a_record_without_outputs_say_so() -> None:
    assert "has no render()" in told(picture_of(Numbers(), "[1]"))
    assert "no outputs" in told(picture_of(Shown(), None))


def told(found: object) -> str:
    assert isinstance(found, Undrawn)
    return found.why


# -- what is kept to be drawn ----------------------------------------------------------------------------------------


class Played(Numbers):
    """Says itself what is to be kept."""

    keeps: Any = None

    def play(self, candidate: Any) -> Score:
        return Score(float(candidate()), outputs=self.keeps)


class Judged(Numbers):
    def judge(self, outputs: list[Any]) -> Score:
        return Score(float(outputs[0]), outputs={"half": outputs[0] / 2})


def kept(problem: Problem, folder: Path) -> Evaluation:
    from evoengine.executors.inline import Inline

    store = f"sqlite:///{folder}/kept.db"
    with Campaign(problem, store=store, executor=Inline(), sandbox="none", operators=["structural"]) as campaign:
        return campaign.judge(Program.of("def number():\n    return 3\n")).evaluation


@pytest.mark.parametrize(
    ("keeps", "outputs"), [(None, None), ([1, 2], "[1,2]"), ("x" * 300_000, None), ({"a": 0.5}, '{"a":0.5}')]
)
def test_a_problem_that_plays_keeps_what_its_score_says(keeps: Any, outputs: str | None, tmp_path: Path) -> None:
    found = kept(Played(keeps=keeps), tmp_path)
    assert isinstance(found, Scored)
    assert found.outputs == outputs


@pytest.mark.parametrize("keeps", [float("nan"), {1, 2}, object()], ids=["nan", "set", "object"])
def test_what_is_no_json_is_a_fault_of_the_problem(keeps: Any, tmp_path: Path) -> None:
    found = kept(Played(keeps=keeps), tmp_path)
    assert isinstance(found, Failed)
    assert found.cause is Cause.UNJUDGED


def test_a_judge_may_keep_something_else_than_what_was_returned(tmp_path: Path) -> None:
    found, plain = kept(Judged(), tmp_path), kept(Numbers(), tmp_path)
    assert isinstance(found, Scored)
    assert isinstance(plain, Scored)
    assert (found.outputs, plain.outputs) == ('{"half":1.5}', "[3]")


# -- pictures of stored records --------------------------------------------------------------------------------------


def ran(problem: Any, folder: Path, name: str = "rings") -> Campaign:
    from evoengine.executors.inline import Inline

    campaign = Campaign(
        problem,
        name=name,
        store=f"sqlite:///{folder}/evo.db",
        executor=Inline(),
        sandbox="none",
        operators=["structural"],
    )
    campaign.run(evaluations=1)
    return campaign


def seen(campaign: Campaign, gallery: Gallery | None = None, number: int = 1) -> Picture | Undrawn | None:
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    return (gallery or Gallery()).picture(row, campaign.store.records(row, [number])[number])


def test_a_record_is_drawn_by_the_problem_that_its_campaign_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, monkeypatch)
    with ran("rings", tmp_path) as campaign:
        found = seen(campaign)
        assert isinstance(found, Picture)
        assert found.title == "a ring <of> 0.25"
        assert found == campaign.picture() == campaign.picture(1)
        with pytest.raises(CampaignError, match="no record 7"):
            campaign.picture(7)


@pytest.mark.parametrize("how", NONE_DRAWN)
def test_why_there_is_no_picture_is_told(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, monkeypatch)
    with ran({"use": "rings", "how": how}, tmp_path) as campaign:
        assert NONE_DRAWN[how] in told(seen(campaign))
        with pytest.raises(CampaignError, match="no picture of record 1"):
            campaign.picture()


def test_a_file_that_only_a_store_names_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, name="mine.py")
    monkeypatch.chdir(tmp_path)
    with ran("./mine.py", tmp_path) as campaign:
        path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + path.read_text())
        for name in [name for name in sys.modules if name.startswith("evoengine_plugin_problems_mine")]:
            del sys.modules[name]
        assert f"--problem {path}" in told(seen(campaign))
        assert not (tmp_path / "ran").exists()
        assert isinstance(seen(campaign, Gallery([str(path)])), Picture)
        assert (tmp_path / "ran").exists()


def test_a_picture_by_a_problem_that_was_edited_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, monkeypatch)
    with ran("rings", tmp_path) as campaign:
        before = seen(campaign)
        path.write_text(path.read_text() + "# edited\n")
        after = seen(campaign)
    assert isinstance(before, Picture)
    assert isinstance(after, Picture)
    assert before.description == "Once round."
    assert "edited" in after.description
    assert before.svg == after.svg


def test_a_problem_that_went_away_or_fits_no_longer_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, monkeypatch)
    with ran({"use": "rings", "how": "well"}, tmp_path) as campaign:
        other = path.read_text().replace("how: str", "other: str").replace("self.how", "self.other")
        breaks = path.read_text().replace(
            "def inputs", "def model_post_init(self, _): raise KeyError(1)\n    def inputs"
        )
        for name, text in (
            ("rings", other),
            ("rings", "raise SystemError('x')"),
            ("rings", breaks),
            ("strings", ""),
        ):
            path.unlink(missing_ok=True)
            (tmp_path / "problems" / f"{name}.py").write_text(text)
            for module in [module for module in sys.modules if module.startswith("evoengine_plugin_problems_rings")]:
                del sys.modules[module]
            assert told(seen(campaign))


def test_a_problem_that_draws_nothing_is_not_even_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, monkeypatch)
    path.write_text(path.read_text().replace("def render", "def no_render"))
    with ran("rings", tmp_path) as campaign:
        for module in [module for module in sys.modules if module.startswith("evoengine_plugin_problems_rings")]:
            del sys.modules[module]
        path.write_text("raise SystemError('x')")
        assert seen(campaign) is None
        assert not [module for module in sys.modules if module.startswith("evoengine_plugin_problems_rings")]


def test_a_campaign_from_python_is_drawn_where_its_problem_is_surely_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evoengine.plugins import build

    path = put(tmp_path, monkeypatch)
    with ran(build("problems", "rings"), tmp_path) as campaign:
        assert isinstance(seen(campaign), Picture)
        path.write_text(path.read_text() + "# another problem\n")
        assert "started from Python" in told(seen(campaign))
    with ran(Shown(), tmp_path, "other") as campaign:
        assert "numbers" in told(seen(campaign))


@pytest.mark.parametrize(
    ("island", "content", "evaluation"),
    [
        (0, Program.of("x"), Failed(cause=Cause.CRASHED)),
        (GUIDANCE, Context(sections={"a": "b"}), Scored(score=1.0, outputs="[1]")),
    ],
)
def test_failures_and_guidance_have_no_picture_and_need_no_excuse(
    island: int, content: Any, evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, monkeypatch)
    with ran("rings", tmp_path) as campaign:
        row = campaign.store.campaign("rings")
        assert row is not None
        candidate = Candidate(content=content, island=island, operator="x")
        assert Gallery().picture(row, Record(number=2, candidate=candidate, evaluation=evaluation)) is None


@pytest.mark.parametrize("how", NONE_DRAWN)
def test_the_contract_of_problems_finds_a_picture_that_cannot_be_shown(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evoengine.plugins import build

    put(tmp_path, monkeypatch)
    contract = ProblemContract()
    contract.test_the_picture_of_a_seed_is_small_and_only_draws(build("problems", "rings"))
    with pytest.raises((AssertionError, LookupError, TypeError, ElementTree.ParseError)):
        contract.test_the_picture_of_a_seed_is_small_and_only_draws(build("problems", {"use": "rings", "how": how}))


def test_an_older_campaign_that_does_not_say_whether_its_problem_draws_needs_no_excuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, monkeypatch)
    with ran("rings", tmp_path) as campaign:
        row = campaign.store.campaign("rings")
        assert row is not None
        [record] = campaign.store.replay(row)
        about = {name: value for name, value in row.settings["about"].items() if name != "draws"}
        older = replace(row, settings={**row.settings, "about": about})
        assert isinstance(Gallery().picture(older, record), Picture)
        path.unlink()
        assert Gallery().picture(older, record) is None
        assert isinstance(Gallery().picture(row, record), Undrawn)
