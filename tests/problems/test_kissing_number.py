import json
import re
import textwrap
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.published import published_vectors
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("kissing_number")
KissingNumber = module.KissingNumber


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return KissingNumber()


def value(vectors, d):
    return KissingNumber(d=d).judge([json.loads(json.dumps(vectors))]).value


def signed(supports, d):
    """Every choice of signs at the places of each support."""
    return [
        [dict(zip(places, signs, strict=True)).get(i, 0) for i in range(d)]
        for places in supports
        for signs in product((-1, 1), repeat=len(places))
    ]


def axes(d):
    return [[sign * 2 * (i == k) for i in range(d)] for k in range(d) for sign in (-1, 1)]


HEXAGON = [[1, -1, 0], [-1, 1, 0], [1, 0, -1], [-1, 0, 1], [0, 1, -1], [0, -1, 1]]
ICOSAHEDRAL_LIKE = [list(one) for one in product((-1, 0, 1), repeat=3) if sorted(map(abs, one)) == [0, 1, 1]]
HAMMING = [places for places in combinations(range(8), 4) if not (sum(p % 2 for p in places) % 2
           or sum(p // 2 % 2 for p in places) % 2 or sum(p // 4 for p in places) % 2)]  # fmt: skip


def test_e8_has_240_vectors_that_touch_each_other_as_often_as_is_known():
    assert len(HAMMING) == 14
    score = KissingNumber(d=8).judge([axes(8) + signed(HAMMING, 8)])
    assert score.value == 240 == KissingNumber(d=8).best_known.value
    assert score.metrics["touching"] == 56
    assert score.metrics["shortest_share"] == 1


STEINER = (
    "012a 0149 0157 0237 0246 034a 0359 056a 0679 1239 1245 1347 135a 179a 2356 247a 2579 269a 3469 367a 4567 459a"
)
"""22 of the supports, hexadecimal, that the 604 vectors of the Station (2026) are built on."""


def test_the_integer_core_of_the_published_604_vectors_is_accepted():
    supports = [[int(place, 16) for place in word] for word in STEINER.split()]
    full = signed(supports, 11)
    half = []
    for word in re.findall(r"\S+", "025- 029+ 045+ 047- 07a+ 09a- 234+ 23a- 249- 25a+ 345- 357+ 379- 39a+ 479+ 57a-"):
        places = [*(int(place, 16) for place in word[:3]), 8]
        half += [one for one in signed([places], 11) if one[8] == (1 if word[3] == "+" else -1)]
    assert value(full + half + [v for v in axes(11) if not (v[1] or v[6] or v[8])], 11) == 496


def spread(vectors):
    """The smallest squared distance and the largest squared norm, both in integers."""
    exact = np.array(vectors, dtype=object)
    products = exact @ exact.T
    norms = products.diagonal()
    apart = norms[:, None] + norms[None, :] - 2 * products
    return min(apart[np.triu_indices(len(vectors), 1)]), max(norms)


def test_the_published_593_vectors_score_593():
    vectors = published_vectors("kissing_11_593")
    assert {len(one) for one in vectors} == {11}
    assert len({tuple(one) for one in vectors if any(one)}) == 593
    least, longest = spread(vectors)
    assert 0 < least - longest < 1e-12 * longest  # so near that only integers decide it
    score = KissingNumber().judge([json.loads(json.dumps(vectors))])
    assert score.value == 593 < KissingNumber().best_known.value


@pytest.mark.parametrize("more", [1, 10**6, 10**12])
def test_the_published_vectors_are_refused_once_one_entry_is_a_unit_too_near_to_another(more):
    vectors = published_vectors("kissing_11_593")
    one, place = 325, 2  # of the nearest two vectors, and where these differ most: 2 units are left there
    vectors[one][place] += 2
    least, longest = spread(vectors)
    assert least >= longest
    assert value(vectors, 11) == 593
    vectors[one][place] += more
    least, longest = spread(vectors)
    assert least < longest
    with pytest.raises(Reject, match="closer"):
        value(vectors, 11)


PAIRS = [(k, k + 4) for k in range(4)]
TRIPLES = {
    8: "012 035 067 136 147 234 257 456",
    9: "013 027 056 124 167 235 346 457",
    10: "016 023 057 127 134 245 356 467",
}
"""Each class holds every two of eight places once that are not one of the pairs; no triple is in two classes."""

FRAME = [[Fraction(x, 3) for x in row] for row in ((2, 1, 2), (2, -2, -1), (1, 2, -2))]


def turned(t):
    """The orthonormal frame turned about its diagonal by about t times the square root of 3, in rationals."""
    first, second, third = ((1 + t) / (1 + t + t * t), t * (1 + t) / (1 + t + t * t), -t / (1 + t + t * t))
    return [
        [first * p + second * q + third * r for p, q, r in zip(*FRAME[k:], *FRAME[:k], strict=True)] for k in range(3)
    ]


def six_hundred(step):
    """496 vectors of a code, 96 over the pairs of places, in eight frames, and the corners of a cube.

    The 604 vectors of EinsteinArena (2026, arXiv:2606.10402) have one frame for all, three orthogonal vectors of
    squared norm 2, which rational ones cannot be, and 12 vectors in place of the cube. Here frames are a little longer
    and differ by a little, and the entries at the pairs are a little smaller, which leaves room for rounding.
    """
    supports = [one + other for one, other in combinations(PAIRS, 2)]
    supports += [(*map(int, word), place) for place, words in TRIPLES.items() for word in words.split()]
    size = 10**8
    found = [[size * x for x in one] for one in [*axes(11)[:16], *signed(supports, 11)]]
    for number, (pair, different) in enumerate(product(PAIRS, (False, True))):
        for sign, row, side in product((-1, 1), turned((2 * number - 7) * step), (-1, 1)):
            one = [0] * 8 + [round(side * Fraction(14142148, 10**7) * size * x) for x in row]
            one[pair[0]], one[pair[1]] = sign * (size - 100), (-sign if different else sign) * (size - 100)
            found.append(one)
    for signs in product((-1, 1), repeat=3):
        corner = [sum(sign * x for sign, x in zip(signs, column, strict=True)) for column in zip(*FRAME, strict=True)]
        found.append([0] * 8 + [round(Fraction(11547, 10**4) * size * x) for x in corner])
    return found


def test_600_integer_vectors_follow_from_the_published_604():
    vectors = six_hundred(Fraction(1, 1000))
    least, longest = spread(vectors)
    assert least >= longest
    assert value(vectors, 11) == 600 == KissingNumber().best_known.value


def test_the_600_vectors_need_frames_that_differ():
    with pytest.raises(Reject, match="closer"):
        value(six_hundred(Fraction(0)), 11)


def test_twelve_spheres_touch_one():
    assert value(ICOSAHEDRAL_LIKE, 3) == 12
    assert value(HEXAGON, 3) == 6


@given(st.integers(1, 10**17))
def test_scaling_changes_nothing(scale):
    assert value([[scale * x for x in one] for one in ICOSAHEDRAL_LIKE], 3) == 12


@pytest.mark.parametrize("size", [3, 10**8, 10**17])
def test_one_unit_too_close_is_refused_at_any_size(size):
    spread = [[size, 0], [-size, 0], [0, size]]
    assert value(spread, 2) == 3
    near = [[size * x for x in one] for one in ICOSAHEDRAL_LIKE]
    near[0] = [near[0][0] + 1, *near[0][1:]]
    with pytest.raises(Reject, match="closer"):
        value(near, 3)


def test_vectors_of_different_lengths_are_measured_by_the_longest():
    assert value([[2, 0], [0, 2]], 2) == 2
    assert value([[4, 0], [-1, 3]], 2) == 2
    with pytest.raises(Reject, match="closer"):
        value([[4, 0], [1, 1]], 2)


def test_the_zero_vector_is_refused_although_it_is_far_from_all():
    with pytest.raises(Reject, match="zero"):
        value([[0, 0, 0], *ICOSAHEDRAL_LIKE[:11]], 3)


def test_the_same_vector_twice_is_refused():
    with pytest.raises(Reject, match="closer"):
        value([*HEXAGON, HEXAGON[0]], 3)


@pytest.mark.parametrize(
    "bad", [[1, 1.5], [True, 1], [1, float("nan")], [1, 10**18 + 1], [1], [1, 1, 1], "11", None, 1]
)
def test_vectors_that_are_not_d_integers_are_refused(bad):
    with pytest.raises(Reject):
        KissingNumber(d=2).judge([[[-1, -1], bad]])


def test_more_vectors_than_there_can_be_are_refused_unseen():
    with pytest.raises(Reject, match="870"):
        KissingNumber().judge([[None] * 871])


def test_a_claimed_number_beside_the_vectors_is_refused():
    with pytest.raises(Reject):
        KissingNumber(d=3).judge([[HEXAGON, 593]])
    with pytest.raises(Reject):
        KissingNumber(d=3).judge([HEXAGON, 593])


@pytest.mark.parametrize("d", [1, 13])
def test_a_wrong_dimension_is_a_setting_error(d):
    with pytest.raises(SettingError, match="d"):
        KissingNumber(d=d)


def test_the_idiom_in_the_seed_gives_more_vectors():
    [idiom] = KissingNumber.idioms
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return found\n"
    program = Program.of("\n".join(idiom.imports) + "\n" + KissingNumber.seed.replace(end, code + end))
    problem = KissingNumber(d=9)
    assert problem.play(InProcess.of(problem, program)).value > 2 * 9 * 8
