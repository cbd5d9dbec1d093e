"""Numbers of a program tuned under a budget of judged calls; arrays that it computes frozen into numbers first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.operators.splice import source_of
from evoengine.operators.splice.numbers import value_of
from evoengine.operators.splice.source import Source
from evoengine.operators.tuning import searches
from evoengine.operators.tuning.freezing import PROBE, chosen, frozen, probing
from evoengine.operators.tuning.lifting import Choice, Lifted, coordinates, lifted
from evoengine.operators.tuning.searches import Climb, Search
from evoengine.types import Draft, Failed, Probe, Program, Scored, Trials

SEARCHES: Mapping[str, Search] = MappingProxyType(
    {
        "cmaes": searches.cmaes,
        "pattern": searches.pattern,
        "random": searches.random,
        "local": searches.local,
    }
)


class Tune(Operator):
    """Lifts a parent's numeric literals (or the knobs that it declares) into a vector and searches it.

    A child is a parent with better numbers, so tuning can be taken up again from the child. The arm `ints`
    searches whole numbers too; `freeze` first replaces an array that the program computes by its literals,
    which needs a problem with one input, and may return a child that scores no better than its parent,
    because its numbers can be tuned and the parent's could not.

    Attributes:
        budget: judged calls of one conversation, at most.
        batch: points in one request, at most.
        most: coordinates, at most; of more a run of neighbours is chosen.
        patience: share of the budget after which a run is given up if the score never changed.
        captures: places that `freeze` looks at before it gives up.
    """

    budget: int = Field(default=200, ge=1)
    batch: int = Field(default=16, ge=1)
    most: int = Field(default=400, ge=1)
    patience: float = Field(default=0.2, gt=0, le=1)
    captures: int = Field(default=6, ge=1)

    def arms(self) -> tuple[str, ...]:
        return (*SEARCHES, "ints", "freeze")

    def most_calls(self, arm: str) -> int:
        return self.budget + (self.captures + 1 if arm == "freeze" else 0)

    def breed(self, draft: Draft) -> Conversation:
        program = draft.parents[0].content
        if not isinstance(program, Program) or program.language != "python":
            raise NoChild("the parent is not a Python program")
        source = source_of(program.text)
        if source is None:
            raise NoChild("the parent does not parse")
        if draft.arm == "freeze":
            return (yield from self._freeze(draft, program, source))
        return (yield from self._tune(draft, program, source))

    def _tune(self, draft: Draft, program: Program, source: Source) -> Conversation:
        rng, score = draft.rng, draft.parents[0].scored.score
        vector = self._vector(draft, source)
        if not vector.coordinates:
            raise NoChild("the parent has no number to tune")
        climb = self._climb(program, vector, score, self.budget)
        if (yield from climb.tried([vector.start])) == [-math.inf]:
            raise NoChild("the parent takes longer than a trial may, or does not score again")
        arm = draft.arm if draft.arm in SEARCHES else rng.choice(("pattern", "local", "random"))
        yield from SEARCHES[arm](climb, rng)
        if climb.score > score:
            return program.with_text(vector.baked(climb.best))
        raise NoChild(f"{self.budget - climb.left} trials found nothing better than {score!r}")

    def _vector(self, draft: Draft, source: Source) -> Lifted:
        choice: Choice = "ints" if draft.arm == "ints" else "reals" if draft.rng.random() < 0.15 else "floats"
        vector = lifted(source, choice, draft.rng, self.most)
        if not vector.coordinates and choice == "floats":
            return lifted(source, "reals", draft.rng, self.most)
        return vector

    def _climb(self, program: Program, vector: Lifted, score: float, budget: int) -> Climb:
        patience = max(1, math.ceil(self.patience * self.budget))
        return Climb(program, vector, score=score, budget=budget, batch=self.batch, patience=patience)

    def _freeze(self, draft: Draft, program: Program, source: Source) -> Conversation:
        rng, score = draft.rng, draft.parents[0].scored.score
        spent = 0
        for capture in chosen(source, rng)[: self.captures]:
            text = probing(source, capture, draft.brief.entry)
            if text is None or spent >= self.budget:
                continue
            values = yield Probe(program=program.with_text(text), entry=PROBE)
            if isinstance(values, Failed) or len(values) != 1:
                raise NoChild("freezing needs a program that runs, and a problem with one input")
            seen = values[0]
            if not isinstance(seen, list) or len(seen) != 2:
                continue
            child = frozen(source, capture, rng.choice(seen))
            if child is None or child.source.text == program.text:
                continue
            sites = [
                (site, False)
                for site in child.source.index.numbers
                if isinstance(value_of(site), float) and child.start <= child.source.start(site.node) < child.end
            ]
            sites.sort(key=lambda one: child.source.start(one[0].node))
            vector = Lifted(source=child.source, coordinates=tuple(coordinates(sites)))
            first = Trials(program=program.with_text(vector.text()), points=[vector.start])
            [evaluation] = yield first
            spent += 1
            if not isinstance(evaluation, Scored):
                continue
            climb = self._climb(program, vector, evaluation.score, self.budget - spent)
            if vector.coordinates:
                arm = rng.choice(("local", "local", "cmaes", "pattern"))
                yield from SEARCHES[arm](climb, rng)
            idle = climb.flat and climb.left < self.budget - spent
            spent = self.budget - climb.left
            if climb.score >= score and not idle:
                return program.with_text(vector.baked(climb.best))
        raise NoChild("no array that the program computes could be frozen without loss")
