"""What the trusted side reads of an untrusted process: nothing but strict JSON and finite numbers.

A frame is two little-endian uint32 (bytes of header, bytes of tail), the header in JSON, and the tail of raw
little-endian float64. Everything here is linear in the bytes received, and raises `FrameError` or returns.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from evoengine.types import JSON

Array: TypeAlias = npt.NDArray[np.float64]

MAX_DEPTH = 64
"""Nested lists and objects."""
MAX_DIGITS = 20
"""Of an integer."""

_EXCHANGE = 8
"""The largest frames that one exchange may bring."""
_MOST_VALUES = 1 << 22
"""Values in all frames of one exchange: an empty list takes forty times the memory of its text."""
_LENGTHS = struct.Struct("<II")
_NO_NUMBERS: Array = np.empty(0)
# Matches at every quote, closed or not, and never backtracks: otherwise text made to be refused takes O(N^2).
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_LONG_NUMBER = re.compile(rf"\d{{{MAX_DIGITS + 1}}}|[eE]\+?\d\d\d")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class FrameError(ValueError):
    """What was received is not a frame, or not strict JSON of finite numbers."""


class FloodError(FrameError):
    """More was received than may be."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. `tail` is (N,), finite."""

    header: JSON
    tail: Array


class Inbox:
    """Frames out of a stream of bytes.

    Args:
        limit: the most bytes that one frame may have.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.restart()
        self._held = bytearray()

    def restart(self) -> None:
        """Begins to count anew what one exchange brings."""
        self._bytes, self._values = _EXCHANGE * self._limit, _MOST_VALUES

    def feed(self, data: bytes) -> None:
        """Takes in what was received."""
        self._held += data

    @property
    def full(self) -> bool:
        """Whether it holds more than any frame may have."""
        return len(self._held) > self._limit + _LENGTHS.size

    def next(self) -> Frame | None:
        """The next frame, or None while it is not complete.

        Raises:
            FrameError: it is too long or malformed; the stream is of no more use.
        """
        if len(self._held) < _LENGTHS.size:
            return None
        header, tail = _LENGTHS.unpack_from(self._held)
        if header + tail > self._limit:
            raise FrameError(f"a message of {header + tail} bytes is over the limit of {self._limit}")
        start, end = _LENGTHS.size + header, _LENGTHS.size + header + tail
        if len(self._held) < end:
            return None
        text = bytes(self._held[_LENGTHS.size : start])
        self._bytes -= header + tail
        self._values -= text.count(b",") + text.count(b"[") + text.count(b"{")
        if self._bytes < 0 or self._values < 0:
            raise FloodError("the answers of one exchange together are over the limit")
        frame = Frame(strict_json(text), _numbers(bytes(self._held[start:end])))
        del self._held[:end]
        return frame


def encoded(header: JSON, tail: bytes = b"") -> bytes:
    """A frame.

    Raises:
        ValueError: the header holds NaN or infinity.
        TypeError: the header is not JSON.
    """
    text = _encode(header).encode()
    return _LENGTHS.pack(len(text), len(tail)) + text + tail


def encoded_calls(calls: Any, entry: str, plain: bool) -> bytes:
    """The frame that asks for these calls: sequences of JSON values and float64 arrays (N,).

    Raises:
        ValueError: an argument holds NaN or infinity, or is an array of more than one dimension.
        TypeError: an argument is neither JSON nor an array.
    """
    places: list[tuple[int, int, int]] = []
    tails: list[bytes] = []
    rows: list[list[Any]] = []
    for number, call in enumerate(calls):
        row = list(call)
        for place, argument in enumerate(row):
            if isinstance(argument, np.ndarray):
                if argument.ndim != 1:
                    raise ValueError(f"an argument is an array of shape {argument.shape}; send nested lists instead")
                tails.append(argument.astype("<f8", copy=False).tobytes())
                places.append((number, place, len(argument)))
                row[place] = None
        rows.append(row)
    return encoded({"calls": rows, "entry": entry, "plain": plain, "f8": places}, b"".join(tails))


def answers(frame: Frame, most: int, *, plain: bool = False) -> list[Any]:
    """The answers in a frame: strict JSON values and, unless `plain` is true, float64 arrays (N,).

    Raises:
        FrameError: it holds none or more than `most`, or its arrays are not the ones that it declares.
    """
    match frame.header:
        case {"answers": list() as values, "f8": list() as places} if 0 < len(values) <= most:
            pass
        case _:
            raise FrameError("the process sent something else than its answers")
    if plain and places:
        raise FrameError("an array was sent where plain JSON was asked for")
    offset = 0
    for declared in places:
        match declared:
            case [int() as place, int() as size] if type(place) is type(size) is int:
                pass
            case _:
                raise FrameError("an array is not declared as [place, length]")
        if not (0 <= place < len(values) and 0 <= size <= len(frame.tail) - offset) or values[place] is not None:
            raise FrameError("an array is declared where there is none")
        values[place] = frame.tail[offset : offset + size]
        offset += size
    if offset != len(frame.tail):
        raise FrameError("numbers were sent that no array declares")
    return values


def strict_json(data: bytes) -> JSON:
    """The value that UTF-8 encoded JSON text stands for.

    Raises:
        FrameError: it is not JSON, or it holds NaN, infinity (`1e999` too), an integer of more than
            `MAX_DIGITS` digits, more than `MAX_DEPTH` levels, or text that is not valid Unicode.
    """
    try:
        text = data.decode()
        if _depth(text) > MAX_DEPTH:
            raise FrameError(f"more than {MAX_DEPTH} levels of lists and objects")
        # Hooks for every number are slow, and needed only where a number could be out of range.
        value = (_checking if _LONG_NUMBER.search(text) else _plain).decode(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except FrameError:
        raise
    except (ValueError, RecursionError) as error:  # UnicodeError and JSONDecodeError are ValueErrors
        raise FrameError(f"not strict JSON: {error}") from None
    return value


def _depth(text: str) -> int:
    """The levels of nesting; exact for valid JSON."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    bare = np.frombuffer(_STRING.sub("", text).encode(), dtype=np.uint8)
    steps = ((bare == ord("[")) | (bare == ord("{"))).astype(np.int8)
    steps -= (bare == ord("]")) | (bare == ord("}"))
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def _numbers(data: bytes) -> Array:
    if not data:
        return _NO_NUMBERS
    if len(data) % 8:
        raise FrameError("the tail is not a whole number of float64")
    tail = np.frombuffer(data, dtype="<f8").astype(np.float64)
    if not np.isfinite(tail).all():
        raise FrameError("an array holds NaN or infinity")
    return tail


def _refuse(name: str) -> NoReturn:
    raise FrameError(f"{name} is not a number that may be used")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits[:40])


def _short(digits: str) -> int:
    return int(digits) if len(digits.lstrip("-")) <= MAX_DIGITS else _refuse(f"an integer of {len(digits)} digits")


_plain = json.JSONDecoder(parse_constant=_refuse)
_checking = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_short)
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
