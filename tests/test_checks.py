import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.checks import UNIT, integers, number, numbers, rounded_up, rows_of, whole
from evoengine.problem import Reject

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def is_number(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and (isinstance(value, float) or abs(value) <= 2**53)


@given(JSON)
def test_only_finite_numbers_that_float64_holds_exactly_are_numbers(value):
    if is_number(value):
        assert number(value) == value
    else:
        with pytest.raises(Reject):
            number(value)


@given(JSON)
def test_only_a_list_of_numbers_is_a_row(value):
    if isinstance(value, list) and value and all(map(is_number, value)):
        assert numbers(value, None).tolist() == value
        assert numbers(value, len(value)).dtype == np.float64
        with pytest.raises(Reject):
            numbers(value, len(value) + 1)
    else:
        with pytest.raises(Reject):
            numbers(value, None)


@given(st.lists(st.lists(FINITE, min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_table_keeps_its_entries_and_their_places(rows):
    table = numbers(rows, None, 2)
    assert table.shape == (len(rows), 2)
    assert table.tolist() == rows


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), True, False, None, "1", 2**53 + 1, 10**400, [1.0], {}])
def test_one_bad_entry_among_good_ones_is_refused_wherever_it_is(bad):
    for place in range(3):
        row = [0.5, 1, 2.0]
        row[place] = bad
        with pytest.raises(Reject):
            numbers(row, 3)
        with pytest.raises(Reject):
            numbers([row, [1, 2, 3]], 2, 3)


def test_ragged_rows_are_refused():
    with pytest.raises(Reject, match="equal lengths"):
        numbers([[1.0], [1.0, 2.0]], 2, None)


def test_a_list_longer_than_the_longest_is_refused():
    with pytest.raises(Reject, match="between 1 and 3"):
        numbers([1, 2, 3, 4], None, longest=3)


@pytest.mark.parametrize(
    "array", [np.ones(3, dtype=np.int64), np.ones((1, 3)), np.array([1.0, np.nan, 2.0]), np.array([None, 1, 2])]
)
def test_an_array_that_is_not_one_dimensional_finite_float64_is_refused(array):
    with pytest.raises(Reject):
        numbers(array, 3)


def test_the_row_of_an_array_is_a_copy():
    given_array = np.ones(3)
    numbers(given_array, 3)[0] = 7.0
    assert given_array[0] == 1.0


@given(FINITE)
def test_a_whole_is_the_float_without_rounding(value):
    assert Fraction(whole(value), UNIT) == Fraction(value)


@given(JSON)
def test_only_a_list_of_integers_in_range_is_taken_for_integers(value):
    def is_integer(entry):
        return not isinstance(entry, bool) and (
            isinstance(entry, int) or (isinstance(entry, float) and entry.is_integer() and abs(entry) <= 2**53)
        )

    if isinstance(value, list) and value and all(is_integer(entry) and abs(entry) <= 10**19 for entry in value):
        found = integers(value, None, -(10**19), 10**19)
        assert found == value
        assert set(map(type, found)) == {int}
    else:
        with pytest.raises(Reject):
            integers(value, None, -(10**19), 10**19)


@pytest.mark.parametrize("bad", [True, 0.5, math.nan, math.inf, -1, 8, 10**400, "1", None, [1]])
def test_one_bad_integer_among_good_ones_is_refused(bad):
    assert integers([7, 0, 3.0], 3, 0, 7) == [7, 0, 3] == integers(np.array([7.0, 0, 3]), 3, 0, 7)
    with pytest.raises(Reject):
        integers([7, bad, 3], 3, 0, 7)


def test_a_list_of_another_length_is_no_row_and_no_integers():
    for found in (rows_of, lambda value, length: integers(value, length, 0, 7)):
        for value, length in (([1, 2], 3), ([], None), ("12", 2), (None, None)):
            with pytest.raises(Reject):
                found(value, length)


@given(st.fractions(min_value=-(10**9), max_value=10**9))
def test_rounding_up_gives_the_next_float_that_is_not_below(value):
    found = rounded_up(value)
    assert Fraction(found) >= value
    assert Fraction(math.nextafter(found, -math.inf)) < value
