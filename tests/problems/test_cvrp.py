import json
import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.pictures import Undrawn, picture_of
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("cvrp")
Cvrp = module.Cvrp


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return Cvrp(customers=12)


def nearest(distance, depot, demand, room):
    return -distance - 10.0 * (demand == 0.0)


def nearest_by_hand(instance):
    """The length of the routes that always go to the nearest customer that fits."""
    left, length, here, room = set(range(1, len(instance.demands))), 0.0, 0, module.CAPACITY
    while left:
        fitting = [k for k in sorted(left) if instance.demands[k] <= room]
        to = min(fitting, key=lambda k: instance.matrix[here][k]) if fitting else 0
        length += instance.matrix[here][to]
        room = room - instance.demands[to] if to else module.CAPACITY
        left.discard(to)
        here = to
    return length + instance.matrix[here][0]


def test_the_nearest_customer_rule_drives_the_routes_that_it_should():
    score = Cvrp(customers=30).play(InProcess(nearest))
    lengths = [nearest_by_hand(instance) for instance in module.instances(30, "train")]
    assert list(score.instances.values()) == pytest.approx(lengths)
    assert score.value == pytest.approx(sum(lengths) / len(lengths))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_the_rule_every_customer_is_served_once_and_no_vehicle_is_overloaded(seed):
    rng = np.random.default_rng(seed)
    score = Cvrp(customers=20).play(InProcess(lambda *arguments: rng.normal(size=len(arguments[0]))))
    for routes, instance in zip(score.outputs["routes"], module.instances(20, "train"), strict=False):
        assert sorted(place for route in routes for place in route) == list(range(1, 21))
        assert all(0 < sum(instance.demands[place] for place in route) <= module.CAPACITY for route in routes)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_no_rule_beats_the_shortest_routes(seed):
    rng = np.random.default_rng(seed)
    score = Cvrp(customers=4).play(InProcess(lambda *arguments: rng.normal(size=len(arguments[0]))))
    for length, instance in zip(score.instances.values(), module.instances(4, "train"), strict=True):
        matrix = instance.matrix

        def shortest(order, cuts, matrix=matrix):
            """Of routes that go home after the places where a bit of `cuts` is set; four customers always fit."""
            path = [0]
            for place, customer in enumerate(order):
                path += [customer] + [0] * (cuts >> place & 1)
            return sum(matrix[path[k - 1]][path[k]] for k in range(len(path)))

        assert length >= min(shortest(order, cuts) for order in permutations(range(1, 5)) for cuts in range(8)) - 1e-12


def test_a_vehicle_that_goes_home_after_each_customer_drives_there_and_back():
    score = Cvrp(customers=9).play(InProcess(lambda distance, depot, demand, room: (demand == 0.0) * 1.0))
    for length, instance in zip(score.instances.values(), module.instances(9, "train"), strict=True):
        assert length == pytest.approx(2 * instance.matrix[0].sum())
    assert score.metrics["routes"] == 9


class Watched(InProcess):
    """The nearest customer rule, which keeps what it was asked of the first instance."""

    def __init__(self):
        super().__init__(nearest)
        self.asked = []

    def batch(self, calls):
        self.asked.append(calls[0])
        return super().batch(calls)


def test_the_depot_is_offered_last_and_only_away_from_it_and_only_what_fits_is():
    candidate = Watched()
    Cvrp(customers=12).play(candidate)
    first, second = candidate.asked[:2]
    instance = module.instances(12, "train")[0]
    assert first[0].tolist() == first[1].tolist() == instance.matrix[0][1:].tolist()
    assert first[2].tolist() == instance.demands[1:].tolist()
    assert (second[1][-1], second[2][-1]) == (0.0, 0.0)
    for distance, depot, demand, room in candidate.asked:
        assert (demand <= room).all()
        assert len(distance) == len(depot) == len(demand) == len(room)
        assert (demand[:-1] > 0).all()


def test_a_candidate_that_writes_into_its_arguments_does_not_change_the_drive():
    def vandal(*arguments):
        answer = nearest(*arguments)
        for one in arguments:
            one[:] = 0.0
        return answer

    honest, spoiled = (Cvrp(customers=12).play(InProcess(one)) for one in (nearest, vandal))
    assert spoiled.instances == honest.instances


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: answer * math.nan,
        lambda answer: answer - math.inf,
        lambda answer: [True] * len(answer),
        lambda answer: {"length": 0.0},
        lambda answer: 0,
    ],
)
def test_a_bad_answer_late_on_the_way_is_refused(spoil):
    class Spoiler(InProcess):
        def __call__(self, *arguments):
            answer = nearest(*arguments)
            return spoil(answer) if len(answer) == 3 else answer

    with pytest.raises(Reject):
        Cvrp(customers=12).play(Spoiler(nearest))


def test_train_and_held_out_instances_differ():
    train, held_out = ({tuple(one.points.ravel()) for one in module.instances(10, stage)} for stage in module.INSTANCES)
    assert not train & held_out


@pytest.mark.parametrize("customers", [3, 101])
def test_a_wrong_number_of_customers_is_a_setting_error(customers):
    with pytest.raises(SettingError, match="customers"):
        Cvrp(customers=customers)


@pytest.mark.parametrize("idiom", Cvrp.idioms, ids=lambda idiom: idiom.name)
def test_an_idiom_in_the_seed_makes_another_rule(idiom):
    end = "    return np.asarray(score, dtype=float)\n"
    problem = Cvrp()
    program = Program.of(Cvrp.seed.replace(end, "    " + idiom.code.replace("$", "") + end))
    seed, child = (problem.play(InProcess.of(problem, one)).value for one in (*problem.seeds(), program))
    assert program.text != Cvrp.seed
    assert child <= seed


def test_the_routes_that_were_judged_are_drawn_through_every_customer():
    problem = Cvrp(customers=15)
    score = problem.play(InProcess(nearest))
    drawn = shapes(problem, score.outputs, "polygon", "line")
    assert len(drawn) == sum(len(routes) for routes in score.outputs["routes"])
    assert sum(len(one["points"]) - 1 for one in drawn) == 4 * 15
    for routes in ([[[99]]], [[["a"]]], [[1.5]], "ab"):
        assert isinstance(picture_of(problem, json.dumps({"stage": "train", "routes": routes})), Undrawn)
