"""What the pages on a whole campaign show, as values for their templates."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np

from evoengine.analysis.courses import best_so_far, references
from evoengine.chronicle import SCORED
from evoengine.types import Cause, Content, Failed
from evoengine.web.charts import Level, Series, line_chart, share_bar
from evoengine.web.texts import parts_of, text_of
from evoengine.web.viewed import Query, Viewed, island_name

PER_PAGE = 50
_BUCKETS = 60
_RECENT = 1000
_MOST_CHARTS = 24
_EXAMPLES = 3
_MOST_CONTEXTS = 30
_MOST_GIST = 70
_AXES = ("records", "time")
_UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
_FIRST = ("best_score", "improvement_rate", "reward/mean", "valid_rate", "entropy", "loss", "kl")
"""Figures of training whose curves come before the others, as far as there are such."""


def overview(viewed: Viewed, query: Query) -> dict[str, Any]:
    """Where the campaign stands and how it got there."""
    chronicle = viewed.chronicle
    by = query.choice("by", _AXES) or "records"
    progress = chronicle.progress
    outcomes, recent = chronicle.outcomes(), chronicle.outcomes(max(0, chronicle.count - _RECENT))
    total, latest = max(1, sum(outcomes.values())), max(1, sum(recent.values()))
    return {
        **standing(viewed),
        "by": by,
        "axes": {name: viewed.links.page("", by=name) for name in _AXES},
        "goal": text_of(chronicle.about["goal"]),
        "picture": _best_picture(viewed),
        "best_chart": _best_chart(viewed, by),
        "rate_chart": _rate_chart(viewed),
        "coverage_chart": _coverage_chart(viewed),
        "outcomes": [
            {
                "name": name,
                "count": count,
                "share": count / total,
                "recent": recent.get(name, 0) / latest,
                "bar": share_bar(count / total, f"{count / total:.0%}"),
                "href": viewed.links.page("records", outcome=name),
            }
            for name, count in outcomes.items()
        ],
        "elites": [elite(viewed, number) for number in chronicle.best(np.concatenate(chronicle.elites()), 10)],
        "settings": text_of(json.dumps(dict(viewed.row.settings), indent=2), "json"),
        "progress": progress,
    }


def _best_picture(viewed: Viewed) -> dict[str, Any] | None:
    champions = viewed.chronicle.champions()
    return viewed.drawn(viewed.record(int(champions[-1]))) if len(champions) else None


def elite(viewed: Viewed, number: int) -> dict[str, Any]:
    """An elite in a table."""
    return {"number": number, "value": viewed.outcome(number), "features": viewed.chronicle.place(number)}


def standing(viewed: Viewed) -> dict[str, Any]:
    """The figures of a campaign that change while it runs."""
    chronicle = viewed.chronicle
    champions, progress = chronicle.champions(), chronicle.progress
    at = chronicle.columns["at"]
    archives = chronicle.islands.archives
    known, floor = chronicle.about["best_known"], chronicle.about["floor"]
    ago = time.time() - float(at[-1]) if len(at) and math.isfinite(at[-1]) else None
    return {
        "last": viewed.last,
        "read": chronicle.count,
        "best": viewed.shown(progress.best),
        "best_number": int(champions[-1]) if len(champions) else None,
        "stalled": progress.stalled,
        "self_scored": bool(chronicle.about.get("self_scored")),
        "best_known": known,
        "floor": floor,
        "evaluations": progress.evaluations,
        "tokens": progress.tokens,
        "money": progress.money,
        "seconds": viewed.store.seconds(viewed.row),
        "rate": _rate(at),
        "ago": None if ago is None else max(0.0, ago),
        "elite_count": sum(len(archive) for archive in archives),
        "coverage": sum(archive.coverage for archive in archives) / len(archives),
        "islands": len(archives),
        "tiers": dict(chronicle.tiers),
    }


def _rate(at: Any) -> float | None:
    """Records in a second over the latest ones."""
    latest = at[-200:]
    span = float(latest[-1] - latest[0]) if len(latest) > 1 else math.nan
    return (len(latest) - 1) / span if span > 0 else None


def _unit(span: float) -> tuple[str, float]:
    """The largest unit of time that a span has two of, with its seconds; the smallest where there is none."""
    return next(((name, seconds) for name, seconds in _UNITS if span >= 2 * seconds), _UNITS[-1])


def _best_chart(viewed: Viewed, by: str) -> Any:
    chronicle = viewed.chronicle
    course = best_so_far(chronicle, 500)
    if not course:
        return None
    xs, x_name = [float(one.number) for one in course], "record"
    if by == "time":
        at = chronicle.columns["at"]
        since = [float(at[one.number - 1] - at[0]) for one in course]
        unit, seconds = _unit(since[-1])
        xs, x_name = [one / seconds for one in since], f"{unit} since the first record"
    return line_chart(
        [Series(name="best", xs=xs, ys=[one.value for one in course], stepped=True)],
        title=f"best value so far: {course[-1].value:.10g}",
        x_name=x_name,
        y_name="best so far",
        levels=[Level(name=one.name, value=one.value) for one in references(chronicle)],
    )


def _rate_chart(viewed: Viewed) -> Any:
    at = viewed.chronicle.columns["at"]
    told = at[np.isfinite(at)]
    if len(told) < 2 or told[-1] <= told[0]:
        return None
    counts, edges = np.histogram(told, bins=_BUCKETS)
    rates = (counts / ((edges[1] - edges[0]) / 60)).tolist()
    unit, seconds = _unit(float(edges[-1] - edges[0]))
    return line_chart(
        [
            Series(
                name="records", xs=((edges - edges[0]) / seconds).tolist(), ys=[*rates, rates[-1]], stepped=True,
            )
        ],
        title="records per minute",
        x_name=f"{unit} since the first record",
        y_name="records per minute",
    )  # fmt: skip


def _coverage_chart(viewed: Viewed) -> Any:
    kept = viewed.chronicle.coverage
    if len(kept) < 2:
        return None
    xs = [float(one.number) for one in kept]
    return line_chart(
        [Series(name="coverage", xs=xs, ys=[100 * one.coverage for one in kept], stepped=True)],
        title=f"share of cells that are owned: {kept[-1].coverage:.0%}",
        x_name="record",
        y_name="coverage in %",
    )


def records(viewed: Viewed, query: Query) -> dict[str, Any]:
    """The records that pass some filters, a page of them."""
    chronicle = viewed.chronicle
    columns = chronicle.columns
    islands = range(-2, len(chronicle.islands.archives))
    outcomes = ["scored", *(str(cause) for cause in Cause)]
    given: dict[str, Any] = {
        "operator": query.choice("operator", chronicle.operators),
        "model": query.choice("model", chronicle.models),
        "outcome": query.choice("outcome", outcomes),
        "island": query.whole("island", islands.start, islands.stop - 1),
        "low": query.number("low"),
        "high": query.number("high"),
        "parent": query.whole("parent", 1, max(1, viewed.last)),
        "guidance": query.whole("guidance", 1, max(1, viewed.last)),
        "news": query.choice("news", ("improved", "champion")),
        "sort": query.choice("sort", ("newest", "oldest", "best", "worst")),
    }
    mask = np.ones(chronicle.count, dtype=np.bool_)
    if given["operator"] is not None:
        mask &= columns["operator"] == chronicle.operators.index(given["operator"])
    if given["model"] is not None:
        mask &= columns["model"] == chronicle.models.index(given["model"])
    if given["outcome"] is not None:
        mask &= columns["cause"] == (outcomes.index(given["outcome"]) - 1)
    if given["island"] is not None:
        mask &= columns["island"] == given["island"]
    if given["parent"] is not None:
        mask &= columns["parent"] == given["parent"]
    if given["guidance"] is not None:
        mask &= columns["guidance"] == given["guidance"]
    if given["news"] is not None:
        mask &= columns[given["news"]]
    sign = chronicle.shown(1.0)
    shown = sign * columns["score"]
    if given["low"] is not None:
        mask &= shown >= given["low"]
    if given["high"] is not None:
        mask &= shown <= given["high"]
    found = np.flatnonzero(mask)
    match given["sort"]:
        case "oldest":
            pass
        case "best" | "worst":
            score = columns["score"][found]
            known = found[np.isfinite(score)]
            order = np.argsort(columns["score"][known], kind="stable")
            found = known[order] if given["sort"] == "worst" else known[order[::-1]]
        case _:
            found = found[::-1]
    pages = max(1, math.ceil(len(found) / PER_PAGE))
    page = query.whole("page", 1, 10**9) or 1
    page = min(page, pages)
    rows = [int(place) + 1 for place in found[(page - 1) * PER_PAGE : page * PER_PAGE]]

    def link(to: int) -> str | None:
        return viewed.links.page("records", **given, page=to) if 1 <= to <= pages else None

    return {
        "given": given,
        "operators": sorted(chronicle.operators),
        "models": sorted(model for model in chronicle.models if model),
        "outcomes": outcomes,
        "islands": [(place, island_name(place)) for place in islands],
        "count": len(found),
        "page": page,
        "pages": pages,
        "before": link(page - 1),
        "after": link(page + 1),
        "rows": [brief(viewed, number) for number in rows],
    }


def brief(viewed: Viewed, number: int) -> dict[str, Any]:
    """A record in a table, without its texts."""
    columns, place, chronicle = viewed.chronicle.columns, number - 1, viewed.chronicle
    return {
        "number": number,
        "outcome": viewed.outcome(number),
        "failed": int(columns["cause"][place]) != SCORED,
        "operator": chronicle.operators[int(columns["operator"][place])],
        "model": chronicle.models[int(columns["model"][place])],
        "island": island_name(int(columns["island"][place])),
        "parents": chronicle.parents(number),
        "calls": int(columns["calls"][place]),
        "tokens": int(columns["tokens"][place]),
        "improved": bool(columns["improved"][place]),
        "champion": bool(columns["champion"][place]),
    }


def operators(viewed: Viewed, query: Query) -> dict[str, Any]:  # noqa: ARG001  # all pages are made alike
    """What each operator brought and cost under each model."""
    return {
        "rows": [
            {
                "effort": one,
                "valid": one.scored / one.records,
                "improving": one.improved / one.records,
                "bar": share_bar(one.scored / one.records, f"{one.scored / one.records:.0%} have a score"),
                "tokens_each": one.tokens / one.records,
                "per_improvement": one.tokens / one.improved if one.improved and one.tokens else None,
                "href": viewed.links.page("records", operator=one.operator, model=one.model or None),
            }
            for one in viewed.chronicle.efforts()
        ]
    }


def contexts(viewed: Viewed, query: Query) -> dict[str, Any]:  # noqa: ARG001
    """The contexts that guide, with their texts and what was made under them."""
    guided = viewed.chronicle.guided()
    shown = guided[:_MOST_CONTEXTS]
    records = viewed.store.records(viewed.row, [one.number for one in shown])
    return {
        "rows": [
            {
                "guided": one,
                "texts": {
                    name: text_of(text) for name, text in parts_of(records[one.number].candidate.content).items()
                },
                "gist": _gist(records[one.number].candidate.content),
                "operator": records[one.number].candidate.operator,
                "href": viewed.links.page("records", guidance=one.number),
            }
            for one in shown
        ],
        "count": len(guided),
        "guides": "guidance" in viewed.row.settings,
    }


def _gist(content: Content | None) -> str:
    """The first line of a content that says something, cut."""
    words = (line.strip("#*- \t") for text in parts_of(content).values() for line in text[:2000].splitlines())
    first = next((line for line in words if line), "")
    return first if len(first) <= _MOST_GIST else f"{first[: _MOST_GIST - 1]}…"


def training(viewed: Viewed, query: Query) -> dict[str, Any]:  # noqa: ARG001
    """The figures of every update of the model's weights, as curves."""
    updates = viewed.store.updates(viewed.row)
    names = sorted({name for update in updates for name in update.facts})
    values: dict[str, list[float]] = {}
    for name in names:
        told = [update.facts.get(name) for update in updates]
        values[name] = [math.nan if value is None else float(value) for value in told]
        if name == "best_score":
            values[name] = [viewed.chronicle.shown(value) for value in values[name]]
    still = [name for name in names if len(updates) > 1 and len({repr(value) for value in values[name]}) == 1]
    moving = sorted(set(names) - set(still), key=lambda name: (name not in _FIRST, name))
    charts = []
    for name in moving[:_MOST_CHARTS]:
        series = Series(name=name, xs=[float(update.number) for update in updates], ys=values[name])
        chart = line_chart([series], title=f"{name} by update", x_name="update", y_name=name)
        if chart is not None:
            charts.append({"name": name, "chart": chart})
    latest = updates[-1] if updates else None
    return {
        "trains": "trainer" in viewed.row.settings,
        "charts": charts,
        "more": moving[_MOST_CHARTS:],
        "still": still,
        "count": len(updates),
        "latest": latest,
        "figures": [(name, values[name][0], values[name][-1]) for name in names],
        "rows": [{"number": one.number, "record": one.record, "policy": one.policy} for one in updates[-20:][::-1]],
    }


def failures(viewed: Viewed, query: Query) -> dict[str, Any]:  # noqa: ARG001
    """Why candidates have no score, with the latest examples of each cause."""
    chronicle = viewed.chronicle
    causes = chronicle.columns["cause"]
    counts = {name: count for name, count in chronicle.outcomes().items() if name != "scored"}
    examples = {
        name: (np.flatnonzero(causes == list(Cause).index(Cause(name)))[::-1][:_EXAMPLES] + 1).tolist()
        for name in counts
    }
    wanted = [number for found in examples.values() for number in found]
    records = viewed.store.records(viewed.row, wanted)
    total = max(1, chronicle.count)

    return {
        "rows": [
            {
                "cause": name,
                "count": count,
                "share": count / total,
                "bar": share_bar(count / total, f"{count / total:.0%} of all records"),
                "href": viewed.links.page("records", outcome=name),
                "examples": [
                    {
                        "number": number,
                        "operator": records[number].candidate.operator,
                        "feedback": text_of(_feedback(records[number].evaluation)),
                    }
                    for number in examples[name]
                ],
            }
            for name, count in counts.items()
        ]
    }


def _feedback(evaluation: Any) -> str:
    text = evaluation.feedback if isinstance(evaluation, Failed) else ""
    return text[:2000] + (" …" if len(text) > 2000 else "")
