"""The trusted side's parser under streams made to break it: mutated frames, odd cuts, much of everything."""

from __future__ import annotations

import json
import math
import re
import struct
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from evoengine.sandboxes import CandidateError
from evoengine.sandboxes._frames import FloodError, FrameError, Inbox, answers, strict_json
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import job_of

pytestmark = pytest.mark.slow

LIMIT = 2**16
MIB = 2**20


def framed(header: bytes, tail: bytes = b"") -> bytes:
    return struct.pack("<II", len(header), len(tail)) + header + tail


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    """The stream in pieces, cut at these places."""
    ends = sorted({min(place, len(stream)) for place in places} | {len(stream)})
    return [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def told(pieces: Sequence[bytes], *, limit: int = LIMIT) -> list[str]:
    """What a reader is told that takes every frame as soon as it is there; the last words may be an error."""
    inbox, found = Inbox(limit), []
    for piece in pieces:
        inbox.feed(piece)
        try:
            while (frame := inbox.next()) is not None:
                assert_trustworthy(frame.header)
                assert_trustworthy(frame.tail)
                found.append(repr((frame.header, frame.tail.tolist())))
                inbox.restart()
        except FrameError as error:
            return [*found, f"refused: {error}"]
    return found


def assert_trustworthy(value: Any) -> None:
    """Nothing but strict JSON of exact types, and float64 arrays (N,); every number finite."""
    left = [value]
    while left:
        match left.pop():
            case np.ndarray() as array:
                assert array.dtype == np.float64
                assert array.ndim == 1
                assert all(map(math.isfinite, array.tolist()))
            case list() as items:
                left += items
            case dict() as items:
                left += items.values()
                left += items.keys()
            case str() as text:
                text.encode()
            case leaf:
                assert leaf is None or type(leaf) in (bool, int, float)
                assert leaf is None or abs(leaf) < math.inf


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20) + 1, 10**20 - 1) | numbers | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@st.composite
def valid_frames(draw: st.DrawFn) -> bytes:
    """What an honest runner may send."""
    match draw(st.integers(0, 3)):
        case 0:
            header, tail = {"loaded": True}, list[float]()
        case 1:
            header, tail = {"failed": "crashed", "feedback": draw(st.text(max_size=20))}, []
        case _:
            arrays = draw(st.lists(st.lists(numbers, max_size=4), max_size=3))
            others = draw(st.lists(values, min_size=0 if arrays else 1, max_size=3))
            places = [[place, len(array)] for place, array in enumerate(arrays)]
            header = {"answers": [None] * len(arrays) + others, "f8": places}
            tail = [number for array in arrays for number in array]
    return framed(json.dumps(header, separators=(",", ":")).encode(), np.array(tail, dtype="<f8").tobytes())


words = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1E+309", b"1e0309", b"9" * 400, b"9" * 309 + b".0", b"0" * 22]
marks = [
    b"[",
    b"]",
    b"{",
    b'"',
    b"\\",
    b"\\ud800",
    b",",
    b":",
    b"-",
    b"e",
    b"\xff",
    b"\xed\xa0\x80",
    b"\0",
    b"\xef\xbb\xbf",
]
parts = [b'"f8":', b'"answers":', b"[0,1]", b"\xff\xff\xff\xff", b"\x08\0\0\0"]
poison = st.sampled_from([*words, *marks, *parts, struct.pack("<d", math.inf), struct.pack("<d", math.nan)])


@st.composite
def mutated_streams(draw: st.DrawFn) -> bytes:
    """A few valid frames with a few edits: bytes changed, put in, taken out, or copied from elsewhere."""
    stream = bytearray(b"".join(draw(st.lists(valid_frames(), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(stream)))
        length = draw(st.integers(0, 9))
        match draw(st.integers(0, 4)):
            case 0:
                stream[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                stream[at:at] = draw(poison)
            case 2:
                stream[at : at + length] = draw(poison)
            case 3:
                del stream[at : at + length]
            case _:
                start = draw(st.integers(0, len(stream)))
                stream[at:at] = stream[start : start + 4 * length]
    return bytes(stream)


@st.composite
def headers_with_poison(draw: st.DrawFn) -> bytes:
    """One frame, of right lengths, whose header or tail has been tampered with: it gets past the framing."""
    whole = draw(valid_frames())
    size = struct.unpack_from("<I", whole)[0]
    header, tail = bytearray(whole[8 : 8 + size]), bytearray(whole[8 + size :])
    for _ in range(draw(st.integers(1, 3))):
        part = draw(st.sampled_from([header, header, tail]))
        at, length = draw(st.integers(0, len(part))), draw(st.integers(0, 3))
        part[at : at + length] = draw(poison)
    return framed(bytes(header), bytes(tail))


streams = mutated_streams() | headers_with_poison() | st.binary(max_size=200)
cuts = st.lists(st.integers(0, 400), max_size=12)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(streams, cuts)
@example(framed(b"[1e999]"), [])
@example(framed(b"[NaN]"), [3])
@example(framed(b"{}", b"\0\0\0\0\0\0\xf0\x7f"), [])
def test_a_stream_gives_trustworthy_frames_or_a_refusal_however_it_is_cut(stream: bytes, places: list[int]) -> None:
    found = told(cut(stream, places))
    assert found == told([stream])
    assert found == told([bytes([byte]) for byte in stream])


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(streams, st.integers(1, 4), st.booleans())
def test_answers_are_trustworthy_or_refused(stream: bytes, most: int, plain: bool) -> None:
    inbox = Inbox(LIMIT)
    inbox.feed(stream)
    try:
        while (frame := inbox.next()) is not None:
            found = answers(frame, most, plain=plain)
            assert 0 < len(found) <= most
            assert_trustworthy(found)
            assert not (plain and any(isinstance(one, np.ndarray) for one in found))
    except FrameError:
        pass


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(streams, st.integers(0, 300))
def test_a_refused_stream_stays_refused(stream: bytes, more: int) -> None:
    inbox = Inbox(LIMIT)
    inbox.feed(stream)
    try:
        while inbox.next() is not None:
            pass
    except FrameError as error:
        inbox.feed(b"\0" * more)
        with pytest.raises(FrameError, match=re.escape(str(error))):
            inbox.next()


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_a_frame_is_refused_by_its_declared_lengths_alone(header: int, tail: int, limit: int) -> None:
    declared = struct.pack("<II", header, tail)
    inbox = Inbox(limit)
    inbox.feed(declared)
    if header + tail > limit:
        with pytest.raises(FrameError, match="limit"):
            inbox.next()
    elif header + tail > 0:
        assert inbox.next() is None
        assert not inbox.full


@given(st.integers(0, 64), st.integers(0, 40))
def test_an_inbox_is_full_when_it_holds_more_than_any_frame_may_have(limit: int, excess: int) -> None:
    inbox = Inbox(limit)
    inbox.feed(bytes(limit + 8))
    assert not inbox.full
    inbox.feed(bytes(excess))
    assert inbox.full == (excess > 0)


FORGER = """
import base64, os
def f(stream):
    left = memoryview(base64.b64decode(stream))
    while left:
        left = left[os.write(3, left):]
    os._exit(0)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Unconfined]:
    sandbox = Unconfined()
    yield sandbox
    sandbox.shutdown()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams, st.integers(1, 3), st.booleans())
def test_whatever_a_process_sends_is_trustworthy_or_its_own_failure(
    sandbox: Unconfined, stream: bytes, most: int, plain: bool
) -> None:
    with sandbox.open(job_of(FORGER)) as session:
        session.load()
        try:
            found = session.batch([(b64encode(stream).decode(),)] * most, plain=plain)
        except CandidateError:
            found = []
    assert len(found) in (0, most)
    assert_trustworthy(found)
    assert not (plain and any(isinstance(one, np.ndarray) for one in found))
    with sandbox.open(job_of("def f(x):\n    return x + 1\n")) as session:
        session.load()
        assert session.batch([(41,)]) == [42]


def test_arrays_are_no_answer_where_plain_json_was_asked_for() -> None:
    inbox = Inbox(LIMIT)
    inbox.feed(framed(b'{"answers":[null],"f8":[[0,1]]}', struct.pack("<d", 1.0)) * 2)
    frame, same = inbox.next(), inbox.next()
    assert frame is not None
    assert same is not None
    assert answers(frame, 1)[0].tolist() == [1.0]
    with pytest.raises(FrameError, match="plain"):
        answers(same, 1, plain=True)


def allocated(action: Callable[[], object]) -> int:
    """The bytes that an action has taken at once beyond what was held before, given back or not."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    action()
    return tracemalloc.get_traced_memory()[1] - before


@pytest.fixture
def counted() -> Iterator[None]:
    """Memory is counted."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def much(unit: str, size: int) -> bytes:
    """A list of this text, over and over."""
    return f"[{','.join([unit] * (size // (len(unit) + 1)))}]".encode()


def shapes(size: int) -> dict[str, bytes]:
    """Text of about this many bytes that a parser may find hard, by what is hard about it."""
    return {
        "many lists": much("[]", size),
        "many nested lists": much("[" * 60 + "]" * 60, size),
        "many objects": much('{"":{"":{"":{"":0}}}}', size),
        "many keys": ("{" + ",".join(f'"{key}":0' for key in range(size // 10)) + "}").encode(),
        "many equal keys": ("{" + ",".join(['"a":0'] * (size // 6)) + "}").encode(),
        "many digits": b"[0." + b"1" * size + b"]",
        "a long integer": b"[" + b"9" * size + b"]",
        "a long exponent": b"[1e-" + b"1" * size + b"]",
        "a long exponent of zeros": b"[1e" + b"0" * size + b"]",
        "digits just short of too many": much("9" * 20, size),
        "exponents just short of too long": much("1e99", size),
        "floats with hooks": much("1e-100", size),
        "escapes": b'["' + b"\\u0101" * (size // 6) + b'"]',
        "surrogate pairs": much('"\\ud83d\\ude00"', size),
        "wide characters": ('["' + "x" * size + "😀" + '"]').encode(),
        "lines": b"[" + b"\n" * size,
        "brackets that never close": b"[" * size,
        "brackets that never open": b"]" * size,
        "brackets and open strings": b"[" * 100 + b'["' * (size // 2),
        "strings that never close": b"[" * 100 + b'"' + b'\\"' * (size // 2),
        "backslashes": b"[" * 100 + b'"' + b"\\" * size,
        "quotes": b"[" * 100 + b'"' * size,
    }


@pytest.mark.timeout(90)
@pytest.mark.parametrize("shape", sorted(shapes(0)))
def test_a_mebibyte_made_to_be_slow_is_read_or_refused(shape: str) -> None:
    # Anything quadratic does 10^11 steps and more here, which is an hour.
    assert len(told([framed(shapes(MIB)[shape])], limit=2 * MIB)) == 1


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("shape", sorted(shapes(0)))
def test_a_value_takes_at_most_fifty_times_the_memory_of_its_text(shape: str) -> None:
    # A list of nothing takes 64 bytes for the three of its text, an object 232 for seven.
    text = shapes(2**17)[shape]
    tracemalloc.reset_peak()
    try:
        value = strict_json(text)
    except FrameError:
        value = None
    _, peak = tracemalloc.get_traced_memory()
    assert peak < 50 * len(text) + 2**14
    del value


@pytest.mark.usefixtures("counted")
def test_a_piece_of_a_long_frame_costs_what_the_piece_is_and_not_what_is_held() -> None:
    # A copy of all that is held, at every piece, would make a frame in small pieces quadratic.
    stream = framed(json.dumps("x" * 2**18).encode())
    inbox, copies = Inbox(len(stream)), 0
    for at in range(0, len(stream), 64):
        copies += allocated(partial(inbox.feed, stream[at : at + 64])) > max(at // 2, 4096)
        if at + 64 < len(stream):
            copies += allocated(inbox.next) > max(at // 2, 4096)
    assert inbox.next() is not None
    assert copies <= 20


@pytest.mark.usefixtures("counted")
def test_a_short_frame_is_taken_out_of_many_at_the_cost_of_its_own_size() -> None:
    count = 20_000
    inbox, copies = Inbox(64), 0
    inbox.feed(framed(b"0") * count)
    for left in range(count, 0, -1):
        inbox.restart()
        copies += allocated(inbox.next) > max(9 * left // 2, 4096)
    assert inbox.next() is None
    assert copies <= 20


def test_what_one_exchange_brings_is_bounded_in_bytes_and_in_values() -> None:
    inbox = Inbox(64)
    inbox.feed(framed(b'"' + b"x" * 50 + b'"') * 20)
    with pytest.raises(FloodError):
        [inbox.next() for _ in range(20)]
    wide = Inbox(2**24)
    wide.feed(framed(b"[" + b",".join([b"[]"] * 2**21) + b"]") * 3)
    with pytest.raises(FloodError):
        [wide.next() for _ in range(3)]


@given(st.integers(0, 2000))
def test_many_short_frames_in_one_piece_are_all_there(count: int) -> None:
    assert told([framed(b"0") * count], limit=64) == ["(0, [])"] * count


@pytest.mark.usefixtures("counted")
def test_an_endless_stream_is_held_up_to_the_limit_only() -> None:
    chunk = 2**12
    inbox, taken = Inbox(LIMIT), 0
    body = b'"' + b"x" * (LIMIT - 2) + b'"'
    stream = framed(body) * 3
    while taken < 100 * LIMIT:
        at = taken % len(stream)
        inbox.feed(stream[at : at + chunk])
        taken += len(stream[at : at + chunk])
        while inbox.next() is not None:
            inbox.restart()
        assert not inbox.full
    _, peak = tracemalloc.get_traced_memory()
    # The stream itself, what is held (which may be over-allocated while it grows), a frame's copies and its value.
    assert peak < len(stream) + 10 * LIMIT
