import copy
import json
import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import ProblemContract
from tests.problems.published import decomposition
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("matrix_multiplication")
MatrixMultiplication = module.MatrixMultiplication


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return MatrixMultiplication()


class TestContractOfComplexCoefficients(ProblemContract):
    @pytest.fixture
    def problem(self):
        return MatrixMultiplication(field="gaussian", n=2, m=2, p=2)


STRASSEN = [
    [[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]],
    [[0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 1, -1]],
    [[1, 0, 0, 0], [0, 1, 0, -1], [0, 1, 0, 1]],
    [[0, 0, 0, 1], [-1, 0, 1, 0], [1, 0, 1, 0]],
    [[1, 1, 0, 0], [0, 0, 0, 1], [-1, 1, 0, 0]],
    [[-1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]],
    [[0, 1, 0, -1], [0, 0, 1, 1], [1, 0, 0, 0]],
]


def score(terms, n=2, m=2, p=2, **settings):
    return MatrixMultiplication(n=n, m=m, p=p, **settings).judge([json.loads(json.dumps(terms))])


def multiplied(terms, a, b, n, m, p):
    """C by the terms."""
    c = [Fraction(0)] * (n * p)
    for u, v, w in terms:
        product_ = sum(Fraction(x) * y for x, y in zip(u, a, strict=True)) * sum(
            Fraction(x) * y for x, y in zip(v, b, strict=True)
        )
        c = [old + product_ * Fraction(x) for old, x in zip(c, w, strict=True)]
    return c


def test_strassens_algorithm_has_seven_terms_and_multiplies_matrices():
    assert score(STRASSEN).value == 7 == MatrixMultiplication(n=2, m=2, p=2).best_known.value
    assert score(STRASSEN).metrics["wrong"] == 0
    rng = np.random.default_rng(0)
    a, b = rng.integers(-9, 9, (2, 2)), rng.integers(-9, 9, (2, 2))
    assert multiplied(STRASSEN, a.ravel().tolist(), b.ravel().tolist(), 2, 2, 2) == (a @ b).ravel().tolist()


def kronecker(x, y, shape):
    """The coefficients of a block matrix's entries, row by row."""
    (rows, columns), inner = shape, (2, 2)
    return np.kron(np.reshape(x, (rows, columns)), np.reshape(y, inner)).ravel().tolist()


def test_strassens_algorithm_on_blocks_has_49_terms():
    terms = [[kronecker(x, y, (2, 2)) for x, y in zip(s, t, strict=True)] for s in STRASSEN for t in STRASSEN]
    assert score(terms, 4, 4, 4).value == 49


def standard(n, m, p):
    """One term for each product of entries."""
    terms = []
    for i, j, k in product(range(n), range(m), range(p)):
        a, b, c = [0] * (n * m), [0] * (m * p), [0] * (n * p)
        a[i * m + j] = b[j * p + k] = c[i * p + k] = 1
        terms.append([a, b, c])
    return terms


@pytest.mark.parametrize(
    ("size", "field", "rank"),
    [
        ((2, 4, 5), "rational", 32),
        ((2, 4, 7), "rational", 45),
        ((2, 4, 8), "rational", 51),
        ((2, 5, 6), "rational", 47),
        ((3, 3, 3), "rational", 23),
        ((3, 4, 6), "rational", 54),
        ((3, 4, 7), "gaussian", 63),
        ((3, 4, 8), "rational", 74),
        ((3, 5, 6), "rational", 68),
        ((3, 5, 7), "rational", 80),
        ((4, 4, 4), "gaussian", 48),
        ((4, 4, 5), "rational", 61),
        ((4, 4, 7), "rational", 85),
        ((4, 5, 6), "rational", 90),
        ((5, 5, 5), "rational", 93),
    ],
)
def test_a_published_decomposition_is_exact_and_has_the_rank_that_was_published(size, field, rank):
    n, m, p = size
    found = score(decomposition(n, m, p), n, m, p, field=field)
    assert found.value == rank == MatrixMultiplication(n=n, m=m, p=p).best_known.value
    assert found.metrics["wrong"] == 0


def twice_as_wide(terms, p):
    """The algorithm for a B of twice as many columns, p on each side, that is two of these algorithms side by side."""

    def on(side, part):
        rows = [part[start : start + p] for start in range(0, len(part), p)]
        return [x for row in rows for x in ([0] * p * side + row + [0] * p * (1 - side))]

    return [[a, on(side, b), on(side, c)] for a, b, c in terms for side in (0, 1)]


def test_the_published_4_4_4_twice_is_the_4_4_8_that_was_published():
    found = score(twice_as_wide(decomposition(4, 4, 4), 4), 4, 4, 8, field="gaussian")
    assert found.value == 96 == MatrixMultiplication(n=4, m=4, p=8).best_known.value
    assert found.metrics["wrong"] == 0


sizes = st.tuples(*[st.integers(1, 4)] * 3)


@given(sizes)
def test_the_definition_has_n_m_p_terms_and_nothing_to_repair(size):
    found = score(standard(*size), *size)
    assert found.value == math.prod(size)
    assert found.metrics["repaired"] == 0


@given(sizes, st.data())
def test_terms_that_are_left_out_cost_no_less_than_they_saved(size, data):
    terms = standard(*size)
    kept = data.draw(st.lists(st.sampled_from(terms), unique_by=str, min_size=1))
    assert score(kept, *size).value <= math.prod(size)
    assert score(kept, *size).value >= max(size[0] * size[1], size[1] * size[2], size[0] * size[2])


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_value_is_the_rank_of_an_exact_decomposition(seed):
    """What the judge repairs is repaired here by terms of its kind, and must then be the multiplication."""
    rng = np.random.default_rng(seed)
    terms = copy.deepcopy(STRASSEN)
    for _ in range(rng.integers(0, 4)):
        part = terms[rng.integers(7)][rng.integers(3)]
        part[rng.integers(4)] = float(rng.integers(-4, 5)) / 2
    found = sum(
        np.einsum("a,b,c->abc", *(np.array([Fraction(x) for x in part], dtype=object) for part in term))
        for term in terms
    )
    wanted = np.zeros((4, 4, 4), dtype=object)
    for i, j, k in product(range(2), repeat=3):
        wanted[2 * i + j, 2 * j + k, 2 * i + k] = 1
    left = wanted - found
    lines = min(sum(any(line) for line in np.moveaxis(left, k, 2).reshape(16, 4).tolist()) for k in range(3))
    own = sum(all(any(part) for part in term) for term in terms)
    assert score(terms).value == own + lines


def test_a_term_that_adds_nothing_costs_nothing():
    full, zero = [1, 2, 3, 4], [0, 0, 0, 0]
    for empty in ([zero, full, full], [full, zero, full], [full, full, zero]):
        assert score([*STRASSEN, empty]).value == 7


def test_halves_are_coefficients():
    halved = [[[x / 2 for x in a], [2 * x for x in b], c] for a, b, c in STRASSEN]
    assert score(halved).value == 7


def complex_terms(turn, back):
    """Strassen's with a turned by a factor and b turned back by another, as pairs."""

    def pairs(part, factor):
        return [[(factor * x).real, (factor * x).imag] for x in part]

    return [[pairs(a, turn), pairs(b, back), pairs(c, 1 + 0j)] for a, b, c in STRASSEN]


def test_complex_coefficients_are_multiplied_as_complex_numbers():
    assert score(complex_terms(1j, -1j), field="gaussian").value == 7
    assert score(complex_terms(1 + 1j, 0.5 - 0.5j), field="gaussian").value == 7
    assert score(complex_terms(1j, 1j), field="gaussian").value > 7


def test_a_decomposition_that_is_nearly_exact_is_not_exact():
    almost = copy.deepcopy(STRASSEN)
    almost[0][0][0] = 1 + 1e-9
    with pytest.raises(Reject, match="multiples of"):
        score(almost)
    almost[0][0][0] = 1.5
    assert score(almost).value > 7


def test_the_sizes_are_the_problems_own():
    with pytest.raises(Reject):
        MatrixMultiplication().judge([[[[1], [1], [1]]]])
    with pytest.raises(Reject):
        MatrixMultiplication().judge([STRASSEN])
    with pytest.raises(Reject):
        MatrixMultiplication(n=2, m=2, p=2).judge([STRASSEN, 1])


@pytest.mark.parametrize("bad", [math.nan, math.inf, True, "1", None, [1], 0.25, 64.5, -65, 10**30, 1e308])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_coefficient_that_is_no_small_multiple_of_a_half_is_refused(bad, part):
    terms = copy.deepcopy(STRASSEN)
    terms[3][part][2] = bad
    with pytest.raises(Reject):
        MatrixMultiplication(n=2, m=2, p=2).judge([terms])


@pytest.mark.parametrize("bad", [True, [1], [1, 0, 0], [True, 0], [0.25, 0], [0, math.nan], [0, 65]])
def test_a_complex_coefficient_that_is_neither_such_nor_a_pair_of_them_is_refused(bad):
    terms = complex_terms(1j, -1j)
    terms[3][1][2] = bad
    with pytest.raises(Reject):
        MatrixMultiplication(n=2, m=2, p=2, field="gaussian").judge([terms])


def test_more_terms_than_the_definition_has_are_refused_unseen():
    with pytest.raises(Reject, match="8"):
        MatrixMultiplication(n=2, m=2, p=2).judge([[None] * 9])


def test_the_largest_coefficients_of_the_largest_size_are_added_up_exactly():
    problem = MatrixMultiplication(n=8, m=8, p=8)
    full = [[[64.0] * 64] * 3] * 511 + [[[64.0] * 63 + [63.5], [64.0] * 64, [64.0] * 64]]
    a = problem.judge([full])
    assert a.metrics["wrong"] == 64**3
    undone = [[[64.0] * 64] * 3, [[-64.0] * 64, [64.0] * 64, [64.0] * 64]] * 256
    assert problem.judge([undone]).metrics["wrong"] == 512


@pytest.mark.parametrize("settings", [{"n": 0}, {"p": 9}, {"field": "real"}])
def test_wrong_settings_are_a_setting_error(settings):
    with pytest.raises(SettingError):
        MatrixMultiplication(**settings)


def test_the_idioms_in_the_seed_give_a_shorter_algorithm_that_is_exact():
    scope = {}
    exec(MatrixMultiplication.seed, scope)
    scope.update(terms=scope["construct"](2, 2, 3), n=2, m=2, p=3)
    exec("import random", scope)
    values = []
    for idiom in MatrixMultiplication.idioms:
        exec(idiom.code.replace("$random", "7").replace("300000", "100000").replace("$", ""), scope)
        values.append(score(scope["terms"], 2, 2, 3))
    assert [found.metrics["wrong"] for found in values] == [0, 0]
    assert values[0].value == 11 >= values[1].value
    scope["terms"] = scope["construct"](2, 2, 2)
    exec(idiom.code.replace("$random", "7").replace("300000", "100000").replace("$", ""), scope)
    assert score(scope["terms"]).value == 7
