"""A query in SQL that is rewritten so that SQLite needs fewer steps for the same rows."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Anchor, Feature, Harness, Limits, Program, Stage

from .databases import SCRIPT, SHOPS, Shop
from .running import counted

_HERE = Path(__file__).parent
MOST_SQL = 2000
"""Characters of a query: fewer than the rows of the databases would take."""
SLOWER = 3
"""How many times the steps of the first query another one may take."""
FRESH = Shop(customers=12)
"""A database that is another one for every query, whose text its rows follow from: no query can hold its result."""
_ANY = 10**9

FLOORS = {
    "latest_order": 24.6298161108,
    "above_average": 4.01658230483,
    "running_total": 6.19260714401,
    "best_sellers": 2.31209931737,
}
"""What queries rewritten by hand need, by task."""


class SqlQuery(Problem):
    """Rewrite a query; minimise the steps of SQLite's virtual machine, in per cent of the first query's.

    The query is data to a harness in the jail, which counts. The judge compares every row with those of the first
    query, which it ran itself.
    """

    name: ClassVar[str] = "sql_query"
    goal: ClassVar[str] = (
        "Rewrite the SQL query so that SQLite needs fewer steps of its virtual machine and gives exactly the same "
        "rows in the same order on every database of the schema. Minimise the steps in per cent of those of the first "
        "query (geometric mean over databases)."
    )
    notes: ClassVar[str] = (
        "The program is one SELECT (WITH is allowed) in SQLite's dialect. Schema: " + "; ".join(SCRIPT) + ". "
        "Databases differ; an order may have no items, a customer no orders; state may be NULL. There are no other "
        "indexes and no statistics. Functions on texts, JSON, LIKE, GLOB and group_concat are refused, as what they do "
        "is not counted; aggregates and window functions are there."
    )
    entry: ClassVar[str] = "counted"
    direction: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="growth", low=0.5, high=2.5, bins=20),
        Feature(name="length", low=0.0, high=1500.0, bins=15),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=6.0, wall_seconds=60.0, memory_mib=512, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    preload: ClassVar[tuple[str, ...]] = ("sqlite3",)
    harness: ClassVar[Harness | None] = Harness(
        program=Program.of((_HERE / "running.py").read_text(encoding="utf-8")), entry="counted"
    )

    task: Literal["latest_order", "above_average", "running_total", "best_sellers"] = "latest_order"

    @property
    def seed(self) -> Program:  # type: ignore[override]  # it depends on a setting
        """The first query."""
        return Program(files={"main.sql": first_query(self.task)}, language="sql")

    @property
    def floor(self) -> Anchor | None:  # type: ignore[override]  # it depends on a setting
        """What a query rewritten by hand needs."""
        return Anchor(value=FLOORS[self.task], source="a query rewritten by hand, benchmarks/floors.py")

    def play(self, candidate: Player, stage: str = "train") -> Score:
        content = candidate.content
        if not isinstance(content, Program) or len(content.text) > MOST_SQL:
            raise Reject(f"the program should be a query of at most {MOST_SQL} characters")
        shares: dict[str, float] = {}
        needed: list[tuple[float, int]] = []
        for name, shop in SHOPS[stage].items():
            rows, wanted, steps = known(self.task, stage, name)
            answer = candidate(SCRIPT, rows, content.text, SLOWER * steps)
            taken = _steps(answer, wanted, SLOWER * steps, name)
            shares[name] = 100.0 * taken / steps
            needed.append((taken, round(shop.customers * shop.orders)))
        rows, wanted, steps = first(self.task, FRESH, content.digest)
        _steps(candidate(SCRIPT, rows, content.text, SLOWER * steps), wanted, SLOWER * steps, "fresh")
        (less, small), (more, large) = needed[:2]
        return Score(
            math.prod(shares.values()) ** (1.0 / len(shares)),
            instances=shares,
            outputs={"steps": {name: int(taken) for name, (taken, _) in zip(shares, needed, strict=True)}},
            growth=math.log(more / less) / math.log(large / small),
        )


def first_query(task: str) -> str:
    """The query that is rewritten."""
    return (_HERE / "seeds" / f"{task}.sql").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def known(task: str, stage: str, name: str) -> tuple[dict[str, list[list[Any]]], str, int]:
    """What `first` gives for a database of a stage."""
    return first(task, SHOPS[stage][name], f"{stage}/{name}")


def first(task: str, shop: Shop, key: str) -> tuple[dict[str, list[list[Any]]], str, int]:
    """The rows of a database, the result of the first query as JSON, and the steps that it takes."""
    rows = shop.rows(key)
    found = counted(SCRIPT, rows, first_query(task), _ANY)
    return rows, json.dumps(found["rows"]), found["steps"]


def _steps(answer: Any, wanted: str, most: int, name: str) -> int:
    """The steps of an answer of the harness, whose rows are compared.

    Raises:
        Reject: the query failed, its rows are others, or the answer has not the form of one.
    """
    match answer:
        case {"error": str() as why}:
            raise Reject(f"on the database {name!r}: {why}")
        case {"rows": list() as rows, "steps": int() as steps, **rest} if not rest:
            # as JSON, since 1, 1.0 and True are equal and are not the same
            if json.dumps(rows) != wanted:
                raise Reject(f"on the database {name!r} the rows are others{_first(rows, json.loads(wanted))}")
            if not max(1, len(rows)) <= steps <= most:
                raise Reject(f"on the database {name!r} {len(rows)} rows cannot take {steps} steps")
            return steps
        case _:
            raise Reject(f"an answer should hold rows and steps, found {repr(answer)[:60]}")


def _first(rows: list[Any], wanted: list[Any]) -> str:
    if len(rows) != len(wanted):
        return f": {len(rows)} where {len(wanted)} should be"
    pairs = enumerate(zip(rows, wanted, strict=True))
    place = next(k for k, (one, other) in pairs if json.dumps(one) != json.dumps(other))
    return f": row {place + 1} is {repr(rows[place])[:80]} where {wanted[place]!r} should be"
