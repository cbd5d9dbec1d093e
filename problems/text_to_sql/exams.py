"""Exams: some questions, the databases that they are about, and the right results; one to learn on, one held out."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from evoengine.errors import ProblemError

from .comparing import Rows
from .databases import SCHEMAS, Database, made
from .querying import answered, built
from .questions import TEMPLATES, Question, asked

HELD_OUT = "held_out"
HELD_OUT_SHARE = 0.4
"""Of the templates and of the databases: both kinds of held-out ones are never seen in training."""

_VARIANTS = 8
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """Questions with what is needed to put and to judge them.

    Attributes:
        databases: by name; those of the questions.
        gold: the right result by the question's name; none is empty, or a lone zero or NULL.
        left_out: how many questions were not taken because of their result: it fails, is empty, or is too large.
    """

    questions: tuple[Question, ...]
    databases: Mapping[str, Database]
    gold: Mapping[str, Rows]
    left_out: int = 0


def generated(stage: str, *, seed: int, count: int, rows: int, steps: int) -> Exam:
    """An exam of generated questions about generated databases.

    Args:
        stage: "held_out", or any other for training.
        seed: of everything.
        count: questions; fewer when there are no more that differ.
        rows: of each database (`databases.made`).
        steps: that a query may take.
    """
    schemas = split(SCHEMAS, stage, f"text_to_sql/{seed}/schemas")
    templates = split(tuple(TEMPLATES), stage, f"text_to_sql/{seed}/templates")
    databases = {schema.name: made(schema, seed, rows) for schema in schemas}
    pairs = shuffled([(schema, one) for schema in schemas for one in templates], f"text_to_sql/{seed}/{stage}/pairs")
    # all pairs once before any comes again: as many templates on as many databases as can be
    questions = (asked(schema, one, seed, variant) for variant in range(_VARIANTS) for schema, one in pairs)
    return exam_of(questions, databases, count=count, steps=steps)


def exam_of(questions: Iterator[Question], databases: Mapping[str, Database], *, count: int, steps: int) -> Exam:
    """The first questions that have a result worth asking for, and no text that was there before.

    Raises:
        ProblemError: a database cannot be built, or no question is left.
    """
    opened: dict[str, sqlite3.Connection] = {}
    taken: list[Question] = []
    gold: dict[str, Rows] = {}
    seen: set[tuple[str, str]] = set()
    left_out = 0
    try:
        for question in questions:
            if len(taken) == count:
                break
            if (question.database, question.text) in seen:
                continue
            seen.add((question.database, question.text))
            if question.database not in opened:
                opened[question.database] = _built(databases[question.database])
            result = answered(opened[question.database], question.sql, steps)
            if "error" in result or _trivial(result["rows"]):
                left_out += 1
                continue
            taken.append(question)
            gold[question.name] = result["rows"]
    finally:
        for database in opened.values():
            database.close()
    if not taken:
        raise ProblemError(
            f"none of {left_out} questions has a result of 1 to 500 rows that is more than a zero, within {steps} "
            f"steps; raise 'steps', or look at the gold queries."
        )
    needed = {question.database for question in taken}
    return Exam(
        questions=tuple(taken),
        databases={name: database for name, database in databases.items() if name in needed},
        gold=gold,
        left_out=left_out,
    )


def split(things: Sequence[_T], stage: str, key: str) -> list[_T]:
    """The part of some things that a stage may see; the parts are disjoint and follow from the key."""
    mixed = shuffled(things, key)
    kept = max(1, round(len(mixed) * HELD_OUT_SHARE))
    return mixed[:kept] if stage == HELD_OUT else mixed[kept:]


def shuffled(things: Sequence[_T], key: str) -> list[_T]:
    """The things in an order that follows from the key."""
    draw = random.Random(key).random
    return [thing for _, _, thing in sorted((draw(), place, thing) for place, thing in enumerate(things))]


def _built(database: Database) -> sqlite3.Connection:
    try:
        return built(database.content())
    except sqlite3.Error as error:
        raise ProblemError(f"database {database.name!r} cannot be built in memory: {error}.") from None


def _trivial(rows: Rows) -> bool:
    """Whether a wrong query gives this easily: nothing, or a lone zero or NULL. Infinities cannot be compared."""
    if any(isinstance(cell, dict) and isinstance(cell.get("real"), str) for row in rows for cell in row):
        return True
    return not rows or rows in ([[None]], [[0]], [[{"real": 0.0}]])
