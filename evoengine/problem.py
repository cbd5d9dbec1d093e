"""What a person writes to have something evolved: a `Problem`."""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from evoengine.component import Component
from evoengine.errors import ProblemError
from evoengine.types import (
    JSON,
    Anchor,
    Answer,
    Brief,
    Content,
    Context,
    Feature,
    Harness,
    Idiom,
    Limits,
    Program,
    Request,
    Stage,
)

Seed = str | Mapping[str, str] | Content


class Reject(Exception):
    """Raised by a judge: what the candidate produced is not a valid answer, and why."""


class Score:
    """A judge's verdict, in the problem's own direction.

    Args:
        value: the problem's own value.
        instances: the value by instance, if there are several.
        feedback: text for people and for prompts.
        outputs: what is kept for people and for `Problem.render`, as plain JSON; by default what the candidate
            returned, and nothing where `play` drives it call by call. It is dropped where it is over 256 KiB as text.
        metrics: whatever else was measured; features of behaviour space are taken from here.
    """

    __slots__ = ("feedback", "instances", "metrics", "outputs", "value")

    def __init__(
        self,
        value: float,
        *,
        instances: Mapping[str, float] | None = None,
        feedback: str = "",
        outputs: JSON = None,
        **metrics: float,
    ) -> None:
        self.value = value
        self.instances = dict(instances or {})
        self.feedback = feedback
        self.outputs = outputs
        self.metrics = metrics


Conversation: TypeAlias = Generator[Request, Answer, Score]
"""Yields what it wants to know, is sent the answers, returns the score."""


class Player(Protocol):
    """The candidate, as a problem sees it: something in another process that can be called.

    Every answer is plain data (strict JSON: finite numbers, text, lists, dicts), or a one-dimensional
    float64 numpy array where the candidate returned a numpy array of numbers to `batch`. A failure of the
    candidate (a crash, a limit) passes through the problem as an exception that the engine catches.
    """

    @property
    def content(self) -> Content:
        """The candidate's program or context."""
        ...

    def __call__(self, *args: JSON) -> JSON:
        """What the entry function returns for these arguments."""
        ...

    def batch(self, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """What the entry function returns for each tuple of arguments, in order, in one exchange.

        Arguments and results may be numpy float64 arrays of one dimension.
        """
        ...


class Problem(Component, ABC):
    """An optimization problem: what a candidate is called with and how its answers are judged.

    Write `inputs` and `judge` for a candidate that constructs something, or `play` for one that is
    driven call by call; and `render`, to show what it came to. Annotated fields of a subclass are its settings
    (`n: int = 26`).

    Attributes:
        name: how it is called on the command line.
        goal: one or two sentences for people and for models.
        entry: the function of the candidate that is called.
        direction: "maximize" or "minimize".
        seed: the first program: text, files by path, a `Program` or a `Context`; or a tuple of several.
        features: the axes of behaviour space.
        limits: what one run may use.
        stages: the cascade; stages with `held_out=True` are never seen by selection.
        best_known: the best value known, with its source.
        floor: what a method written by hand reaches without evolution, and which; shown beside every result.
        idioms: templates for the `idioms` operator.
        notes: what a language model is told beside the goal (rules of the answer, hints, what is known to fail).
        preload: modules that are imported before a candidate is run.
        most_tokens: what judging one context takes at most, read and written, for budgets; with `converse` only. A
            property, where it depends on settings.
        repeats: how often a would-be champion is evaluated before it is believed (for noisy problems).
        gpus: how many GPUs judging one candidate needs, or which share of one; each worker has its own then, in
            `CUDA_VISIBLE_DEVICES`. They are for `judge` and `play`: the jail lets candidates at no device.
        harness: what runs in the jail in a candidate's stead, where the candidate is only data to it.
        self_scored: whether the score is computed in the candidate's own process, which can then forge it; shown
            wherever scores are.
    """

    name: ClassVar[str]
    goal: ClassVar[str]
    entry: ClassVar[str] = "main"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Seed | tuple[Seed, ...]]
    features: ClassVar[tuple[Feature, ...]] = (Feature(name="length", low=0, high=4000, bins=20),)
    limits: ClassVar[Limits] = Limits()
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="full"),)
    best_known: ClassVar[Anchor | None] = None
    floor: ClassVar[Anchor | None] = None
    idioms: ClassVar[tuple[Idiom, ...]] = ()
    notes: ClassVar[str] = ""
    preload: ClassVar[tuple[str, ...]] = ("numpy",)
    repeats: ClassVar[int] = 1
    most_tokens: ClassVar[int] = 0
    gpus: ClassVar[float] = 0
    harness: ClassVar[Harness | None] = None
    self_scored: ClassVar[bool] = False

    def model_post_init(self, context: Any, /) -> None:
        """Looks at what a subclass has to say of itself.

        Raises:
            ProblemError: something is missing, or is not what it has to be.
        """
        super().model_post_init(context)
        kind = type(self)
        for wanted in ("name", "goal", "seed"):
            if not hasattr(kind, wanted):
                raise ProblemError(f"problem class {kind.__name__} has no {wanted!r}; give it one.")
        if kind.direction not in ("maximize", "minimize"):
            raise ProblemError(f"{kind.__name__}.direction is {kind.direction!r}; write 'maximize' or 'minimize'.")
        names = [stage.name for stage in kind.stages]
        if len(set(names)) < len(names) or all(stage.held_out for stage in kind.stages):
            raise ProblemError(f"{kind.__name__}.stages need different names, and one that is not held out: {names}.")
        if kind.repeats < 1:
            raise ProblemError(f"{kind.__name__}.repeats is {kind.repeats}; it should be at least 1.")
        try:
            seeds = self.seeds()
        except (TypeError, ValueError) as error:
            raise ProblemError(
                f"{kind.__name__}.seed is no text, files by path, Program or Context, nor a tuple of these: {error}."
            ) from None
        if not seeds:
            raise ProblemError(f"{kind.__name__}.seed is empty; give at least one first program.")

    def inputs(self, stage: str = "full") -> Sequence[Sequence[JSON]]:
        """The argument tuples that the candidate is called with, one for each instance.

        A subclass may leave the parameter out when it has one stage.
        """
        raise NotImplementedError(f"{type(self).__name__} needs inputs() and judge(), or play()")

    def judge(self, outputs: list[JSON]) -> Score:
        """The score of what the candidate returned, one output for each input, in order.

        Outputs are untrusted plain data of any shape. Recompute every claim.

        Raises:
            Reject: they are not a valid answer.
        """
        raise NotImplementedError(f"{type(self).__name__} needs inputs() and judge(), or play()")

    def play(self, candidate: Player, stage: str = "full") -> Score:
        """The score of a candidate that this method drives call by call.

        The default calls the candidate with `inputs` and hands what it returned to `judge`. A subclass
        may leave `stage` out.
        """
        takes_stage = bool(inspect.signature(self.inputs).parameters)
        return self.judge(candidate.batch(self.inputs(stage) if takes_stage else self.inputs()))

    def render(self, outputs: JSON) -> str | None:  # noqa: ARG002
        """A picture of a record's outputs as SVG text, for people; None where there is nothing to draw.

        `evoengine.drawing.Drawing` makes one in a few lines. It may draw shapes, words and its own style, and nothing
        that loads or runs anything: links, scripts, images and document types are not shown to anybody. Whatever
        it raises costs the picture and nothing else.

        Args:
            outputs: what `judge` was given, after it was stored as JSON; or what the score said instead (`Score`).
        """
        return None

    def converse(self, context: Context, stage: str = "full") -> Conversation:  # noqa: ARG002
        """A conversation, without I/O, that judges a context by how a language model does under it.

        Written instead of `inputs` and `judge` where the seed is a `Context`. Yields prompts to the task model, one
        or a tuple of several that do not depend on each other, and is sent the completions; may yield a `Probe` with
        `calls`, to have what the model wrote run in the sandbox. Returns the score. A subclass may leave `stage` out.

        Raises:
            Reject: the context is not a valid one.
        """
        raise NotImplementedError(f"{type(self).__name__} does not judge contexts; write converse()")
        yield

    @property
    def converses(self) -> bool:
        """Whether it is a language model's answers that are judged."""
        return type(self).converse is not Problem.converse

    @property
    def draws(self) -> bool:
        """Whether it has pictures of what candidates came to."""
        return type(self).render is not Problem.render

    def seeds(self) -> tuple[Content, ...]:
        """The first programs or contexts."""
        given = self.seed if isinstance(self.seed, tuple) else (self.seed,)
        return tuple(content_of(one) for one in given)

    def probes(self) -> Sequence[Seed]:
        """Programs that a policy is looked at with while it is trained, and that are never bred from.

        By default there are none, and elites of the first step take their place, which nothing is learnt from then.
        """
        return ()

    def brief(self) -> Brief:
        """What operators are told."""
        return Brief(
            name=self.name,
            goal=self.goal,
            entry=self.entry,
            idioms=tuple(self.idioms),
            direction=self.direction,
            limits=self.limits,
            preload=tuple(self.preload),
            notes=self.notes,
        )

    def signed(self, value: float) -> float:
        """The problem's own value as "higher is better", and back: it is its own inverse."""
        return value if self.direction == "maximize" else -value


def content_of(seed: Seed) -> Content:
    """A program or context from what a problem gives for it."""
    match seed:
        case Program() | Context():
            return seed
        case str():
            return Program.of(seed)
        case _:
            return Program(files=dict(seed))
