"""A campaign in which nothing is bred and nothing is evaluated: what remains is the engine's own cost."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from evoengine.campaign import Campaign
from evoengine.executors.inline import Inline
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.problem import Problem
from evoengine.stopping import Records
from evoengine.types import Answer, Content, Draft, Feature, Judgement, Probe, Program, Scored, Trials


class Nothing(Problem):
    """A problem without a question; its archive has room for every program."""

    name = "nothing"
    goal = "Nothing is to be found; the engine is measured."
    seed = "x = 0\n"
    features = (Feature(name="a", low=0.0, high=1.0, bins=400), Feature(name="b", low=0.0, high=1.0, bins=400))


class Renumber(Operator):
    """Changes one comment, so that every child is new."""

    def breed(self, draft: Draft) -> Conversation:
        parent = draft.parents[0].content
        if not isinstance(parent, Program):
            raise NoChild("not a program")
        return parent.with_text(f"# {draft.number}\n" + "x = 1  # evolved\n" * 120)
        yield  # a generator function, as every conversation is


class Dice:
    """Evaluates by lot. Trusted, in process."""

    def __init__(self) -> None:
        self._rng = random.Random(0)

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:  # noqa: ARG002
        """A random score at a random place."""
        draw = self._rng.random
        return Judgement(evaluation=Scored(score=draw(), features={"a": draw(), "b": draw()}), calls=1)

    def answer(self, request: Trials | Probe) -> Answer:  # noqa: ARG002
        """Nobody asks, and nothing is found."""
        return ()

    def end_trials(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""


def measured_campaign(store: str, window: int = 64) -> Campaign:
    """A campaign with nothing to do, on a store."""
    return Campaign(
        Nothing(), store=store, operators=[Renumber()], executor=Inline(), evaluator=Dice(), window=window, islands=1
    )


def records_rates(counts: list[int], folder: Path | None = None) -> list[float]:
    """Records a second, stored and taken in, over the last tenth before each count of one growing campaign.

    Args:
        counts: rising numbers of records.
        folder: where the store is made.
    """
    rates = []
    with tempfile.TemporaryDirectory(dir=folder) as place, measured_campaign(f"sqlite:///{place}/store.db") as campaign:
        for count in counts:
            start = count - max(1000, count // 10)
            campaign.run(stop=Records(start))
            before = campaign.progress.records
            began = time.perf_counter()
            campaign.run(stop=Records(count))
            rates.append((campaign.progress.records - before) / (time.perf_counter() - began))
    return rates
