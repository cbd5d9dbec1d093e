"""Guidance and lessons as folds: what is in use, what is shown, and what it is credited with."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.guidance import Guidance
from evoengine.lessons import Lessons, exported, lesson_of
from evoengine.randomness import Stream
from evoengine.types import GUIDANCE, Candidate, Cause, Context, Failed, Note, Program, Record, Scored


def context(number: int, text: str) -> Record:
    content = Context(sections={"strategy": text})
    scored = Guidance().appraised(content)
    return Record(
        number=number, candidate=Candidate(content=content, island=GUIDANCE, operator="guide"), evaluation=scored
    )


def guided(*texts: str, **settings: Any) -> Guidance:
    made = Guidance(**settings)
    made.open()
    for number, text in enumerate(texts, start=1):
        made.add(context(number, text))
    return made


def chosen(guidance: Guidance, times: int = 200) -> Counter[int]:
    found = (guidance.choose(Stream(0, number, "test")) for number in range(times))
    return Counter(elite.number for elite in found if elite is not None)


def test_what_brings_more_is_chosen_more_often() -> None:
    guidance = guided("a" * 100, "b" * 1000, trials=3)
    for _ in range(30):
        guidance.credit(1, 1.0)
        guidance.credit(2, 0.0)
    counts = chosen(guidance)
    assert counts[1] > 180
    assert guidance.elites()[0].number == 1
    assert guidance.elites()[0].scored.score == pytest.approx(31 / 32)


def test_of_a_cell_only_the_one_that_brought_most_stays_in_use_after_its_trial() -> None:
    guidance = guided("look at the loop", "look at the list", "x" * 3000, trials=4)
    for _ in range(4):
        guidance.credit(1, 0.25)
        guidance.credit(2, 0.5)
        guidance.credit(3, 0.0)
    assert {elite.number for elite in guidance.elites()} == {2, 3}  # 3 has a cell of its own
    assert set(chosen(guidance)) <= {2, 3}


def test_a_new_context_is_tried_before_it_is_judged() -> None:
    guidance = guided("look at the loop", trials=4)
    for _ in range(8):
        guidance.credit(1, 1.0)
    guidance.add(context(2, "look at the list"))
    assert {elite.number for elite in guidance.elites()} == {1, 2}


def test_without_contexts_there_is_nothing_to_choose() -> None:
    guidance = Guidance()
    guidance.open()
    assert guidance.empty
    assert guidance.choose(Stream(0, 0, "test")) is None


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 1)), max_size=40))
def test_a_kept_state_of_guidance_chooses_alike(given_credit: list[tuple[int, float]]) -> None:
    guidance, again = guided("one", "two", "three" * 99), Guidance()
    for number, reward in given_credit:
        guidance.credit(number, reward)
    contents = {elite.number: (elite.content, elite.scored) for elite in guided("one", "two", "three" * 99).elites()}
    again.restore(json.loads(json.dumps(guidance.state())), contents)
    assert chosen(again, 20) == chosen(guidance, 20)
    assert again.elites() == guidance.elites()


def record(number: int, text: str = "x = 1\n", score: float | None = 1.0, **candidate: Any) -> Record:
    given = {"note": Note(hypothesis=f"why {number}", change=f"what {number}", predicted="better"), **candidate}
    evaluation = Failed(cause=Cause.CRASHED, feedback="Traceback\nboom") if score is None else Scored(score=score)
    made = Candidate(content=Program.of(text), island=0, operator="diff", parents=(1,), **given)
    return Record(number=number, candidate=made, evaluation=evaluation)


def taught(*records: Record, **settings: Any) -> Lessons:
    made = Lessons(**settings)
    made.open()
    for one in records:
        made.take(one, 0.5, 0.0)
    return made


def test_a_lesson_says_what_was_expected_and_what_came_of_it() -> None:
    better = lesson_of(record(2, score=0.75), 0.5)
    worse, failed = lesson_of(record(2, score=0.25), 0.5), lesson_of(record(2, score=None), 0.5)
    assert better is not None
    assert worse is not None
    assert failed is not None
    assert (better.observed, better.gain) == ("better (by 0.25)", 0.25)
    assert (worse.observed, worse.gain) == ("worse (by 0.25)", -0.25)
    assert failed.observed == "failed: crashed boom"
    assert better.note.hypothesis == "why 2"
    assert lesson_of(record(2, note=None), 0.5) is None
    assert lesson_of(record(2, note=Note(predicted="better")), 0.5) is None


def test_lessons_of_a_program_like_the_parent_are_shown_first() -> None:
    packing, sorting = (
        "def pack(circles, radius):\n    return radius\n",
        "def sort(numbers, pivot):\n    return pivot\n",
    )
    lessons = taught(record(2, packing), record(3, sorting), shown=1, withhold=0.0)
    shown, _ = lessons.choose(Program.of(sorting.replace("pivot\n", "numbers\n")), Stream(0, 0, "test"))
    assert [lesson.number for lesson in shown] == [3]


def test_a_lesson_that_helps_is_preferred_to_one_that_does_not() -> None:
    lessons = taught(record(2), record(3), shown=1, withhold=0.0)
    for number in range(10, 40):
        lessons.take(record(number, note=None, lessons=(3,)), 0.5, 1.0)
        lessons.take(record(number + 100, note=None, lessons=(2,)), 0.5, 0.0)
    shown, _ = lessons.choose(Program.of("x = 1\n"), Stream(0, 0, "test"))
    assert [lesson.number for lesson in shown] == [3]


def test_company_does_not_make_a_lesson_useful() -> None:
    """Shown and held back with the same success, a lesson has no worth, however good the programs around it."""
    lessons = taught(record(2))
    for number in range(10, 50):
        shown = {"lessons": (2,)} if number % 2 else {"withheld": (2,)}
        lessons.take(record(number, note=None, **shown), 0.5, 0.9)
    [only] = lessons.standing()
    assert abs(only["utility"]) < 1e-9


def test_each_that_fits_is_held_back_in_a_share_of_cases() -> None:
    lessons = taught(*(record(number) for number in range(2, 5)), shown=3, withhold=0.25)
    cases = [lessons.choose(Program.of("x = 1\n"), Stream(0, number, "test")) for number in range(400)]
    for shown, withheld in cases:
        assert sorted([*(lesson.number for lesson in shown), *withheld]) == [2, 3, 4]
    assert 0.2 < sum(len(withheld) for _, withheld in cases) / 1200 < 0.3


def test_beyond_the_capacity_the_least_useful_goes() -> None:
    lessons = taught(record(2), record(3), capacity=3)
    for number in range(10, 20):
        lessons.take(record(number, note=None, lessons=(2,)), 0.5, 0.0)
        lessons.take(record(number, note=None, withheld=(2,)), 0.5, 1.0)
    lessons.take(record(30), 0.5, 0.0)
    lessons.take(record(31), 0.5, 0.0)
    assert {one["number"] for one in lessons.standing()} == {3, 30, 31}


@given(st.lists(st.tuples(st.integers(2, 6), st.booleans(), st.floats(0, 1)), max_size=30))
def test_a_kept_state_of_lessons_chooses_alike(events: list[tuple[int, bool, float]]) -> None:
    lessons = taught(*(record(number, f"x = {'y' * number}\n") for number in range(2, 7)), capacity=4)
    for at, (number, is_shown, reward) in enumerate(events):
        told = {"lessons" if is_shown else "withheld": (number,)}
        lessons.take(record(100 + at, note=None, **told), 0.5, reward)
    again = Lessons(capacity=4)
    again.restore(json.loads(json.dumps(lessons.state())))
    assert again.standing() == lessons.standing()
    program, rng = Program.of("x = yyyy\n"), Stream(0, 1, "test")
    assert again.choose(program, rng) == lessons.choose(program, Stream(0, 1, "test"))


def test_lessons_of_another_campaign_come_with_their_programs(tmp_path: Any) -> None:
    lesson = lesson_of(record(2, score=0.75), 0.5)
    assert lesson is not None
    path = tmp_path / "lessons.jsonl"
    path.write_text(exported([(lesson, Program.of("def pack(circles):\n    pass\n"))]))
    known = taught(known=path, withhold=0.0)
    shown, _ = known.choose(Program.of("def pack(circles):\n    return circles\n"), Stream(0, 0, "test"))
    assert [(one.number, one.note, one.observed) for one in shown] == [(-1, lesson.note, lesson.observed)]


def test_a_file_of_lessons_that_is_missing_is_told(tmp_path: Any) -> None:
    with pytest.raises(SettingError, match=r"none\.jsonl cannot be read: No such file"):
        taught(known=tmp_path / "none.jsonl")
