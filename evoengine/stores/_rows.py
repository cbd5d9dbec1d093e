"""Between records and rows of the SQLite schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from evoengine.stores.base import Outline
from evoengine.types import (
    SEED,
    Action,
    Candidate,
    Cause,
    Completion,
    Content,
    Context,
    Cost,
    Evaluation,
    Failed,
    Note,
    Program,
    Prompt,
    Record,
    Scored,
    Turn,
)

NUMBERS = 1 << 40
"""Records that one campaign's range of ids can hold."""

_readable = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_escaped = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def record_row(base: int, campaign: int, record: Record, content: int | None, at: float) -> tuple[Any, ...]:
    """The row of table `records`."""
    candidate, cost = record.candidate, record.cost
    match record.evaluation:
        case Scored(score=score, features=features):
            judged: tuple[Any, ...] = (score, None, _encode(dict(features)) if features else None)
        case Failed(cause=cause):
            judged = (None, cause.value, None)
    return (
        base + record.number,
        campaign,
        record.number,
        content,
        candidate.island,
        candidate.operator,
        str(list(candidate.parents)),
        candidate.group,
        *judged,
        cost.calls,
        cost.trials,
        cost.tokens,
        cost.money,
        cost.seconds,
        at,
        record.tier or None,
    )


def detail_row(base: int, record: Record) -> tuple[Any, ...] | None:
    """The row of table `details`; None when it would say nothing."""
    turns = record.candidate.turns
    told = _encode([_turn_out(turn) for turn in turns]) if turns else None
    origin = _origin(record.candidate)
    match record.evaluation:
        case Scored(feedback=feedback, metrics=metrics, instances=instances, outputs=outputs):
            if not (feedback or metrics or instances or outputs or told or origin):
                return None
            return (
                base + record.number,
                utf8(feedback) or None,
                _encode(dict(metrics)) if metrics else None,
                _encode(dict(instances)) if instances else None,
                None if outputs is None else utf8(outputs),
                told,
                origin,
            )
        case Failed(feedback=feedback):
            if not (feedback or told or origin):
                return None
            return (base + record.number, utf8(feedback) or None, None, None, None, told, origin)


def content_row(content: Content, number: int, first_record: int) -> tuple[Any, ...]:
    """The row of table `contents`; `first_record` is the id of the record that brought it."""
    match content:
        case Program(language=language, main=main, text=text, files=files):
            others = {path: text for path, text in files.items() if path != main}
            return (number, content.digest, first_record, "program", language, utf8(main), utf8(text), _others(others))
        case Context(sections=sections):
            text = "\n\n".join(sections.values())
            return (number, content.digest, first_record, "context", None, None, utf8(text), _others(sections))


def record_of(row: tuple[Any, ...]) -> Record:
    """The record of a row of `SELECT_RECORDS`."""
    number, island, operator, parents, group, score, cause, features, calls, trials, tokens, money, *rest = row
    seconds, tier, feedback, metrics, instances, outputs, turns, origin, *content = rest
    return Record(
        number=number,
        candidate=Candidate(
            content=content_of(tuple(content)),
            island=island,
            operator=operator,
            parents=tuple(json.loads(parents)),
            group=group,
            turns=tuple(_turn_in(turn) for turn in json.loads(turns)) if turns else (),
            **_origin_of(origin),
        ),
        evaluation=evaluation_of(score, cause, features, metrics, instances, feedback, outputs),
        cost=Cost(calls=calls, trials=trials, tokens=tokens, money=money, seconds=seconds),
        tier=tier or "",
    )


SELECT_RECORDS = """
select r.number, r.island, r.operator, r.parents, r.sibling_group, r.score, r.cause, r.features,
       r.calls, r.trials, r.tokens, r.money, r.seconds, r.tier,
       d.feedback, d.metrics, d.instances, d.outputs, d.turns, d.origin,
       c.kind, c.language, c.path, c.source, c.others, c.digest
from records r left join details d on d.id = r.id left join contents c on c.id = r.content
"""


# Two paths make json_extract give a JSON list, in which an escaped half of a surrogate pair stays escaped: alone it is
# no text that Python's sqlite3 could hand over. `model` may be any text that a server sends as its name.
SELECT_OUTLINES = f"""
select r.number, r.island, r.operator, r.parents, r.score, r.cause, r.features, r.calls, r.tokens, r.money, r.seconds,
       r.tier,
       case when d.turns is not null and r.operator <> '{SEED}'
            then json_extract(d.turns, '$[#-1][1].policy', '$[#-1][1].policy') end,
       json_extract(d.origin, '$.guidance'), r.content is not null, r.at, json_extract(d.origin, '$.action')
from records r left join details d on d.id = r.id
where r.id > ? and r.id <= ? order by r.id
"""


def outline_of_row(row: tuple[Any, ...]) -> Outline:
    """The outline of a row of `SELECT_OUTLINES`."""
    number, island, operator, parents, score, cause, features, calls, tokens, money, seconds, *rest = row
    tier, model, guidance, held, at, action = rest
    return Outline(
        number,
        island,
        operator,
        tuple(json.loads(parents)),
        score,
        None if cause is None else Cause(cause),
        json.loads(features) if features else {},
        calls,
        tokens,
        money,
        seconds,
        tier or "",
        (json.loads(model)[0] or "") if model else "",
        guidance,
        bool(held),
        at,
        None if action is None else Action.heard(json.loads(action)),
    )


SELECT_ELITE = """
select r.score, r.features, d.metrics, d.instances, d.feedback, d.outputs,
       c.kind, c.language, c.path, c.source, c.others, c.digest
from records r join contents c on c.id = r.content left join details d on d.id = r.id
where r.score is not null and r.id = ?
"""


def elite_of(row: tuple[Any, ...]) -> tuple[Content, Scored]:
    """The content and score of a row of `SELECT_ELITE`."""
    score, features, metrics, instances, feedback, outputs, *columns = row
    content = content_of(tuple(columns))
    scored = evaluation_of(score, None, features, metrics, instances, feedback, outputs)
    assert content is not None
    assert isinstance(scored, Scored)
    return content, scored


def evaluation_of(
    score: float | None,
    cause: str | None,
    features: str | None,
    metrics: str | None,
    instances: str | None,
    feedback: str | bytes | None,
    outputs: str | bytes | None,
) -> Evaluation:
    """An evaluation from its columns."""
    if score is None:
        return Failed(cause=Cause(cause), feedback=_text(feedback or ""))
    return Scored(
        score=score,
        features=json.loads(features) if features else {},
        metrics=json.loads(metrics) if metrics else {},
        instances=json.loads(instances) if instances else {},
        feedback=_text(feedback or ""),
        outputs=None if outputs is None else _text(outputs),
    )


def content_of(row: tuple[Any, ...]) -> Content | None:
    """A content from its columns kind, language, path, source, others, digest."""
    kind, language, path, source, others, digest = row
    more = json.loads(others) if others else {}
    match kind:
        case None:
            return None
        case "program":
            return Program.known({_text(path): _text(source), **more}, language, digest)
        case _:
            return Context(sections=more)


def decision_row(campaign: int, action: Action, at: str) -> tuple[Any, ...]:
    """The row of table `decisions`, but for its id."""
    match action.content:
        case None:
            content = None
        case Program(language=language, files=files):
            content = json.dumps({"language": language, "files": dict(files)})
        case Context(sections=sections):
            content = json.dumps({"sections": dict(sections)})
    return (campaign, _encode(action.told()), content, at)


def decision_of(row: tuple[Any, ...]) -> Action:
    """What a person decided, from the columns id, action and content."""
    place, action, content = row
    held: dict[str, Any] | None = None if content is None else json.loads(content)
    kind = Context if held is not None and "sections" in held else Program
    return replace(Action.heard(json.loads(action)), place=place, content=None if held is None else kind(**held))


def _others(parts: Mapping[str, str]) -> str | None:
    return json.dumps(dict(parts)) if parts else None  # ASCII: lone surrogates survive


def _encode(value: Any) -> str:
    """JSON that people can read in the database; escaped only where there is no UTF-8 form."""
    text = _readable(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _escaped(value)
    return text


def utf8(text: str) -> str | bytes:
    """Text as SQLite takes it: what has no UTF-8 form (lone surrogates) goes in as bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text if "\0" not in text else text.encode()


def _text(source: str | bytes) -> str:
    return source if isinstance(source, str) else source.decode("utf-8", "surrogatepass")


def _plain(value: Any) -> dict[str, Any]:
    """The fields of a value as JSON values, but for those that have their defaults."""
    told = {}
    for field in fields(value):
        found = getattr(value, field.name)
        if found != field.default:
            told[field.name] = [dict(one) for one in found] if field.name == "messages" else found
    return told


def _value(kind: Callable[..., Any], told: Mapping[str, Any]) -> Any:
    """A value from what `_plain` gave; JSON's lists are tuples again."""
    return kind(**{name: tuple(found) if isinstance(found, list) else found for name, found in told.items()})


def _turn_out(turn: Turn) -> list[Any]:
    return [_plain(turn.prompt), _plain(turn.completion), *([True] if turn.judging else [])]


def _turn_in(turn: list[Any]) -> Turn:
    prompt, completion, *judging = turn
    return Turn(prompt=_value(Prompt, prompt), completion=_value(Completion, completion), judging=bool(judging))


def _origin(candidate: Candidate) -> str | None:
    """What else a record says of how its candidate was made."""
    told: dict[str, Any] = {}
    if candidate.guidance is not None:
        told["guidance"] = candidate.guidance
    if candidate.lessons:
        told["lessons"] = candidate.lessons
    if candidate.withheld:
        told["withheld"] = candidate.withheld
    if candidate.note is not None:
        told["note"] = _plain(candidate.note)
    if candidate.shown:
        told["shown"] = candidate.shown
    if candidate.version is not None:
        told["version"] = candidate.version
    if candidate.control:
        told["control"] = True
    if candidate.action is not None:
        told["action"] = candidate.action.told()
    return _encode(told) if told else None


def _origin_of(text: str | None) -> dict[str, Any]:
    """The same as keyword arguments of a `Candidate`."""
    told: dict[str, Any] = json.loads(text) if text else {}
    for name in ("lessons", "withheld", "shown"):
        if name in told:
            told[name] = tuple(told[name])
    if "note" in told:
        told["note"] = _value(Note, told["note"])
    if "action" in told:
        told["action"] = Action.heard(told["action"])
    return told
