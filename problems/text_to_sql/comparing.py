"""Whether two results of queries are the same, and where they first differ.

Equal are: NULL and NULL; texts and blobs that are the same, byte for byte; integers that are the same; a real number
and another number that differ by at most `TOLERANCE * max(1, |a|, |b|)`. A text is never equal to a number, and an
infinity to nothing. Names of columns do not matter, their order does; how often a row occurs does.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = list[list[Any]]
"""Cells as `querying` gives them."""

TOLERANCE = 1e-6
_SHOWN_CHARS = 160


def difference(wanted: Rows, given: Rows, *, ordered: bool) -> str | None:
    """How a result differs from the one that is wanted; None when it does not.

    Args:
        wanted: the trusted result.
        given: an untrusted one, of the form that `well_formed` accepts.
        ordered: whether the order of the rows counts.
    """
    if len(given) != len(wanted):
        missing = _first_only_in(wanted, given)
        seen = f", for example {_shown(missing)} is missing" if missing is not None else ""
        return f"{_rows(len(given))} where {_rows(len(wanted))} should be{seen}"
    if wanted and len(given[0]) != len(wanted[0]):
        return f"rows such as {_shown(given[0])} where rows such as {_shown(wanted[0])} should be"
    if ordered:
        for place, (one, other) in enumerate(zip(wanted, given, strict=True), start=1):
            if not all(map(_equal, one, other)):
                return f"row {place} is {_shown(other)} where {_shown(one)} should be"
        return None
    if _same_rows(wanted, given):
        return None
    missing, extra = _first_only_in(wanted, given), _first_only_in(given, wanted)
    if missing is None or extra is None:
        return "the rows occur another number of times"
    return f"{_shown(missing)} is missing, {_shown(extra)} should not be there"


def well_formed(answer: Any) -> bool:
    """Whether an untrusted answer holds rows: lists of cells, all of one length."""
    match answer:
        case {"rows": list() as rows}:
            return all(isinstance(row, list) and len(row) == len(rows[0]) and all(map(_is_cell, row)) for row in rows)
        case _:
            return False


def _is_cell(cell: Any) -> bool:
    match cell:
        case None | str():
            return True
        case bool():
            return False
        case int():
            return -(2**63) <= cell < 2**63
        case {"real": float() | "inf" | "-inf" | "nan", **rest} | {"blob": str(), **rest}:
            return not rest
        case _:
            return False


def _equal(one: Any, other: Any) -> bool:
    a, b = _number(one), _number(other)
    if a is None or b is None:
        return bool(one == other) and type(one) is type(other)
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def _number(cell: Any) -> int | float | None:
    match cell:
        case int():
            return cell
        case {"real": number}:
            return float(number)
        case _:
            return None


def _same_rows(wanted: Rows, given: Rows) -> bool:
    """Whether the rows can be paired so that each equals its partner.

    Rows are first told apart by what has to be the same exactly; only what is left is paired by a matching, since
    "about equal" is no equivalence, and sorting may pair wrongly where there are several real numbers.
    """
    width = range(len(wanted[0]) if wanted else 0)
    rough = [k for k in width if any(isinstance(row[k], dict) and "real" in row[k] for row in (*wanted, *given))]
    ours, theirs = _by_exact_part(wanted, rough), _by_exact_part(given, rough)
    if {key: len(rows) for key, rows in ours.items()} != {key: len(rows) for key, rows in theirs.items()}:
        return False
    return not rough or all(_pairs_up(rows, theirs[key], rough) for key, rows in ours.items())


def _by_exact_part(rows: Rows, rough: list[int]) -> dict[str, Rows]:
    groups: dict[str, Rows] = defaultdict(list)
    for row in rows:
        exact = ["number" if k in rough and _number(cell) is not None else [cell] for k, cell in enumerate(row)]
        groups[json.dumps(exact, sort_keys=True)].append(row)
    return groups


def _pairs_up(ours: Rows, theirs: Rows, rough: list[int]) -> bool:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    close = np.ones((len(ours), len(theirs)), dtype=bool)
    for k in rough:
        if _number(ours[0][k]) is not None:
            close &= _close([_number(row[k]) for row in ours], [_number(row[k]) for row in theirs])
    return bool((maximum_bipartite_matching(csr_matrix(close), perm_type="column") >= 0).all())


def _close(ours: list[Any], theirs: list[Any]) -> npt.NDArray[np.bool_]:
    """Which numbers (N,) are equal to which (M,): (N, M)."""
    a, b = (np.array(values, dtype=np.float64) for values in (ours, theirs))
    whole_a, whole_b = (np.array([type(value) is int for value in values]) for values in (ours, theirs))
    exact_a, exact_b = (
        np.array([value if type(value) is int else 0 for value in values], dtype=np.int64) for values in (ours, theirs)
    )
    with np.errstate(invalid="ignore"):
        near = np.abs(a[:, None] - b) <= TOLERANCE * np.maximum(1.0, np.maximum(np.abs(a)[:, None], np.abs(b)))
    near &= np.isfinite(a)[:, None] & np.isfinite(b)
    both = whole_a[:, None] & whole_b
    found: npt.NDArray[np.bool_] = np.where(both, exact_a[:, None] == exact_b, near)
    return found


def _first_only_in(rows: Rows, others: Rows) -> list[Any] | None:
    """The first row that occurs more often than among the others; for people, so exactly alike is enough."""
    left = Counter(json.dumps(row) for row in others)
    for row in rows:
        key = json.dumps(row)
        if not left[key]:
            return row
        left[key] -= 1
    return None


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _shown(row: list[Any]) -> str:
    text = "(" + ", ".join(_text(cell) for cell in row) + ")"
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."


def _text(cell: Any) -> str:
    match cell:
        case None:
            return "NULL"
        case {"real": number}:
            return f"{number:.10g}" if isinstance(number, float) else str(number)
        case {"blob": digits}:
            return f"x'{digits}'"
        case str():
            return repr(cell)
        case _:
            return str(cell)
