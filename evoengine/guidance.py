"""Contexts that guide the making of programs: chosen for each proposal, and credited with what was made under them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import Field

from evoengine.code_features import measures
from evoengine.component import Component
from evoengine.types import Content, Context, Elite, Record, Scored

FEATURES = ("length", "novelty")
"""The axes of guidance: the length of the text, and its distance to the nearest context that a campaign began with."""
_LENGTHS = (200, 400, 800, 1600, 3200)
_NOVELTY_BINS = 5

STRATEGIES = (
    Context(
        sections={
            "strategy": "Find the one part of the program that limits its score, and replace it with a better method. "
            "Leave alone what works."
        }
    ),
    Context(
        sections={
            "strategy": "Think of how an expert in this field would solve the problem from scratch. If the program's "
            "method is not among the best known ones, change the method; else refine its weakest step."
        }
    ),
    Context(
        sections={
            "strategy": "Keep the method. Look at its numbers, its stopping rules, its starting points and how its "
            "time is spent, and make each of them earn its place."
        }
    ),
    Context(
        sections={
            "strategy": "Combine: take the strongest idea of each program that you are shown, and write one program "
            "in which they help each other."
        }
    ),
)
"""What a campaign begins with unless it is given something else."""


@dataclass(slots=True)
class _Credit:
    elite: Elite
    children: float = 0.0
    reward: float = 0.0


@dataclass(slots=True)
class _Memory:
    credits: dict[int, _Credit] = field(default_factory=dict)


class Guidance(Component):
    """A fold over records: contexts by cell, each with the improvements that were made under it.

    The reward of a child is how far it rises above its parent, in ranks (`Fold`), in the way of the improvement reward
    of LSE (Learning to Self-Evolve, 2026, arXiv:2603.18620). A context is on trial until `trials` children were made
    under it; after that it is used as long as no other in its cell of `FEATURES` (MAP-Elites, Mouret & Clune 2015,
    arXiv:1504.04909) has brought more. Among those in use Thompson sampling decides.

    Attributes:
        contexts: what to begin with, a text or sections by name each.
        rate: the share of proposals that write a new context.
        operator: who writes it.
        trials: children that a new context is given.
    """

    contexts: tuple[str | dict[str, str], ...] = ()
    rate: float = Field(default=0.05, ge=0.0, lt=1.0)
    operator: str = "guide"
    trials: int = Field(default=8, ge=1)

    @cached_property
    def _memory(self) -> _Memory:
        return _Memory()

    def seeds(self) -> tuple[Context, ...]:
        """The contexts to begin with."""
        given = (Context(sections={"strategy": one} if isinstance(one, str) else one) for one in self.contexts)
        return tuple(given) or STRATEGIES

    def appraised(self, content: Context) -> Scored:
        """The place of a new context in the space of guidance; what it is worth is not known yet."""
        return Scored(score=0.0, features=measures(content, self.seeds(), FEATURES))

    def open(self) -> None:
        """Forgets everything."""
        self._memory.credits = {}

    @property
    def empty(self) -> bool:
        """Whether there is no context at all."""
        return not self._memory.credits

    def add(self, record: Record) -> None:
        """Takes in a record that brought a context."""
        content, scored = record.candidate.content, record.evaluation
        if isinstance(content, Context) and isinstance(scored, Scored):
            elite = Elite(number=record.number, content=content, scored=scored, cell=_cell(scored))
            self._memory.credits[record.number] = _Credit(elite)

    def credit(self, number: int, reward: float) -> None:
        """Takes in what a child that was made under a context brought, 0 to 1."""
        held = self._memory.credits.get(number)
        if held is not None:
            held.children += 1.0
            held.reward += reward

    def choose(self, rng: random.Random) -> Elite | None:
        """The context for a proposal, with its credit as its score; None when there is none."""
        standing = self.standing()
        if not standing:
            return None
        drawn = [
            (rng.betavariate(1.0 + held.reward, 1.0 + held.children - held.reward), -place)
            for place, held in enumerate(standing)
        ]
        return _shown(standing[-max(drawn)[1]])

    def standing(self) -> list[_Credit]:
        """The contexts in use, oldest first."""
        owners: dict[tuple[int, ...], _Credit] = {}
        tried = [held for held in self._memory.credits.values() if held.children >= self.trials]
        for held in tried:
            owner = owners.setdefault(held.elite.cell, held)
            if _worth(held) > _worth(owner):
                owners[held.elite.cell] = held
        kept = {held.elite.number for held in owners.values()}
        return [held for number, held in self._memory.credits.items() if held.children < self.trials or number in kept]

    def elites(self) -> list[Elite]:
        """The contexts in use with their credit as score, best first."""
        return sorted(map(_shown, self.standing()), key=lambda elite: (-elite.scored.score, elite.number))

    def state(self) -> Any:
        """What `restore` needs beside the contents, as a JSON value."""
        return [[number, held.children, held.reward] for number, held in self._memory.credits.items()]

    def restore(self, state: Any, elites: Mapping[int, tuple[Content, Scored]]) -> None:
        """Takes up a `state`, given contents and scores of the records that it names."""
        self._memory.credits = {}
        for number, children, reward in state:
            content, scored = elites[number]
            elite = Elite(number=number, content=content, scored=scored, cell=_cell(scored))
            self._memory.credits[number] = _Credit(elite, children, reward)


def _cell(scored: Scored) -> tuple[int, ...]:
    length, novelty = (scored.features.get(name, 0.0) for name in FEATURES)
    return sum(length > edge for edge in _LENGTHS), min(_NOVELTY_BINS - 1, int(novelty * _NOVELTY_BINS))


def _worth(held: _Credit) -> float:
    return (1.0 + held.reward) / (2.0 + held.children)


def _shown(held: _Credit) -> Elite:
    told = Scored(
        score=_worth(held),
        features=held.elite.scored.features,
        metrics={"children": held.children, "reward": held.reward},
    )
    return held.elite._replace(scored=told)
