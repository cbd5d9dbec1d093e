"""What every problem must show, and a candidate that runs in the test's own process."""

from __future__ import annotations

import builtins
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evoengine.examining import HOSTILE_TEXTS
from evoengine.pictures import Picture, Undrawn, picture_of
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Completion, Content, Context, Probe, Program, Prompt

hostile = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from([0, 1, 0.5, 1.0, 1e-320, 1e308, -0.0])
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=20,
)
"""Any JSON, and the NaN and infinities that should not have come through the jail."""

HOSTILE: list[Any] = [
    *(None, True, False, 10**20, -(10**20), math.nan, math.inf, -math.inf, "", "1", "nan", [], {}, [[]]),
    *({"score": 1e9}, [{"score": 1e9}], ["score"], [None], [True], [[True, True, True]], [10**20], [[[[[[1.0]]]]]]),
    *([math.nan], [math.inf], [[math.nan, math.nan, 1000.0]], [[0.5, 0.5, "1000"]]),
    *(np.array([math.nan]), np.array([]), np.array([math.inf, 1.0]), np.array([[1.0]])),
]


def plain(value: Any) -> Any:
    """What crosses the boundary of a jail: a float64 row as it is, everything else as strict JSON."""
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 1:
        return value
    return json.loads(json.dumps(value, allow_nan=False))


class InProcess(Player):
    """A function as a candidate."""

    def __init__(self, function: Callable[..., Any], program: Content | None = None) -> None:
        self.function = function
        self.program = program or Program.of("")

    @classmethod
    def of(cls, problem: Problem, content: Content) -> InProcess:
        """The entry function of a program, or of the problem's harness, run here: for programs that are trusted."""
        assert isinstance(content, Program)
        if problem.harness is None:
            return cls(_scope(content)[problem.entry], content)
        return cls(_scope(problem.harness.program)[problem.harness.entry], content)

    @property
    def content(self) -> Content:
        return self.program

    def __call__(self, *args: Any) -> Any:
        return plain(self.function(*args))

    def batch(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        return [self(*call) for call in calls]


def _scope(program: Program) -> dict[str, Any]:
    """The names that the main file of a program defines; it may import the other files of its folder."""
    names = {path.removesuffix(".py"): path for path in program.files if path.endswith(".py")}
    loaded: dict[str, ModuleType] = {}

    def imported(name: str, *rest: Any, **more: Any) -> Any:
        return loaded_as(name, name) if name in names else __import__(name, *rest, **more)

    def loaded_as(name: str, called: str) -> ModuleType:
        if name not in loaded:
            loaded[name] = module = ModuleType(called)
            vars(module)["__builtins__"] = {**vars(builtins), "__import__": imported}
            exec(compile(program.files[names[name]], called, "exec"), vars(module))
        return loaded[name]

    return vars(loaded_as(program.main.removesuffix(".py"), "candidate"))


def values(score: Score) -> tuple[Any, ...]:
    """All that a judge said."""
    return (score.value, score.metrics, score.instances, score.feedback)


def judged_under(
    problem: Problem,
    model: Callable[[Prompt], str],
    runs: Callable[[Probe], Any] | None = None,
    stage: str = "",
    context: Context | None = None,
) -> Score:
    """The score of a context under a function in the place of the task model.

    Args:
        problem: judges contexts.
        model: answers prompts.
        runs: answers probes: `Evaluator.answer`, or a function in its place.
        stage: by default the problem's first one.
        context: by default the problem's first seed.
    """
    content = problem.seeds()[0] if context is None else context
    assert isinstance(content, Context)
    conversation = problem.converse(content, stage or problem.stages[0].name)
    answer: Any = None
    while True:
        try:
            request = conversation.send(answer)
        except StopIteration as end:
            score: Score = end.value
            return score
        match request:
            case Prompt():
                answer = Completion(text=model(request))
            case tuple():
                answer = tuple(Completion(text=model(prompt)) for prompt in request)
            case Probe() if runs is not None:
                answer = runs(request)
            case other:
                raise AssertionError(f"the problem asks for {other!r}")


INHERITED = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
"""What hypothesis would hold against a property in a class with fixtures that others inherit."""


class ProblemContract:
    """What every problem must show. Needs a fixture `problem`."""

    def test_every_seed_scores_finitely_and_the_same_again_at_every_stage(self, problem: Problem) -> None:
        for content in problem.seeds():
            for stage in problem.stages:
                first, second = (problem.play(InProcess.of(problem, content), stage.name) for _ in range(2))
                assert math.isfinite(first.value)
                assert values(first) == values(second)

    def test_metrics_and_instances_of_a_seed_are_finite_numbers(self, problem: Problem) -> None:
        score = problem.play(InProcess.of(problem, problem.seeds()[0]), problem.stages[0].name)
        for value in (*score.metrics.values(), *score.instances.values()):
            assert type(value) is float
            assert math.isfinite(value)

    def test_every_feature_is_a_metric_or_of_the_code(self, problem: Problem) -> None:
        score = problem.play(InProcess.of(problem, problem.seeds()[0]), problem.stages[0].name)
        of_the_code = {"length", "ast_nodes", "ast_depth", "cyclomatic", "novelty"}
        assert {feature.name for feature in problem.features} <= of_the_code | set(score.metrics)

    def test_no_seed_is_better_than_the_best_known(self, problem: Problem) -> None:
        if problem.best_known is not None:
            for content in problem.seeds():
                score = problem.play(InProcess.of(problem, content), problem.stages[0].name)
                assert problem.signed(score.value) <= problem.signed(problem.best_known.value)
                assert problem.best_known.source

    @pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: repr(answer)[:30])
    def test_a_hostile_answer_never_scores(self, problem: Problem, answer: Any) -> None:
        with pytest.raises(Reject):
            problem.play(_Always(answer), problem.stages[0].name)

    @settings(
        suppress_health_check=INHERITED,
        deadline=None,
        max_examples=60,
    )
    @given(answer=hostile)
    def test_no_answer_crashes_the_judge_or_beats_the_best_known(self, problem: Problem, answer: Any) -> None:
        try:
            score = problem.play(_Always(answer), problem.stages[0].name)
        except Reject:
            return
        assert math.isfinite(score.value)
        if problem.best_known is not None:
            assert problem.signed(score.value) <= problem.signed(problem.best_known.value)

    def test_the_picture_of_a_seed_is_small_and_only_draws(self, problem: Problem) -> None:
        for content in problem.seeds() if problem.draws else ():
            outputs = json.dumps(_outputs(problem, content), allow_nan=False)
            assert len(outputs) <= 256 * 1024
            text = problem.render(json.loads(outputs))
            assert text is not None
            assert len(text) <= 1024 * 1024
            assert "<!" not in text
            root = ElementTree.fromstring(text)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert root.findtext("{http://www.w3.org/2000/svg}title"), "a picture needs a title, to be read out"
            for element in root.iter():
                assert str(element.tag).rpartition("}")[2].lower() not in ("script", "foreignobject", "image", "a")
                for name, value in element.attrib.items():
                    assert not name.lower().startswith("on")
                    assert name.rpartition("}")[2].lower() not in ("href", "src")
                    assert "//" not in value
            shown = picture_of(problem, outputs)
            assert isinstance(shown, Picture), shown
            assert picture_of(problem, outputs) == shown

    def test_hostile_outputs_cost_a_picture_and_nothing_else(self, problem: Problem) -> None:
        outputs = _outputs(problem, problem.seeds()[0]) if problem.draws else None
        for answer in HOSTILE:
            held = answer.tolist() if isinstance(answer, np.ndarray) else answer
            for spoilt in _spoilt(outputs, held):
                match picture_of(problem, json.dumps(spoilt)):
                    case Picture(svg=svg):
                        assert not re.search(r"nan|inf", svg.partition("</style>")[2])
                    case Undrawn(why=why):
                        assert why
                        assert why.isprintable()

    def test_every_hole_of_an_idiom_is_in_its_code_and_the_other_way_round(self, problem: Problem) -> None:
        for idiom in problem.idioms:
            assert set(re.findall(r"\$(\w+)", idiom.code)) - {"inner", "random"} == set(idiom.holes)
            compile(re.sub(r"\$(\w+)", r"\1", idiom.code), idiom.name, "exec")


class _Always(InProcess):
    """Answers every call with one value, whatever it is."""

    def __init__(self, answer: Any) -> None:
        super().__init__(lambda *_: answer)

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class _Kept(InProcess):
    """Keeps what the candidate returned to the last batch of calls, as a record does."""

    returned: list[Any]

    def batch(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        answers = super().batch(calls)
        self.returned = [one.tolist() if isinstance(one, np.ndarray) else one for one in answers]
        return answers


def _outputs(problem: Problem, content: Content) -> Any:
    """What a record of it keeps."""
    player = _Kept(InProcess.of(problem, content).function)
    score = problem.play(player, problem.stages[0].name)
    return player.returned if score.outputs is None else score.outputs


def _spoilt(outputs: Any, answer: Any) -> Iterator[Any]:
    """Outputs with an answer in the place of a part of them, of any depth."""
    yield answer
    match outputs:
        case [first, *rest]:
            yield from ([one, *rest] for one in _spoilt(first, answer))
        case dict():
            for name, part in outputs.items():
                yield from ({**outputs, name: one} for one in _spoilt(part, answer))


class ContextProblemContract:
    """What every problem that judges contexts must show. Needs a fixture `problem`; and `runs`, if it probes."""

    @pytest.fixture
    def runs(self) -> Any:
        """What answers probes: `Evaluator.answer`."""
        return None

    def test_every_seed_scores_finitely_and_the_same_again_at_every_stage(self, problem: Problem, runs: Any) -> None:
        for content in problem.seeds():
            assert isinstance(content, Context)
            for stage in problem.stages:
                first, second = (judged_under(problem, _silent, runs, stage.name, content) for _ in range(2))
                assert math.isfinite(first.value)
                assert values(first) == values(second)

    def test_metrics_and_instances_are_finite_numbers_and_cover_the_features(self, problem: Problem, runs: Any) -> None:
        score = judged_under(problem, _silent, runs)
        for value in (*score.metrics.values(), *score.instances.values()):
            assert type(value) is float
            assert math.isfinite(value)
        assert {feature.name for feature in problem.features} <= {"length", "novelty"} | set(score.metrics)

    def test_stages_that_are_held_out_ask_what_no_other_stage_asks(self, problem: Problem) -> None:
        asked = {stage.name: set(_asked(problem, stage.name)) for stage in problem.stages}
        for stage in problem.stages:
            for other in problem.stages:
                if stage.held_out and not other.held_out:
                    assert not asked[stage.name] & asked[other.name]

    @pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: repr(text)[:30])
    def test_a_hostile_answer_never_beats_silence(self, problem: Problem, runs: Any, text: str) -> None:
        silent, hostile = judged_under(problem, _silent, runs), judged_under(problem, lambda _: text, runs)
        assert problem.signed(hostile.value) <= problem.signed(silent.value)

    @settings(suppress_health_check=INHERITED, deadline=None, max_examples=20)
    @given(text=st.text(max_size=200))
    def test_no_answer_crashes_the_judge(self, problem: Problem, runs: Any, text: str) -> None:
        try:
            assert math.isfinite(judged_under(problem, lambda _: text, runs).value)
        except Reject:
            return

    def test_what_judging_takes_is_said_beforehand(self, problem: Problem) -> None:
        assert problem.most_tokens > 0


def _silent(_: Prompt) -> str:
    return ""


def _asked(problem: Problem, stage: str) -> list[str]:
    """The newest message of each of the first prompts of a stage."""
    content = problem.seeds()[0]
    assert isinstance(content, Context)
    request = next(problem.converse(content, stage))
    prompts = request if isinstance(request, tuple) else (request,)
    return [prompt.messages[-1]["content"] for prompt in prompts if isinstance(prompt, Prompt)]
