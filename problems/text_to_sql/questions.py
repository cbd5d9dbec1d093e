"""Questions about the databases of `databases`, each with the gold query that answers it.

A template is a function of a schema and a draw. Every question says which columns are wanted, in which order, whether
the rows have an order, and what to do with what is unknown: there is one right result.
"""

# ruff: noqa: D103  # what a template asks for is told by its question
from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .databases import PLACES, YEARS, Schema

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about a database.

    Attributes:
        name: of the instance.
        database: its name.
        template: what it was made from.
        text: the question.
        sql: the gold query.
        ordered: whether the order of the rows counts.
    """

    name: str
    database: str
    template: str
    text: str
    sql: str
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a template gives."""

    text: str
    sql: str
    ordered: bool = False


class Words:
    """A schema's tables and columns under short names, and what a question draws."""

    def __init__(self, schema: Schema, key: str) -> None:
        self.schema = schema
        self.m, self.t, self.p, self.k = schema.makers, schema.things, schema.people, schema.links
        self.random = random.Random(key).random
        self.joined = f"{self.k.name} k JOIN {self.t.name} t ON k.{self.k['thing']} = t.{self.t['id']}"
        self.a_link = f"{_a(self.k.one)} {schema.of} {_a(self.t.one)}"
        self.kind = self.one(schema.kinds)
        self.other_kind = self.one([kind for kind in schema.kinds if kind != self.kind])
        self.year = self.one(YEARS)
        self.few = 2 + int(self.random() * 4)
        self.value = self.one(sorted(set(schema.prices))[1:-1])

    def one(self, choices: Sequence[_T]) -> _T:
        """One of a sequence."""
        return choices[int(self.random() * len(choices))]


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def count_kind(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"How many {t.many} have the {t['kind']} {w.kind!r}?",
        f"SELECT count(*) FROM {t.name} WHERE {t['kind']} = '{w.kind}'",
    )


def not_of_kind(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"Give the {t['id']} of all {t.many} whose {t['kind']} is not {w.kind!r}; "
        f"those whose {t['kind']} is not known belong to them too.",
        f"SELECT {t['id']} FROM {t.name} WHERE {t['kind']} IS NOT '{w.kind}'",
    )


def filtered_in_order(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"Give {t['name']} and {t['value']} of the {t.many} whose {t['value']} is {w.value} or more, the highest "
        f"{t['value']} first, and those with the same one by {t['id']} ascending.",
        f"SELECT {t['name']}, {t['value']} FROM {t.name} WHERE {t['value']} >= {w.value} "
        f"ORDER BY {t['value']} DESC, {t['id']}",
        ordered=True,
    )


def of_a_makers_place(w: Words) -> Asked:
    t, m = w.t, w.m
    place = w.one(PLACES)
    return Asked(
        f"Give {t['id']} and {t['name']} of the {t.many} whose {m.one} has the {m['place']} {place!r}.",
        f"SELECT t.{t['id']}, t.{t['name']} FROM {t.name} t JOIN {m.name} m ON t.{t['maker']} = m.{m['id']} "
        f"WHERE m.{m['place']} = '{place}'",
    )


def count_by_kind(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"For each {t['kind']} of {t.many} that is known, give it and the number of {t.many} that have it.",
        f"SELECT {t['kind']}, count(*) FROM {t.name} WHERE {t['kind']} IS NOT NULL GROUP BY {t['kind']}",
    )


def makers_with_several(w: Words) -> Asked:
    t, m = w.t, w.m
    return Asked(
        f"Give {m['id']}, {m['name']} and the number of their {t.many} for all {m.many} with at least {w.few} "
        f"{t.many}.",
        f"SELECT m.{m['id']}, m.{m['name']}, count(*) FROM {m.name} m JOIN {t.name} t "
        f"ON t.{t['maker']} = m.{m['id']} GROUP BY m.{m['id']} HAVING count(*) >= {w.few}",
    )


def links_of_everyone(w: Words) -> Asked:
    p, k = w.p, w.k
    return Asked(
        f"For each of the {p.many}, also those without any, give {p['id']} and the number of {k.many}.",
        f"SELECT p.{p['id']}, count(k.{k['id']}) FROM {p.name} p LEFT JOIN {k.name} k "
        f"ON k.{k['person']} = p.{p['id']} GROUP BY p.{p['id']}",
    )


def leaders_by_total(w: Words) -> Asked:
    p, k = w.p, w.k
    total = f"sum(k.{k['amount']})"
    return Asked(
        f"Which {w.few} {p.many} have the highest total {k['amount']} over all their {k.many}? Give {p['id']}, "
        f"{p['name']} and the total, the highest first, and equal totals by {p['id']} ascending. {p.many.capitalize()} "
        f"with the same name are different {p.many}.",
        f"SELECT p.{p['id']}, p.{p['name']}, {total} FROM {p.name} p JOIN {k.name} k "
        f"ON k.{k['person']} = p.{p['id']} GROUP BY p.{p['id']} HAVING {total} IS NOT NULL "
        f"ORDER BY {total} DESC, p.{p['id']} LIMIT {w.few}",
        ordered=True,
    )


def total_in_a_year(w: Words) -> Asked:
    k = w.k
    return Asked(
        f"What is the total {k['amount']} of all {k.many} whose {k['date']} is in the year {w.year}?",
        f"SELECT sum({k['amount']}) FROM {k.name} WHERE {w.schema.year(k['date'])} = '{w.year}'",
    )


def never_linked(w: Words) -> Asked:
    t, k = w.t, w.k
    return Asked(
        f"Give {t['id']} and {t['name']} of the {t.many} without any {k.one}.",
        f"SELECT {t['id']}, {t['name']} FROM {t.name} WHERE {t['id']} NOT IN (SELECT {k['thing']} FROM {k.name})",
    )


def above_average(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"Give {t['id']} and {t['value']} of the {t.many} whose {t['value']} is above the average {t['value']} of all "
        f"{t.many} for which it is known.",
        f"SELECT {t['id']}, {t['value']} FROM {t.name} WHERE {t['value']} > (SELECT avg({t['value']}) FROM {t.name})",
    )


def unknown_amounts(w: Words) -> Asked:
    t, k = w.t, w.k
    return Asked(
        f"How many {k.many} {w.schema.of} {t.many} with the {t['kind']} {w.kind!r} have no known {k['amount']}?",
        f"SELECT count(*) FROM {w.joined} WHERE t.{t['kind']} = '{w.kind}' AND k.{k['amount']} IS NULL",
    )


def different_people_by_place(w: Words) -> Asked:
    p, t, k = w.p, w.t, w.k
    return Asked(
        f"For each known {p['place']} of {p.many}, give it and how many different {p.many} from there have at least "
        f"one {k.one} {w.schema.of} {_a(t.one)} with the {t['kind']} {w.kind!r}. Leave out those with none.",
        f"SELECT p.{p['place']}, count(DISTINCT p.{p['id']}) FROM {w.joined} JOIN {p.name} p "
        f"ON k.{k['person']} = p.{p['id']} WHERE t.{t['kind']} = '{w.kind}' AND p.{p['place']} IS NOT NULL "
        f"GROUP BY p.{p['place']}",
    )


def places_of_both(w: Words) -> Asked:
    p, m = w.p, w.m
    return Asked(
        f"Which values occur both as {m['place']} of {m.many} and as {p['place']} of {p.many}? Give each once.",
        f"SELECT {m['place']} FROM {m.name} WHERE {m['place']} IS NOT NULL INTERSECT SELECT {p['place']} FROM {p.name}",
    )


def dearest_of_each_maker(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"For each {t['maker']} that is known, give it with the {t['id']} and {t['value']} of the {t.one} with the "
        f"highest {t['value']}; where several have the highest one, give all of them, in a row each.",
        f"SELECT t.{t['maker']}, t.{t['id']}, t.{t['value']} FROM {t.name} t WHERE t.{t['maker']} IS NOT NULL AND "
        f"t.{t['value']} = (SELECT max(o.{t['value']}) FROM {t.name} o WHERE o.{t['maker']} = t.{t['maker']})",
    )


def people_with_both_kinds(w: Words) -> Asked:
    p, t, k = w.p, w.t, w.k
    some = f"SELECT k.{k['person']} FROM {w.joined} WHERE t.{t['kind']}"
    return Asked(
        f"Give {p['id']} and {p['name']} of the {p.many} who have {w.a_link} with the {t['kind']} {w.kind!r} and also "
        f"{w.a_link} with the {t['kind']} {w.other_kind!r}.",
        f"SELECT {p['id']}, {p['name']} FROM {p.name} WHERE {p['id']} IN ({some} = '{w.kind}' "
        f"INTERSECT {some} = '{w.other_kind}')",
    )


def people_with_one_kind_only(w: Words) -> Asked:
    p, t, k = w.p, w.t, w.k
    some = f"SELECT k.{k['person']} FROM {w.joined} WHERE t.{t['kind']}"
    return Asked(
        f"Give the {p['id']} of the {p.many} who have {w.a_link} with the {t['kind']} {w.kind!r} but none with the "
        f"{t['kind']} {w.other_kind!r}.",
        f"{some} = '{w.kind}' EXCEPT {some} = '{w.other_kind}'",
    )


def people_with_many_kinds(w: Words) -> Asked:
    p, t, k = w.p, w.t, w.k
    return Asked(
        f"Give {p['id']} and the number of different known values of {t['kind']} among the {t.many} of their {k.many}, "
        f"for the {p.many} with at least {w.few} such values.",
        f"SELECT k.{k['person']}, count(DISTINCT t.{t['kind']}) FROM {w.joined} GROUP BY k.{k['person']} "
        f"HAVING count(DISTINCT t.{t['kind']}) >= {w.few}",
    )


def average_of_totals(w: Words) -> Asked:
    p, k = w.p, w.k
    return Asked(
        f"Take the total known {k['amount']} of each of the {p.many} who have at least one {k.one} with a known "
        f"{k['amount']}. What is the average of these totals?",
        f"SELECT avg(total) FROM (SELECT sum({k['amount']}) AS total FROM {k.name} WHERE {k['amount']} IS NOT NULL "
        f"GROUP BY {k['person']})",
    )


def share_of_large(w: Words) -> Asked:
    k = w.k
    return Asked(
        f"Of the {k.many} with a known {k['amount']}, what percentage (0 to 100, not rounded) has "
        f"{_a(k['amount'])} of {w.few + 2} or more?",
        f"SELECT 100.0 * sum({k['amount']} >= {w.few + 2}) / count({k['amount']}) FROM {k.name}",
    )


def first_dates(w: Words) -> Asked:
    k = w.k
    when = w.schema.sortable(k["date"])
    return Asked(
        f"Which are the {w.few + 1} earliest {k.many}? Give {k['id']} and {k['date']}, the earliest {k['date']} first, "
        f"and those of the same day by {k['id']} ascending.",
        f"SELECT {k['id']}, {k['date']} FROM {k.name} ORDER BY {when}, {k['id']} LIMIT {w.few + 1}",
        ordered=True,
    )


def shared_names(w: Words) -> Asked:
    p = w.p
    return Asked(
        f"Which {p['name']} do several {p.many} share? Give it and how many share it.",
        f"SELECT {p['name']}, count(*) FROM {p.name} GROUP BY {p['name']} HAVING count(*) > 1",
    )


def second_highest(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"Give {t['id']} and {t['name']} of the {t.many} that have the second highest of the different values of "
        f"{t['value']}.",
        f"SELECT {t['id']}, {t['name']} FROM {t.name} WHERE {t['value']} = "
        f"(SELECT DISTINCT {t['value']} FROM {t.name} ORDER BY {t['value']} DESC LIMIT 1 OFFSET 1)",
    )


def pairs_of_one_maker(w: Words) -> Asked:
    t = w.t
    return Asked(
        f"How many pairs of different {t.many} have the same known {t['maker']} and the same known {t['kind']}? "
        f"Count each pair once.",
        f"SELECT count(*) FROM {t.name} a JOIN {t.name} b ON a.{t['maker']} = b.{t['maker']} AND "
        f"a.{t['kind']} = b.{t['kind']} AND a.{t['id']} < b.{t['id']}",
    )


def total_by_kind_and_year(w: Words) -> Asked:
    t, k = w.t, w.k
    year = w.schema.year(f"k.{k['date']}")
    return Asked(
        f"For each known {t['kind']} of {t.many}, give it and the number of their {k.many} whose {k['date']} is in the "
        f"year {w.year}, the most first, and equal numbers by {t['kind']} in alphabetical order. Leave out those with "
        f"none.",
        f"SELECT t.{t['kind']}, count(*) FROM {w.joined} WHERE {year} = '{w.year}' AND t.{t['kind']} IS NOT NULL "
        f"GROUP BY t.{t['kind']} ORDER BY count(*) DESC, t.{t['kind']}",
        ordered=True,
    )


TEMPLATES: dict[str, Callable[[Words], Asked]] = {
    template.__name__: template
    for template in (
        count_kind, not_of_kind, filtered_in_order, of_a_makers_place, count_by_kind, makers_with_several,
        links_of_everyone, leaders_by_total, total_in_a_year, never_linked, above_average, unknown_amounts,
        different_people_by_place, places_of_both, dearest_of_each_maker, people_with_both_kinds,
        people_with_one_kind_only, people_with_many_kinds, average_of_totals, share_of_large, first_dates,
        shared_names, second_highest, pairs_of_one_maker, total_by_kind_and_year,
    )
}  # fmt: skip
"""By name."""


def asked(schema: Schema, template: str, seed: int, variant: int) -> Question:
    """The question that a template makes of a schema; another one for another variant, where it has any."""
    found = TEMPLATES[template](Words(schema, f"text_to_sql/{seed}/{schema.name}/{template}/{variant}"))
    return Question(
        name=f"{schema.name}/{template}/{variant}",
        database=schema.name,
        template=template,
        text=found.text,
        sql=found.sql,
        ordered=found.ordered,
    )
