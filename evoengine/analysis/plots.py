"""Plots of a campaign with matplotlib. Each draws into the axes that it is given, or into a figure of its own.

Nothing is shown or saved: that is left to the notebook or script. Colours are told apart without red and green, and
the lighter a cell of a map the better, in either direction of a problem.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from evoengine.analysis.courses import best_so_far, hours_at, references
from evoengine.analysis.maps import Axis, axes_of, cells_of, owners_of
from evoengine.analysis.sources import Source, chronicle_of
from evoengine.chronicle import Chronicle
from evoengine.errors import CampaignError, MissingExtra, SettingError
from evoengine.readable import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _MARK, _LEVELS = "#0072b2", "#d55e00", ("#009e73", "#555555")
"""Of the colours that Okabe & Ito (2008, "Color Universal Design") found to be told apart by everybody."""
_NUMBERED = 25
"""Records of a lineage that are numbered at most."""
_RASTER = 240
"""Points along an axis on which Voronoi cells are drawn."""
_LONGEST = 60
"""Characters of a name."""


def plot_history(
    source: Source, name: str | None = None, *, by: Literal["records", "hours"] = "records", ax: Axes | None = None
) -> Axes:
    """The best value so far, with the best known value and what was reached by hand; gives the axes.

    Args:
        source: a `Campaign`, an opened store, a store's URL, a reading or a chronicle.
        name: of the campaign, where a store holds several.
        by: what goes to the right: records, or hours since the first was stored.
        ax: where to draw; a new figure when left out.

    Raises:
        MissingExtra: matplotlib is not installed.
        CampaignError: there is no such campaign, or nothing was scored yet.
    """
    axes = {"records": "record", "hours": "hours since the first record"}
    if by not in axes:
        raise SettingError(f"by takes {' or '.join(map(repr, axes))}, got {by!r}.")
    ax = _axes(ax)
    chronicle = chronicle_of(source, name)
    course = best_so_far(chronicle)
    if not course:
        raise CampaignError(f"campaign {chronicle.row.name!r} has no scored record yet; there is nothing to draw.")
    xs = [hours_at(chronicle, one.number) if by == "hours" else one.number for one in course]
    ax.plot(xs, [one.value for one in course], drawstyle="steps-post", color=_LINE, label="best so far")
    for one, colour, style in zip(references(chronicle), _LEVELS, ("--", ":"), strict=False):
        ax.axhline(one.value, color=colour, linestyle=style, label=f"{one.name}: {one.value:.6g}")
    _name(ax, x=axes[by], y=_score_name(chronicle), title=chronicle.row.name)
    ax.legend()
    return ax


def plot_archive(
    source: Source,
    name: str | None = None,
    *,
    features: Sequence[str] | None = None,
    island: int | None = None,
    at: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The elites over two features as a heat map, or over one as a row of steps; gives the axes.

    Finer grids than 64 cells are drawn in blocks, each as the best of its cells. An archive of Voronoi cells over
    these two features alone is drawn as such; any other without a grid in 32 by 32 blocks.

    Args:
        source: a `Campaign`, an opened store, a store's URL, a reading or a chronicle.
        name: of the campaign, where a store holds several.
        features: the names of one or two; the first two of the problem when left out.
        island: its number, from 0; the best of all islands when left out.
        at: after which record; the last when left out.
        ax: where to draw; a new figure when left out.

    Raises:
        MissingExtra: matplotlib is not installed.
        SettingError: there is no such feature, island or record.
        CampaignError: there is no such campaign, or its problem has no features.
    """
    ax = _axes(ax)
    chronicle = chronicle_of(source, name)
    names = _chosen(chronicle, features)
    numbers = _elites(chronicle, island, at)
    axes = axes_of(chronicle, names)
    if len(axes) == 1:
        _draw_row(ax, chronicle, cells_of(chronicle, numbers, axes), axes[0])
    else:
        _draw_map(ax, chronicle, numbers, axes)
    where = "all islands" if island is None else f"island {island}"
    _name(ax, title=f"{_short(chronicle.row.name)}: {where} after record {chronicle.count if at is None else at}")
    return ax


def plot_lineage(source: Source, name: str | None = None, *, number: int | None = None, ax: Axes | None = None) -> Axes:
    """The scores of a record's line of first parents from a seed on, with the improvements marked; gives the axes.

    Args:
        source: a `Campaign`, an opened store, a store's URL, a reading or a chronicle.
        name: of the campaign, where a store holds several.
        number: of the record; the best when left out.
        ax: where to draw; a new figure when left out.

    Raises:
        MissingExtra: matplotlib is not installed.
        CampaignError: there is no such campaign or record, or nothing was scored yet.
    """
    ax = _axes(ax)
    chronicle = chronicle_of(source, name)
    if number is None:
        champions = chronicle.champions()
        if not len(champions):
            raise CampaignError(f"campaign {chronicle.row.name!r} has no scored record yet; there is nothing to draw.")
        number = int(champions[-1])
    if not 1 <= number <= chronicle.count:
        raise CampaignError(
            f"campaign {chronicle.row.name!r} has no record {number}; its records are 1 to {chronicle.count}."
        )
    line = list(chronicle.ancestors(number))[::-1]
    scores = [chronicle.score(one) for one in line]
    values = [math.nan if score is None else chronicle.shown(score) for score in scores]
    ax.plot(range(len(line)), values, color=_LINE, marker="o", markersize=4, label="score")
    better = [place for place, one in enumerate(line) if chronicle.columns["improved"][one - 1]]
    ax.plot(
        better, [values[place] for place in better], linestyle="none", marker="^", markersize=9, color=_MARK,
        label="better than its parent",
    )  # fmt: skip
    if len(line) <= _NUMBERED:
        for place, one in enumerate(line):
            if math.isfinite(values[place]):
                ax.annotate(f"#{one}", (place, values[place]), xytext=(0, 7), textcoords="offset points", fontsize=7)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.margins(y=0.12)
    _name(
        ax, x="generation (0 is a seed)", y=_score_name(chronicle),
        title=f"{_short(chronicle.row.name)}: how record {number} came about",
    )  # fmt: skip
    ax.legend()
    return ax


def _draw_map(ax: Axes, chronicle: Chronicle, numbers: NDArray[Any], axes: Sequence[Axis]) -> None:
    centroids = _centroids(chronicle, axes)
    if centroids is not None:
        edges, values = _voronoi(chronicle, numbers, axes, centroids)
    else:
        edges = [np.linspace(axis.low, axis.high, axis.bins + 1) for axis in axes]
        values = np.full((axes[1].bins, axes[0].bins), math.nan)
        for (column, row), number in cells_of(chronicle, numbers, axes).items():
            values[row, column] = chronicle.shown(chronicle.score(number) or 0.0)
    shades = "viridis" if chronicle.shown(1.0) > 0 else "viridis_r"
    mesh = ax.pcolormesh(*edges, values, cmap=shades, **_bounds(chronicle, numbers))
    _plain_text(ax.figure.colorbar(mesh, ax=ax).ax.yaxis.label, _score_name(chronicle))
    _name(ax, x=axes[0].name, y=axes[1].name)


def _bounds(chronicle: Chronicle, numbers: NDArray[Any]) -> dict[str, float]:
    """What the outermost shades stand for: those of the last map too, so that a film keeps its colours as it goes."""
    shown = np.concatenate([numbers, *chronicle.elites()])
    scores = chronicle.shown(1.0) * chronicle.columns["score"][shown - 1]
    return {"vmin": float(scores.min()), "vmax": float(scores.max())} if len(scores) else {}


def _draw_row(ax: Axes, chronicle: Chronicle, cells: dict[tuple[int, int], int], axis: Axis) -> None:
    edges = np.linspace(axis.low, axis.high, axis.bins + 1)
    values = np.full(axis.bins, math.nan)
    for (column, _), number in cells.items():
        values[column] = chronicle.shown(chronicle.score(number) or 0.0)
    ax.stairs(values, edges, baseline=None, color=_LINE, linewidth=2)
    ax.plot((edges[:-1] + edges[1:]) / 2, values, linestyle="none", marker="s", markersize=4, color=_LINE)
    ax.set_xlim(axis.low, axis.high)
    _name(ax, x=axis.name, y=_score_name(chronicle))


def _centroids(chronicle: Chronicle, axes: Sequence[Axis]) -> NDArray[np.float64] | None:
    """The centroids of an archive of Voronoi cells over just these two features."""
    found = getattr(chronicle.islands.archives[0], "centroids", None)
    drawn, own = [axis.name for axis in axes], [feature.name for feature in chronicle.features]
    return None if found is None or sorted(drawn) != sorted(own) else np.asarray(found, dtype=np.float64)


def _voronoi(
    chronicle: Chronicle, numbers: NDArray[Any], axes: Sequence[Axis], centroids: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """The values of the owners of Voronoi cells on a raster; NaN in the cells that nobody owns."""
    from scipy.spatial import cKDTree

    names = [feature.name for feature in chronicle.features]
    score = np.full(len(centroids), math.nan)
    for cell, number in owners_of(chronicle, numbers, centroids).items():
        score[cell] = chronicle.shown(chronicle.score(number) or 0.0)
    middles = (np.arange(_RASTER) + 0.5) / _RASTER
    across, up = np.meshgrid(middles, middles)  # (rows, columns) each
    shares = {axes[0].name: across, axes[1].name: up}
    points = np.stack([shares[name].ravel() for name in names], axis=1)
    values = score[cKDTree(centroids).query(points)[1]].reshape(_RASTER, _RASTER)
    return [np.linspace(axis.low, axis.high, _RASTER + 1) for axis in axes], values


def _chosen(chronicle: Chronicle, features: Sequence[str] | None) -> list[str]:
    known = [feature.name for feature in chronicle.features]
    if not known:
        raise CampaignError(f"the problem of campaign {chronicle.row.name!r} has no features; there is no map to draw.")
    if features is None:
        return known[:2]
    names = [features] if isinstance(features, str) else list(features)
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names) or not set(names) <= set(known):
        raise SettingError(f"features takes the names of one or two of {', '.join(known)}; got {names!r}.")
    return names


def _elites(chronicle: Chronicle, island: int | None, at: int | None) -> NDArray[Any]:
    if at is not None and not 0 <= at <= chronicle.count:
        raise SettingError(f"at takes a record from 0 to {chronicle.count}, got {at!r}.")
    held = chronicle.elites(at)
    if island is None:
        return np.concatenate(held)
    if not 0 <= island < len(held):
        raise SettingError(f"island takes a number from 0 to {len(held) - 1}, got {island!r}.")
    return held[island]


def _axes(ax: Axes | None) -> Axes:
    if find_spec("matplotlib") is None:
        raise MissingExtra("a plot", "plot")
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def _score_name(chronicle: Chronicle) -> str:
    return f"score ({'higher' if chronicle.shown(1.0) > 0 else 'lower'} is better)"


def _name(ax: Axes, *, x: str | None = None, y: str | None = None, title: str | None = None) -> None:
    for label, text in ((ax.xaxis.label, x), (ax.yaxis.label, y), (ax.title, title)):
        if text is not None:
            _plain_text(label, text)


def _plain_text(label: Any, text: str) -> None:
    """Sets a text that may hold anything: a dollar sign in a name begins no formula."""
    label.set_parse_math(False)
    label.set_text(_short(text))


def _short(text: str) -> str:
    text = plain(text).replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
