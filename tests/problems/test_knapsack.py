import json
import math
from itertools import combinations

import pytest

from evoengine.errors import SettingError
from evoengine.pictures import Undrawn, picture_of
from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program
from tests.problems.drawn import shapes
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("knapsack")
Knapsack = module.Knapsack


@pytest.fixture(params=["uncorrelated", "correlated"])
def family(request):
    return request.param


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return Knapsack()


class TestContractOfCorrelatedItems(ProblemContract):
    @pytest.fixture
    def problem(self):
        return Knapsack(family="correlated")


def greedy(items, accept):
    room, value = module.CAPACITY, 0
    for place, (worth, weight) in enumerate(items):
        if accept(worth, weight, room, len(items) - 1 - place) > 0 and weight <= room:
            room -= weight
            value += worth
    return value


@pytest.mark.parametrize(
    "accept", [lambda value, weight, room, left: 1, lambda value, weight, room, left: value / weight - left / 50]
)
def test_the_share_is_that_of_a_knapsack_packed_in_a_loop(family, accept):
    score = Knapsack(family=family).play(InProcess(accept))
    best = module.best_values(family, "train")
    expected = [
        100 * greedy(items, accept) / top for items, top in zip(module.instances(family, "train"), best, strict=True)
    ]
    assert list(score.instances.values()) == pytest.approx(expected)
    assert score.value == pytest.approx(sum(expected) / len(expected))


def test_the_best_in_hindsight_is_that_of_all_choices_of_a_few_items(family):
    for items in (items[:9] for items in module.instances(family, "train")):
        choices = [chosen for size in range(10) for chosen in combinations(items, size)]
        for capacity in (20, 150):
            fitting = (chosen for chosen in choices if sum(weight for _, weight in chosen) <= capacity)
            assert module.best_value(items, capacity) == max(sum(value for value, _ in chosen) for chosen in fitting)


def test_who_knows_the_best_choice_reaches_the_anchor_and_nobody_is_above(family):
    """A candidate that looks up what dynamic programming takes."""
    taken = []
    for items in module.instances(family, "train"):
        table = [[0] * (module.CAPACITY + 1)]
        for value, weight in items:
            before = table[-1]
            table.append(
                [max(before[c], before[c - weight] + value if c >= weight else 0) for c in range(module.CAPACITY + 1)]
            )
        room, chosen = module.CAPACITY, set()
        for place in range(len(items), 0, -1):
            if table[place][room] != table[place - 1][room]:
                chosen.add(place - 1)
                room -= items[place - 1][1]
        taken.append(chosen)

    class Knowing(InProcess):
        def batch(self, calls):
            return [1.0 if 99 - int(call[3]) in taken[k] else 0.0 for k, call in enumerate(calls)]

    score = Knapsack(family=family).play(Knowing(None))
    assert score.value == pytest.approx(100.0) == Knapsack.best_known.value
    assert set(score.instances.values()) == {100.0}


def test_an_item_that_does_not_fit_is_not_taken_however_much_it_is_wanted():
    score = Knapsack().play(InProcess(lambda *_: 1e300))
    assert score.metrics["filled"] <= 1
    for chosen, items in zip(score.outputs["taken"], module.instances("uncorrelated", "train"), strict=False):
        assert sum(items[place][1] for place in chosen) <= module.CAPACITY
        assert len(set(chosen)) == len(chosen)


def test_who_takes_nothing_has_nothing():
    score = Knapsack().play(InProcess(lambda *_: 0))
    assert score.value == 0
    assert score.metrics["filled"] == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, True, "1", None, [1.0], {"value": 100}, 10**30])
def test_a_bad_answer_late_in_an_instance_is_refused(bad):
    class Late(InProcess):
        def __call__(self, *arguments):
            return bad if arguments[3] == 3 else 1.0

    with pytest.raises(Reject):
        Knapsack().play(Late(None))


def test_train_and_held_out_instances_differ(family):
    assert not {*module.instances(family, "train")} & {*module.instances(family, "held_out")}


def test_an_unknown_family_is_a_setting_error():
    with pytest.raises(SettingError, match="family"):
        Knapsack(family="both")


@pytest.mark.parametrize("idiom", Knapsack.idioms, ids=lambda idiom: idiom.name)
def test_an_idiom_in_the_seed_makes_another_rule(idiom):
    end = "    return float(score)\n"
    problem = Knapsack()
    program = Program.of(Knapsack.seed.replace(end, "    " + idiom.code.replace("$", "") + end))
    seed, child = (problem.play(InProcess.of(problem, one)).value for one in (*problem.seeds(), program))
    assert child != seed


def test_what_was_taken_is_drawn_in_another_colour():
    problem = Knapsack()
    score = problem.play(InProcess(lambda value, weight, room, left: value - weight))
    marked = shapes(problem, score.outputs, "rect", "mark")
    others = shapes(problem, score.outputs, "rect", "soft")
    assert len(marked) == sum(map(len, score.outputs["taken"]))
    assert len(marked) + len(others) == 4 * 100
    assert isinstance(picture_of(problem, json.dumps({"stage": "train", "taken": [1, 2]})), Undrawn)
