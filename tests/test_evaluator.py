"""What becomes of a candidate in a worker: judged here, produced in the sandbox."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from evoengine.errors import ProblemError, SandboxError
from evoengine.evaluator import Evaluator
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.sandboxes.base import CandidateError
from evoengine.sandboxes.none import Unconfined
from evoengine.types import Cause, Context, Evaluation, Failed, Feature, Limits, Probe, Program, Scored, Stage, Trials


class Sum(Problem):
    """A candidate returns numbers; their sum counts."""

    name = "sum"
    goal = "large numbers"
    entry = "numbers"
    seed = "def numbers(n):\n    return [0.0] * n\n"
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="spread", low=0, high=1),
        Feature(name="ast_nodes", low=0, high=100),
    )
    limits = Limits(cpu_seconds=2.0, wall_seconds=10.0, memory_mib=256)

    def inputs(self) -> list[tuple[int]]:  # type: ignore[override]
        return [(3,)]

    def judge(self, outputs: list[Any]) -> Score:
        [numbers] = outputs
        if len(numbers) != 3:
            raise Reject("expected 3 numbers")
        return Score(sum(numbers), spread=max(numbers) - min(numbers), feedback="summed")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Unconfined]:
    sandbox = Unconfined()
    yield sandbox
    sandbox.shutdown()


def returning(what: str) -> Program:
    return Program.of(f"import numpy as np\ndef numbers(n):\n    return {what}\n")


def judged(sandbox: Unconfined, problem: Problem, content: Program | Context, **settings: Any) -> Evaluation:
    return Evaluator(problem, sandbox).evaluate(content, **settings).evaluation


def scored(evaluation: object) -> Scored:
    assert isinstance(evaluation, Scored), evaluation
    return evaluation


def failed(evaluation: object) -> Failed:
    assert isinstance(evaluation, Failed), evaluation
    return evaluation


def test_a_score_carries_metrics_features_of_both_kinds_feedback_and_outputs(sandbox: Unconfined) -> None:
    program = returning("[1, 2.5, 3]")
    judgement = Evaluator(Sum(), sandbox).evaluate(program)
    found = scored(judgement.evaluation)
    assert found.score == 6.5
    assert found.metrics == {"spread": 2.0}
    assert found.features.keys() == {"spread", "ast_nodes"}
    assert found.features["spread"] == 2.0
    assert found.features["ast_nodes"] > 5
    assert found.feedback == "summed"
    assert json.loads(found.outputs or "") == [[1, 2.5, 3]]
    assert judgement.calls == 1


def test_a_judge_is_handed_lists_where_the_candidate_returned_arrays(sandbox: Unconfined) -> None:
    class Strict(Sum):
        def judge(self, outputs: list[Any]) -> Score:
            assert type(outputs) is list
            assert type(outputs[0]) is list
            return Score(float(type(outputs[0][0]) is int), spread=0.5)

    assert scored(judged(sandbox, Strict(), returning("np.arange(3)"))).score == 1
    assert scored(judged(sandbox, Strict(), returning("np.arange(3.0)"))).score == 0


def test_outputs_are_those_that_the_judge_was_handed_before_it_changed_them(sandbox: Unconfined) -> None:
    class Greedy(Sum):
        def judge(self, outputs: list[Any]) -> Score:
            outputs[0].clear()
            return Score(1.0, spread=0.0)

    assert scored(judged(sandbox, Greedy(), returning("[7]"))).outputs == "[[7]]"


def test_outputs_that_are_too_large_are_not_kept(sandbox: Unconfined) -> None:
    class Any3(Sum):
        def judge(self, outputs: list[Any]) -> Score:
            return Score(1.0, spread=0.0)

    assert scored(judged(sandbox, Any3(), returning("'x' * 300_000"))).outputs is None


class Cost(Sum):
    direction = "minimize"

    def judge(self, outputs: list[Any]) -> Score:
        return Score(4.0, instances={"a": 3.0, "b": 5.0}, spread=1.0)


def test_a_cost_becomes_a_score_that_is_better_when_higher(sandbox: Unconfined) -> None:
    found = scored(judged(sandbox, Cost(), returning("[]")))
    assert found.score == -4.0
    assert found.instances == {"a": -3.0, "b": -5.0}
    assert found.metrics == {"spread": 1.0}


@pytest.mark.parametrize(
    ("what", "cause", "told"),
    [
        ("[1, 2]", Cause.REJECTED, "expected 3 numbers"),
        ("[1, 2, float('nan')]", Cause.REJECTED, "plain data"),
        ("3", Cause.UNJUDGED, "TypeError"),
        ("['a', 'b', 'c']", Cause.UNJUDGED, "TypeError"),
        ("1 / 0", Cause.CRASHED, "ZeroDivisionError"),
        ("[0] * 10 ** 9", Cause.OUT_OF_MEMORY, "MemoryError"),
    ],
)
def test_whatever_goes_wrong_with_a_candidate_is_a_value(
    sandbox: Unconfined, what: str, cause: Cause, told: str
) -> None:
    found = failed(judged(sandbox, Sum(), returning(what)))
    assert found.cause is cause
    assert told in found.feedback


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, True, np.bool_(True), "1", None, [1.0], 1j, 10**400, np.float64("nan")]
)
def test_a_value_or_metric_that_is_no_finite_number_never_scores(sandbox: Unconfined, value: Any) -> None:
    class Odd(Sum):
        where: str

        def judge(self, outputs: list[Any]) -> Score:
            match self.where:
                case "value":
                    return Score(value, spread=0.0)
                case "metric":
                    return Score(1.0, spread=0.0, other=value)
                case _:
                    return Score(1.0, spread=0.0, instances={"a": value})

    for where in ("value", "metric", "instance"):
        assert failed(judged(sandbox, Odd(where=where), returning("[]"))).cause is Cause.UNJUDGED


def test_numpy_numbers_count_as_numbers(sandbox: Unconfined) -> None:
    class Numpy(Sum):
        def judge(self, outputs: list[Any]) -> Score:
            return Score(np.float32(0.5), spread=np.int64(3))  # type: ignore[arg-type]

    found = scored(judged(sandbox, Numpy(), returning("[]")))
    assert type(found.score) is float
    assert found.metrics == {"spread": 3.0}


def test_a_problem_that_returns_no_score_leaves_the_candidate_unjudged(sandbox: Unconfined) -> None:
    class Forgetful(Sum):
        def judge(self, outputs: list[Any]) -> Score:
            return 1.0  # type: ignore[return-value]

    assert "Score" in failed(judged(sandbox, Forgetful(), returning("[]"))).feedback


def test_a_candidate_whose_judge_leaves_a_feature_out_is_unjudged_and_told_what_there_is(sandbox: Unconfined) -> None:
    class Vague(Sum):
        features = (Feature(name="beauty", low=0, high=1),)

    told = failed(judged(sandbox, Vague(), returning("[1, 2, 3]")))
    assert told.cause is Cause.UNJUDGED
    assert re.search(r"'beauty'.*spread.*ast_nodes", told.feedback)


class Cascade(Sum):
    stages: ClassVar[tuple[Stage, ...]] = (
        Stage(name="quick", threshold=5.0),
        Stage(name="full"),
        Stage(name="unseen", held_out=True),
    )
    features = ()

    def inputs(self, stage: str = "full") -> list[tuple[int]]:
        return [({"quick": 1, "full": 2, "unseen": 3}[stage],)]

    def judge(self, outputs: list[Any]) -> Score:
        return Score(float(outputs[0]))


def test_a_candidate_below_a_threshold_is_rejected_and_costs_no_further_stage(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Cascade(), sandbox)
    low = evaluator.evaluate(returning("n"))
    assert (failed(low.evaluation).cause, low.calls) == (Cause.REJECTED, 1)
    assert "stage 'quick': 1 does not reach 5" in failed(low.evaluation).feedback
    exact = evaluator.evaluate(returning("5 if n == 1 else n"))
    assert (scored(exact.evaluation).score, exact.calls) == (2.0, 2)
    broken = evaluator.evaluate(returning("5 if n == 1 else 1 / 0"))
    assert (failed(broken.evaluation).cause, broken.calls) == (Cause.CRASHED, 2)


def test_nothing_is_stopped_after_the_last_stage(sandbox: Unconfined) -> None:
    class One(Cascade):
        stages = (Stage(name="full", threshold=100.0),)

    assert scored(judged(sandbox, One(), returning("n"))).feedback == ""


def test_thresholds_are_in_the_problems_own_direction(sandbox: Unconfined) -> None:
    class Downward(Cascade):
        direction = "minimize"

    evaluator = Evaluator(Downward(), sandbox)
    assert evaluator.evaluate(returning("4.9 if n == 1 else n")).calls == 2
    assert evaluator.evaluate(returning("5.1 if n == 1 else n")).calls == 1


def test_a_held_out_stage_is_run_only_when_it_is_named(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Cascade(), sandbox)
    judgement = evaluator.evaluate(returning("n"), stage="unseen")
    assert (scored(judgement.evaluation).score, judgement.calls) == (3.0, 1)
    with pytest.raises(ProblemError, match="quick, full, unseen"):
        evaluator.evaluate(returning("n"), stage="other")


class Game(Problem):
    """A play problem: the candidate decides step by step."""

    name = "game"
    goal = "grow"
    entry = "step"
    seed = "def step(x):\n    return x + 1\n"
    features = ()
    swallows: bool = False

    def play(self, candidate: Player) -> Score:  # type: ignore[override]
        x = 0.0
        for _ in range(5):
            try:
                x = candidate(x)
            except CandidateError:
                if not self.swallows:
                    raise
                return Score(99.0)
        [array] = candidate.batch([(np.array([x, x]),)])
        assert isinstance(array, np.ndarray)
        return Score(float(array.sum()), first=x)


def test_a_problem_can_drive_its_candidate_call_by_call(sandbox: Unconfined) -> None:
    found = scored(judged(sandbox, Game(), Program.of("def step(x):\n    return x + 1\n")))
    assert found.score == 12.0
    assert found.metrics == {"first": 5.0}
    assert found.outputs is None


@pytest.mark.parametrize("swallows", [False, True])
def test_a_failure_that_the_problem_catches_is_still_one(sandbox: Unconfined, swallows: bool) -> None:
    found = failed(judged(sandbox, Game(swallows=swallows), Program.of("def step(x):\n    return 1 / 0\n")))
    assert found.cause is Cause.CRASHED
    assert "ZeroDivisionError" in found.feedback


def test_a_context_is_judged_by_a_problem_that_reads_it_and_by_no_other(sandbox: Unconfined) -> None:
    class Length(Problem):
        name = "length"
        goal = "long"
        seed = "x"
        features = (Feature(name="length", low=0, high=10),)

        def play(self, candidate: Player, stage: str = "full") -> Score:
            assert isinstance(candidate.content, Context)
            return Score(len(candidate.content.sections["a"]))

    context = Context(sections={"a": "four"})
    assert scored(judged(sandbox, Length(), context)).features == {"length": 4.0}
    assert failed(judged(sandbox, Game(), context)).cause is Cause.UNJUDGED


class Noisy(Sum):
    repeats = 4
    features = (Feature(name="spread", low=0, high=1), Feature(name="length", low=0, high=100))

    def judge(self, outputs: list[Any]) -> Score:
        return Score(outputs[0], instances={"a": outputs[0]}, spread=2 * outputs[0])


NOISE = Program.of("import random\ndef numbers(n):\n    return random.random()\n")


def test_a_would_be_champion_is_believed_only_by_the_mean_of_its_repeats(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Noisy(), sandbox)
    once = evaluator.evaluate(NOISE)
    first = scored(once.evaluation)
    assert once.calls == 1
    assert evaluator.evaluate(NOISE, above=first.score).calls == 1
    often = evaluator.evaluate(NOISE, above=first.score - 1e-9)
    mean = scored(often.evaluation)
    assert often.calls == 4
    assert mean.score != first.score
    assert mean.metrics["spread"] == mean.features["spread"] == pytest.approx(2 * mean.score)
    assert mean.instances["a"] == pytest.approx(mean.score)
    assert mean.features["length"] == first.features["length"]


def test_a_repeat_that_fails_is_a_failure(sandbox: Unconfined) -> None:
    class Twice(Noisy):
        repeats = 40

    flaky = Program.of("import random\ndef numbers(n):\n    assert random.random() < 0.9\n    return 1.0\n")
    judgement = Evaluator(Twice(), sandbox).evaluate(flaky, above=-1.0)
    assert failed(judgement.evaluation).cause is Cause.CRASHED


def test_evaluating_again_gives_the_same_whatever_came_between(sandbox: Unconfined) -> None:
    one, other = Evaluator(Noisy(), sandbox), Evaluator(Noisy(), sandbox)
    first = one.evaluate(NOISE, above=-1.0).evaluation
    one.evaluate(returning("0.5"))
    assert other.evaluate(NOISE, above=-1.0).evaluation == first == one.evaluate(NOISE, above=-1.0).evaluation


KNOBBED = Program.of("def numbers(n):\n    return [1 / _knobs_[0], _knobs_[1], 0.0]\n")


def test_trials_are_judged_point_by_point_and_a_failure_costs_only_its_own(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Sum(), sandbox)
    found = evaluator.answer(Trials(program=KNOBBED, points=[(1.0, 2.0), (0.0, 1.0), (2.0, 1e308), (4.0, -1.0)]))
    assert [scored(found[place]).score for place in (0, 2, 3)] == [3.0, 1e308, -0.75]
    assert failed(found[1]).cause is Cause.CRASHED
    again = evaluator.answer(Trials(program=KNOBBED, points=[(1.0, 2.0)]))
    assert again[0] == found[0]
    evaluator.end_trials()


def test_trials_of_another_program_are_of_that_program(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Sum(), sandbox)
    found = [
        scored(evaluator.answer(Trials(program=returning(f"[{number}] * 3"), points=[()]))[0]).score
        for number in (1, 2, 1)
    ]
    assert found == [3.0, 6.0, 3.0]
    assert evaluator.answer(Probe(program=returning("4"), entry="numbers")) == [4]
    evaluator.end_trials()


def test_trials_run_the_same_cascade_as_an_evaluation(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Cascade(), sandbox)
    program = Program.of("def numbers(n):\n    return _knobs_[0] * n\n")
    low, high = evaluator.answer(Trials(program=program, points=[(1.0,), (6.0,)]))
    assert (failed(low).cause, scored(high).score) == (Cause.REJECTED, 12.0)
    evaluator.end_trials()


def test_trials_of_one_program_share_a_process_and_end_with_it(sandbox: Unconfined) -> None:
    class Pid(Sum):
        features = ()

        def judge(self, outputs: list[Any]) -> Score:
            return Score(outputs[0])

    pid = Program.of("import os\ndef numbers(n):\n    return os.getpid()\n")
    evaluator = Evaluator(Pid(), sandbox)

    def pids() -> list[float]:
        return [scored(one).score for one in evaluator.answer(Trials(program=pid, points=[(0.0,)] * 2))]

    first = pids()
    assert first[0] == first[1]
    assert pids() == first
    evaluator.end_trials()
    assert pids() != first
    assert scored(evaluator.evaluate(pid).evaluation).score not in first
    evaluator.end_trials()


def test_a_probe_tells_what_a_function_returns_for_the_inputs_of_the_first_stage(sandbox: Unconfined) -> None:
    evaluator = Evaluator(Cascade(), sandbox)
    program = Program.of(
        "import numpy as np\ndef other(n):\n    return np.ones(n + 1)\ndef bad(n):\n    return n / 0\n"
    )
    assert evaluator.answer(Probe(program=program, entry="other")) == [[1.0, 1.0]]
    assert failed(evaluator.answer(Probe(program=program, entry="bad"))).cause is Cause.CRASHED
    assert failed(evaluator.answer(Probe(program=program, entry="none"))).cause is Cause.CRASHED
    assert evaluator.answer(Probe(program=program, entry="other")) == [[1.0, 1.0]]
    evaluator.end_trials()


def test_a_probe_of_a_problem_without_inputs_fails_with_the_reason(sandbox: Unconfined) -> None:
    found = failed(Evaluator(Game(), sandbox).answer(Probe(program=KNOBBED, entry="numbers")))
    assert "no inputs" in found.feedback


def test_a_failure_of_the_sandbox_is_never_a_candidates(sandbox: Unconfined) -> None:
    class Unready(Sum):
        preload = ("no_such_module",)

    with pytest.raises(SandboxError):
        judged(sandbox, Unready(), returning("[1, 2, 3]"))


def test_an_evaluator_pickles_in_the_middle_of_trials() -> None:
    evaluator = Evaluator(Sum(), Unconfined())
    evaluator.answer(Trials(program=KNOBBED, points=[(1.0, 2.0)]))
    copy = pickle.loads(pickle.dumps(evaluator))
    assert scored(copy.evaluate(returning("[1, 2, 3]")).evaluation).score == 6.0
    copy.close()
    evaluator.close()
