"""A problem and an operator that cost nothing, for tests of what a campaign does around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evoengine import Campaign, Feature, Problem, Program, Score
from evoengine.executors.inline import Inline
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.types import Draft


class Numbers(Problem):
    name = "numbers"
    goal = "a large number"
    entry = "number"
    seed = "def number():\n    return 1\n"
    features = (Feature(name="length", low=0, high=100, bins=5),)

    def inputs(self) -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        return Score(float(outputs[0]))


class Plus(Operator):
    """Returns the record's number, or what a test wants."""

    say: str = "{number}"

    def breed(self, draft: Draft) -> Conversation:
        text = self.say.format(number=draft.number)
        if text == "nothing":
            raise NoChild("there is nothing to change")
        return Program.of(f"def number():\n    return {text}\n")
        yield


def campaign_of(folder: Path, problem: Problem | None = None, say: str = "{number}", **settings: Any) -> Campaign:
    """A small campaign of `Plus`, in this process, with its store in a folder."""
    settings = {"executor": Inline(), "window": 4, "islands": 2, **settings}
    return Campaign(problem or Numbers(), store=f"sqlite:///{folder}/numbers.db", operators=[Plus(say=say)], **settings)
