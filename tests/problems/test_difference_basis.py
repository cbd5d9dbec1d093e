import json
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import ProblemContract
from tests.problems.drawn import shapes
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("difference_basis")
DifferenceBasis = module.DifferenceBasis


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return DifferenceBasis()


def judged(elements, **settings):
    return DifferenceBasis(**settings).judge([json.loads(json.dumps(elements))])


@given(st.sets(st.integers(0, 40), min_size=2, max_size=15))
def test_the_value_is_that_of_the_definition(elements):
    differences = {a - b for a in elements for b in elements}
    reached = next(n for n in range(99) if n + 1 not in differences)
    if reached:
        assert judged(list(elements)).value == float(Fraction(len(elements) ** 2, reached))
    else:
        with pytest.raises(Reject):
            judged(list(elements))


@pytest.mark.parametrize(
    ("elements", "reached"),
    [([0, 1, 3], 3), ([0, 1, 4, 6], 6), ([0, 1, 2, 6, 9], 9), ([0, 1, 2, 6, 10, 13], 13),
     ],
)  # fmt: skip
def test_rulers_that_are_known_reach_what_is_known(elements, reached):
    assert judged(elements).metrics["covered"] == reached


def widest_cut(modulus, residues):
    """The residues multiplied and turned so that the gap across zero is as wide as it gets."""
    best = (0, [])
    for factor in range(1, modulus // 2):
        if math.gcd(factor, modulus) == 1:
            turned = sorted(one * factor % modulus for one in residues)
            gaps = [(turned[k] - turned[k - 1]) % modulus for k in range(len(turned))]
            widest = max(gaps)
            if widest > best[0]:
                first = turned[gaps.index(widest)]
                best = (widest, sorted((one - first) % modulus for one in turned))
    return best


def test_a_perfect_difference_set_at_four_heights_reaches_six_turns_and_the_widest_gap():
    modulus = 57
    gap, cut = widest_cut(modulus, [0, 1, 3, 13, 32, 36, 43, 52])
    score = judged([one + modulus * height for one in cut for height in (0, 1, 4, 6)])
    assert score.metrics["covered"] == 6 * modulus + gap - 1


LINE = """
0 189 222 225 270 280 298 345 375 686 782 828 973 1010 1024 1041 1112 1134 1309 1441 1449 1515 1556 1807 1818
1868 1935 1994 2033 2056 2112 2146 2387 2389 2522 2557 2714 2918 2924 3032 3061 3118 3240 3292 3352 3441 3490
3575 3722 3940 3961 3993 4065 4109 4209 4228 4339 4355 4382 4560 4572 4753 4779 4817 4920 5019 5202 5222 5353
5431 5511 5515 5695 5710 5735 5947 5971 6257 6311 6320 6412 6417 6576 6583 6670 6712 6884 6897 6966 6967
"""
"""A line of the projective plane of order 89 (Singer 1938), as benchmarks/floors.py finds it."""


def test_the_published_value_is_that_of_a_plane_of_order_89_at_four_heights():
    cut = [int(word) for word in LINE.split()]
    assert len({(a - b) % 8011 for a in cut for b in cut}) == 8011
    score = judged([one + 8011 * height for one in cut for height in (0, 1, 4, 6)])
    assert score.metrics["covered"] == 49109
    assert round(score.value, 4) == 2.6390
    assert score.value == DifferenceBasis().best_known.value == pytest.approx(DifferenceBasis().floor.value, abs=1e-11)


@pytest.mark.parametrize(
    "elements",
    [
        [], [3], [0, 2], [0, 2, 4], [0, 0, 1], [0, 1, 1], [0, 1, -1], [0, 0.5], [0, True], [0, 1, "3"], [0, None],
        [0, math.nan], [0, 1, math.inf], [0, 1, 2_000_001], [0, 1, 10**400], [[0, 1]], {"B": [0, 1], "n": 99}, "01",
    ],
    ids=lambda elements: repr(elements)[:40],
)  # fmt: skip
def test_what_is_no_set_of_different_integers_with_two_neighbours_is_refused(elements):
    with pytest.raises(Reject):
        DifferenceBasis().judge([elements])


def test_a_claimed_reach_beside_the_basis_is_refused():
    for outputs in ([[0, 1], 10**6], [[[0, 1], 10**6]]):
        with pytest.raises(Reject):
            DifferenceBasis().judge(outputs)


def test_more_elements_than_allowed_are_refused_unseen():
    with pytest.raises(Reject, match="400"):
        DifferenceBasis().judge([[None] * 401])


@pytest.mark.parametrize("most", [3, 1001])
def test_a_wrong_most_is_a_setting_error(most):
    with pytest.raises(SettingError, match="most"):
        DifferenceBasis(most=most)


def test_every_element_is_drawn_where_it_lies():
    lines = shapes(DifferenceBasis(), [[5, 6, 8]], "polyline", "line")
    assert [line["points"][0][0] for line in lines] == pytest.approx([12, 12 + 876 / 3, 888])
