from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.gates._bands import Bands
from evoengine.gates.minhash import MinHash
from evoengine.types import Cause, Context, Program
from tests.gates.records import record_of


def program(*, change="", constant="0.5", lines=400, last="total"):
    """A program of many different statements."""
    body = "".join(f"    total += weight_{at} * sin(total - {at}) / bound_{at}\n" for at in range(lines))
    return f"def f(total):\n    start = {constant}\n{body}{change}    return {last} + start\n"


def after(*contents, **settings_):
    gate = MinHash(**settings_)
    for number, content in enumerate(contents, start=1):
        gate.take(record_of(number, content))
    return gate


def refused(gate, child):
    return gate.refusal(Program.of(child) if isinstance(child, str) else child)


def test_a_child_that_hardly_differs_is_refused_with_the_record_that_it_is_like():
    found = refused(after("x = 1\n", program(), program(lines=20)), program(change="    print(total)\n"))
    assert found.cause is Cause.SIMILAR
    assert "record 2" in found.feedback


def test_a_small_edit_of_a_small_program_passes():
    assert refused(after(program(lines=5)), program(lines=5, last="-total")) is None


def test_another_constant_is_another_program_unless_numbers_do_not_count():
    assert refused(after(program()), program(constant="0.75")) is None
    assert refused(after(program(), numbers=False), program(constant="0.75")) is not None


def test_two_constants_that_change_places_make_another_program():
    one, other = "def f(a):\n    return a * 2 + 3\n", "def f(a):\n    return a * 3 + 2\n"
    assert refused(after(one), other) is None
    assert refused(after(one, numbers=False), other) is not None


def test_a_lower_threshold_refuses_more():
    child = program(lines=60, change="    if total > bound_0:\n        total -= weight_0 * sin(bound_1 - total)\n")
    assert refused(after(program(lines=60)), child) is None
    assert refused(after(program(lines=60), threshold=0.9), child) is not None


def test_only_scored_programs_are_compared():
    gate = MinHash()
    gate.take(record_of(1, program(), None, Cause.CRASHED))
    assert refused(gate, program(change="    print(total)\n")) is None


def test_programs_of_different_languages_and_contexts_are_not_compared():
    text = " ".join(f"word{number}" for number in range(300))
    cpp, rust = (Program(files={"main": text}, language=language) for language in ("cpp", "rust"))
    gate = after(cpp)
    assert refused(gate, Program(files={"main": text + " more"}, language="cpp")) is not None
    assert refused(gate, rust) is None
    assert refused(gate, Context(sections={"main": text})) is None


def words(first, last):
    return Context(sections={"a": " ".join(f"word{number}" for number in range(first, last))})


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 10**6), common=st.integers(100, 400), more=st.integers(0, 15))
def test_the_estimate_is_near_the_true_share(start, common, more):
    """Of two sets of words, one in the other, told by runs of one token: five deviations of 1,024 minima at most."""
    true = (common + 1) / (common + more + 1)  # the section's name is one more
    wide = 5 * (true * (1 - true) / 1024) ** 0.5 + 1 / 1024
    gate = after(words(start, start + common), shingle=1, permutations=1024, threshold=true - wide)
    assert refused(gate, words(start, start + common + more)) is not None
    if true + wide < 1:
        gate = after(words(start, start + common), shingle=1, permutations=1024, threshold=true + wide)
        assert refused(gate, words(start, start + common + more)) is None


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    differing=st.integers(0, 12),
    count=st.integers(0, 2600),
    asked=st.integers(0, 20),
)
def test_the_index_finds_what_a_scan_finds(seed, differing, count, asked):
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, size=(5, 64), dtype=np.uint8)
    rows = base[rng.integers(0, 5, size=count + 1)]
    changed = rng.random(rows.shape) < rng.choice([0.0, 0.02, 0.1, 0.3], size=(count + 1, 1))
    rows = np.where(changed, rng.integers(0, 256, size=rows.shape, dtype=np.uint8), rows)
    groups = rng.integers(0, 2, size=count + 1)
    sizes = rng.choice([100, 99, 60], size=count + 1)
    index = Bands(width=64, differing=differing)
    for at in range(count):
        index.add(at + 1, rows[at], int(sizes[at]), int(groups[at]))
    query, group, size = base[asked % 5], asked % 2, 100
    least = 1 - differing / 64
    near = [
        at + 1
        for at in range(count)
        if groups[at] == group and (rows[at] != query).sum() <= differing and sizes[at] / size >= least
    ]
    found = index.first(query, size, group)
    assert (found[0] if found else None) == (near[0] if near else None)


def rows_that_differ(query, *places):
    """An index, all of it in order, of a row for each set of places in which it differs."""
    rows = np.repeat(query[None, :], len(places), axis=0)
    for row, some in zip(rows, places, strict=True):
        row[list(some)] += 1
    index = Bands(width=len(query), differing=max(len(some) for some in places))
    ones = np.ones(len(rows), dtype=np.uint32)
    index.extend(np.arange(1, len(rows) + 1, dtype=np.uint32), rows, ones, ones.astype(np.uint64))
    return index


@settings(max_examples=100, deadline=None)
@given(places=st.sets(st.integers(0, 63), min_size=1, max_size=12))
def test_a_lookup_misses_nothing_wherever_rows_differ(places):
    query = np.zeros(64, dtype=np.uint8)
    assert rows_that_differ(query, places).first(query, 1, 1) is not None
    spread = range(0, 64, 64 // len(places))[: len(places)]
    assert rows_that_differ(query, spread).first(query, 1, 1) is not None


@pytest.mark.parametrize("places", [(0, 63), (63, 0)])
def test_the_oldest_near_row_is_found(places):
    query = np.zeros(64, dtype=np.uint8)
    found = rows_that_differ(query, *((place,) for place in places)).first(query, 1, 1)
    assert found == (1, 63 / 64)


def test_a_lookup_compares_few_of_many_rows(monkeypatch):
    rng = np.random.default_rng(0)
    index = Bands(width=128, differing=1)
    rows = rng.integers(0, 256, size=(20_000, 128), dtype=np.uint8)
    ones = np.ones(len(rows))
    index.extend(
        np.arange(1, len(rows) + 1, dtype=np.uint32), rows, ones.astype(np.uint32), ones.astype(np.uint64)
    )  # fmt: skip
    compared = []
    near = Bands._near

    def counting(self, some, *given):
        compared.append(len(some))
        return near(self, some, *given)

    monkeypatch.setattr(Bands, "_near", counting)
    assert index.first(rows[12_345], 1, 1) == (12_346, 1.0)
    assert sum(compared) < 50


def test_a_kept_state_takes_two_hundred_characters_of_a_record():
    gate = after(*(f"x = {number}\n" for number in range(300)))
    assert len(json.dumps(gate.state())) < 300 * 200 + 200


@pytest.mark.parametrize("hashing", ["0", "1"])
def test_a_sketch_is_the_same_in_every_process(hashing):
    code = (
        "import sys, json; from evoengine.gates.minhash import MinHash; from tests.gates.records import record_of;"
        "gate = MinHash(); gate.take(record_of(1, sys.argv[1])); print(json.dumps(gate.state()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, program()],
        env={**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": os.pathsep.join(["."])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout) == after(program()).state()
