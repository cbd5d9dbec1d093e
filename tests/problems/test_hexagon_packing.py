import json
import math
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.drawn import shapes
from tests.problems.published import published
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("hexagon_packing")
HexagonPacking = module.HexagonPacking


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return HexagonPacking()


def judged(inner, outer=(0.0, 0.0, 0.0)):
    return HexagonPacking(n=len(inner)).judge([[*map(list, inner), list(outer)]])


def anchored(n):
    construction = published(f"hexagons_{n}")
    return construction["inner"], [*construction["centre"], construction["angle"]], construction["side"]


def corners(x, y, angle, side=1.0):
    turns = [math.radians(angle + 60 * k) for k in range(6)]
    return [(x + side * math.cos(turn), y + side * math.sin(turn)) for turn in turns]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_sines_and_cosines_keep_the_addition_theorem_far_beyond_float64(one, other):
    a, b, both = map(module.direction, (Fraction(one), Fraction(other), Fraction(one) + Fraction(other)))
    bound = 8 * module.ONE * 2**40
    assert abs(a.cosine**2 + a.sine**2 - module.ONE**2) < bound
    assert abs(a.cosine * b.cosine - a.sine * b.sine - both.cosine * module.ONE) < bound
    assert abs(a.sine * b.cosine + a.cosine * b.sine - both.sine * module.ONE) < bound
    assert a.cosine / module.ONE == pytest.approx(math.cos(math.radians(one % 360)), abs=1e-14)


def test_the_sine_of_thirty_degrees_is_a_half_within_the_error():
    assert abs(module.direction(Fraction(30)).sine - module.ONE // 2) < 2**40
    assert abs(module.direction(Fraction(90)).cosine) < 2**40


@pytest.mark.parametrize("n", [11, 12])
def test_published_constructions_score_what_was_published_and_not_more(n):
    inner, outer, side = anchored(n)
    score = judged(inner, outer)
    assert side - 1e-5 < score.value < side  # as published it is a little larger than it has to be
    assert HexagonPacking(n=n).best_known.value < score.value


@pytest.mark.parametrize("n", [11, 12])
def test_the_side_holds_all_corners_and_no_smaller_one_does(n):
    inner, outer, _ = anchored(n)
    side = judged(inner, outer).value
    furthest = max(
        (x - outer[0]) * math.cos(turn) + (y - outer[1]) * math.sin(turn)
        for one in inner
        for x, y in corners(*one)
        for turn in (math.radians(outer[2] + 30 + 60 * k) for k in range(6))
    )
    assert side == pytest.approx(furthest / math.sqrt(0.75), abs=1e-13)


def overlap_area(one, other):
    """The area of what two convex polygons share, by cutting one along the other's edges: no separating axes."""
    for (ax, ay), (bx, by) in pairwise([*other, other[0]]):
        kept = []
        for p, q in pairwise([*one, *one[:1]]):
            here, there = ((bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in (p, q))
            if here >= 0:
                kept.append(p)
            if here * there < 0:
                share = here / (here - there)
                kept.append((p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])))
        one = kept
    return sum(p[0] * q[1] - q[0] * p[1] for p, q in pairwise([*one, one[0]])) / 2 if one else 0.0


@pytest.mark.parametrize(("n", "side"), [(11, 3.9245009), (12, 3.94164207)])
def test_packings_that_a_script_found_are_as_small_as_any_that_was_published_and_share_no_area(n, side):
    path = Path(__file__).parent / "data" / "hexagon_packing.json"
    *inner, outer = json.loads(path.read_text(encoding="utf-8"))[str(n)]
    score = judged(inner, outer)
    assert HexagonPacking(n=n).best_known.value < score.value < side < anchored(n)[2]
    assert max(overlap_area(corners(*a), corners(*b)) for a, b in combinations(inner, 2)) < 1e-13
    border = corners(*outer, side=score.value)
    for (ax, ay), (bx, by) in pairwise([*border, border[0]]):
        assert all((bx - ax) * (y - ay) - (by - ay) * (x - ax) > -1e-13 for one in inner for x, y in corners(*one))


def test_one_hexagon_in_itself_has_side_one_rounded_up():
    assert judged([(0.0, 0.0, 0.0)]).value == math.nextafter(1.0, 2.0)
    assert judged([(0.0, 0.0, 30.0)]).value == pytest.approx(2 / math.sqrt(3), abs=1e-15)


@given(st.floats(0, 360), st.floats(-1e-9, 1e-9))
def test_two_hexagons_side_by_side_are_apart_exactly_from_twice_the_apothem_on(angle, more):
    distance = math.sqrt(3) + more
    turn = math.radians(angle + 30)
    pair = [(0.0, 0.0, angle), (distance * math.cos(turn), distance * math.sin(turn), angle)]
    if more > 1e-14:
        assert judged(pair).value > 1.7
    elif more < -1e-14:
        with pytest.raises(Reject, match="hexagons 0 and 1 overlap"):
            judged(pair)


@pytest.mark.parametrize(("distance", "valid"), [(math.sqrt(3), False), (math.nextafter(math.sqrt(3), 2), True)])
def test_touching_is_decided_to_the_last_bit(distance, valid):
    assert distance**2 < 3 or valid  # the first float is below the root of 3, the next one above
    pair = [(0.0, 0.0, 0.0), (0.0, distance, 0.0)]
    if valid:
        judged(pair)
    else:
        with pytest.raises(Reject, match="overlap"):
            judged(pair)


@pytest.mark.parametrize("valid", [True, False])
def test_touching_is_decided_far_beyond_float64(valid):
    """One centre makes up for what float64 cannot hold of the root of 3, to about 10^-33, from above or below."""
    root = Fraction(math.isqrt(3 << 600), 1 << 300)
    rest = float(root - Fraction(math.sqrt(3)))
    below = rest if Fraction(rest) <= root - Fraction(math.sqrt(3)) else math.nextafter(rest, 0.0)
    pair = [(0.0, -math.nextafter(below, 1.0) if valid else -below, 0.0), (0.0, math.sqrt(3), 0.0)]
    if valid:
        judged(pair)
    else:
        with pytest.raises(Reject, match="overlap"):
            judged(pair)


def test_a_corner_that_touches_an_edge_needs_one_and_an_apothem():
    apart = 1 + math.sqrt(0.75)
    judged([(0.0, 0.0, 0.0), (apart + 1e-15, 0.0, 30.0)])
    with pytest.raises(Reject, match="overlap"):
        judged([(0.0, 0.0, 0.0), (apart - 1e-15, 0.0, 30.0)])


def test_overlap_under_a_tolerance_of_1e_9_is_refused():
    inner, outer, _ = anchored(12)
    packed = [[(1 - 1e-4) * x, (1 - 1e-4) * y, angle] for x, y, angle in inner]
    with pytest.raises(Reject, match="overlap"):
        judged(packed, outer)


def test_whole_turns_of_a_hexagon_change_nothing():
    inner, outer, _ = anchored(11)
    turned = [[x, y, angle + 2.0**-30 * 60 * 2**30] for x, y, angle in inner]
    assert judged(turned, outer).value == pytest.approx(judged(inner, outer).value, abs=1e-12)


def test_an_outer_hexagon_elsewhere_only_gets_larger():
    inner, outer, _ = anchored(11)
    assert judged(inner, [outer[0] + 1.0, *outer[1:]]).value > judged(inner, outer).value + 0.5
    assert judged(inner, [500.0, 0.0, 0.0]).value > 400.0


@pytest.mark.parametrize(
    "one", [[True, 0.1, 0.0], ["0", 5.0, 0.0], [5.0, 5.0], [math.nan, 5.0, 0.0], [5.0, 5.0, math.inf]]
)
def test_one_bad_hexagon_spoils_the_packing(one):
    with pytest.raises(Reject):
        HexagonPacking(n=2).judge([[[0.0, 0.0, 0.0], one, [0.0, 0.0, 0.0]]])


def test_centres_that_are_not_numbers_do_not_hide_overlap():
    with pytest.raises(Reject):
        judged([(math.nan, math.nan, 0.0), (math.nan, math.nan, 0.0)])


def test_a_side_of_ones_own_beside_the_outer_hexagon_is_refused():
    inner, outer, _ = anchored(11)
    with pytest.raises(Reject, match="3 entries"):
        judged(inner, [*outer, 3.0])


def test_another_number_of_hexagons_is_refused():
    with pytest.raises(Reject, match="12 entries"):
        HexagonPacking().judge([[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])


def test_coordinates_beyond_what_the_error_bounds_hold_for_are_refused():
    with pytest.raises(Reject, match="beyond 1000"):
        judged([(0.0, 0.0, 0.0), (1001.0, 0.0, 0.0)])
    with pytest.raises(Reject, match="beyond 1000"):
        judged([(0.0, 0.0, 0.0)], (0.0, -1e300, 0.0))


def test_angles_of_any_size_are_judged_and_soon():
    assert judged([(0.0, 0.0, 1e308), (3.0, 0.0, 5e-324)]).value > 2.0


@pytest.mark.parametrize("n", [0, 41])
def test_a_wrong_n_is_a_setting_error(n):
    with pytest.raises(SettingError, match="n"):
        HexagonPacking(n=n)


@pytest.mark.parametrize("n", [1, 2, 7, 12, 40])
def test_the_seed_is_valid_for_every_n(n):
    problem = HexagonPacking(n=n)
    packing = json.loads(json.dumps(InProcess.of(problem, problem.seeds()[0])(n)))
    assert problem.judge([packing]).value < 12


def test_all_hexagons_are_drawn_inside_the_outer_one():
    inner, outer, _ = anchored(11)
    packing = [*inner, outer]
    [border] = shapes(HexagonPacking(), [packing], "polygon", "edge")
    drawn = shapes(HexagonPacking(), [packing], "polygon", "area")
    assert len(drawn) == 11
    (left, right), (high, low) = ((min(one), max(one)) for one in zip(*border["points"], strict=True))
    for one in drawn:
        assert len(one["points"]) == 6
        assert all(left - 0.02 <= x <= right + 0.02 and high - 0.02 <= y <= low + 0.02 for x, y in one["points"])
