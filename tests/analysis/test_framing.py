"""A campaign as a data frame: the facts of its records, in the problem's own direction, with tidy types."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evoengine import Campaign
from evoengine.analysis import frame
from evoengine.errors import CampaignError, MissingExtra, StoreError
from evoengine.reading import Reading
from evoengine.types import Scored
from tests.campaigns.slopes import Descent, Slope, campaign_of
from tests.web.hostile import EVIL, hostile, store_at

pytest.importorskip("pandas")


@pytest.mark.parametrize("problem", [Slope(), Descent()], ids=["maximize", "minimize"])
def test_a_frame_holds_the_records_own_values(tmp_path: Path, problem: Slope) -> None:
    with campaign_of(tmp_path, problem) as campaign:
        campaign.run(evaluations=60)
        table = campaign.frame(code=True)
        records = list(Reading.named(campaign.store, None).records())
    assert table.index.tolist() == [record.number for record in records]
    assert table.attrs["direction"] == problem.direction
    best: float | None = None
    for record in records:
        row = table.loc[record.number]
        text = record.candidate.content.text  # type: ignore[union-attr]
        number = int(text.split()[-1])
        assert row["code"] == text
        assert row["operator"] == record.candidate.operator
        assert row["parents"] == record.candidate.parents
        if isinstance(record.evaluation, Scored):
            value = float(number * 37 % 100)
            assert row["score"] == value
            assert row["feature:x"] == number * 7 % 20 / 20
            better = best is None or (value > best if problem.direction == "maximize" else value < best)
            assert row["improved"] == better
            best = value if better else best
        else:
            assert row["cause"] == "rejected"
            assert not row["improved"]
    found = [float(number % 3) if number % 2 and number % 11 else None for number in map(_number, table["code"])]
    assert [None if value != value else value for value in table["metric:oddness"]] == found


def _number(code: str) -> int:
    return int(code.split()[-1])


def test_columns_have_types_to_reckon_with(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Descent()) as campaign:
        campaign.run(evaluations=40)
        table = campaign.frame()
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    assert kinds["score"] == kinds["feature:x"] == kinds["metric:oddness"] == kinds["seconds"] == "float64"
    assert kinds["cause"] == kinds["operator"] == kinds["model"] == kinds["tier"] == "category"
    assert kinds["parent"] == "Int64"
    assert kinds["calls"] == "int64"
    assert kinds["improved"] == "bool"
    assert kinds["at"].startswith("datetime64")
    assert kinds["at"].endswith("UTC]")
    assert table["at"].is_monotonic_increasing
    assert table["score"].cummin().iloc[-1] == table["score"].min() == campaign.problem.signed(_best(campaign))
    assert "code" not in table.columns


def _best(campaign: Campaign) -> float:
    best = campaign.best()
    assert best is not None
    return best.scored.score


def test_a_store_its_url_a_reading_and_a_campaign_give_the_same_frame(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Slope()) as campaign:
        campaign.run(evaluations=20)
        reading = Reading.named(campaign.store, None)
        frames = [frame(campaign), frame(campaign.store), frame(reading), frame(f"{tmp_path}/numbers.db", "slope")]
    for other in frames[1:]:
        assert frames[0].equals(other)
    with campaign_of(tmp_path, Descent()) as campaign:
        campaign.run(evaluations=5)
    with pytest.raises(CampaignError, match="name one of: slope, descent"):
        frame(f"{tmp_path}/numbers.db")
    assert len(frame(f"{tmp_path}/numbers.db", "descent")) >= 5


def test_contexts_that_guide_have_no_score_among_the_programs(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    hostile(store)
    table = frame(store)
    store.close()
    assert table["score"].fillna(-1.0).tolist() == [3.0, -1.0, 2.0, -1.0, -1.0]
    assert table["model"].tolist()[2].endswith("\\ud800\x07"), "half a character has no UTF-8 form"
    assert table["improved"].tolist() == [True, False, True, False, False], "lower is better here"
    assert f"feature:one {EVIL}" in table.columns


def test_a_campaign_that_was_never_run_says_so_and_makes_no_store(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Slope()) as campaign:
        with pytest.raises(StoreError, match="there is no store"):
            campaign.frame()
        assert list(tmp_path.iterdir()) == []
        campaign.store.open()
        with pytest.raises(CampaignError, match="no records yet"):
            campaign.frame()


def test_without_pandas_the_command_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with campaign_of(tmp_path, Slope()) as campaign, pytest.raises(MissingExtra, match=r"'evoengine\[frame\]'"):
        campaign.frame()
