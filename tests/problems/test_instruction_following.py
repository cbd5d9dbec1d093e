from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine import Campaign, Context
from evoengine.generators.scripted import Scripted
from evoengine.plugins import build
from evoengine.problem import Reject
from evoengine.testing import ContextProblemContract
from evoengine.testing import judged_under as judged
from evoengine.types import Scored
from tests.conftest import evoengine
from tests.operators.talking import fenced
from tests.problems.shipped import shipped

module = shipped("instruction_following")
InstructionFollowing = module.InstructionFollowing
constraints, tasks = (sys.modules[f"shipped_instruction_following.{name}"] for name in ("constraints", "tasks"))
Constraint, KINDS = constraints.Constraint, constraints.KINDS


class TestContract(ContextProblemContract):
    @pytest.fixture
    def problem(self):
        return InstructionFollowing()


def fault(kind, text, **given_):
    return Constraint(kind=kind, text="", given=given_).fault(text)


def witness(task):
    """An answer that keeps every constraint of a task, written from their sentences and not from their checkers."""
    asked = {one.kind: dict(one.given) for one in task.constraints}
    n = {kind: given_.get("n", 0) for kind, given_ in asked.items()}
    bits = [*asked.get("required_words", {}).get("words", ())]
    bits += [asked["repeated_word"]["word"]] * n["repeated_word"] if "repeated_word" in asked else []
    bits += [f"[name{k}]" for k in range(n.get("placeholders", 0))]
    bits += [f"*part{k}*" for k in range(n.get("highlights", 0))]
    bits += ["GREAT"] * n.get("capital_words", 0)
    bits += ["word"] * n.get("words_at_least", 0)
    text = " ".join(bits) or "word"
    if "json" in asked:
        keys = asked["json"]["keys"]
        return json.dumps(dict.fromkeys(keys, "word") | {keys[0]: text})
    if "sentences" in asked:
        text = " ".join([text + ".", *["Word."] * (n["sentences"] - 1)])
    if "paragraphs" in asked:
        text = "\n\n".join([text, *["word"] * (n["paragraphs"] - 1)])
    if "bullets" in asked:
        text = "\n".join(["word", f"- {text}", *["- word"] * (n["bullets"] - 1), "word"])
    if "sections" in asked:
        text = "\n".join(f"SECTION {k + 1}\n{text}" for k in range(n["sections"]))
    if "two_answers" in asked:
        text = f"{text}\n******\nword"
    if "title" in asked:
        text = f"<<word>> {text}"
    if "begins_with" in asked:
        text = f"{asked['begins_with']['phrase']} {text}"
    if "repeat_request" in asked:
        text = f"{task.text.splitlines()[0]}\n{text}"
    if "ends_with" in asked:
        text = f"{text} {asked['ends_with']['phrase']}"
    if "postscript" in asked:
        text = f"{text}\nP.S. word"
    if "lower_case" in asked:
        text = text.lower()
    if "upper_case" in asked:
        text = text.upper()
    return f'"{text}"' if "quoted" in asked else text


# -- the tasks -------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["train", "held_out"]))
def test_no_two_constraints_of_a_task_contradict_each_other(seed, stage):
    for task in tasks.tasks(stage, seed=seed, count=100):
        for one in task.constraints:
            assert one.fault(witness(task)) is None, (task, one.kind, witness(task))


def test_every_combination_that_can_be_asked_for_can_be_kept():
    for stage in ("train", "held_out"):
        every = tasks.combinations_of(stage, 0)
        found = tasks.tasks(stage, seed=0, count=len(every))
        assert {task.combination for task in found} == set(every)
        for task in found:
            assert [one.fault(witness(task)) for one in task.constraints] == [None] * len(task.constraints), task


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_training_and_held_out_share_no_combination_of_kinds(seed):
    problem = InstructionFollowing(exam_seed=seed)
    train, held_out = problem.tasks("train"), problem.tasks("held_out")
    assert not {task.combination for task in train} & {task.combination for task in held_out}
    for found in (train, held_out):
        assert len(found) == len({task.text for task in found}) == len({task.name for task in found}) == 40
        assert all(2 <= len(task.combination) <= 3 for task in found)


def test_tasks_follow_from_the_seed():
    assert tasks.tasks("train", seed=3, count=30) == tasks.tasks("train", seed=3, count=30)
    assert tasks.tasks("train", seed=3, count=30) != tasks.tasks("train", seed=4, count=30)


def test_every_kind_is_asked_for_in_training_and_held_out():
    for stage in ("train", "held_out"):
        kinds = {one.kind for task in tasks.tasks(stage, seed=0, count=200) for one in task.constraints}
        assert kinds == set(KINDS)


# -- the checkers ----------------------------------------------------------------------------------------------------

word = st.text("abcxyzäß0", min_size=1, max_size=6)
sentence = st.tuples(st.lists(word, min_size=1, max_size=6), st.sampled_from([".", "!", "?", "...", "?!", '."']))
paragraph = st.lists(sentence, min_size=1, max_size=4)


@given(st.lists(paragraph, min_size=1, max_size=4), st.sampled_from(["\n\n", "\n \n", "\n\n\n\n"]))
def test_words_sentences_and_paragraphs_are_counted_as_they_were_put_in(parts, between):
    text = between.join(" ".join(" ".join(body) + end for body, end in part) for part in parts)
    total = sum(len(body) for part in parts for body, _ in part)
    ended = sum(map(len, parts))
    for kind, n in (("sentences", ended), ("paragraphs", len(parts))):
        assert fault(kind, text, n=n) is None
        assert str(n) in fault(kind, text, n=n + 1)
        assert fault(kind, text, n=n - 1)
    assert fault("words_at_least", text, n=total) is None
    assert fault("words_at_least", text, n=total + 1)
    assert fault("words_at_most", text, n=total) is None
    assert fault("words_at_most", text, n=total - 1)


@given(st.lists(st.tuples(st.sampled_from(["- ", "* ", "  - ", "", "-", "+ "]), word), min_size=1, max_size=8))
def test_bullets_are_lines_that_begin_with_one(lines):
    text = "\n".join(mark + body for mark, body in lines)
    n = sum(mark in ("- ", "* ", "  - ") for mark, _ in lines)
    assert fault("bullets", text, n=n) is None
    assert fault("bullets", text, n=n + 1)


@given(st.lists(st.sampled_from(["river", "River", "river,", "(RIVER)", "rivers", "stream", "the-river"]), min_size=1))
def test_words_asked_for_count_in_any_case_and_punctuation_and_not_within_others(found):
    n = sum(one not in ("rivers", "stream") for one in found)
    text = " ".join(found)
    assert (fault("required_words", text, words=("river",)) is None) == (n > 0)
    assert (fault("forbidden_words", text, words=("river", "lake")) is None) == (n == 0)
    assert fault("repeated_word", text, word="river", n=n) is None
    assert fault("repeated_word", text, word="river", n=n + 1)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers() | st.text(max_size=5)), st.booleans())
def test_json_has_its_keys_and_no_others(value, in_fence):
    text = json.dumps(value)
    text = f"```json\n{text}\n```" if in_fence else text
    assert (fault("json", text, keys=("a", "b")) is None) == (set(value) == {"a", "b"})


@pytest.mark.parametrize(("kind", "given_", "kept", "broken"), [
    ("json", {"keys": ("a",)}, ['{"a": 1}', ' {"a": [1, {}]}\n', '```\n{"a": 1}\n```'],
     ["", "a", "[1]", '{"a": NaN}', '{"a": 1} so', 'Here: {"a": 1}', '{"a": 1',
      "[" * 60000, '{"a": ' + "9" * 9000 + "}"]),
    ("lower_case", {}, ["abc ä 1", "ß."], ["", "123", "aBc", "É"]),
    ("upper_case", {}, ["ABC", "Ä 1."], ["", "1", "ABc", "é"]),
    ("capital_words", {"n": 2}, ["A BIG RED dog", "*BIG* (RED)"], ["", "A B C", "BIG red", "BIG42 RED"]),
    ("begins_with", {"phrase": "Dear reader"}, ["Dear reader, hello", "  Dear reader"],
     ["", "dear reader", "My Dear reader"]),
    ("ends_with", {"phrase": "The end."}, ["So. The end.", "The end.\n"], ["", "The end", "The end. Bye"]),
    ("quoted", {}, ['"a"', ' "a b"\n'], ["", '"', '""', "'a'", '"a" b']),
    ("repeat_request", {"phrase": "Write."}, ["Write. Yes", "Write.\nYes"], ["", "Write.", "write. Yes", "Write. ..."]),
    ("no_commas", {}, ["a b"], ["", "a, b"]),
    ("title", {}, ["<<A title>>", "x <<>> <<a>> y", "<<<a>>>"], ["", "<<>>", "<<a\nb>>", "<a>", ">>a<<", "<< >>"]),
    ("placeholders", {"n": 2}, ["[a] [b]", "[[a]] [b]"], ["", "[a]", "[] []", "[a [b]", "]a["]),
    ("highlights", {"n": 2}, ["*a* and *b*", "* *a*\n* *b*"], ["", "*a*", "**a** **b**", "* a\n* b", "*a* *b", "* *"]),
    ("postscript", {}, ["a\nP.S. b", "P.S. b"], ["", "P.S.", "P.S. b\nc", "a P.S. b", "a\np.s. b"]),
    ("two_answers", {}, ["a\n******\nb"], ["", "a", "a******", "a******b******c", "a ***** b"]),
    ("sections", {"n": 2}, ["SECTION 1\na\nSECTION 2\nb"],
     ["", "SECTION 1\na", "SECTION 2\nSECTION 1", "section 1\nsection 2", "SECTION 1\nSECTION 2\nSECTION 3"]),
    ("words_at_most", {"n": 2}, ["a b", "a - b"], ["", "...", "a b c"]),
    ("paragraphs", {"n": 2}, ["a\n\nb"], ["", "a\nb", "a\n\nb\n\nc"]),
    ("sentences", {"n": 2}, ["A b. C d.", "A! B", "Version 1.5 is out. Yes?"], ["", "A b.", "... . ."]),
    ("forbidden_words", {"words": ("good",)}, ["goods"], ["", "Good!"]),
])  # fmt: skip
def test_a_constraint_is_kept_or_broken(kind, given_, kept, broken):
    for text in kept:
        assert fault(kind, text, **given_) is None, text
    for text in broken:
        assert fault(kind, text, **given_), text


HUGE = ["x" * 50_000, "<<" * 25_000, "<<>>" * 12_500, "<<\n" * 16_000, "[" * 50_000, "*" * 50_000, "* " * 25_000,
        "." * 50_000, "a." * 25_000, "\n" * 50_000 + "a", "******" * 8_000, '{"a":' * 10_000, "9" * 50_000,
        '"' * 50_000, "SECTION 1\n" * 5_000, "P.S. " * 10_000, "\ud800" * 1000, "\0" * 1000, "İ" * 10_000]  # fmt: skip


@pytest.mark.parametrize("text", HUGE, ids=lambda text: repr(text[:8]))
def test_text_made_to_be_slow_is_read_in_one_go(text):
    for task in tasks.tasks("train", seed=0, count=100):
        for one in task.constraints:
            told = one.fault(text)
            assert told is None or len(told) < 300


@settings(max_examples=300)
@given(st.text(max_size=200), st.integers(0, 99))
def test_no_text_makes_a_checker_raise(text, place):
    task = tasks.tasks("held_out", seed=0, count=100)[place]
    for one in task.constraints:
        assert one.fault(text) is None or one.fault(text)


# -- the score -------------------------------------------------------------------------------------------------------


def by_prompt(problem, stage):
    return {task.text: task for task in problem.tasks(stage)}


@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_a_model_that_keeps_everything_is_without_fault(stage):
    problem = InstructionFollowing()
    known = by_prompt(problem, stage)
    score = judged(problem, lambda prompt: witness(known[prompt.messages[1]["content"]]), stage=stage)
    assert score.value == score.metrics["constraints_kept"] == 1.0
    assert len(score.instances) == 40


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "x", "I cannot help with that.", "A. B. C. D.", "[a] [b] [c] [d] [e]", *HUGE])
def test_an_answer_about_nothing_is_never_without_fault(text):
    score = judged(InstructionFollowing(train_tasks=200), lambda _: text)
    assert score.value == 0.0


def test_a_task_counts_only_when_all_its_constraints_are_kept():
    problem = InstructionFollowing()
    known = by_prompt(problem, "train")
    spoilt = problem.tasks("train")[7]

    def model(prompt):
        task = known[prompt.messages[1]["content"]]
        return witness(task) if task is not spoilt else f"<think>{witness(task)}</think>"

    score = judged(problem, model)
    assert score.instances == {task.name: float(task is not spoilt) for task in problem.tasks("train")}
    assert score.value == 39 / 40
    broken = len([one for one in spoilt.constraints if one.fault("") is not None])
    total = sum(len(task.constraints) for task in problem.tasks("train"))
    assert score.metrics["constraints_kept"] == pytest.approx(1 - broken / total)
    assert spoilt.constraints[0].kind in score.feedback


def test_what_is_thought_aloud_is_no_part_of_the_answer():
    problem = InstructionFollowing()
    known = by_prompt(problem, "train")
    score = judged(problem, lambda prompt: f"<think>Hm, </think>\n{witness(known[prompt.messages[1]['content']])}")
    assert score.value == 1.0


def test_feedback_tells_what_failed_how_often_and_with_which_counts_and_nothing_of_the_held_out_tasks():
    problem = InstructionFollowing()
    train = judged(problem, lambda _: "one two three")
    assert "0 of 40 tasks are without fault." in train.feedback
    assert "Constraints that were not kept:" in train.feedback
    short = [one.kind for task in problem.tasks("train") for one in task.constraints].count("words_at_least")
    assert f"words_at_least {short} of {short}" in train.feedback
    assert "3 words, at least" in train.feedback
    assert judged(problem, lambda _: "one two three", stage="held_out").feedback == ""


def test_feedback_holds_nothing_that_steers_a_terminal():
    feedback = judged(InstructionFollowing(), lambda _: "\x1b[31m\u202e\x00\ud800\r" * 3).feedback
    assert feedback.replace("\n", "").isprintable()
    assert "[31m" in feedback


def test_the_context_comes_first_and_is_bounded():
    problem = InstructionFollowing(most_context=500)
    prompts = next(problem.converse(Context(sections={"a": "Be exact.", "b": "Count."})))
    assert [dict(prompt.messages[0]) for prompt in prompts] == [
        {"role": "system", "content": "Be exact.\n\nCount."}
    ] * 40
    assert sum(len(m["content"]) for p in prompts for m in p.messages) / 2 + 40 * 512 <= problem.most_tokens
    with pytest.raises(Reject, match="characters"):
        next(problem.converse(Context(sections={"a": "x" * 501})))


def test_a_context_evolves_above_the_seed_and_is_checked_on_what_selection_never_saw(tmp_path):
    problem = build("problems", "instruction_following")
    known = by_prompt(problem, "train") | by_prompt(problem, "held_out")

    def task(prompt, seed):
        system, user = prompt.messages[0]["content"], prompt.messages[-1]["content"]
        if "You improve" in system:
            return fenced(f"Count {('words', 'lines', 'words and lines')[seed % 3]}.\n", "markdown")
        minds = sum(word in system for word in ("words", "lines"))
        return witness(known[user]) if len(user) % 4 < 1 + minds else "no"

    settings_ = {"operators": ["rewrite"], "generator": Scripted(answers=task), "gates": [], "guidance": False,
                 "sandbox": "none", "window": 2, "islands": 1}  # fmt: skip
    digests = []
    for name, workers in (("one", 1), ("two", 2)):
        with Campaign(problem, store=f"{tmp_path}/{name}.db", workers=workers, **settings_) as campaign:
            campaign.run(evaluations=8)
            best, checks = campaign.best(), campaign.checks()
            digests.append(campaign.digest())
            seed = next(iter(campaign.store.replay(campaign.store.campaign(campaign.name)))).evaluation
    assert best.scored.score > seed.score
    [check] = checks
    assert check.stage == "held_out"
    assert isinstance(check.evaluation, Scored)
    assert set(check.evaluation.instances) == {task.name for task in problem.tasks("held_out")}
    assert digests[0] == digests[1]


def test_check_proves_without_a_model_what_can_be_proven(tmp_path):
    done = evoengine("check", "instruction_following", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
