import json
import math
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

CapSet = shipped("cap_set").CapSet


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return CapSet(n=5)


SUPPORTS = (
    "0123 0127 0125 0126 0167 0137 0267 0567 0367 0157 1247 1246 1467 1346 1456 0236 2347 2467 2457 0256 1347 1457 "
    "2346 2456 01345 02345 12357 12356 13567 23567 03457 03456"
)


def published():
    """The 512 vectors of FunSearch's cap_set/n8_size512.txt (google-deepmind/funsearch, CC BY 4.0), put shortly.

    Of the vectors without a zero, those in which x1 = x7 and x2 = x6, or one of these and x3 = x5. Of the others,
    those with one of the supports above, in which x1 and x7 differ where they are not zero, so do x2 and x6, and
    so do x3 and x5 unless x4 is zero.
    """
    for vector in product(range(3), repeat=8):
        x1, x2, x3, x4, x5, x6, x7 = vector[1:]
        support = "".join(str(k) for k in range(8) if vector[k])
        if support == "01234567":
            if (x1 == x7 and x2 == x6) or ((x1 == x7 or x2 == x6) and x3 == x5):
                yield vector
        elif support in SUPPORTS.split():
            differ = [(x1, x7), (x2, x6), (x3 * x4, x5 * x4)]
            if all(x % 3 == 0 or y % 3 == 0 or x != y for x, y in differ):
                yield vector


def ranked(first, n):
    return [float(vector in first) for vector in product(range(3), repeat=n)]


def test_the_published_cap_set_of_512_vectors_scores_512():
    vectors = set(published())
    assert len(vectors) == 512 == CapSet().best_known.value
    assert CapSet().judge([ranked(vectors, 8)]).value == 512


def test_zeros_and_ones_are_a_cap_set_and_come_first_in_the_order_of_equals():
    assert CapSet(n=6).judge([[0.0] * 3**6]).value == 64


@pytest.mark.parametrize(("n", "size"), [(1, 2), (2, 4)])
def test_the_largest_cap_sets_of_small_dimensions_are_reached(n, size):
    assert CapSet(n=n).judge([[0.0] * 3**n]).value == size


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=81, max_size=81))
def test_what_is_built_has_no_line_and_nothing_can_be_added(priorities):
    score = CapSet(n=4).judge([priorities])
    vectors = list(product(range(3), repeat=4))
    cap = [vectors[place] for place in score.outputs["cap"]]

    def on_a_line(*three):
        return all(sum(column) % 3 == 0 for column in zip(*three, strict=True))

    assert len(set(cap)) == len(cap) == score.value <= 20
    assert not any(on_a_line(*three) for three in combinations(cap, 3))
    assert all(v in cap or any(on_a_line(v, *two) for two in combinations(cap, 2)) for v in vectors)
    order = [(-priorities[place], place) for place in score.outputs["cap"]]
    assert order == sorted(order)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, True, "1", None, [1.0], 10**400])
def test_a_priority_that_is_no_finite_number_is_refused(bad):
    with pytest.raises(Reject):
        CapSet(n=2).judge([[1.0] * 8 + [bad]])


@pytest.mark.parametrize("length", [0, 1, 8, 10, 3**8])
def test_priorities_for_another_dimension_are_refused(length):
    with pytest.raises(Reject):
        CapSet(n=2).judge([[1.0] * length])


def test_a_claimed_cap_set_in_the_place_of_priorities_is_refused():
    with pytest.raises(Reject):
        CapSet(n=2).judge([[0.0] * 9, 6])
    with pytest.raises(Reject):
        CapSet(n=2).judge([{"cap": [0, 1, 2, 3, 4, 5], "size": 6}])
    with pytest.raises(Reject):
        CapSet(n=2).judge([[list(vector) for vector in product(range(3), repeat=2)]])


@pytest.mark.parametrize("n", [0, 9])
def test_a_wrong_dimension_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        CapSet(n=n)


def test_an_idiom_in_the_seed_gives_a_larger_cap_set():
    problem = CapSet(n=6)
    sizes = []
    for idiom in CapSet.idioms:
        code = "".join(f"    {line}\n" for line in idiom.code.replace("$random", "7").replace("$", "").splitlines())
        end = "    return score\n"
        program = Program.of("\n".join(idiom.imports) + "\n" + CapSet.seed.replace(end, code + end))
        sizes.append(problem.play(InProcess.of(problem, program)).value)
    assert max(sizes) > 64


def test_every_vector_of_the_cap_is_drawn():
    problem = CapSet()
    outputs = json.loads(json.dumps(problem.judge([[0.0] * 3**8]).outputs))
    squares = shapes(problem, outputs, "rect", "area")
    assert len({(one["x"], one["y"]) for one in squares}) == 256
