from __future__ import annotations

import ast
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.operators.base import NoChild
from evoengine.operators.tune import SEARCHES, Tune
from evoengine.types import Cause, Failed, Probe, Program, Scored, Trials
from tests.operators import corpus
from tests.operators.drafts import Driver, blocks_cut_out, draft_of

LINE = "def main(x):\n    return 3.0 * x + 0.1  # a line\n"
XS = [(x / 5,) for x in range(-5, 6)]


def fit_to(a: float, b: float):
    """Minus the mean square error of what the program says from a * x + b."""
    targets = [a * x + b for (x,) in XS]
    return lambda outputs: -sum((y - t) ** 2 for y, t in zip(outputs, targets, strict=True)) / len(targets)


def numbers(text: str) -> list[float | int]:
    found = [
        one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Constant) and type(one.value) in (int, float)
    ]
    return [one.value for one in sorted(found, key=lambda one: (one.lineno, one.col_offset))]


@pytest.mark.parametrize("arm", ["cmaes", "pattern"])
@pytest.mark.parametrize("seed", range(4))
def test_it_fits_the_constants_of_a_line(arm, seed):
    driver = Driver(fit_to(2.0, -0.7), XS)
    child = driver.breed(Tune(budget=300), draft_of(LINE, arm=arm, seed=seed, scores=[driver.score(LINE)]))
    slope, offset = numbers(child.text)[:2]
    assert driver.score(child.text) > -1e-6
    assert slope == pytest.approx(2.0, abs=2e-3)
    assert "# a line" in child.text
    assert offset == pytest.approx(0.7, abs=2e-3) or offset == pytest.approx(-0.7, abs=2e-3)


@pytest.mark.parametrize("arm", ["random", "local"])
def test_the_simple_searches_make_the_fit_much_better(arm):
    driver = Driver(fit_to(2.0, -0.7), XS)
    start = driver.score(LINE)
    better = 0
    for seed in range(5):
        child = driver.breed(Tune(budget=300), draft_of(LINE, arm=arm, seed=seed, scores=[start]))
        better += driver.score(child.text) > 0.05 * start
    assert better >= 4


@settings(max_examples=25, deadline=None)
@given(
    arm=st.sampled_from(sorted(SEARCHES)), budget=st.integers(1, 60), batch=st.integers(1, 20), seed=st.integers(0, 999)
)
def test_it_never_spends_more_than_its_budget_or_asks_for_more_than_a_batch(arm, budget, batch, seed):
    driver = Driver(fit_to(2.0, -0.7), XS)
    draft = draft_of(LINE, arm=arm, seed=seed, scores=[driver.score(LINE)])
    driver.calls = 0
    try:
        driver.breed(Tune(budget=budget, batch=batch), draft)
    except NoChild:
        pass
    assert driver.calls <= budget
    assert all(len(one.points) <= batch for one in driver.asked)


@settings(max_examples=25, deadline=None)
@given(arm=st.sampled_from([*sorted(SEARCHES), "ints"]), seed=st.integers(0, 999))
def test_a_child_scores_what_its_best_trial_did_and_more_than_its_parent(arm, seed):
    text = "def main(x):\n    s = 0.0\n    for i in range(4):\n        s = s + 0.7 * x + i * -0.25\n    return s\n"
    driver = Driver(fit_to(2.0, -0.7), XS)
    start, seen = driver.score(text), []
    answer = driver.answer

    def listening(request):
        answers = answer(request)
        seen.extend(one.score for one in answers if isinstance(one, Scored))
        return answers

    driver.answer = listening
    try:
        child = driver.breed(Tune(budget=60), draft_of(text, arm=arm, seed=seed, scores=[start]))
    except NoChild:
        assert max(seen) <= start
        return
    assert driver.score(child.text) == max(seen) > start


def test_the_same_rng_makes_the_same_child():
    driver = Driver(fit_to(2.0, -0.7), XS)
    for arm in SEARCHES:
        texts = {driver.breed(Tune(budget=50), draft_of(LINE, arm=arm, seed=5, scores=[-9.0])).text for _ in range(2)}
        assert len(texts) == 1


def test_whole_numbers_stay_whole_and_are_tuned_only_when_asked_for():
    text = "def main(n):\n    total = 0.0\n    for i in range(3):\n        total += 1.0\n    return [total, i]\n"
    driver = Driver(lambda outputs: -abs(outputs[0][1] - 11) - abs(outputs[0][0] - 12), [(0,)])
    start = driver.score(text)
    child = driver.breed(Tune(budget=200), draft_of(text, arm="ints", seed=1, scores=[start]))
    assert driver.score(child.text) > -1e-3
    assert "range(12)" in child.text
    for seed in range(8):
        child = driver.breed(Tune(budget=40), draft_of(text, arm="local", seed=seed, scores=[start]))
        assert "range(3)" in child.text


def test_declared_knobs_alone_are_tuned_within_their_bounds():
    text = (
        'KNOBS = {"a": (0.5, 0.0, 1.5), "n": (2, 0, 9)}\n\n\n'
        'def main(x):\n    return KNOBS["a"][0] * x + KNOBS["n"][0] * 0.5\n'
    )
    driver = Driver(fit_to(2.0, 3.5), XS)
    for arm in SEARCHES:
        child = driver.breed(Tune(budget=300), draft_of(text, arm=arm, seed=2, scores=[driver.score(text)]))
        a, low, high, n, least, most = numbers(child.text)[:6]
        assert (low, high, least, most) == (0.0, 1.5, 0, 9)
        assert 0.0 <= a <= 1.5
        assert type(n) is int
    for request in driver.asked:
        assert isinstance(request, Trials)
        assert all(0.0 <= a <= 1.5 and 0 <= n <= 9 and n == int(n) for a, n in request.points)


def test_only_literals_inside_the_evolve_block_move():
    text = corpus.TWO_BLOCKS
    driver = Driver(lambda outputs: outputs[0], [(0.75, 2.0)], entry="priority")
    start = driver.score(text)
    for arm in (*SEARCHES, "ints"):
        child = driver.breed(Tune(budget=60), draft_of(text, arm=arm, seed=3, scores=[start], entry="priority"))
        head = text.partition("def priority")[0]
        assert child.text.startswith(head)
        assert blocks_cut_out(child.text[len(head) :]) == blocks_cut_out(text[len(head) :])


def test_a_score_that_never_changes_is_given_up_early():
    driver = Driver(lambda outputs: 1.0, XS)
    for arm in SEARCHES:
        driver.calls = 0
        with pytest.raises(NoChild):
            driver.breed(Tune(budget=200, patience=0.2), draft_of(LINE, arm=arm, scores=[1.0]))
        assert driver.calls <= 40 + 16


def test_failed_trials_rank_last():
    text = "def main(x):\n    return (0.5 - 1.0) ** 0.5 if 0.25 > 0.3 else 0.25\n"

    def judge(outputs):
        if isinstance(outputs[0], complex):
            raise TypeError("complex")
        return outputs[0] if outputs[0] < 0.3 else -math.inf

    driver = Driver(judge, [(0,)])
    for arm in SEARCHES:
        child = driver.breed(Tune(budget=80), draft_of(text, arm=arm, seed=4, scores=[0.25]))
        assert 0.25 < driver.score(child.text) < 0.3


def test_no_number_and_no_program_mean_no_child():
    for text in ("def main(x):\n    return x\n", "def ("):
        with pytest.raises(NoChild):
            next(Tune().breed(draft_of(text, arm="cmaes")))
    draft = draft_of(LINE, arm="cmaes")
    conversation = Tune().breed(draft)
    request = next(conversation)
    for _ in range(1000):
        try:
            request = conversation.send(tuple(Failed(cause=Cause.CRASHED) for _ in request.points))
        except NoChild:
            return
    pytest.fail("it went on for ever")


RING = '''\
import numpy as np


def main(n):
    """Points far apart."""
    angles = [0.1 * i for i in range(n)]
    points = np.zeros((n, 2))
    for i, angle in enumerate(angles):
        points[i] = [0.5 + 0.3 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)]  # on a ring
    return points.tolist()
'''


def distances(outputs):
    """The sum over the points of the distance to the nearest other."""
    points = outputs[0]
    assert all(0 <= value <= 1 for point in points for value in point)
    return sum(min(math.dist(a, b) for b in points if b is not a) for a in points)


def test_freezing_turns_what_a_constructor_computes_into_better_literals():
    driver = Driver(distances, [(8,)])
    start, gains, shapes = driver.score(RING), [], set()
    for seed in range(8):
        child = driver.breed(Tune(budget=200), draft_of(RING, arm="freeze", seed=seed, scores=[start]))
        gains.append(driver.score(child.text) / start)
        shapes.add(child.text.count("\n"))
        assert len(numbers(child.text)) >= 8
        assert '"""Points far apart."""' in child.text
    assert min(gains) >= 1.0
    assert sum(gain > 1.5 for gain in gains) >= 5
    assert len(shapes) > 1


def test_what_only_served_the_frozen_value_is_left_out_and_the_child_can_be_tuned_again():
    text = RING.replace("points.tolist()", "np.clip(points, 0.0, 1.0).tolist()")
    driver = Driver(distances, [(8,)])
    start = driver.score(text)
    for seed in range(12):
        child = driver.breed(Tune(budget=60), draft_of(text, arm="freeze", seed=seed, scores=[start]))
        if "points = np.array(" in child.text:
            break
    assert "angles" not in child.text
    assert "# on a ring" not in child.text
    score = driver.score(child.text)
    again = driver.breed(Tune(budget=200), draft_of(child.text, arm="local", seed=1, scores=[score]))
    assert driver.score(again.text) > score


def test_freezing_alone_is_a_neutral_move():
    driver = Driver(distances, [(8,)])
    start = driver.score(RING)
    for seed in range(6):
        child = driver.breed(Tune(budget=1), draft_of(RING, arm="freeze", seed=seed, scores=[start]))
        assert driver.score(child.text) == start
        assert child.text != RING


def test_a_problem_with_several_inputs_is_not_frozen():
    driver = Driver(distances, [(8,), (9,)])
    with pytest.raises(NoChild):
        driver.breed(Tune(), draft_of(RING, arm="freeze", scores=[0.0]))
    assert isinstance(driver.asked[0], Probe)


def test_a_lying_probe_costs_no_more_than_the_draft():
    for answer in (
        [["list", ["__import__('os')"]] * 2],
        [None],
        [[["list", [10**5000, 1.5]]] * 2],
        [[["list", [1e999, 1.5]]] * 2],
        [[None, None]],
        [[["array", 3]] * 2],
        [[1, 2]],
        [[["list", [True, 1.5, 2.0]]] * 2],
        Failed(cause=Cause.CRASHED),
    ):
        conversation = Tune(captures=1).breed(draft_of(RING, arm="freeze"))
        assert isinstance(next(conversation), Probe)
        with pytest.raises(NoChild):
            conversation.send(answer)


def test_other_files_are_kept():
    draft = draft_of(LINE, arm="pattern")
    program = Program(files={"main.py": LINE, "data.txt": "1"})
    object.__setattr__(draft, "parents", (draft.parents[0]._replace(content=program),))
    request = next(Tune().breed(draft))
    assert request.program.files["data.txt"] == "1"
    assert "_knobs_[0]" in request.program.text


def test_an_array_that_does_not_matter_is_not_frozen():
    text = RING.replace("    angles", "    spare = [0.2 * i for i in range(n)]\n    angles").replace(
        "return points.tolist()", "return points.tolist() if len(spare) == n else None"
    )
    driver = Driver(distances, [(8,)])
    start = driver.score(text)
    for seed in range(12):
        child = driver.breed(Tune(budget=100), draft_of(text, arm="freeze", seed=seed, scores=[start]))
        assert "spare = [" not in child.text.replace("spare = [0.2 * i", "")
