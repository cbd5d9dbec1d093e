"""Plots of a benchmark with matplotlib: a picture for each problem."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoengine.analysis.comparing import best_at
from evoengine.benching.results import Outcome
from evoengine.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Of the colours that Okabe & Ito (2008, "Color Universal Design") found to be told apart by everybody."""
_POINTS = 200


def require_plots() -> None:
    """Refuses early, before hours of campaigns.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtra("plotting", "plot")


def plotted(outcomes: Sequence[Outcome], rows: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Draws `TASK.svg` for each problem into a folder; gives the files.

    On the left the best value by evaluations, the mean over seeds with the range of them; on the right the expected
    best of 1, 2, ... campaigns by what they cost together, each line from the shortest campaigns to the longest.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    require_plots()
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for task, given in groupby(outcomes, key=lambda one: one.task):
        ones = list(given)
        own = [row for row in rows if row["task"] == task]
        colours = {row["method"]: _COLOURS[at % len(_COLOURS)] for at, row in enumerate(own)}
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        courses, widths = figure.subplots(1, 2)
        figure.suptitle(f"{task}: {ones[0].budget} evaluations, {own[0]['seeds']} seeds")
        for method, colour in colours.items():
            _draw_course(courses, [one for one in ones if one.method == method], method, colour)
        for level, style in ((ones[0].known, "--"), (ones[0].floor, ":")):
            if level is not None:
                name = "best known" if style == "--" else "by hand"
                courses.axhline(level["value"], color="#555555", linestyle=style, label=f"{name}: {level['value']:.6g}")
        courses.set(xlabel="evaluations", ylabel="best value", xscale="log")
        courses.legend(fontsize="small")
        for row in own:
            _draw_frontier(widths, row, colours[row["method"]])
        widths.set(xlabel="evaluations of all campaigns together", ylabel="expected best value", xscale="log")
        widths.legend(fontsize="small")
        files.append(folder / f"{task}.svg")
        figure.savefig(files[-1])
    return files


def _draw_course(ax: Axes, ones: Sequence[Outcome], method: str, colour: str) -> None:
    budget = ones[0].budget
    points = sorted({max(1, round(budget ** (at / _POINTS))) for at in range(_POINTS + 1)})
    sign = 1.0 if ones[0].maximize else -1.0
    xs, columns = [], []
    for point in points:
        values = [best_at(one.trace, one.trace.evaluations, point) for one in ones]
        known = [sign * value for value in values if value is not None]
        if len(known) == len(ones):
            xs.append(point)
            columns.append(known)
    ax.plot(xs, [math.fsum(column) / len(column) for column in columns], color=colour, label=method)
    ax.fill_between(xs, [min(one) for one in columns], [max(one) for one in columns], color=colour, alpha=0.15)


def _draw_frontier(ax: Axes, row: Mapping[str, Any], colour: str) -> None:
    widths = sorted({one["width"] for one in row["frontier"]})
    for at, width in enumerate(widths):
        line = sorted((width * one["depth"], one["best"]) for one in row["frontier"] if one["width"] == width)
        ax.plot(
            [spent for spent, _ in line],
            [best for _, best in line],
            color=colour,
            alpha=1.0 - 0.7 * at / len(widths),
            marker="." if width > 1 else "o",
            markersize=4,
            label=f"{row['method']}, {width} at a time" if at in (0, len(widths) - 1) else None,
        )
