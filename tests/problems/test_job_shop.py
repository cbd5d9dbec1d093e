import json
import math
from itertools import pairwise, permutations

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

module = shipped("job_shop")
JobShop = module.JobShop


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return JobShop(jobs=4, machines=3)


def shortest(time, start, left, steps, load):
    return -time


def by_random(seed):
    rng = np.random.default_rng(seed)
    return InProcess(lambda *arguments: rng.normal(size=len(arguments[0])))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_the_rule_the_schedule_is_one_and_no_shorter_than_the_bound(seed):
    problem = JobShop(jobs=5, machines=4)
    score = problem.play(by_random(seed))
    assert min(score.instances.values()) >= 0
    instance, starts = module.instances(5, 4, "train")[0], score.outputs["starts"]
    ends = np.array(starts) + instance.times
    for job in range(5):
        assert starts[job][0] >= 0
        assert all(starts[job][k] >= ends[job, k - 1] for k in range(1, 4))
    for machine in range(4):
        spans = sorted(
            (starts[j][k], ends[j, k]) for j in range(5) for k in range(4) if instance.route[j, k] == machine
        )
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert score.instances["train-0"] == pytest.approx(100 * (ends.max() / module.bound(instance) - 1))


def shortest_makespan(instance):
    """Of all orders of operations, each scheduled as early as it can be after those before it."""
    jobs, machines = instance.times.shape
    best = math.inf
    for order in set(permutations([job for job in range(jobs) for _ in range(machines)])):
        step, ready, free = [0] * jobs, [0] * jobs, [0] * machines
        for job in order:
            machine = instance.route[job, step[job]]
            ready[job] = free[machine] = max(ready[job], free[machine]) + int(instance.times[job, step[job]])
            step[job] += 1
        best = min(best, max(ready))
    return best


def test_the_bound_is_one_and_active_schedules_reach_the_optimum():
    problem = JobShop(jobs=3, machines=2)
    reached = np.min([list(problem.play(by_random(seed)).instances.values()) for seed in range(40)], axis=0)
    for excess, instance in zip(reached[:6], module.instances(3, 2, "train"), strict=False):
        optimum = shortest_makespan(instance)
        assert module.bound(instance) <= optimum
        assert excess == pytest.approx(100 * (optimum / module.bound(instance) - 1))


class Watched(InProcess):
    """The shortest-time rule, which keeps what it was asked of the first instance."""

    def __init__(self):
        super().__init__(shortest)
        self.asked = []

    def batch(self, calls):
        self.asked.append(calls[0])
        return super().batch(calls)


def test_the_arguments_describe_the_operations_that_compete():
    candidate = Watched()
    JobShop(jobs=4, machines=3).play(candidate)
    instance = module.instances(4, 3, "train")[0]
    assert len(candidate.asked) == 12
    for time, start, left, steps, load in candidate.asked:
        assert len(time) == len(start) == len(left) == len(steps) == len(load) <= 4
        assert start.min() == 0
        assert (left >= time).all()
        assert ((load == 0) == (steps == 1)).all()
        for t, remaining, k in zip(time, left, steps.astype(int), strict=True):
            assert any(
                instance.times[job, 3 - k] == t and instance.times[job, 3 - k :].sum() == remaining for job in range(4)
            )
    assert candidate.asked[0][4].max() <= instance.times.sum()


def test_a_candidate_that_writes_into_its_arguments_does_not_change_the_schedule():
    def vandal(*arguments):
        answer = -arguments[0]
        for one in arguments:
            one[:] = 0.0
        return answer

    honest, spoiled = (JobShop(jobs=4, machines=3).play(InProcess(one)) for one in (shortest, vandal))
    assert spoiled.instances == honest.instances


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: answer * math.nan,
        lambda answer: answer - math.inf,
        lambda answer: [True] * len(answer),
        lambda answer: {"makespan": 0},
        lambda answer: None,
    ],
)
def test_a_bad_answer_is_refused_wherever_it_is(spoil):
    class Spoiler(InProcess):
        def __call__(self, *arguments):
            answer = shortest(*arguments)
            return spoil(answer) if len(answer) == 3 else answer

    with pytest.raises(Reject):
        JobShop(jobs=6, machines=3).play(Spoiler(shortest))


def test_train_and_held_out_instances_differ():
    train, held_out = (
        {tuple(one.times.ravel()) for one in module.instances(4, 3, stage)} for stage in module.INSTANCES
    )
    assert not train & held_out


@pytest.mark.parametrize("settings", [{"jobs": 1}, {"jobs": 31}, {"machines": 1}, {"machines": 21}])
def test_a_wrong_size_is_a_setting_error(settings):
    with pytest.raises(SettingError):
        JobShop(**settings)


@pytest.mark.parametrize("idiom", JobShop.idioms, ids=lambda idiom: idiom.name)
def test_an_idiom_in_the_seed_makes_a_better_rule(idiom):
    end = "    return np.asarray(score, dtype=float)\n"
    problem = JobShop(jobs=6, machines=5)
    program = Program.of(JobShop.seed.replace(end, "    " + idiom.code.replace("$", "") + end))
    seed, child = (problem.play(InProcess.of(problem, one)).value for one in (*problem.seeds(), program))
    assert child < seed


def test_the_schedule_that_was_judged_is_drawn_with_every_operation_once():
    problem = JobShop(jobs=4, machines=3)
    score = problem.play(InProcess(shortest))
    bars = shapes(problem, score.outputs, "rect", "area")
    assert len(bars) == 12
    times = module.instances(4, 3, "train")[0].times
    assert sum(bar["width"] for bar in bars) == pytest.approx(times.sum() * bars[0]["width"] / times[0, 0], rel=0.01)
    for starts in ([[0, 1]], "ab", [[0, 1, math.pi]] * 3, [[True] * 3] * 4):
        assert isinstance(picture_of(problem, json.dumps({"stage": "train", "starts": starts})), Undrawn)
