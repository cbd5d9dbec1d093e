import json
import math
from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import ProblemContract
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("sum_difference")
SumDifference = module.SumDifference


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return SumDifference()


def judged(elements, **settings):
    return SumDifference(**settings).judge([json.loads(json.dumps(elements))])


@given(st.sets(st.integers(1, 60) | st.integers(1, 10**18), min_size=1, max_size=12))
def test_sums_and_differences_are_counted_as_by_definition(others):
    elements = sorted(others | {0})
    sums = len({a + b for a in elements for b in elements})
    differences = len({a - b for a in elements for b in elements})
    score = judged(elements[::-1])
    assert (score.metrics["sums"], score.metrics["differences"]) == (sums, differences)
    expected = 1 + math.log(differences / sums) / math.log(2 * max(elements) + 1)
    assert score.value == pytest.approx(expected, abs=1e-13)


@given(st.sets(st.integers(1, 500), min_size=1, max_size=12), st.integers(2, 10))
def test_a_gap_so_large_that_sums_are_sorted_counts_as_the_table_does(others, scale):
    elements, far = sorted(others | {0}), module.DENSE * scale
    near = judged(elements).metrics
    wide = judged([far * x for x in elements]).metrics
    assert (near["sums"], near["differences"]) == (wide["sums"], wide["differences"])
    assert wide["log_size"] == near["log_size"]


def test_conways_set_has_more_sums_than_differences():
    metrics = judged([0, 2, 3, 4, 7, 11, 12, 14]).metrics
    assert (metrics["sums"], metrics["differences"]) == (26, 25)


def test_the_simplices_of_hennecart_freiman_and_yudin_have_the_sizes_that_are_known():
    for dimension, most in ((2, 3), (3, 2), (4, 2)):
        points = [point for point in product(range(most + 1), repeat=dimension) if sum(point) <= most]
        base = 2 * most + 1
        metrics = judged([sum(x * base**k for k, x in enumerate(point)) for point in points]).metrics
        assert metrics["sums"] == math.comb(2 * most + dimension, dimension)
        assert metrics["differences"] == sum(
            math.comb(dimension, k) * math.comb(most, k) * math.comb(most + dimension - k, dimension - k)
            for k in range(dimension + 1)
        )


def test_the_published_set_of_2003_integers_scores_what_was_published():
    summands = published("sum_difference_2003", of="functions")
    elements = sorted({0} | {sum(five) for five in combinations_with_replacement(summands, 5)})
    assert len(elements) == 2003
    score = judged(elements)
    assert (score.metrics["differences"], score.metrics["sums"]) == (807_667, 93_803)
    assert 1.1479 < score.value == pytest.approx(1.1479888965, abs=5e-11)
    assert score.value < SumDifference().best_known.value < score.value + 1e-11


def test_an_interval_proves_nothing():
    assert judged(list(range(50))).value == 1.0


@pytest.mark.parametrize(
    "elements",
    [
        [], [0], [1, 2, 3], [0, 0], [0, 1, 1], [0, 1, -1], [0, 0.5, 1], [0, 1e-9], [0, True], [0, 1, "3"], [0, None],
        [0, math.nan], [0, math.inf], [0, 10**18 + 1], [0, 1.0, 1], [[0, 1, 3]], {"U": [0, 1, 3], "score": 2}, "013",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_set_of_different_integers_with_zero_is_refused(elements):
    with pytest.raises(Reject):
        SumDifference().judge([elements])


def test_a_claimed_value_beside_the_set_is_refused():
    with pytest.raises(Reject):
        SumDifference().judge([[[0, 1, 3], 1.19]])
    with pytest.raises(Reject):
        SumDifference().judge([[0, 1, 3], 1.19])


def test_more_elements_than_allowed_are_refused_unseen():
    with pytest.raises(Reject, match="4"):
        SumDifference(most=4).judge([[None] * 5])
    assert judged([0, 1, 3, 4], most=4).value > 0


def test_an_element_over_the_largest_allowed_is_refused():
    with pytest.raises(Reject, match="1000"):
        judged([0, 1001], largest=1000)


@pytest.mark.parametrize("settings", [{"most": 2}, {"most": 5000}, {"largest": 2}, {"largest": 2 * 10**18}])
def test_wrong_sizes_are_a_setting_error(settings):
    with pytest.raises(SettingError):
        SumDifference(**settings)


def test_every_element_is_drawn_where_it_lies():
    lines = shapes(SumDifference(), [[0, 1, 3]], "polyline", "line")
    places = [line["points"][0][0] for line in lines]
    assert places == pytest.approx([12, 12 + 876 / 3, 888])
