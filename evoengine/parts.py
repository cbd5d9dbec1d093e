"""The parts of a campaign, made of what a person gave, and what its result depends on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from evoengine.archives.base import Archive
from evoengine.assembly import Given, described, executor_of, fingerprint_of, gates_of, islands_of, operators_of
from evoengine.bandit import Bandit
from evoengine.component import Component
from evoengine.conversing import Judges
from evoengine.errors import CampaignError, SettingError
from evoengine.evaluator import Evaluator
from evoengine.executors.base import Executor
from evoengine.fold import Fold
from evoengine.gates.base import Gate
from evoengine.generators.base import Generator, Trainable
from evoengine.guidance import Guidance
from evoengine.islands import Islands
from evoengine.learning import Learning, filed_as
from evoengine.lessons import Lessons
from evoengine.mutators import BEST_OF_N, EVOLVE, FLOOR, FROZEN, UNGUIDED, known_mutator, lineup_of
from evoengine.operators.base import Operator
from evoengine.pacing import Pace, Window
from evoengine.plugins import build, name_of
from evoengine.problem import Problem
from evoengine.rl.advantage import Advantage
from evoengine.rl.collecting import Collecting
from evoengine.rl.trainer import Trainer
from evoengine.sandboxes.base import Sandbox
from evoengine.selectors.base import Selector
from evoengine.spending import Price
from evoengine.stores.base import CampaignRow, Store, Update
from evoengine.tensorboard import Curves
from evoengine.types import Content, Draft

_Kind = TypeVar("_Kind", bound=Component)

PLAIN_OPERATORS = ("structural", "tune", "idioms")
"""The ways to make a child that need no language model."""
MODEL_OPERATORS = ("diff", "rewrite", "crossover", "merge", "repair", "explore", "tune")
"""The ways to make a child with a language model at hand."""
MODEL_GATES = ("syntax", "reintroduced")
"""What is worth asking of a child whose evaluation costs more than a look."""


class Parts:
    """Everything that a campaign is put together from, but for its store; see `Campaign` for what each is.

    Raises:
        PluginError: a part cannot be found.
        SettingError: a setting is wrong.
    """

    def __init__(
        self,
        problem: Problem | Given,
        *,
        seed: int,
        window: int,
        inspirations: int,
        islands: Islands | int | Mapping[str, Any],
        archive: Archive | Given,
        selector: Selector | Given,
        operators: Sequence[Operator | Given] | None,
        bandit: Bandit | Mapping[str, Any] | None,
        executor: Executor | Given,
        workers: int | None,
        sandbox: Sandbox | Given,
        generator: Generator | Given | None,
        task_model: Generator | Given | None,
        gates: Sequence[Gate | Given] | None,
        guidance: Guidance | Mapping[str, Any] | bool | None,
        lessons: Lessons | Mapping[str, Any] | bool | None,
        evaluator: Any,
        trainer: Trainer | Given | None = None,
        mutator: str = EVOLVE,
    ) -> None:
        self.mutator = known_mutator(mutator)
        self.seed, self.window, self.inspirations = seed, window, inspirations
        self.problem: Problem = build("problems", problem)
        self._use = None if isinstance(problem, Problem) else name_of("problems", self.problem)
        self.islands = islands_of(islands)
        self.archive: Archive = build("archives", archive)
        self.selector: Selector = build("selectors", selector)
        self.bandit = bandit if isinstance(bandit, Bandit) else Bandit(**(bandit or {}))
        self.executor: Executor = executor_of(executor, workers)
        self.sandbox: Sandbox = build("sandboxes", sandbox)
        self.judges_apart = evaluator is None
        evaluator = evaluator or Evaluator(problem=self.problem, sandbox=self.sandbox)
        self.executor.prepare(evaluator)
        model: Generator | None = None if generator is None else build("generators", generator)
        self.generator = None if mutator == FLOOR else model
        if task_model is not None:
            self.task_model: Generator | None = build("generators", task_model)
        else:
            self.task_model = model if self.problem.converses else self.generator
        self.judges = Judges(self.problem, evaluator, self.executor, self.task_model)
        speaks = self.generator is not None
        self.operators = _used(mutator, operators_of(operators or (MODEL_OPERATORS if speaks else PLAIN_OPERATORS)))
        self.arms = [(name, arm) for name, operator in self.operators.items() for arm in operator.arms()]
        if mutator == BEST_OF_N:
            self.arms = self.arms[:1]
        self.gates = gates_of(MODEL_GATES if gates is None and speaks else gates or ())
        unguided = mutator in UNGUIDED
        self.guidance = _part(Guidance, False if unguided else guidance, speaks)
        self.lessons = _part(Lessons, False if unguided else lessons, speaks)
        if self.guidance is not None and self.guidance.operator not in self.operators:
            self.operators |= operators_of([self.guidance.operator])
        if mutator not in (EVOLVE, FROZEN):
            trainer = None
        self.trainer: Trainer | None = None if trainer is None else build("trainers", trainer)
        self.collecting: Collecting | None = None
        if self.trainer is not None:
            self.advantage: Advantage = build("advantages", self.trainer.advantage)
            self.collecting = self._collecting(self.trainer)
            self._ready(self.trainer)

    def _collecting(self, trainer: Trainer) -> Collecting:
        collecting = Collecting(
            training=trainer,
            allocation=build("allocations", trainer.allocation),
            reward=build("rewards", trainer.reward),
            smallest=self.advantage.smallest,
        )
        if trainer.group < self.advantage.smallest:
            raise SettingError(
                f"the advantage {trainer.advantage!r} needs groups of {self.advantage.smallest} rollouts at least, and "
                f"the trainer's group is {trainer.group}: raise it, or take the advantage 'parent', which needs none."
            )
        if not trainer.adapts and (trainer.control or trainer.max_staleness):
            raise SettingError(
                f"the trainer {type(trainer).__name__} changes the model itself, and the policies before it are gone: "
                f"set control = 0 and max_staleness = 0, or take the trainer 'lora'."
            )
        judges = [name for name, gate in self.gates.items() if gate.most_tokens()]
        if self.problem.converses and self.task_model is self.generator:
            judges.append("the problem")
        if not trainer.adapts and judges:
            raise SettingError(
                f"{', '.join(judges)} asks the model for its opinion, and the trainer {type(trainer).__name__} changes "
                f"that model: give another task_model, leave the gate out, or take the trainer 'lora'."
            )
        return collecting

    def _ready(self, trainer: Trainer) -> None:
        """Lets the generator tell what training needs, and sample what it may learn from."""
        generator = self.generator
        if generator is None or not self._speaking:
            raise SettingError("a trainer needs a generator, and an operator that asks it.")
        if generator.recorded:
            return
        if not isinstance(generator, Trainable):
            raise SettingError(
                f"the generator {type(generator).__name__} cannot be trained; vllm, transformers and openai can."
            )
        generator.logprobs = True
        for name, whole in (("temperature", 1.0), ("top_p", 1.0), ("top_k", 0), ("min_p", 0.0)):
            given = getattr(generator, name)
            if given is not None and given != whole:
                raise SettingError(
                    f"generator.{name} is {given!r}, and a policy can only learn from what it says by itself: leave "
                    f"{name} out, or set it to {whole!r}, or leave the trainer out."
                )
            setattr(generator, name, whole)
        served = trainer.max_staleness + 2
        if hasattr(generator, "token_ids"):  # a server that is not asked for them leaves them out
            generator.token_ids = True
        if hasattr(generator, "keep"):
            generator.keep = max(generator.keep, served * (trainer.group + 1) if trainer.population else served)
        if trainer.adapts and getattr(generator, "max_lora_rank", 0) is None:
            generator.max_lora_rank = getattr(trainer, "rank", None)  # type: ignore[attr-defined]

    @cached_property
    def pace(self) -> Pace:
        """When what is drafted."""
        return Window(self.window) if self.collecting is None else self.collecting.steps

    @cached_property
    def seeds(self) -> tuple[Content, ...]:
        """What is recorded first: the problem's seeds, then the contexts that guide."""
        return (*self.problem.seeds(), *(() if self.guidance is None else self.guidance.seeds()))

    @asynccontextmanager
    async def models(self) -> AsyncIterator[None]:
        """The language models, opened; the executor, which is open, leaves their cores to them."""
        models = [model for model in (self.generator, self.task_model) if model is not None]
        async with AsyncExitStack() as stack:
            different = {id(model): model for model in models}.values()
            for model in different:
                await stack.enter_async_context(model)
            self.executor.give_way(sum(model.cores for model in different))
            yield

    def fold(self) -> Fold:
        """The state of no records."""
        islands, bandit = self.islands.fresh(), self.bandit.fresh()
        islands.open(archive=self.archive, selector=self.selector, features=self.problem.features, seed=self.seed)
        bandit.open(self.arms)
        guidance = None if self.guidance is None else self.guidance.fresh()
        lessons = None if self.lessons is None else self.lessons.fresh()
        gates = {name: gate.fresh() for name, gate in self.gates.items()}
        for part in (guidance, lessons, *gates.values()):
            if part is not None:
                part.open()
        return Fold(
            islands=islands,
            bandit=bandit,
            brief=self.problem.brief(),
            seed=self.seed,
            inspirations=self.inspirations,
            speaking=self._speaking,
            guidance=guidance,
            lessons=lessons,
            gates=gates,
            pace=self.pace,
            collecting=self.collecting,
            lineup=lineup_of(self.mutator, window=self.window, history=self.inspirations),
        )

    @property
    def _speaking(self) -> list[str]:
        return [name for name, operator in self.operators.items() if operator.speaks]

    def learning(self, store: Store, name: str) -> Learning | None:
        """What trains, where anybody does."""
        if self.trainer is None or self.collecting is None or self.generator is None:
            return None
        folder = self.trainer.folder or str(store.beside("policies"))
        return Learning(
            collecting=self.collecting,
            advantage=self.advantage,
            trainer=self.trainer,
            generator=self.generator,
            store=store,
            folder=Path(folder) / filed_as(name),
            seed=self.seed,
            longest=getattr(self.generator, "max_tokens", None) or 0,
            frozen=self.mutator == FROZEN,
        )

    @contextmanager
    def curves(self, name: str) -> Iterator[Callable[[Update], None]]:
        """Who draws the figures of updates, while the context lasts; nobody where it was not asked for.

        Raises:
            MissingExtra: tensorboard is not installed.
        """
        if self.trainer is None or self.trainer.tensorboard is None:
            yield lambda _: None
            return
        curves = Curves(Path(self.trainer.tensorboard) / filed_as(name))
        try:
            yield curves.add
        finally:
            curves.close()

    # -- what a proposal costs ---------------------------------------------------------------------------------------

    def price(self, draft: Draft) -> Price:
        """What a proposal costs at most."""
        if draft.action is not None:
            return Price(calls=self._judged_at_most, tokens=self.problem.most_tokens)
        return self._price_of(draft.operator, draft.arm)

    def dearest(self) -> Price:
        """What any proposal costs at most."""
        prices = [self._price_of(name, arm) for name, operator in self.operators.items() for arm in operator.arms()]
        return Price(
            calls=max(one.calls for one in prices),
            tokens=max(one.tokens for one in prices),
            money=max(one.money for one in prices),
        )

    def _price_of(self, name: str, arm: str) -> Price:
        operator, judged = self.operators[name], self.problem.most_tokens
        asked = operator.most_tokens(arm) + sum(gate.most_tokens() for gate in self.gates.values())
        money = self.generator.most_money(asked) if self.generator is not None else 0.0
        return Price(
            calls=operator.most_calls(arm) + self._judged_at_most,
            tokens=asked + judged,
            money=money + (self.task_model.most_money(judged) if self.task_model is not None else 0.0),
        )

    @cached_property
    def _judged_at_most(self) -> int:
        return sum(not stage.held_out for stage in self.problem.stages) * self.problem.repeats

    # -- what is stored of it ----------------------------------------------------------------------------------------

    def identity(self) -> dict[str, Any]:
        """All settings that the result depends on, as JSON values."""
        names = dict.fromkeys(name for name, _ in self.arms)
        parts: dict[str, Any] = {
            "problem": self.problem.settings(),
            "seed": self.seed,
            "window": self.window,
            "inspirations": self.inspirations,
            "islands": self.islands.settings(),
            "archive": described("archives", self.archive),
            "selector": described("selectors", self.selector),
            "bandit": self.bandit.settings(),
            "operators": [{"use": name, **self.operators[name].settings()} for name in names],
        }
        # what came later is left out where it is not used, so that older campaigns can go on
        if self.gates:
            parts["gates"] = [{"use": name, **gate.settings()} for name, gate in self.gates.items()]
        if self.guidance is not None:
            parts["guidance"] = self.guidance.settings()
        if self.lessons is not None:
            parts["lessons"] = self.lessons.settings()
        if self.trainer is not None:
            parts["trainer"] = {"use": name_of("trainers", self.trainer), **self.trainer.identity()}
        if self.mutator != EVOLVE:
            parts["mutator"] = self.mutator
        plain: dict[str, Any] = json.loads(json.dumps(parts))
        return plain

    def about(self) -> dict[str, Any]:
        """What someone needs who reads the records without the problem's code, as JSON values."""
        problem, best, judge = self.problem, self.problem.best_known, self.task_model
        return {
            "use": self._use,
            "executor": described("executors", self.executor),
            "sandbox": described("sandboxes", self.sandbox),
            "generator": None if self.generator is None else described("generators", self.generator),
            "trainer": None if self.trainer is None else described("trainers", self.trainer),
            "task_model": None if judge is None or judge is self.generator else described("generators", judge),
            "speaking": self._speaking,
            "goal": problem.goal,
            "direction": problem.direction,
            "draws": problem.draws,
            "self_scored": problem.self_scored,
            "features": [asdict(feature) for feature in problem.features],
            "best_known": None if best is None else asdict(best),
            "floor": None if problem.floor is None else asdict(problem.floor),
        }

    def refuse_another(self, name: str, row: CampaignRow) -> None:
        """Refuses to go on with a campaign that was started with something else.

        Raises:
            CampaignError: it was.
        """
        ways = "run under another --name, or start it as it was"
        if row.problem != self.problem.name:
            raise CampaignError(
                f"campaign {name!r} in this store is of problem {row.problem!r}, not {self.problem.name!r}; {ways}."
            )
        identity = self.identity()
        usual = {"mutator": EVOLVE}  # first, as other settings follow from it
        for key in dict.fromkeys((*usual, *identity, *row.settings)):
            before, now = (settings.get(key, usual.get(key)) for settings in (row.settings, identity))
            if key != "about" and before != now:
                raise CampaignError(
                    f"campaign {name!r} was started with {key} = {json.dumps(before)}, "
                    f"now it is {json.dumps(now)}; {ways}."
                )
        if row.fingerprint != fingerprint_of(self.problem):
            raise CampaignError(
                f"problem {self.problem.name!r} was edited since campaign {name!r} began, so that scores could "
                f"not be compared; {ways}."
            )


def _used(mutator: str, operators: dict[str, Operator]) -> dict[str, Operator]:
    """The operators, of those given, that a mutator uses."""
    match mutator:
        case "best-of-n":  # another operator would have another prompt
            speaking = [name for name, operator in operators.items() if operator.speaks]
            [first, *_] = speaking or operators
            return {first: operators[first]}
        case "floor":
            return operators_of([operators.get(name, name) for name in PLAIN_OPERATORS])
        case _:
            return operators


def _part(kind: type[_Kind], given: _Kind | Mapping[str, Any] | bool | None, default: bool) -> _Kind | None:
    """A part from itself, its settings, or whether it is wanted."""
    match given:
        case None:
            return kind() if default else None
        case bool():
            return kind() if given else None
        case Mapping():
            return kind(**given)
        case _:
            return given
