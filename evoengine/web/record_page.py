"""One record with all that is known of it, and how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evoengine.types import Candidate, Program, Record, Scored, Turn
from evoengine.web.charts import Node, lineage_graph
from evoengine.web.deciding import said_of
from evoengine.web.texts import difference, parts_of, text_of
from evoengine.web.viewed import Query, Viewed, island_name, outcome_of

_MOST_TURNS = 20
_MOST_CHILDREN = 20
_MOST_NODES = 60
_MOST_VALUES = 500
_MOST_NAME = 28


def record_page(viewed: Viewed, number: int, query: Query) -> dict[str, Any]:
    """All that is known of a record.

    Raises:
        Unknown: there is none of that number.
    """
    record = viewed.record(number)
    candidate, chronicle = record.candidate, viewed.chronicle
    against = query.whole("against", 1, max(1, viewed.last))
    if against is None and candidate.parents:
        against = candidate.parents[0]
    children = chronicle.children(number)
    checks = viewed.store.checks(viewed.row, number)
    return {
        "record": record,
        "number": number,
        "previous": number - 1 if number > 1 else None,
        "next": number + 1 if number < viewed.last else None,
        "outcome": outcome_of(viewed, record),
        "scored": isinstance(record.evaluation, Scored),
        "self_scored": bool(chronicle.about.get("self_scored")),
        "island": island_name(candidate.island),
        "elite_of": [place for place, held in enumerate(chronicle.elites()) if number in held],
        "champion": 1 <= number <= chronicle.count and bool(chronicle.columns["champion"][number - 1]),
        "parents": [(parent, viewed.outcome(parent)) for parent in candidate.parents],
        "children": [(int(child), viewed.outcome(int(child))) for child in children[:_MOST_CHILDREN]],
        "child_count": len(children),
        "model": _model(candidate),
        "texts": _texts(candidate),
        "feedback": text_of(record.evaluation.feedback) if record.evaluation.feedback else None,
        "values": _values(viewed, record),
        "outputs": _outputs(record),
        "picture": viewed.drawn(record),
        "checks": [
            {
                "stage": check.stage,
                "value": viewed.shown(check.evaluation.score)
                if isinstance(check.evaluation, Scored)
                else str(check.evaluation.cause),
                "feedback": text_of(check.evaluation.feedback) if check.evaluation.feedback else None,
                "metrics": dict(check.evaluation.metrics) if isinstance(check.evaluation, Scored) else {},
            }
            for check in checks
        ],
        "said": said_of(viewed, number),
        "program": candidate.content.text if isinstance(candidate.content, Program) else None,
        "turns": [_turn(turn) for turn in candidate.turns[:_MOST_TURNS]],
        "turn_count": len(candidate.turns),
        "note": candidate.note,
        "against": against,
        "difference": _difference(viewed, against, record),
    }


def _model(candidate: Candidate) -> str:
    return next((turn.completion.policy for turn in reversed(candidate.turns) if turn.completion.policy), "")


def _texts(candidate: Candidate) -> list[dict[str, Any]]:
    language = getattr(candidate.content, "language", "markdown")
    prose = not isinstance(candidate.content, Program)
    return [
        {"name": name, "text": text_of(text, language), "prose": prose}
        for name, text in parts_of(candidate.content).items()
    ]


def _values(viewed: Viewed, record: Record) -> list[dict[str, Any]]:
    """The numbers of a record by kind, each kind a table."""
    if not isinstance(record.evaluation, Scored):
        return []
    scored = record.evaluation
    instances = {name: viewed.chronicle.shown(value) for name, value in scored.instances.items()}
    kinds = (("metrics", dict(scored.metrics)), ("features", dict(scored.features)), ("instances", instances))
    return [
        {"kind": kind, "rows": list(values.items())[:_MOST_VALUES], "omitted": max(0, len(values) - _MOST_VALUES)}
        for kind, values in kinds
        if values
    ]


def _outputs(record: Record) -> Any:
    match record.evaluation:
        case Scored(outputs=str() as outputs):
            return text_of(outputs)
        case _:
            return None


def _turn(turn: Turn) -> dict[str, Any]:
    completion = turn.completion
    return {
        "judging": turn.judging,
        "messages": [
            {"role": message.get("role", ""), "text": text_of(message.get("content", ""))}
            for message in turn.prompt.messages[:_MOST_TURNS]
        ],
        "thinking": text_of(completion.thinking) if completion.thinking else None,
        "text": text_of(completion.text),
        "model": completion.policy,
        "finish": completion.finish,
        "tokens": completion.tokens,
        "prompt_tokens": completion.prompt_tokens,
        "money": completion.money,
        "temperature": turn.prompt.temperature,
        "seed": turn.prompt.seed,
    }


def _difference(viewed: Viewed, against: int | None, record: Record) -> Any:
    if against is None or record.candidate.content is None:
        return None
    other = viewed.record(against)
    return {"lines": difference(other.candidate.content, record.candidate.content), "content": other.candidate.content}


def lineage_page(viewed: Viewed, number: int) -> dict[str, Any]:
    """The ancestors of a record by first parents, from the seed on.

    Raises:
        Unknown: there is none of that number.
    """
    record = viewed.record(number)
    chronicle = viewed.chronicle
    line = list(chronicle.ancestors(number))[::-1] if number <= chronicle.count else [number]
    chosen = _chosen(viewed, line)
    nodes: list[Node] = []
    rows = []
    places = {one: place for place, one in enumerate(line)}
    label = _labels(viewed, [one for one in chosen if one <= chronicle.count])
    following = 0
    for one in chosen:
        skipped, following = places[one] - following, places[one] + 1
        if skipped:
            nodes.append(Node(label=f"… {skipped} more", kind="gap"))
        if one > chronicle.count:
            nodes.append(Node(label=f"#{one}", kind="failed", href=viewed.links.record(one)))
            continue
        place = one - 1
        improved, champion = (bool(chronicle.columns[name][place]) for name in ("improved", "champion"))
        operator = chronicle.operators[int(chronicle.columns["operator"][place])]
        outcome = viewed.outcome(one)
        gain = _gain(viewed, one)
        others = [(f"#{other}", viewed.links.record(other)) for other in chronicle.parents(one)[1:]]
        marks = " ".join(name for name, is_so in (("improved", improved), ("champion", champion)) if is_so)
        said = "  best of its time" if champion else ""
        nodes.append(
            Node(
                label=f"{label[one]}{said}", kind=marks or "plain", href=viewed.links.record(one),
                others=others,
            )
        )  # fmt: skip
        rows.append(
            {
                "number": one,
                "outcome": outcome,
                "operator": operator,
                "gain": gain,
                "improved": improved,
                "champion": champion,
                "parents": chronicle.parents(one),
            }
        )
    return {
        "number": number,
        "record": record,
        "length": len(line),
        "shown": len(chosen),
        "rows": rows,
        "graph": lineage_graph(nodes, title=f"the ancestors of record {number}, the seed first"),
        "is_read": number <= chronicle.count,
    }


def _labels(viewed: Viewed, numbers: Sequence[int]) -> dict[int, str]:
    """Number, operator and value of records, in columns."""
    chronicle = viewed.chronicle
    parts = []
    for number in numbers:
        operator, outcome = chronicle.operators[int(chronicle.columns["operator"][number - 1])], viewed.outcome(number)
        cut = operator if len(operator) <= _MOST_NAME else f"{operator[: _MOST_NAME - 1]}…"
        parts.append((f"#{number}", cut, f"{outcome:.8g}" if isinstance(outcome, float) else outcome))
    widths = [max(map(len, column)) for column in zip(*parts, strict=True)]
    return {
        number: "  ".join(part.ljust(width) for part, width in zip(one, widths, strict=True))
        for number, one in zip(numbers, parts, strict=True)
    }


def _gain(viewed: Viewed, number: int) -> float | None:
    """How much a record's value differs from that of its first parent."""
    parents = viewed.chronicle.parents(number)
    score, before = viewed.chronicle.score(number), viewed.chronicle.score(parents[0]) if parents else None
    if score is None or before is None:
        return None
    return viewed.chronicle.shown(score) - viewed.chronicle.shown(before)


def _chosen(viewed: Viewed, line: Sequence[int]) -> list[int]:
    """At most `_MOST_NODES` of a line: its ends, and of the rest those that improved, the latest first."""
    if len(line) <= _MOST_NODES:
        return list(line)
    improved = viewed.chronicle.columns["improved"]
    inner = line[1:-1]
    rises = [number for number in inner if improved[number - 1]]
    kept = set(rises[-(_MOST_NODES - 2) :])
    for number in reversed(inner):
        if len(kept) >= _MOST_NODES - 2:
            break
        kept.add(number)
    return [number for number in line if number in kept or number in (line[0], line[-1])]
