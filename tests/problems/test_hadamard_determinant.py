import json
import math
import textwrap
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("hadamard_determinant")
HadamardDeterminant = module.HadamardDeterminant


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return HadamardDeterminant()


def judged(rows):
    return HadamardDeterminant(n=len(rows)).judge([json.loads(json.dumps(rows))])


def by_permutations(rows):
    total = 0
    for order in permutations(range(len(rows))):
        swaps = sum(order[i] > order[j] for j in range(len(rows)) for i in range(j))
        total += (-1) ** swaps * math.prod(rows[i][k] for i, k in enumerate(order))
    return total


@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(st.sampled_from([-1, 1]), min_size=n, max_size=n), min_size=n, max_size=n)))  # fmt: skip  # noqa: E501
def test_the_value_is_the_determinant_by_its_definition(rows):
    n = len(rows)
    assert judged(rows).value == pytest.approx(abs(by_permutations(rows)) / n ** (n / 2), abs=1e-14)


@given(st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=4, max_size=4))
def test_elimination_without_fractions_is_exact_where_pivots_are_missing(rows):
    assert module.determinant(rows) == by_permutations(rows)


def test_large_determinants_are_exact():
    rng = np.random.default_rng(0)
    rows = rng.choice([-1, 1], (29, 29)).tolist()
    found = module.determinant(rows)
    assert found % 2**28 == 0
    exact = [[Fraction(x) for x in row] for row in rows]
    product_ = Fraction(1)
    for k in range(29):
        pivot = next(i for i in range(k, 29) if exact[i][k])
        if pivot != k:
            exact[k], exact[pivot], product_ = exact[pivot], exact[k], -product_
        product_ *= exact[k][k]
        for i in range(k + 1, 29):
            factor = exact[i][k] / exact[k][k]
            exact[i] = [a - factor * b for a, b in zip(exact[i], exact[k], strict=True)]
    assert found == product_


def jacobsthal(q):
    """+1 where a difference of indices is a square modulo a prime q, -1 where not, 0 on the diagonal."""
    squares = {x * x % q for x in range(1, q)}
    return [[0 if i == k else 1 if (i - k) % q in squares else -1 for k in range(q)] for i in range(q)]


@pytest.mark.parametrize("q", [3, 7, 11, 19, 31])
def test_paleys_matrices_reach_hadamards_bound(q):
    core = [[x or -1 for x in row] for row in jacobsthal(q)]
    rows = [[1] * (q + 1), *([1, *row] for row in core)]
    score = judged(rows)
    assert score.value == 1.0 == HadamardDeterminant(n=q + 1).best_known.value
    assert score.metrics["correlation"] == 0


def test_barbas_bound_is_reached_at_order_13_by_the_projective_plane():
    line = {0, 1, 3, 9}
    rows = [[-1 if (i - k) % 13 in line else 1 for k in range(13)] for i in range(13)]
    assert abs(module.determinant(rows)) == 5 * 12**6
    assert judged(rows).value == HadamardDeterminant(n=13).best_known.value


def test_no_matrix_of_order_4_is_above_the_record():
    best = max(
        judged([list(x[:4]), list(x[4:8]), list(x[8:12]), [1, 1, 1, 1]]).value for x in product((-1, 1), repeat=12)
    )
    assert best == HadamardDeterminant(n=4).best_known.value


def test_a_matrix_of_order_29_that_a_script_found_reaches_the_record():
    lines = (Path(__file__).parent / "data" / "hadamard_29.txt").read_text(encoding="utf-8").splitlines()
    rows = [[1 if sign == "+" else -1 for sign in line] for line in lines if not line.startswith("#")]
    assert abs(module.determinant(rows)) == 2**28 * 7**12 * 320 == 1188957517256767569920
    assert judged(rows).value == HadamardDeterminant().best_known.value


def test_the_record_of_order_29_is_below_barbas_bound():
    bound = math.sqrt(57) * 28**14 / 29**14.5
    assert HadamardDeterminant().best_known.value / bound == pytest.approx(0.865, abs=1e-3)


def test_the_records_are_those_of_the_table_of_determinants():
    table = {7: 576, 11: 327680, 15: 418037760, 18: 146028888064, 19: 894426939392, 22: 409600000000000}
    for n, known in table.items():
        assert HadamardDeterminant(n=n).best_known.value == pytest.approx(known / n ** (n / 2), rel=1e-14)
    assert HadamardDeterminant(n=26).best_known is None


def test_equal_rows_score_nothing():
    assert judged([[1] * 29] * 29).value == 0


@pytest.mark.parametrize("bad", [0, 2, -2, 0.5, True, math.nan, math.inf, 10**30, "1", None, [1]])
def test_an_entry_that_is_neither_1_nor_minus_1_is_refused(bad):
    rows = [[1, 1, 1], [1, -1, 1], [1, bad, -1]]
    with pytest.raises(Reject):
        HadamardDeterminant(n=3).judge([rows])


@pytest.mark.parametrize(
    "rows", [[[1]], [[1, 1], [1, -1]], [[1] * 29] * 28, [[1] * 28] * 29, [[1] * 30] * 30, [1] * 841]
)
def test_a_matrix_of_another_order_is_refused(rows):
    with pytest.raises(Reject):
        HadamardDeterminant().judge([rows])


def test_a_claimed_determinant_is_refused():
    for outputs in ([[[1, 1], [1, -1]], 10**9], [{"matrix": [[1, 1], [1, -1]], "det": 10**9}]):
        with pytest.raises(Reject):
            HadamardDeterminant(n=2).judge(outputs)


@pytest.mark.parametrize("n", [1, 41])
def test_a_wrong_order_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        HadamardDeterminant(n=n)


def test_the_ones_are_drawn_where_they_are():
    squares = shapes(HadamardDeterminant(n=2), [[[1, 1], [1, -1]]], "rect", "area")
    assert len(squares) == 3
    assert {(one["x"] < 200, one["y"] < 200) for one in squares} == {(True, True), (False, True), (True, False)}


def test_the_idiom_in_the_seed_gives_a_larger_determinant():
    [idiom] = HadamardDeterminant.idioms
    code = textwrap.indent(idiom.code.replace("$random", "7").replace("$", ""), "    ")
    end = "    return rows\n"
    program = Program.of("\n".join(idiom.imports) + "\n" + HadamardDeterminant.seed.replace(end, code + end))
    problem = HadamardDeterminant()
    seed, child = (problem.play(InProcess.of(problem, one)).value for one in (*problem.seeds(), program))
    assert child > 2 * seed
