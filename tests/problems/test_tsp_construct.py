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

module = shipped("tsp_construct")
TspConstruct = module.TspConstruct


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return TspConstruct(cities=15)


def nearest_neighbour(matrix):
    tour, left = [0], set(range(1, len(matrix)))
    while left:
        tour.append(min(left, key=lambda city: matrix[tour[-1]][city]))
        left.remove(tour[-1])
    return sum(matrix[tour[k - 1]][tour[k]] for k in range(len(tour)))


def nearest(distance, home, near, mean):
    return -distance


def test_the_nearest_neighbour_rule_gives_nearest_neighbour_tours():
    score = TspConstruct(cities=30).play(InProcess(nearest))
    lengths = [nearest_neighbour(matrix) for matrix in module.distances(30, "train").tolist()]
    assert list(score.instances.values()) == pytest.approx(lengths)
    assert score.value == pytest.approx(sum(lengths) / len(lengths))
    assert score.metrics["nearest_share"] == 1.0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_no_rule_beats_the_shortest_tours(seed):
    rng = np.random.default_rng(seed)
    score = TspConstruct(cities=5).play(InProcess(lambda distance, home, near, mean: rng.normal(size=len(home))))
    for length, matrix in zip(score.instances.values(), module.distances(5, "train").tolist(), strict=True):
        tours = ([0, *rest] for rest in permutations(range(1, 5)))
        assert length >= min(sum(matrix[t[k - 1]][t[k]] for k in range(5)) for t in tours) - 1e-12


class Watched(InProcess):
    """The nearest neighbour rule that keeps what it was asked of the first instance."""

    def __init__(self):
        super().__init__(nearest)
        self.asked = []

    def batch(self, calls):
        self.asked.append(calls[0])
        return super().batch(calls)


def test_the_arguments_describe_the_cities_that_are_left():
    candidate = Watched()
    TspConstruct(cities=12).play(candidate)
    matrix, here, left = module.distances(12, "train")[0], 0, list(range(1, 12))
    for distance, home, near, mean in candidate.asked:
        assert distance == pytest.approx([matrix[here][city] for city in left])
        assert home == pytest.approx([matrix[0][city] for city in left])
        others = [[matrix[city][other] for other in left if other != city] or [0.0] for city in left]
        assert near == pytest.approx([min(row) for row in others])
        assert mean == pytest.approx([sum(row) / len(row) for row in others])
        here = min(left, key=lambda city: matrix[here][city])
        left.remove(here)
    assert left == []


def test_a_candidate_that_writes_into_its_arguments_does_not_change_the_walk():
    def vandal(*arguments):
        answer = -arguments[0]
        for one in arguments:
            one[:] = 0.0
        return answer

    honest, spoiled = (TspConstruct(cities=12).play(InProcess(one)) for one in (nearest, vandal))
    assert spoiled.instances == honest.instances


def test_a_list_is_as_good_as_an_array():
    honest, listed = (
        TspConstruct(cities=12).play(InProcess(one)) for one in (nearest, lambda *args: nearest(*args).tolist())
    )
    assert listed.instances == honest.instances


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: answer * math.nan,
        lambda answer: answer - math.inf,
        lambda answer: [False] * len(answer),
        lambda answer: {"length": 0.0},
        lambda answer: None,
    ],
)
def test_a_bad_answer_late_in_a_tour_is_refused(spoil):
    class Spoiler(InProcess):
        def __call__(self, *args):
            answer = nearest(*args)
            return spoil(answer) if len(answer) == 4 else answer

    with pytest.raises(Reject):
        TspConstruct(cities=12).play(Spoiler(nearest))


def test_train_and_held_out_cities_differ():
    train, held_out = (module.distances(10, stage) for stage in ("train", "held_out"))
    assert not set(train.ravel().tolist()) & set(held_out.ravel().tolist()) - {0.0}


@pytest.mark.parametrize("cities", [3, 201])
def test_a_wrong_number_of_cities_is_a_setting_error(cities):
    with pytest.raises(SettingError, match="cities"):
        TspConstruct(cities=cities)


@pytest.mark.parametrize("idiom", TspConstruct.idioms, ids=lambda idiom: idiom.name)
def test_an_idiom_in_the_seed_makes_a_rule_that_is_no_worse(idiom):
    end = "    return np.asarray(score, dtype=float)\n"
    problem = TspConstruct()
    program = Program.of(
        TspConstruct.seed.replace(end, "    " + idiom.code.replace("$random", "7").replace("$", "") + end)
    )
    seed, child = (problem.play(InProcess.of(problem, one)).value for one in (*problem.seeds(), program))
    assert program.text != TspConstruct.seed
    assert child <= seed


def test_the_tours_that_were_judged_are_kept_and_drawn_through_every_city():
    problem = TspConstruct(cities=15)
    score = problem.play(InProcess(nearest))
    assert score.outputs["stage"] == "train"
    drawn = shapes(problem, score.outputs, "polygon", "line")
    assert len(drawn) == len(score.outputs["tours"]) == 4
    [height] = {one["height"] for one in shapes(problem, score.outputs, "rect", "ground")}
    assert max(y for line in drawn for _, y in line["points"]) > 0.9 * height
    for place, (tour, line) in enumerate(zip(score.outputs["tours"], drawn, strict=True)):
        assert sorted(tour) == list(range(15))
        corners = line["points"]
        assert len(set(corners)) == 15
        length = sum(math.dist(corners[k - 1], corners[k]) for k in range(15))
        unit = 2.1 / (560 - 24)  # of the drawing's width, without its margins
        assert length * unit == pytest.approx(score.instances[f"train-{place}"], abs=0.01)


def test_tours_through_cities_that_there_are_not_are_no_picture():
    problem = TspConstruct(cities=15)
    for tours in ([[0, 99]], [[0, 1.5]], [["a"]], [[]], "ab", [0]):
        assert isinstance(picture_of(problem, json.dumps({"stage": "train", "tours": tours})), Undrawn)
