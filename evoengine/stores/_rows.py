"""Between records and rows of the SQLite schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evoengine.types import (
    Candidate,
    Cause,
    Completion,
    Content,
    Context,
    Cost,
    Evaluation,
    Failed,
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
    match record.evaluation:
        case Scored(feedback=feedback, metrics=metrics, instances=instances, outputs=outputs):
            if not (feedback or metrics or instances or outputs or told):
                return None
            return (
                base + record.number,
                utf8(feedback) or None,
                _encode(dict(metrics)) if metrics else None,
                _encode(dict(instances)) if instances else None,
                None if outputs is None else utf8(outputs),
                told,
            )
        case Failed(feedback=feedback):
            if not (feedback or told):
                return None
            return (base + record.number, utf8(feedback) or None, None, None, None, told)


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
    seconds, tier, feedback, metrics, instances, outputs, turns, *content = rest
    return Record(
        number=number,
        candidate=Candidate(
            content=content_of(tuple(content)),
            island=island,
            operator=operator,
            parents=tuple(json.loads(parents)),
            group=group,
            turns=tuple(_turn_in(turn) for turn in json.loads(turns)) if turns else (),
        ),
        evaluation=evaluation_of(score, cause, features, metrics, instances, feedback, outputs),
        cost=Cost(calls=calls, trials=trials, tokens=tokens, money=money, seconds=seconds),
        tier=tier or "",
    )


SELECT_RECORDS = """
select r.number, r.island, r.operator, r.parents, r.sibling_group, r.score, r.cause, r.features,
       r.calls, r.trials, r.tokens, r.money, r.seconds, r.tier,
       d.feedback, d.metrics, d.instances, d.outputs, d.turns,
       c.kind, c.language, c.path, c.source, c.others, c.digest
from records r left join details d on d.id = r.id left join contents c on c.id = r.content
"""


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


def _turn_out(turn: Turn) -> dict[str, Any]:
    prompt, completion = turn.prompt, turn.completion
    return {
        "messages": [dict(message) for message in prompt.messages],
        "temperature": prompt.temperature,
        "max_tokens": prompt.max_tokens,
        "stop": list(prompt.stop),
        "seed": prompt.seed,
        "model": prompt.model,
        "asked_policy": prompt.policy,
        "text": completion.text,
        "thinking": completion.thinking,
        "token_ids": list(completion.token_ids),
        "logprobs": list(completion.logprobs),
        "policy": completion.policy,
        "prompt_tokens": completion.prompt_tokens,
        "cached_tokens": completion.cached_tokens,
        "tokens": completion.tokens,
        "money": completion.money,
        "finish": completion.finish,
    }


def _turn_in(turn: dict[str, Any]) -> Turn:
    return Turn(
        prompt=Prompt(
            messages=tuple(turn["messages"]),
            temperature=turn["temperature"],
            max_tokens=turn["max_tokens"],
            stop=tuple(turn["stop"]),
            seed=turn.get("seed"),
            model=turn.get("model"),
            policy=turn.get("asked_policy"),
        ),
        completion=Completion(
            text=turn["text"],
            thinking=turn.get("thinking", ""),
            token_ids=tuple(turn["token_ids"]),
            logprobs=tuple(turn["logprobs"]),
            policy=turn["policy"],
            prompt_tokens=turn["prompt_tokens"],
            cached_tokens=turn.get("cached_tokens", 0),
            tokens=turn.get("tokens", len(turn["token_ids"])),
            money=turn["money"],
            finish=turn.get("finish", ""),
        ),
    )
