"""Plots of real campaigns: what is in the axes is what the records say, in both directions of a problem."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evoengine import Campaign
from evoengine.analysis import plot_archive, plot_history, plot_lineage
from evoengine.chronicle import Chronicle
from evoengine.errors import CampaignError, MissingExtra, SettingError
from evoengine.reading import Reading
from evoengine.types import Record, Scored
from tests.campaigns.numbers import Numbers
from tests.campaigns.slopes import Descent, Ridge, Slope, campaign_of
from tests.web.hostile import hostile, store_at

pytestmark = pytest.mark.slow

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


class Plain(Numbers):
    name = "plain"
    features = ()


@pytest.fixture(autouse=True)
def _no_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import matplotlib.pyplot as plt

    def shown(*_: object, **__: object) -> None:
        raise AssertionError("a plot is shown by whoever asked for it")

    monkeypatch.setattr(plt, "show", shown)
    yield
    plt.close("all")


@pytest.fixture(params=[Slope, Descent], ids=["maximize", "minimize"], scope="module")
def campaign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A campaign that tests look at and leave as it is."""
    with campaign_of(tmp_path_factory.mktemp("plots"), request.param(), islands={"count": 2, "interval": 7}) as made:
        made.run(evaluations=80)
        yield made


def records_of(campaign: Campaign) -> list[Record]:
    return list(Reading.named(campaign.store, campaign.name).records())


def own(campaign: Campaign, record: Record) -> float:
    assert isinstance(record.evaluation, Scored)
    return campaign.problem.signed(record.evaluation.score)


def drawn(axes: Any) -> None:
    """Draws all of it, as saving a figure would; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes.figure.canvas.draw()


def test_the_history_is_the_best_so_far_with_its_references(campaign: Campaign) -> None:
    axes = campaign.plot()
    drawn(axes)
    assert matplotlib.get_backend().lower() == "agg"
    line, *levels = axes.get_lines()
    places, values = line.get_xdata(), line.get_ydata()
    assert line.get_drawstyle() == "steps-post"
    pick = max if campaign.problem.direction == "maximize" else min
    for last in range(1, len(records_of(campaign)) + 1):
        scored = [own(campaign, one) for one in records_of(campaign)[:last] if isinstance(one.evaluation, Scored)]
        at = np.searchsorted(places, last, side="right") - 1
        assert values[at] == pick(scored)
    assert places[-1] == len(records_of(campaign))
    assert [level.get_ydata()[0] for level in levels] == [99.0, 50.0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "best so far",
        "best known: 99",
        "by hand: 50",
    ]
    assert axes.get_xlabel() == "record"
    higher = "higher" if campaign.problem.direction == "maximize" else "lower"
    assert axes.get_ylabel() == f"score ({higher} is better)"
    assert axes.get_title() == campaign.name


def test_the_history_by_hours_ends_with_the_last_record(campaign: Campaign) -> None:
    axes = plot_history(campaign, by="hours")
    places = axes.get_lines()[0].get_xdata()
    assert axes.get_xlabel() == "hours since the first record"
    outlines = list(campaign.store.outlines(Reading.named(campaign.store, None).row))
    first, last = outlines[0].at, outlines[-1].at
    assert first is not None
    assert last is not None
    assert places[-1] == pytest.approx((last - first) / 3600)
    with pytest.raises(SettingError, match="'records' or 'hours'"):
        plot_history(campaign, by="days")  # type: ignore[arg-type]


@pytest.mark.parametrize("at", [None, 1, 20, 0])
def test_the_map_shows_the_best_elite_of_each_cell_at_any_record(campaign: Campaign, at: int | None) -> None:
    axes = plot_archive(campaign, at=at)
    drawn(axes)
    [mesh] = axes.collections
    values = np.ma.filled(mesh.get_array(), np.nan).reshape(4, 5)
    found = {(column, row): values[row, column] for row in range(4) for column in range(5)}
    expected: dict[tuple[int, int], float] = {}
    pick = max if campaign.problem.direction == "maximize" else min
    # with this schedule every elite of any island is the best that was ever in its cell
    for record in records_of(campaign)[:at]:
        if isinstance(record.evaluation, Scored):
            x, y = record.evaluation.features["x"], record.evaluation.features["y"]
            cell = (min(4, int(x * 5)), min(3, int(y * 0.4)))
            expected[cell] = pick(own(campaign, record), expected.get(cell, own(campaign, record)))
    assert {cell: value for cell, value in found.items() if value == value} == expected
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert axes.get_xlim() == (0.0, 1.0)
    assert axes.get_ylim() == (0.0, 10.0)
    last = len(records_of(campaign))
    assert axes.get_title() == f"{campaign.name}: all islands after record {last if at is None else at}"
    higher = campaign.problem.direction == "maximize"
    bar = axes.figure.axes[-1]
    assert bar.get_ylabel() == f"score ({'higher' if higher else 'lower'} is better)"
    assert mesh.get_cmap().name == ("viridis" if higher else "viridis_r"), "the lighter the better"


def test_a_film_keeps_its_colours(campaign: Campaign) -> None:
    limits = [plot_archive(campaign, at=at).collections[0].get_clim() for at in (30, 50, None)]
    assert limits[0][1] >= limits[-1][1]
    assert limits[0][0] <= limits[-1][0]
    assert plot_archive(campaign, at=0).collections[0].get_clim() == limits[-1]


def test_an_island_and_other_features_can_be_chosen(campaign: Campaign) -> None:
    one, other = (plot_archive(campaign, island=place).collections[0].get_array() for place in (0, 1))
    assert not np.array_equal(np.ma.filled(one, -1.0), np.ma.filled(other, -1.0))
    axes = plot_archive(campaign, features=("y", "x"), island=1)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("y", "x")
    assert axes.get_title().startswith(f"{campaign.name}: island 1 after")
    turned = np.ma.filled(axes.collections[0].get_array(), -1.0).reshape(5, 4)
    assert np.array_equal(turned.T, np.ma.filled(other, -1.0).reshape(4, 5))
    for wrong in ({"features": ["z"]}, {"features": ["x", "x"]}, {"features": []}, {"island": 2}, {"at": -1}):
        with pytest.raises(SettingError):
            plot_archive(campaign, **wrong)  # type: ignore[arg-type]


def test_one_feature_is_drawn_as_steps_with_the_score_upwards(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Ridge()) as campaign:
        campaign.run(evaluations=40)
        axes = campaign.plot("archive")
        drawn(axes)
        best: dict[int, float] = {}
        for elite in campaign.elites():
            place = min(4, int(elite.scored.features["x"] * 5))
            best[place] = max(elite.scored.score, best.get(place, elite.scored.score))
    [marks] = axes.get_lines()
    values = marks.get_ydata()
    assert {place: value for place, value in enumerate(values) if value == value} == best
    assert marks.get_xdata() == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "score (higher is better)")


def test_voronoi_cells_are_filled_with_the_value_of_their_owner(tmp_path: Path) -> None:
    settings = {"use": "cvt", "cells": 12, "samples": 400}
    with campaign_of(tmp_path, Descent(), archive=settings, islands=1) as campaign:
        campaign.run(evaluations=60)
        axes = campaign.plot("archive")
        drawn(axes)
        [archive] = campaign.islands.archives
        elites = list(archive)
        centroids = archive.centroids  # type: ignore[attr-defined]
    mesh = axes.collections[0]
    values = np.ma.filled(mesh.get_array(), np.nan)
    side = values.shape[0]
    owners = {elite.cell[0]: -elite.scored.score for elite in elites}
    assert len(owners) > 3
    for row in range(5, side, 17):
        for column in range(5, side, 17):
            point = np.array([(column + 0.5) / side, (row + 0.5) / side])
            cell = int(np.argmin(((centroids - point) ** 2).sum(axis=1)))
            assert values[row, column] == pytest.approx(owners.get(cell, np.nan), nan_ok=True)
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 1.0), (0.0, 10.0))


def test_a_problem_without_features_has_no_map(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Plain()) as campaign:
        campaign.run(evaluations=5)
        with pytest.raises(CampaignError, match="has no features"):
            campaign.plot("archive")
        campaign.plot("history")


@pytest.mark.parametrize("number", [None, 40, 1])
def test_the_lineage_goes_from_a_seed_to_the_record_with_improvements_marked(
    campaign: Campaign, number: int | None
) -> None:
    axes = campaign.plot("lineage", number=number)
    drawn(axes)
    best = campaign.best()
    assert best is not None
    line = Reading.named(campaign.store, None).lineage(number or best.number)[::-1]
    values = [own(campaign, one) if isinstance(one.evaluation, Scored) else None for one in line]
    scores, marks = axes.get_lines()
    assert [None if value != value else value for value in scores.get_ydata()] == values
    assert list(scores.get_xdata()) == list(range(len(line)))
    better = []
    for place in range(1, len(line)):
        now, before = values[place], values[place - 1]
        if now is not None and before is not None and campaign.problem.signed(now) > campaign.problem.signed(before):
            better.append(place)
    assert list(marks.get_xdata()) == better
    assert [text.get_text() for text in axes.texts] == [
        f"#{one.number}" for one in line if isinstance(one.evaluation, Scored)
    ]
    assert axes.get_xlabel() == "generation (0 is a seed)"
    assert "is better" in axes.get_ylabel()


def test_each_plot_goes_into_the_axes_that_it_is_given_and_returns_them(campaign: Campaign) -> None:
    import matplotlib.pyplot as plt

    _, (one, two, three) = plt.subplots(1, 3)
    reading = Reading.named(campaign.store, None)
    chronicle = Chronicle(reading.row)
    chronicle.take(campaign.store.outlines(reading.row))
    assert plot_history(chronicle, ax=one) is one
    assert plot_archive(campaign.store, ax=two) is two
    assert plot_lineage(campaign.store.url, campaign.name, ax=three) is three
    assert len(plt.get_fignums()) == 1


def test_names_full_of_markup_and_formulas_are_drawn_as_they_are(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    row = hostile(store)
    about = {**row.settings["about"], "features": [{"name": r"$\frac{$ ^_ x", "low": 0.0, "high": 1.0, "bins": 3}]}
    made = store.create(
        name=r"a $\x{ $$ b", problem="p", fingerprint="f", seed=1, settings={**row.settings, "about": about}
    )
    scored = Scored(score=-3.0, features={r"$\frac{$ ^_ x": 0.5})
    [first] = store.replay(row, until=1)
    store.append(made, [Record(number=1, candidate=first.candidate, evaluation=scored)])
    for plot in (plot_history, plot_archive, plot_lineage):
        axes = plot(store, made.name)
        drawn(axes)
        assert r"a $\x{ $$ b" in axes.get_title()
        evil = plot(store, row.name)
        evil.figure.canvas.draw()
        assert len(evil.get_title()) <= 100
    store.close()


def test_a_campaign_without_a_score_and_a_record_that_is_not_there_are_told(campaign: Campaign, tmp_path: Path) -> None:
    store = store_at(tmp_path)
    settings = Reading.named(campaign.store, None).row.settings
    store.create(name="none", problem="p", fingerprint="f", seed=0, settings=settings)
    for plot in (plot_history, plot_lineage):
        with pytest.raises(CampaignError, match="no scored record yet"):
            plot(store, "none")
    drawn(plot_archive(store, "none"))
    store.close()
    with pytest.raises(CampaignError, match="has no record 100000"):
        plot_lineage(campaign, number=100_000)
    with pytest.raises(SettingError, match="history, archive, lineage"):
        campaign.plot("film")  # type: ignore[arg-type]


def test_without_matplotlib_the_command_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with campaign_of(tmp_path, Slope()) as campaign, pytest.raises(MissingExtra, match=r"'evoengine\[plot\]'"):
        campaign.plot()
