"""Databases that are made from a seed: eight schemas of one shape, in words of their own, with traps in their rows.

Each has makers, things (of a kind, by a maker), people, and links between people and things with an amount. The
traps: names that several rows share, NULL in most columns that may hold it, things without a maker, people and
things without links, equal values, dates as text (in one of three forms, by schema), and spare columns.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .querying import quoted

Dates = Literal["iso", "dotted", "compact"]

YEARS = (2021, 2022, 2023)
PLACES = ("Norway", "Chile", "Kenya", "Japan", "Italy", "Peru")
_FIRST = ("Ada", "Bo", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kim", "Lea")
_LAST = ("Abel", "Berg", "Cruz", "Dahl", "Egan", "Ford", "Gray")
_ADJECTIVES = ("Amber", "Blue", "Calm", "Deep", "Early", "Final", "Green", "High", "Iron", "Jade")
_NOUNS = ("Arrow", "Bridge", "Circle", "Dawn", "Echo", "Field")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table in its schema's words: the column by its role."""

    name: str
    one: str
    many: str
    columns: Mapping[str, str]

    def __getitem__(self, role: str) -> str:
        return self.columns[role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Four tables in words of one trade, and what their rows are drawn from.

    Attributes:
        of: between a link and its thing in a sentence ("an order for a product").
        prices: the values of things.
        dates: the form of its dates.
    """

    name: str
    makers: Table
    things: Table
    people: Table
    links: Table
    of: str
    kinds: tuple[str, ...]
    prices: tuple[float, ...] | tuple[int, ...]
    dates: Dates

    def date(self, year: int, month: int, day: int) -> str:
        """A date in this schema's form."""
        match self.dates:
            case "iso":
                return f"{year}-{month:02}-{day:02}"
            case "dotted":
                return f"{day:02}.{month:02}.{year}"
            case "compact":
                return f"{year}{month:02}{day:02}"

    def year(self, column: str) -> str:
        """SQL for the four digits of the year in a column of dates."""
        return f"substr({column}, 7, 4)" if self.dates == "dotted" else f"substr({column}, 1, 4)"

    def sortable(self, column: str) -> str:
        """SQL that sorts as the dates in a column do."""
        if self.dates != "dotted":
            return column
        return f"substr({column}, 7, 4) || substr({column}, 4, 2) || substr({column}, 1, 2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Statements that make tables, and rows in the order of their columns: `querying.built` makes it."""

    name: str
    script: tuple[str, ...]
    rows: Mapping[str, list[list[Any]]]
    notes: str = ""
    """What is known of the columns, for the task model."""

    def content(self) -> dict[str, Any]:
        """What the jail builds it from."""
        return {"name": self.name, "script": list(self.script), "rows": self.rows}

    def shown(self, sample: int) -> str:
        """The statements, and the first rows of each table, for a prompt."""
        parts = [";\n".join(self.script) + ";"]
        for table, rows in self.rows.items() if sample else ():
            lines = [_row(row) for row in rows[:sample]]
            parts.append("\n".join([f"-- {quoted(table)} has {len(rows)} rows; the first are:", *lines]))
        return "\n".join([*parts, self.notes] if self.notes else parts)


def _row(row: list[Any]) -> str:
    return "-- " + ", ".join("NULL" if cell is None else _short(str(_bare(cell))) for cell in row)


def _bare(cell: Any) -> Any:
    match cell:
        case {"real": number}:
            return number
        case {"blob": digits}:
            return f"x'{digits}'"
        case str():
            return repr(cell)
        case _:
            return cell


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _table(name: str, one: str, /, **columns: str) -> Table:
    return Table(name=name, one=one, many=name.replace("_", " "), columns=columns)


SCHEMAS: tuple[Schema, ...] = (
    Schema(
        name="shop",
        makers=_table("suppliers", "supplier", id="supplier_id", name="name", place="country"),
        things=_table("products", "product", id="product_id", name="title", maker="supplier_id", kind="category",
                      value="price", date="listed_on"),
        people=_table("customers", "customer", id="customer_id", name="name", place="country", date="joined_on"),
        links=_table("orders", "order", id="order_id", thing="product_id", person="customer_id", amount="quantity",
                     date="ordered_on"),
        of="for", kinds=("garden", "kitchen", "office", "sport", "toys"), prices=(2.5, 4.99, 9.95, 12.0, 19.5, 30.25),
        dates="iso",
    ),
    Schema(
        name="library",
        makers=_table("authors", "author", id="id", name="name", place="homeland"),
        things=_table("books", "book", id="id", name="title", maker="author", kind="genre", value="pages",
                      date="bought"),
        people=_table("members", "member", id="id", name="full_name", place="origin", date="since"),
        links=_table("loans", "loan", id="id", thing="book", person="member", amount="days", date="lent"),
        of="of", kinds=("crime", "history", "poetry", "science", "travel"), prices=(90, 120, 250, 250, 310, 480),
        dates="dotted",
    ),
    Schema(
        name="school",
        makers=_table("teachers", "teacher", id="teacher_no", name="name", place="nationality"),
        things=_table("courses", "course", id="course_no", name="title", maker="taught_by", kind="subject",
                      value="hours", date="first_day"),
        people=_table("students", "student", id="student_no", name="name", place="nationality", date="enrolled_on"),
        links=_table("enrolments", "enrolment", id="enrolment_no", thing="course_no", person="student_no",
                     amount="points", date="taken_on"),
        of="in", kinds=("art", "biology", "chemistry", "maths", "music"), prices=(10, 20, 20, 30, 45), dates="compact",
    ),
    Schema(
        name="hospital",
        makers=_table("departments", "department", id="dept_id", name="dept_name", place="donor_country"),
        things=_table("treatments", "treatment", id="treatment_id", name="label", maker="dept_id", kind="type",
                      value="fee", date="approved"),
        people=_table("patients", "patient", id="patient_id", name="patient_name", place="country", date="registered"),
        links=_table("sessions", "session", id="session_id", thing="treatment_id", person="patient_id",
                     amount="minutes", date="held"),
        of="of", kinds=("laser", "massage", "scan", "surgery", "therapy"), prices=(40.0, 55.5, 80.0, 80.0, 120.75),
        dates="iso",
    ),
    Schema(
        name="flights",
        makers=_table("airlines", "airline", id="code", name="airline", place="registered_in"),
        things=_table("flights", "flight", id="flight_no", name="call_sign", maker="operated_by", kind="class",
                      value="distance", date="opened"),
        people=_table("passengers", "passenger", id="passenger_no", name="passenger", place="passport",
                      date="member_since"),
        links=_table("bookings", "booking", id="ref", thing="flight_no", person="passenger_no", amount="seats",
                     date="departs"),
        of="on", kinds=("cargo", "charter", "domestic", "night", "regional"), prices=(320, 540, 540, 1200, 2400),
        dates="compact",
    ),
    Schema(
        name="cinema",
        makers=_table("directors", "director", id="director_id", name="director_name", place="born_in"),
        things=_table("films", "film", id="film_id", name="film_title", maker="director_id", kind="genre",
                      value="length_min", date="released"),
        people=_table("viewers", "viewer", id="viewer_id", name="nickname", place="lives_in", date="signed_up"),
        links=_table("ratings", "rating", id="rating_id", thing="film_id", person="viewer_id", amount="stars",
                     date="rated"),
        of="of", kinds=("comedy", "drama", "horror", "mystery", "western"), prices=(80, 95, 95, 110, 140),
        dates="dotted",
    ),
    Schema(
        name="gym",
        makers=_table("trainers", "trainer", id="t_id", name="t_name", place="t_country"),
        things=_table("classes", "class", id="c_id", name="c_name", maker="c_trainer", kind="c_style", value="c_cost",
                      date="c_start"),
        people=_table("athletes", "athlete", id="a_id", name="a_name", place="a_country", date="a_joined"),
        links=_table("visits", "visit", id="v_id", thing="v_class", person="v_athlete", amount="v_laps", date="v_date"),
        of="to", kinds=("boxing", "cycling", "rowing", "swimming", "yoga"), prices=(5.0, 7.5, 7.5, 12.5, 20.0),
        dates="iso",
    ),
    Schema(
        name="museum",
        makers=_table("artists", "artist", id="artist_id", name="artist", place="country"),
        things=_table("works", "work", id="work_id", name="title", maker="artist_id", kind="style", value="height_cm",
                      date="acquired"),
        people=_table("visitors", "visitor", id="visitor_id", name="visitor", place="country", date="first_visit"),
        links=_table("likes", "like", id="like_id", thing="work_id", person="visitor_id", amount="seconds",
                     date="liked"),
        of="of", kinds=("abstract", "baroque", "cubist", "gothic", "realist"), prices=(30, 45, 60, 60, 150),
        dates="dotted",
    ),
)  # fmt: skip


def made(schema: Schema, seed: int, rows: int) -> Database:
    """The database of a schema; always the same for a seed, since Python keeps `random.random` stable.

    Args:
        schema: its tables and words.
        seed: of the rows.
        rows: how many things and how many people; there are four times as many links and a fifth of makers.
    """
    draw = _Draw(f"text_to_sql/{seed}/{schema.name}")
    makers, things, people, links = schema.makers, schema.things, schema.people, schema.links
    count = max(4, rows // 5)
    value = "REAL" if isinstance(schema.prices[0], float) else "INTEGER"
    script = (
        f"CREATE TABLE {makers.name} ({makers['id']} INTEGER PRIMARY KEY, {makers['name']} TEXT NOT NULL, "
        f"{makers['place']} TEXT)",
        f"CREATE TABLE {things.name} ({things['id']} INTEGER PRIMARY KEY, {things['name']} TEXT NOT NULL, "
        f"{things['maker']} INTEGER REFERENCES {makers.name}, {things['kind']} TEXT, {things['value']} {value}, "
        f"{things['date']} TEXT NOT NULL)",
        f"CREATE TABLE {people.name} ({people['id']} INTEGER PRIMARY KEY, {people['name']} TEXT NOT NULL, "
        f"{people['place']} TEXT, {people['date']} TEXT NOT NULL, remarks TEXT)",
        f"CREATE TABLE {links.name} ({links['id']} INTEGER PRIMARY KEY, {links['person']} INTEGER NOT NULL "
        f"REFERENCES {people.name}, {links['thing']} INTEGER NOT NULL REFERENCES {things.name}, "
        f"{links['amount']} INTEGER, {links['date']} TEXT NOT NULL)",
    )
    busy_things = [place for place in range(1, rows + 1) if place % 7]
    busy_people = [place for place in range(1, rows + 1) if place % 6]
    filled: dict[str, list[list[Any]]] = {
        makers.name: [[k, draw.person(), draw.perhaps(draw.one(PLACES))] for k in range(1, count + 1)],
        things.name: [
            [k, f"{draw.one(_ADJECTIVES)} {draw.one(_NOUNS)}", draw.perhaps(1 + draw.below(count)),
             draw.perhaps(draw.one(schema.kinds)), draw.perhaps(draw.one(schema.prices)), draw.date(schema)]
            for k in range(1, rows + 1)
        ],
        people.name: [
            [k, draw.person(), draw.perhaps(draw.one(PLACES)), draw.date(schema),
             draw.one((None, None, "", "vip"))]
            for k in range(1, rows + 1)
        ],
        links.name: [
            [k, draw.one(busy_people), draw.one(busy_things), draw.perhaps(1 + draw.below(9)), draw.date(schema)]
            for k in range(1, 4 * rows + 1)
        ],
    }  # fmt: skip
    return Database(
        name=schema.name,
        script=script,
        rows={table: [[_exact(cell) for cell in row] for row in found] for table, found in filled.items()},
    )


def _exact(cell: Any) -> Any:
    """A cell as `querying` takes it: JSON does not tell 12.0 from 12 everywhere."""
    return {"real": cell} if isinstance(cell, float) else cell


class _Draw:
    """Draws from a stream of numbers that only `random.random` is asked for."""

    def __init__(self, key: str) -> None:
        self._random = random.Random(key).random

    def below(self, most: int) -> int:
        return int(self._random() * most)

    def one(self, choices: Any) -> Any:
        return choices[self.below(len(choices))]

    def perhaps(self, value: Any) -> Any:
        """The value, or one time in eight nothing."""
        return None if self._random() < 0.125 else value

    def person(self) -> str:
        return f"{self.one(_FIRST)} {self.one(_LAST)}"

    def date(self, schema: Schema) -> str:
        return schema.date(self.one(YEARS), 1 + self.below(12), 1 + self.below(28))
