"""What a judge does first with untrusted data: make sure that it is the numbers that were asked for.

A boolean is no number, an integer that float64 cannot hold exactly is refused, and so are NaN and the
infinities, which pass every comparison that is written as "reject when above".
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from evoengine.problem import Reject

EXACT = 2**53
"""Every integer up to this size is a float64."""

UNIT = 1 << 1074
"""What 1.0 is as a `whole`."""

_PLAIN = frozenset((float, int))


def number(value: Any, what: str = "the answer") -> float:
    """A finite float64 from a JSON number.

    Raises:
        Reject: it is anything else.
    """
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and -EXACT <= value <= EXACT:
        return float(value)
    raise Reject(f"{what} should be a finite number, found {_shown(value)}")


def numbers(value: Any, *shape: int | None, longest: int = 1_000_000, what: str = "the answer") -> npt.NDArray[Any]:
    """A new finite float64 array of this shape from nested lists of JSON numbers.

    Args:
        value: nested lists; or a float64 array of one dimension where `shape` has one entry.
        shape: the length at each depth; None for any length from 1 to `longest`.
        longest: bound of the lengths given as None.
        what: how the value is called in the message.

    Raises:
        Reject: the value has another shape, or holds anything but finite numbers.
    """
    if len(shape) == 1:
        return _row(value, shape[0], longest, what)
    rows = _sized(value, shape[0], longest, what)
    parts = [numbers(row, *shape[1:], longest=longest, what=f"{what}[{place}]") for place, row in enumerate(rows)]
    if any(part.shape != parts[0].shape for part in parts):
        raise Reject(f"the parts of {what} should have equal lengths")
    return np.array(parts, dtype=np.float64)


def integers(
    value: Any, length: int | None, low: int, high: int, *, longest: int = 1_000_000, what: str = "the answer"
) -> list[int]:
    """Python integers from a list of JSON integers, or of floats that are integers up to 2^53.

    Args:
        value: the list; or a float64 array of one dimension.
        length: how many there should be; None for any number from 1 to `longest`.
        low: the smallest that one may be.
        high: the largest.
        longest: bound of a length given as None.
        what: how the value is called in the message.

    Raises:
        Reject: the value has another length, or holds anything else (a boolean, 0.5, NaN, a number out of range).
    """
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 1:
        _checked_length(len(value), length, longest, what)
        value = value.tolist()
    entries = _sized(value, length, longest, what)
    found = entries if set(map(type, entries)) <= {int} else [_integer(e, what, k) for k, e in enumerate(entries)]
    if found and not low <= min(found) <= max(found) <= high:
        place = next(k for k, entry in enumerate(found) if not low <= entry <= high)
        raise Reject(f"{what}[{place}] should be between {low} and {high}, found {_shown(found[place])}")
    return list(found)


def rows_of(value: Any, length: int | None, *, longest: int = 1_000_000, what: str = "the answer") -> list[Any]:
    """A list of anything, of this length, or of any from 1 to `longest`.

    Raises:
        Reject: it is none.
    """
    return _sized(value, length, longest, what)


def whole(value: float) -> int:
    """A finite float64 as an integer number of the smallest float64, 2^-1074: arithmetic without rounding."""
    numerator, denominator = value.as_integer_ratio()
    return numerator * (UNIT // denominator)


def rounded_up(value: Fraction) -> float:
    """The smallest float64 that is not below a fraction within its range: what an upper bound is told as."""
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def _row(value: Any, length: int | None, longest: int, what: str) -> npt.NDArray[Any]:
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 1:
        _checked_length(len(value), length, longest, what)
        row: npt.NDArray[Any] = value.copy()
    else:
        entries = _sized(value, length, longest, what)
        kinds = set(map(type, entries))
        if not kinds <= _PLAIN or (int in kinds and not all(-EXACT <= e <= EXACT for e in entries if type(e) is int)):
            for place, entry in enumerate(entries):
                number(entry, f"{what}[{place}]")
        row = np.array(entries, dtype=np.float64)
    if not np.isfinite(row).all():
        raise Reject(f"{what} should hold finite numbers only")
    return row


def _integer(value: Any, what: str, place: int) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    raise Reject(f"{what}[{place}] should be an integer, found {_shown(value)}")


def _sized(value: Any, length: int | None, longest: int, what: str) -> list[Any]:
    if type(value) is not list:
        raise Reject(f"{what} should be a list, found {_shown(value)}")
    _checked_length(len(value), length, longest, what)
    return value


def _checked_length(found: int, length: int | None, longest: int, what: str) -> None:
    if length is None and not 1 <= found <= longest:
        raise Reject(f"{what} should have between 1 and {longest} entries, found {found}")
    if length is not None and found != length:
        raise Reject(f"{what} should have {length} entries, found {found}")


def _shown(value: Any) -> str:
    match value:
        case bool() | None:
            return repr(value)
        case int() if abs(value) > EXACT:
            return "an integer that float64 cannot hold"
        case int() | float():
            return repr(value)
        case list():
            return f"a list of {len(value)}"
        case _:
            return f"a {type(value).__name__}"
