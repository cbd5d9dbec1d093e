"""Contexts that are judged by how a language model does under them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, Context, Feature, Problem, Program, Reject, Score, Stage
from evoengine.generators.scripted import Scripted
from evoengine.problem import Conversation
from evoengine.types import Cause, Completion, Failed, Probe, Prompt, Scored
from plugins.generators.replay import Replay
from tests.operators.talking import fenced

NUMBERS = (3, 4, 5, 12)


class Doubling(Problem):
    """A context is worth how many numbers the task model doubles under it, by code that it writes or by heart."""

    name = "doubling"
    goal = "Have numbers doubled."
    seed = Context(sections={"instructions": "Say something."})
    features = (Feature(name="length", low=0, high=200, bins=4),)
    stages = (Stage(name="first", threshold=0.5), Stage(name="full"), Stage(name="unseen", held_out=True))
    fails: bool = False

    def converse(self, context: Context, stage: str = "full") -> Conversation:
        told = context.sections["instructions"]
        if "cheat" in told:
            raise Reject("no cheating")
        if self.fails:
            raise ValueError("the problem is at fault")
        numbers = {"first": NUMBERS[:2], "full": NUMBERS, "unseen": (7, 8)}[stage]
        prompts = tuple(Prompt(messages=({"role": "user", "content": f"{told}\n{one}"},)) for one in numbers)
        answers: tuple[Completion, ...] = yield prompts
        found = {}
        for number, answer in zip(numbers, answers, strict=True):
            if answer.text.startswith("def "):
                ran: Any = yield Probe(program=Program.of(answer.text), entry="double", calls=[(number,)])
                given = None if isinstance(ran, Failed) else ran[0]
            else:
                given = int(answer.text) if answer.text.isdigit() else None
            found[str(number)] = float(given == 2 * number)
        return Score(sum(found.values()) / len(found), instances=found, feedback=f"{found}")


def task(prompt: Prompt, seed: int) -> str:
    """A task model: it does what it is told to, as far as a test needs it."""
    text = prompt.messages[-1]["content"]
    if "You improve" in prompt.messages[0]["content"]:
        return fenced("Say the double.\n", "markdown") if seed % 2 else fenced("Write code.\n", "markdown")
    told, _, number = text.rpartition("\n")
    if "double" in told:
        return str(2 * int(number))
    if "code" in told:
        return "def double(n):\n    return n + n\n"
    return str(2 * int(number)) if int(number) in (3, 7) else "hm"


def campaign_of(folder: Path, name: str = "one", problem: Problem | None = None, **settings: Any) -> Campaign:
    given = {"operators": ["rewrite"], "generator": Scripted(answers=task), "gates": [], "guidance": False,
             "sandbox": "none", "workers": 1, "window": 2, "islands": 1, **settings}  # fmt: skip
    return Campaign(problem or Doubling(), store=f"{folder}/{name}.db", **given)


def judged(folder: Path, text: str, **settings: Any) -> Any:
    with campaign_of(folder, **settings) as campaign:
        return campaign.judge(Context(sections={"instructions": text}))


def test_a_context_is_scored_by_the_answers_given_under_it(tmp_path: Path) -> None:
    found = judged(tmp_path, "Say the double.")
    right = {str(one): 1.0 for one in NUMBERS}
    expected = Scored(score=1.0, features={"length": 15.0}, instances=right, feedback=str(right))
    assert found.evaluation == expected
    assert found.calls == 2
    assert len(found.turns) == 2 + len(NUMBERS)
    assert all(turn.judging for turn in found.turns)


def test_code_that_the_task_model_writes_is_run_in_the_sandbox(tmp_path: Path) -> None:
    found = judged(tmp_path, "Write code.", sandbox="jail")
    assert isinstance(found.evaluation, Scored)
    assert found.evaluation.score == 1.0


def test_a_context_that_fails_an_early_stage_is_spared_the_later_ones(tmp_path: Path) -> None:
    class Strict(Doubling):
        stages = (Stage(name="first", threshold=0.9), Stage(name="full"))

    with campaign_of(tmp_path, problem=Strict()) as campaign:
        found = campaign.judge(Context(sections={"instructions": "Say something."}))
    assert isinstance(found.evaluation, Failed)
    assert found.evaluation.cause is Cause.REJECTED
    assert "0.5 does not reach 0.9" in found.evaluation.feedback
    assert found.calls == 1


@pytest.mark.parametrize(("text", "problem", "cause"), [
    ("cheat", Doubling(), Cause.REJECTED),
    ("x", Doubling(fails=True), Cause.UNJUDGED),
])  # fmt: skip
def test_what_goes_wrong_with_a_context_is_told(tmp_path: Path, text: str, problem: Problem, cause: Cause) -> None:
    with campaign_of(tmp_path, problem=problem) as campaign:
        found = campaign.judge(Context(sections={"instructions": text}))
    assert isinstance(found.evaluation, Failed)
    assert found.evaluation.cause is cause


def test_a_program_cannot_be_judged_as_a_context(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        found = campaign.judge(Program.of("x = 1\n"))
    assert found.evaluation == Failed(
        cause=Cause.UNJUDGED, feedback="the problem judges contexts, and this is a program"
    )


def test_contexts_evolve_are_checked_on_what_selection_never_saw_and_can_be_played_again(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=12)
        best, digest, checks = campaign.best(), campaign.digest(), campaign.checks()
        row = campaign.store.campaign("doubling")
        assert row is not None
        records = list(campaign.store.replay(row))
    assert best is not None
    assert best.scored.score == 1.0
    assert [(check.stage, check.evaluation.score) for check in checks if isinstance(check.evaluation, Scored)] == [
        ("unseen", 1.0)
    ]
    for record in records:
        spent = sum(turn.completion.prompt_tokens + turn.completion.tokens for turn in record.candidate.turns)
        assert record.cost.tokens == spent
    again = Replay(store=f"{tmp_path}/one.db")
    with campaign_of(tmp_path, "again", generator=again, workers=2) as campaign:
        campaign.run(evaluations=12)
        assert campaign.digest() == digest


def test_the_task_model_may_be_another_than_the_one_that_writes(tmp_path: Path) -> None:
    silent = Scripted(answers=["hm"])
    with campaign_of(tmp_path, task_model=silent) as campaign:
        found = campaign.judge(Context(sections={"instructions": "Say the double."}))
    assert isinstance(found.evaluation, Failed)
    assert asyncio.run(silent.sample(Prompt(messages=())))[0].text == "hm"
