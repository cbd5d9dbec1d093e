from __future__ import annotations

import math

import numpy as np
import pytest

from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("kernel_speed")
KernelSpeed, Case, CASES = module.KernelSpeed, module.Case, module.CASES


@pytest.fixture(autouse=True)
def _few_points(monkeypatch):
    cases = {"few": Case(points=60, radius=500), "more": Case(points=120, radius=300, clusters=3)}
    monkeypatch.setattr(module, "CASES", {"train": cases, "held_out": cases})


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return KernelSpeed()

    def test_every_seed_scores_finitely_and_the_same_again_at_every_stage(self, problem):
        # that of a timing is not the same again
        for stage in problem.stages:
            score = problem.play(InProcess.of(problem, problem.seeds()[0]), stage.name)
            assert math.isfinite(score.value)
            assert score.value > 0.0


def by_pairs(xs, ys, radius):
    points = list(zip(xs.tolist(), ys.tolist(), strict=True))
    return np.array(
        [
            sum((a - c) ** 2 + (b - d) ** 2 <= radius**2 for k, (c, d) in enumerate(points) if k != j)
            for j, (a, b) in enumerate(points)
        ],
        dtype=float,
    )


class Clock:
    """In the place of the module `time`: reads what the test says that was spent."""

    def __init__(self):
        self.wall = self.cpu = 0.0
        self.reference = 0.25

    def perf_counter(self):
        return self.wall

    def thread_time(self):
        self.cpu += self.reference  # between one reading and the next
        return self.cpu


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_the_reference_counts_every_pair_that_is_near():
    rng = np.random.default_rng(1)
    for case in (Case(points=50, radius=900), Case(points=77, radius=200, clusters=2)):
        xs, ys = case.drawn(rng)
        assert (module.reference(xs, ys, case.radius) == by_pairs(xs, ys, case.radius)).all()


def test_a_point_at_the_radius_is_near_and_equal_points_are_neighbours():
    xs, ys = np.array([0.0, 3.0, 3.0, 10.0]), np.array([0.0, 4.0, 4.0, 4.0])
    assert module.reference(xs, ys, 5).tolist() == [2, 2, 2, 0]


def test_the_value_is_the_references_time_over_that_of_the_call(clock):
    def slow(xs, ys, radius):
        clock.wall += 0.5
        return by_pairs(xs, ys, radius)

    score = KernelSpeed().play(InProcess(slow))
    assert score.value == pytest.approx(0.25 / 0.5)
    assert list(score.instances.values()) == pytest.approx([0.5, 0.5])


def test_a_candidate_that_slows_the_reference_down_beside_it_gains_nothing(clock):
    def burning(xs, ys, radius):
        clock.wall += 0.5
        clock.reference = 25.0  # from its first call on
        return by_pairs(xs, ys, radius)

    assert KernelSpeed().play(InProcess(burning)).value == pytest.approx(0.25 / 0.5)


def test_a_time_that_the_candidate_tells_is_not_read(clock):
    def telling(xs, ys, radius):
        clock.wall += 0.5
        return {"seconds": 0.0, "counts": by_pairs(xs, ys, radius).tolist()}

    with pytest.raises(Reject):
        KernelSpeed().play(InProcess(telling))


def test_one_slow_call_does_not_change_the_value(clock):
    calls = []

    def uneven(xs, ys, radius):
        calls.append(1)
        clock.wall += 100.0 if len(calls) in (1, 2) else 0.5
        return by_pairs(xs, ys, radius)

    assert KernelSpeed().play(InProcess(uneven)).value == pytest.approx(0.25 / 0.5)


def test_no_points_are_ever_shown_twice_not_even_to_the_same_program():
    seen = []

    def watched(xs, ys, radius):
        seen.append((xs.tobytes(), ys.tobytes()))
        return by_pairs(xs, ys, radius)

    for _ in range(2):
        KernelSpeed().play(InProcess(watched))
    assert len(set(seen)) == len(seen) == 2 * 2 * module.ROUNDS


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: answer * math.nan,
        lambda answer: answer + np.eye(len(answer))[3],
        lambda answer: answer + 1e-9,
        lambda answer: [True] * len(answer),
        lambda answer: 0.0 * answer,
        lambda answer: (answer + 1).tolist(),
    ],
)
def test_a_count_that_is_wrong_in_the_last_call_is_refused(spoil):
    calls = []

    def mostly(xs, ys, radius):
        calls.append(1)
        answer = by_pairs(xs, ys, radius)
        return spoil(answer) if len(calls) == 2 * module.ROUNDS else answer

    with pytest.raises(Reject):
        KernelSpeed().play(InProcess(mostly))


def test_drawn_coordinates_are_whole_numbers_whose_distances_are_exact():
    rng = np.random.default_rng(4)
    for cases in module.CASES.values():
        for case in cases.values():
            for values in case.drawn(rng):
                assert values.dtype == np.float64
                assert (values == values.astype(int)).all()
                assert 0 <= values.min() <= values.max() < module.SIDE
