"""The trusted side's parser: hostile bytes in, strict data or its own error out."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evoengine.sandboxes._frames import (
    MAX_DEPTH,
    Frame,
    FrameError,
    Inbox,
    answers,
    encoded,
    encoded_calls,
    strict_json,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20) + 1, 10**20 - 1) | finite | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)
words = [*'[]{}",:1-.\\é ', '"a"', "[1]", '{"a":1}', "e9", "e999", "E+400", "1e-400", "NaN", "Infinity", "-Infinity"]
words += ["null", "true", "0" * 25, "\\ud800", "\\u0000"]
fragments = st.lists(st.sampled_from(words), max_size=40).map("".join)


def scalars(value: Any) -> list[Any]:
    """Every leaf of a JSON value."""
    left: list[Any] = [value]
    found: list[Any] = []
    while left:
        match left.pop():
            case list() as items:
                left += items
            case dict() as items:
                left += items.values()
                found += items.keys()
            case leaf:
                found.append(leaf)
    return found


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 and from True, and 0.0 from -0.0."""
    return repr(one) == repr(other)


def framed(header: bytes, tail: bytes = b"") -> bytes:
    return struct.pack("<II", len(header), len(tail)) + header + tail


def received(data: bytes, limit: int = 10**6) -> Frame | None:
    inbox = Inbox(limit)
    inbox.feed(data)
    return inbox.next()


@given(plain)
def test_json_comes_back_as_it_was(value: Any) -> None:
    assert same(strict_json(json.dumps(value).encode()), value)
    frame = received(encoded(value))
    assert frame is not None
    assert same(frame.header, value)


@settings(max_examples=300)
@given(st.binary(max_size=200) | fragments.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b'"\\')
@example(b'"' + b'\\"' * 500)
def test_no_bytes_make_the_parser_raise_anything_but_its_own_error(data: bytes) -> None:
    try:
        value = strict_json(data)
    except FrameError:
        return
    for leaf in scalars(value):
        assert leaf is None or type(leaf) in (bool, int, float, str)
        if type(leaf) is float:
            assert math.isfinite(leaf)
        if type(leaf) is int:
            assert abs(leaf) < 10**20
        if type(leaf) is str:
            leaf.encode()


@given(st.binary(max_size=100), st.binary(max_size=40), st.integers(1, 4))
def test_no_frame_makes_the_parser_raise_anything_but_its_own_error(header: bytes, tail: bytes, most: int) -> None:
    try:
        frame = received(framed(header, tail))
        if frame is not None:
            assert np.isfinite(frame.tail).all()
            answers(frame, most)
    except FrameError:
        pass


hostile_answers = st.fixed_dictionaries(
    {
        "answers": plain | st.lists(st.none() | st.integers(0, 3), max_size=4),
        "f8": plain | st.lists(st.lists(st.integers(-2, 5) | st.booleans(), max_size=3), max_size=4),
    }
)


@settings(max_examples=300)
@given(hostile_answers, st.lists(finite, max_size=6), st.integers(1, 4))
def test_accepted_answers_hold_exactly_the_numbers_that_were_sent(header: Any, tail: list[float], most: int) -> None:
    frame = received(framed(json.dumps(header).encode(), np.array(tail, dtype="<f8").tobytes()))
    assert frame is not None
    try:
        found = answers(frame, most)
    except FrameError:
        return
    assert 0 < len(found) <= most
    arrays = [one for one in found if isinstance(one, np.ndarray)]
    assert sum(map(len, arrays)) == len(tail)
    assert sorted(float(x) for array in arrays for x in array) == sorted(tail)


@pytest.mark.parametrize(
    "header",
    [
        '{"answers":[7],"f8":[[0,2]]}',
        '{"answers":[null],"f8":[[-1,2]]}',
        '{"answers":[null],"f8":[[1,2]]}',
        '{"answers":[null],"f8":[[0,3]]}',
        '{"answers":[null],"f8":[[0,1]]}',
        '{"answers":[null,null],"f8":[[0,3],[1,-1]]}',
        '{"answers":[null],"f8":[[0,2],[0,0]]}',
        '{"answers":[null],"f8":[[false,2]]}',
        '{"answers":[null],"f8":[[0,2.0]]}',
        '{"answers":[null,1,2],"f8":[[0,2]]}',
        '{"answers":[],"f8":[]}',
        '{"f8":[[0,2]]}',
        "[]",
    ],
)
def test_answers_that_do_not_fit_their_declaration_are_refused(header: str) -> None:
    frame = received(framed(header.encode(), np.array([1.0, 2.0]).tobytes()))
    assert frame is not None
    with pytest.raises(FrameError):
        answers(frame, 2)


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "[Infinity]", '{"a":-Infinity}', "1e999", "-1e999", "[1E+309]", "1" * 400 + ".0"),
        *("9" * 21, "-" + "9" * 21, "9" * 5000, '"\\ud800"', '{"\\udfff":1}'),
        *("", "[1,]", "{1:2}", "'a'", "[" * 65 + "]" * 65, "[" * 10**5),
    ],
)
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(FrameError):
        strict_json(text.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9" * 20, 10**20 - 1),
        ("1e308", 1e308),
        ("1e-999", 0.0),
        ("0." + "1" * 30, 0.1111111111111111),
        ('"' + "9" * 30 + '"', "9" * 30),
        ('"NaN 1e999 [[["', "NaN 1e999 [[["),
        ('"\\ud83d\\ude00"', "😀"),
        ("true", True),
        ("1", 1),
        ("1.0", 1.0),
    ],
)
def test_what_only_looks_odd_is_kept(text: str, value: Any) -> None:
    assert same(strict_json(text.encode()), value)


@given(st.integers(1, 2 * MAX_DEPTH), st.booleans())
def test_exactly_the_levels_that_are_too_many_are_refused(levels: int, objects: bool) -> None:
    text = '{"[":' * levels + "0" + "}" * levels if objects else "[" * levels + "]" * levels
    wide = f"[{text},{','.join(['[]'] * 200)}]"
    if levels + 1 > MAX_DEPTH:
        with pytest.raises(FrameError):
            strict_json(wide.encode())
    else:
        assert len(strict_json(wide.encode())) == 201


def test_brackets_in_strings_are_no_levels() -> None:
    value = ["[[{" * 100, '\\"[', {"]": "\\"}] * 50
    assert strict_json(json.dumps(value).encode()) == value


@pytest.mark.timeout(60)
def test_text_made_to_be_slow_is_refused_at_once() -> None:
    # In quadratic time, this would take a quarter of an hour.
    with pytest.raises(FrameError):
        strict_json(b"[" * 100 + b'"' + b'\\"' * 2**20)


def test_a_frame_longer_than_the_limit_is_refused_before_it_has_arrived() -> None:
    with pytest.raises(FrameError, match="limit"):
        received(struct.pack("<II", 10**9, 0), limit=1000)
    with pytest.raises(FrameError, match="limit"):
        received(struct.pack("<II", 2, 2**32 - 1), limit=1000)


@pytest.mark.parametrize("tail", [b"1234567", np.array([np.nan]).tobytes(), np.array([1.0, -np.inf]).tobytes()])
def test_a_tail_of_anything_but_finite_numbers_is_refused(tail: bytes) -> None:
    with pytest.raises(FrameError):
        received(framed(b"{}", tail))


@given(st.lists(plain, min_size=1, max_size=4), st.data())
def test_frames_survive_any_cutting_of_the_stream(values: list[Any], data: st.DataObject) -> None:
    stream = b"".join(encoded(value) for value in values)
    inbox, found = Inbox(10**6), list[Any]()
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        inbox.feed(stream[:size])
        stream = stream[size:]
        while (frame := inbox.next()) is not None:
            found.append(frame.header)
    assert same(found, values)


@given(st.lists(st.lists(finite, max_size=5), min_size=1, max_size=4))
def test_arrays_among_arguments_are_listed_in_order(rows: list[list[float]]) -> None:
    frame = received(encoded_calls([(1, np.array(row), "x") for row in rows], "f", True))
    assert frame is not None
    assert frame.header["calls"] == [[1, None, "x"]] * len(rows)
    assert frame.header["f8"] == [[number, 1, len(row)] for number, row in enumerate(rows)]
    assert frame.tail.tolist() == [x for row in rows for x in row]


@pytest.mark.parametrize("argument", [float("inf"), np.ones((2, 2)), {1, 2}, object()])
def test_arguments_that_are_not_data_are_the_senders_mistake(argument: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        encoded_calls([(argument,)], "f", True)
