import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import hermite as numpy_hermite

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("uncertainty")
Uncertainty = module.Uncertainty
sign_changes, polynomial = module.sign_changes, module.polynomial

BEST_OF_THREE = [0.32925, -0.01159, -8.9216e-05]
BEST_OF_SEVEN = [
    1.0, -0.02725130524969304, -0.0002832369288208335, -1.423460416834391e-07, -2.583748494829637e-10,
    6.308411822248912e-14, -8.233751065238004e-18,
]  # fmt: skip


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return Uncertainty()


def product(roots, scale=1):
    """The polynomial with these rational roots, lowest power first."""
    total = [scale]
    for root in map(Fraction, roots):
        shifted = [0, *(root.denominator * one for one in total)]
        total = [a - root.numerator * b for a, b in zip(shifted, [*total, 0], strict=True)]
    return polynomial(total)


root = st.integers(-4, 6) | st.fractions(-3, 5, max_denominator=50)


@given(st.lists(root, max_size=7), st.sampled_from([1, -1]))
def test_the_last_change_of_sign_is_the_largest_positive_root_of_odd_multiplicity(roots, scale):
    odd = sorted({one for one in map(Fraction, roots) if one > 0 and list(map(Fraction, roots)).count(one) % 2})
    count, last = sign_changes(product(roots, scale))
    assert count == len(odd)
    if odd:
        assert odd[-1] <= last <= odd[-1] * (1 + Fraction(2) ** -79)


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=9).filter(lambda one: one[-1] != 0))
def test_it_agrees_with_roots_in_floating_point_where_these_are_well_apart(coefficients):
    found = np.roots(coefficients[::-1])
    positive = sorted(one.real for one in found if abs(one.imag) < 1e-9 and one.real > 1e-6)
    gaps = [abs(a - b) for i, a in enumerate(found) for b in found[:i]]
    near_zero = [one for one in found if one != 0 and abs(one) < 1e-5]
    if min(gaps, default=1.0) > 1e-3 and not near_zero:
        count, last = sign_changes(polynomial(coefficients))
        assert count == len(positive)
        if positive:
            assert float(last) == pytest.approx(positive[-1], rel=1e-7)


def test_two_roots_that_float64_cannot_tell_apart_are_two_changes_of_sign_and_a_double_one_is_none():
    apart = Fraction(1, 10**40)
    assert sign_changes(product([1, 3, 3])).number == 1
    assert sign_changes(product([1, 3, 3])).last < 2
    assert sign_changes(product([1, 3, 3 + apart])).number == 3
    assert sign_changes(product([1, 3, 3 + apart])).last >= 3 + apart
    # (x - 3)^2 + 10^-40 has no root at all.
    square = [9 * 10**40 + 1, -6 * 10**40, 10**40]
    assert sign_changes(polynomial([a - b for a, b in zip([0, *square], [*square, 0], strict=True)])).number == 1


def test_a_polynomial_without_a_sign_is_an_error():
    with pytest.raises(ValueError, match="zero polynomial"):
        sign_changes(polynomial([0, 0]))


@pytest.mark.parametrize("degree", [0, 4, 8, 12, 40])
def test_hermite_polynomials_are_those_of_numpy(degree):
    expected = numpy_hermite.herm2poly([0.0] * degree + [1.0])
    assert module.hermite(degree) == pytest.approx(expected[::2])


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3).filter(any))
def test_the_sum_is_zero_at_zero_and_has_the_coefficients_that_were_given(given_ones):
    exact = module.combination([float(one) for one in given_ones])
    assert not exact or exact[0] == 0
    whole = numpy_hermite.herm2poly([w for one in given_ones for w in (one, 0, 0, 0)])
    last = -whole[0] / 665280
    whole = np.append(whole, [0.0] * 13)[:13] + last * numpy_hermite.herm2poly([0.0] * 12 + [1.0])
    if last:
        assert np.array(exact) / exact[-1] * whole[12] == pytest.approx(whole[::2], abs=1e-6 * np.abs(whole).max())


def test_three_coefficients_that_were_published_score_what_was_published():
    score = Uncertainty().judge([published("uncertainty_3", of="functions")])
    assert score.value == pytest.approx(0.35209910442252773, abs=1e-15)
    assert score.metrics["sign_changes"] == 1.0


def test_seven_coefficients_of_our_own_score_what_was_published_for_seven():
    score = Uncertainty(k=7).judge([BEST_OF_SEVEN])
    assert Uncertainty(k=7).best_known.value < score.value == pytest.approx(0.3482001067489793, abs=1e-15)
    assert round(score.value, 4) == 0.3482  # Gideoni, Risi and Gal 2026
    assert score.metrics["sign_changes"] == 1.0


def test_what_was_published_before_them_scores_a_little_more():
    """Goncalves, Oliveira e Silva and Steinerberger 2017, theorem 2."""
    assert 0.3522 < Uncertainty().judge([[-113 / 100, 1 / 25, 1 / 3240]]).value < 0.353


def test_the_value_is_where_the_function_itself_turns_positive_for_good():
    score = Uncertainty().judge([BEST_OF_THREE])
    last = -(12 * -0.01159 + 1680 * -8.9216e-05 + 0.32925) / 665280
    terms = [0.32925, 0, 0, 0, -0.01159, 0, 0, 0, -8.9216e-05, 0, 0, 0, last]
    x = np.linspace(0.05, 4.0, 40000)
    signs = np.sign(numpy_hermite.hermval(x * math.sqrt(2 * math.pi), terms)) * math.copysign(1, last)
    assert score.value == pytest.approx(x[np.flatnonzero(signs < 0)[-1]] ** 2, abs=1e-3)


@given(st.lists(st.integers(-99, 99), min_size=3, max_size=3).filter(any))
def test_the_value_is_rounded_up_by_less_than_one_float(values_at_zero):
    given_ones = [value / module.hermite(4 * i)[0] for i, value in enumerate(values_at_zero)]
    last = sign_changes(module.combination(given_ones)).last
    exact = last / (2 * Fraction("3.14159265358979323846264338327950288"))
    value = Uncertainty().judge([given_ones]).value
    assert math.nextafter(value, 0.0) <= exact <= value


@given(st.floats(0.1, 10), st.sampled_from([1, -1]))
def test_scaling_and_the_sign_change_nothing(scale, sign):
    power = 2.0 ** round(math.log2(scale))
    value = Uncertainty().judge([[sign * power * one for one in BEST_OF_THREE]]).value
    assert value == Uncertainty().judge([BEST_OF_THREE]).value


def test_a_change_of_sign_far_out_that_only_rounding_makes_is_seen():
    """The same function with a fourth coefficient that is rounded: the eighth makes up for it, far out."""
    last = -sum(Fraction(c) * module.hermite(4 * i)[0] for i, c in enumerate(BEST_OF_THREE)) / 665280
    assert float(last) != last
    assert Uncertainty(k=7).judge([[*BEST_OF_THREE, float(last), 0.0, 0.0, 0.0]]).value > 1.0


@pytest.mark.parametrize(
    "coefficients",
    [[1.0, 0.0], [1.0, 0.0, True], [math.nan, 0.0, 0.0], [1.0, "0", 0.0], [[1.0], 0.0, 0.0], [0.0, 0.0, 0.0], []],
)
def test_bad_coefficients_are_refused(coefficients):
    with pytest.raises(Reject):
        Uncertainty().judge([coefficients])


@pytest.mark.parametrize("size", [1e-61, -1e-300, 5e-324, 2e30, -1e308])
def test_sizes_that_would_make_exact_arithmetic_slow_are_refused(size):
    with pytest.raises(Reject, match="of a size from"):
        Uncertainty().judge([[1.0, size, 0.0]])


@pytest.mark.parametrize("k", [0, 11])
def test_a_wrong_k_is_a_setting_error(k):
    with pytest.raises(SettingError, match="k"):
        Uncertainty(k=k)


def test_three_and_seven_coefficients_are_anchored_apart():
    assert Uncertainty(k=3).best_known.value == 0.3520991044
    assert Uncertainty(k=7).best_known != Uncertainty(k=3).best_known


@pytest.mark.parametrize("k", range(1, 11))
def test_the_seed_is_valid_for_every_k(k):
    problem = Uncertainty(k=k)
    assert problem.play(InProcess.of(problem, problem.seeds()[0])).value > 0.3


def test_the_function_and_its_last_change_of_sign_are_drawn():
    [dot] = shapes(Uncertainty(), [BEST_OF_THREE], "circle", "mark")
    [axis] = shapes(Uncertainty(), [BEST_OF_THREE], "polyline", "soft")
    (left, zero), (right, _) = axis["points"]
    assert (dot["cx"] - left) / (right - left) * 3 == pytest.approx(math.sqrt(0.35215), abs=0.01)
    assert dot["cy"] == zero
    [line] = shapes(Uncertainty(), [BEST_OF_THREE], "polyline", "line")
    below = [x for x, y in line["points"] if y > zero + 1]
    assert max(below) < dot["cx"] + 1
