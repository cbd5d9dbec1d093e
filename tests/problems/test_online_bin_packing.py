import json
import math

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

module = shipped("online_bin_packing")
OnlineBinPacking = module.OnlineBinPacking


@pytest.fixture(params=["or3", "weibull"])
def family(request):
    return request.param


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return OnlineBinPacking()


class TestContractOfWeibull(ProblemContract):
    @pytest.fixture
    def problem(self):
        return OnlineBinPacking(family="weibull")


def bins_used(items, capacity, priority):
    """A packing as FunSearch writes it: a list with every bin, empty ones too, and the priorities of those that fit."""
    bins = [capacity] * len(items)
    for item in items:
        fitting = sorted({left for left in bins if left >= item})
        priorities = [float(one) for one in priority(float(item), np.array(fitting, dtype=float))]
        chosen = fitting[priorities.index(max(priorities))]
        bins[bins.index(chosen)] -= item
    return sum(left < capacity for left in bins)


def excess(family, stage, priority):
    capacity = {"or3": 150, "weibull": 100}[family]
    return [
        100 * (bins_used(items, capacity, priority) / math.ceil(sum(items) / capacity) - 1)
        for items in module.instances(family, stage)[:2]
    ]


def best_fit(item, bins):
    return -(bins - item)


def first_of_equals(item, bins):
    return np.zeros(len(bins))


def worst_open_fit(item, bins):
    return [left - 1000.0 * (left == bins[-1]) for left in bins.tolist()]


def wavy(item, bins):
    return np.sin(bins * 0.37 + item)


@pytest.mark.parametrize("priority", [best_fit, first_of_equals, worst_open_fit, wavy])
def test_the_excess_is_that_of_a_packing_done_with_lists(family, priority):
    score = OnlineBinPacking(family=family).play(InProcess(priority))
    assert list(score.instances.values())[:2] == pytest.approx(excess(family, "train", priority))
    assert score.value == pytest.approx(sum(score.instances.values()) / len(score.instances))


def test_best_fit_leaves_the_excess_that_is_known_for_it(family):
    score = OnlineBinPacking(family=family).play(InProcess(best_fit), "held_out")
    assert score.value == pytest.approx({"or3": 5.2, "weibull": 4.0}[family], abs=0.3)


def test_best_fit_always_takes_the_tightest_bin_and_never_opens_one_early(family):
    metrics = OnlineBinPacking(family=family).play(InProcess(best_fit)).metrics
    assert metrics == {"tightest_share": 1.0, "opened_early": 0.0}


def test_always_opening_a_bin_uses_one_for_each_item():
    score = OnlineBinPacking().play(InProcess(lambda item, bins: bins))
    items = module.instances("or3", "train")[0]
    assert score.instances["train-0"] == pytest.approx(100 * (500 / math.ceil(sum(items) / 150) - 1))
    assert score.metrics["opened_early"] > 0.9


def test_a_candidate_is_offered_only_bins_that_fit_ascending_with_an_empty_one_last():
    def priority(item, bins):
        assert type(item) is float
        assert bins.dtype == np.float64
        assert (bins >= item).all()
        assert (np.diff(bins) > 0).all()
        assert bins[-1] == 150.0
        return -bins

    OnlineBinPacking().play(InProcess(priority))


class Recorded(InProcess):
    """Best fit that keeps what it was asked, one exchange after the other."""

    def __init__(self):
        super().__init__(best_fit)
        self.asked = []

    def batch(self, calls):
        self.asked.append([item for item, _ in calls])
        return super().batch(calls)


def test_each_exchange_shows_one_item_of_each_instance_and_none_that_comes_later(family):
    candidate = Recorded()
    OnlineBinPacking(family=family).play(candidate)
    made = module.instances(family, "train")
    assert candidate.asked == [list(items) for items in zip(*made, strict=True)]


def test_a_candidate_that_writes_into_its_bins_does_not_change_the_packing():
    def vandal(item, bins):
        answer = best_fit(item, bins)
        bins[:] = 1000.0
        return answer

    honest, spoiled = (OnlineBinPacking().play(InProcess(one)) for one in (best_fit, vandal))
    assert spoiled.metrics == honest.metrics
    assert spoiled.value == honest.value


def test_train_and_held_out_instances_differ_and_have_the_sizes_of_their_family(family):
    train, held_out = (module.instances(family, stage) for stage in ("train", "held_out"))
    assert not {tuple(items) for items in train} & {tuple(items[: len(train[0])]) for items in held_out}
    sizes = np.array(held_out)
    if family == "or3":
        assert (sizes.min(), sizes.max()) == (20, 100)
        assert sizes.mean() == pytest.approx(60, abs=1)
    else:
        assert sizes.min() >= 1
        assert sizes.max() <= 100
        assert sizes.mean() == pytest.approx(45 * math.gamma(4 / 3), abs=0.5)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: [*answer.tolist(), 0.0],
        lambda answer: answer * np.nan,
        lambda answer: np.where(answer == answer.max(), np.inf, answer),
        lambda answer: [True] * len(answer),
        lambda answer: answer.astype(np.int64),
        lambda answer: answer[None, :],
        lambda answer: float(answer[0]),
        lambda answer: {"used": 1},
    ],
)
def test_a_bad_answer_late_in_a_packing_is_refused(spoil):
    asked = iter(range(10**9))

    class Spoiler(InProcess):
        def __call__(self, item, bins):
            answer = best_fit(item, bins)
            return spoil(answer) if next(asked) == 3000 else answer

    with pytest.raises(Reject):
        OnlineBinPacking().play(Spoiler(best_fit))


def test_priorities_whose_sum_overflows_are_still_numbers():
    score = OnlineBinPacking().play(InProcess(lambda item, bins: np.full(len(bins), 1.7e308)))
    assert score.value == OnlineBinPacking().play(InProcess(first_of_equals)).value


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_no_priorities_use_fewer_bins_than_the_lower_bound(seed):
    rng = np.random.default_rng(seed)
    score = OnlineBinPacking().play(InProcess(lambda item, bins: rng.normal(size=len(bins))))
    assert min(score.instances.values()) >= 0


def test_an_unknown_family_is_a_setting_error():
    with pytest.raises(SettingError, match="family"):
        OnlineBinPacking(family="or4")


@pytest.mark.parametrize("idiom", OnlineBinPacking.idioms, ids=lambda idiom: idiom.name)
def test_an_idiom_in_the_seed_makes_a_rule_that_is_no_worse(idiom):
    end = "    return np.asarray(score, dtype=float)\n"
    problem = OnlineBinPacking()
    program = Program.of(
        OnlineBinPacking.seed.replace(end, "    " + idiom.code.replace("$random", "7").replace("$", "") + end)
    )
    seed, child = (problem.play(InProcess.of(problem, one)).value for one in (*problem.seeds(), program))
    assert program.text != OnlineBinPacking.seed
    assert child <= seed


def test_every_item_of_the_first_instance_is_drawn_in_its_bin(family):
    problem = OnlineBinPacking(family=family)
    score = problem.play(InProcess(best_fit))
    [items, *_] = module.instances(family, "train")
    capacity = module.CAPACITY[family]
    used = bins_used(items, capacity, best_fit)
    bins, drawn = (shapes(problem, score.outputs, "rect", look) for look in ("soft", "area"))
    assert len(bins) == used
    unit = bins[0]["height"] / capacity
    assert sorted(round(one["height"] / unit) for one in drawn) == sorted(items)
    held = {(one["x"], one["y"]): 0.0 for one in bins}
    for item in drawn:
        [place] = [
            (one["x"], one["y"]) for one in bins
            if one["x"] == item["x"] and one["y"] - 0.05 <= item["y"] <= one["y"] + one["height"]
        ]  # fmt: skip
        held[place] += item["height"] / unit
    assert all(0 < round(one) <= capacity for one in held.values())


def test_bins_are_refilled_as_they_were_filled():
    assert module.refilled([5, 3, 6, 2], [10, 5, 10, 2], 10) == [[5, 3, 2], [6]]
    assert module.refilled([5, 5, 4, 4], [10, 10, 5, 5], 10) == [[5, 4], [5, 4]]


@pytest.mark.parametrize("room", [[7] * 500, [150] * 499 + [3], ["a"] * 500, [[]] * 500, [150] * 499, [150] * 501, 5])
def test_bins_that_there_were_not_are_no_picture(room):
    outputs = {"stage": "train", "room": room}
    assert isinstance(picture_of(OnlineBinPacking(), json.dumps(outputs)), Undrawn)


def test_what_is_kept_to_be_drawn_takes_little_room(family):
    score = OnlineBinPacking(family=family).play(InProcess(best_fit))
    assert len(json.dumps(score.outputs)) < 5000
