"""A campaign's records as a data frame."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from evoengine.analysis.sources import Recorded, reading_of
from evoengine.errors import MissingExtra
from evoengine.readable import encodable
from evoengine.reading import Reading, main_text
from evoengine.stores.base import Store

if TYPE_CHECKING:
    from pandas import DataFrame

_DTYPES = {
    "score": "float64", "cause": "category", "operator": "category", "model": "category", "island": "int32",
    "parent": "Int64", "parents": "object", "group": "Int64", "guidance": "Int64", "improved": "bool",
    "calls": "int64", "trials": "int64", "tokens": "int64", "money": "float64", "seconds": "float64",
    "tier": "category", "digest": "object", "code": "object",
}  # fmt: skip
"""By column; what a judge measured is float64."""
_LATER = ("calls", "trials", "tokens", "money", "seconds", "tier", "at", "digest", "code")


def frame(source: Recorded | Reading | Store | str, name: str | None = None, *, code: bool = False) -> DataFrame:
    """A row for each record, indexed by its number; scores are the problem's own values.

    `parent` is the record that was changed, `parents` a tuple of all that it was made from. Features and metrics are
    columns `feature:NAME` and `metric:NAME`. `improved` says whether a record was the best of its time, `at` when it
    was stored, `seconds` is time on a worker, and `money` US dollars. What has no UTF-8 form in a name is escaped.

    Args:
        source: a `Campaign`, an opened store, or a store's URL.
        name: of the campaign, where a store holds several.
        code: whether a column `code` holds the text that is run; `digest` tells programs apart without.

    Raises:
        MissingExtra: pandas is not installed.
        CampaignError: there is no such campaign, or nothing is recorded yet.
    """
    if find_spec("pandas") is None:
        raise MissingExtra("a data frame", "frame")
    import pandas as pd

    with reading_of(source, name) as reading:
        columns = _columns(reading, code)
    measured = [column for column in columns if column.startswith(("feature:", "metric:"))]
    order = [column for column in columns if column not in (*_LATER, *measured)]
    order += [*measured, *(column for column in _LATER if column in columns)]
    count = len(columns["score"])
    made = pd.DataFrame(
        {
            column: pd.to_datetime(pd.Series(columns[column], dtype="float64"), unit="s", utc=True)
            if column == "at"
            else pd.Series(columns[column], dtype=_DTYPES.get(column, "float64"))
            for column in order
        }
    )
    made.index = pd.RangeIndex(1, count + 1, name="number")
    made.attrs = {"campaign": reading.row.name, "problem": reading.row.problem, "direction": reading.about["direction"]}
    return made


def _columns(reading: Reading, code: bool) -> dict[str, list[Any]]:
    """The columns as lists, all of one length."""
    columns: dict[str, list[Any]] = {name: [] for name in (*_DTYPES, "at") if code or name != "code"}
    columns |= {encodable(f"feature:{feature.name}"): [] for feature in reading.features}
    names: dict[str | None, str | None] = {}
    sign, best = reading.shown(1.0), -math.inf
    for count, row in enumerate(reading.rows()):
        score = math.nan if row["score"] is None else row["score"]
        improved = sign * score > best and row["content"] is not None
        best = sign * score if improved else best
        told: dict[str, Any] = {
            **{name: row[name] for name in columns if name in row},
            "score": score,
            "parent": row["parents"][0] if row["parents"] else None,
            "parents": tuple(row["parents"]),
            "improved": improved,
            "digest": row["content"] and row["content"]["digest"],
        }
        for name in ("cause", "operator", "model", "tier"):  # one text for all records that say the same
            told[name] = names.setdefault(row[name], None if row[name] is None else encodable(row[name]))
        if code:
            told["code"] = main_text(row)
        for prefix, kind in (("feature", "features"), ("metric", "metrics")):
            told |= {encodable(f"{prefix}:{name}"): value for name, value in row[kind].items()}
        for name in told.keys() - columns.keys():
            columns[name] = [math.nan] * count  # a metric that no record before had
        for name, column in columns.items():
            column.append(told.get(name, math.nan if name.startswith(("feature:", "metric:")) else None))
    return columns
