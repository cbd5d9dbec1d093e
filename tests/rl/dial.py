"""A policy of one number and all that trains it, for tests of what happens around a trainer.

A program is a number. The policy says "up" with a probability, its only weight, and else "down"; what is up is better.
So it can be trained, kept, reverted and served like a model, at no cost.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import PrivateAttr

from evoengine import Campaign, Feature, Problem, Program, Reject, Score
from evoengine.errors import GeneratorError, TrainerError
from evoengine.evaluator import Evaluator
from evoengine.executors.inline import Inline
from evoengine.generators.base import Generator
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.plugins import build
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Trainer
from evoengine.types import Answer, Cause, Completion, Content, Draft, Failed, Judgement, Prompt

WORDS = ("down", "up", "?")
DOWN, UP, NEITHER = range(3)


class Heights(Problem):
    """A number that should be large."""

    name = "heights"
    goal = "a large number"
    entry = "number"
    seed = "def number():\n    return 100\n"
    features = (Feature(name="last", low=0, high=10, bins=10),)

    top: int = 10**9
    """What is higher is turned down."""

    def inputs(self) -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        if outputs[0] > self.top:
            raise Reject("too high")
        return Score(float(outputs[0]), last=outputs[0] % 10)


class Step(Operator):
    """Asks whether to go up or down, and goes as far as the draft's place in its group says."""

    speaks: ClassVar[bool] = True

    def breed(self, draft: Draft) -> Conversation:
        parent = draft.parents[0].content
        assert isinstance(parent, Program)
        height = int(parent.text.split()[-1])
        answer: Answer = yield Prompt(messages=({"role": "user", "content": f"{height} {draft.rng.random()}"},))
        assert isinstance(answer, Completion)
        if answer.text == "?":
            raise NoChild("neither up nor down", Cause.UNDECODABLE)
        far = 1 + draft.member
        return Program.of(f"def number():\n    return {height + far if answer.text == 'up' else height - far}\n")


class Dial(Generator):
    """The policy."""

    model: str = "dial"
    start: float = 0.3
    unclear: float = 0.0
    """How often it says neither."""
    logprobs: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    keep: int = 2

    _loaded: dict[str, float] = PrivateAttr(default_factory=dict)
    asked: list[str | None] = []
    """The policy that each prompt asked."""

    async def __aenter__(self) -> Dial:
        self._loaded = {self.model: self.start}
        return self

    @property
    def policy(self) -> str:
        return list(self._loaded)[-1] if self._loaded else self.model

    @property
    def loaded(self) -> list[str]:
        return list(self._loaded)

    async def load(self, policy: str, path: str) -> None:
        if policy in self._loaded:
            raise GeneratorError(f"policy {policy!r} has been loaded before")
        self._loaded[policy] = json.loads((Path(path) / "dial.json").read_text())

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        if prompt.policy is not None and prompt.policy not in self._loaded:
            raise GeneratorError(f"nobody loaded {prompt.policy!r}")
        self.asked.append(prompt.policy)
        name = prompt.policy or self.policy
        share = self._loaded[name]
        rng = random.Random(f"{prompt.messages[0]['content']} {prompt.seed}")
        word = NEITHER if rng.random() < self.unclear else UP if rng.random() < share else DOWN
        chance = self.unclear if word == NEITHER else (1 - self.unclear) * (share if word == UP else 1 - share)
        return [
            Completion(text=WORDS[word], token_ids=(word,), logprobs=(math.log(max(chance, 1e-9)),), prompt_ids=(7, 8),
                       policy=name, prompt_tokens=2, tokens=1, finish="stop")
        ]  # fmt: skip


class Turn(Trainer):
    """Turns the dial towards what had an advantage."""

    rate: float = 0.5
    only: str = ""

    before: Callable[[int], None] | None = None
    """Is told the number of each update before it is made."""

    _share: float = PrivateAttr(default=0.0)
    _start: float = PrivateAttr(default=0.0)
    _steps: int = PrivateAttr(default=0)
    _slow: float = PrivateAttr(default=1.0)
    batches: list[Batch] = []
    calls: list[str] = []

    def identity(self) -> dict[str, Any]:
        told = super().identity()
        for name in ("before", "batches", "calls"):
            told.pop(name, None)
        return told

    def settings(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"before", "batches", "calls"})

    def open(self, model: str, initial: str | None) -> None:
        self._share = self._start = 0.3
        self._steps, self._slow = 0, 1.0

    def close(self) -> None:
        self.calls.append("close")

    def step(self, batch: Batch) -> dict[str, float]:
        if self.before is not None:
            self.before(batch.number)
        self.batches.append(batch)
        self.calls.append(f"step {batch.number}")
        pull = sum(
            one.advantage * (1 if one.exchange.token_ids[0] == UP else -1)
            for one in batch.examples
            if one.exchange.token_ids[0] != NEITHER
        )
        self._share = min(0.999, max(0.001, self._share + self._slow * self.rate * pull / len(batch.examples)))
        self._steps += 1
        return {"share": self._share}

    def save(self, folder: Path) -> None:
        (folder / "policy").mkdir(parents=True)
        (folder / "policy" / "dial.json").write_text(json.dumps(self._share))
        (folder / "trainer.json").write_text(json.dumps([self._share, self._steps, self._slow]))

    def restore(self, folder: Path) -> None:
        self.calls.append(f"restore {folder.name}")
        self._share, self._steps, self._slow = json.loads((folder / "trainer.json").read_text())

    def revert(self, folder: Path | None, rate: float) -> None:
        self.calls.append(f"revert {'first' if folder is None else folder.name}")
        self._share = self._start if folder is None else json.loads((folder / "trainer.json").read_text())[0]
        self._slow = rate

    def logprobs(self, exchanges: Sequence[Exchange]) -> list[list[float]]:
        return [[math.log(self._share if one.token_ids[0] == UP else 1 - self._share)] for one in exchanges]

    def members(self, folder: Path, count: int) -> Mapping[int, Path]:
        raise TrainerError("there is no population")


class Trusting:
    """Runs programs in this process, as they are numbers that the tests made, and judges them."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._evaluator = problem, Evaluator(problem=problem, sandbox=build("sandboxes", "none"))

    def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        assert isinstance(content, Program)
        try:
            score = self._problem.judge([int(content.text.split()[-1])])
        except Reject as why:
            return Judgement(evaluation=Failed(cause=Cause.REJECTED, feedback=str(why)), calls=1)
        return Judgement(evaluation=self._evaluator.scored(score, content), calls=1)

    def answer(self, request: Any) -> Answer:
        return ()

    def end_trials(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""


def campaign_of(
    folder: Path, trainer: Turn | None = None, generator: Generator | None = None, **settings: Any
) -> Campaign:
    """A campaign of `Heights`, in this process, with its store in a folder."""
    given: dict[str, Any] = {"executor": Inline(), "sandbox": "none", "islands": 2, "inspirations": 0, "gates": [],
                             "guidance": False, "lessons": False, "operators": [Step()], **settings}  # fmt: skip
    problem = given.pop("problem", None) or Heights()
    given.setdefault("evaluator", Trusting(problem))
    return Campaign(
        problem,
        store=f"sqlite:///{folder}/heights.db",
        generator=generator or Dial(),
        trainer=trainer or turn(),
        **given,
    )


def turn(**settings: Any) -> Turn:
    """A trainer of small steps, without safeguards that a test does not ask for."""
    plain: dict[str, Any] = {"group": 4, "groups": 3, "control": 0.0, "verify": False, "advantage": "dr_grpo",
                             "guard": {"probes": 0, "patience": 10**6}, "reward": "improved"}  # fmt: skip
    return Turn(**{**plain, **settings})
