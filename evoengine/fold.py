"""The state of a campaign as a fold over its records: the same records give the same state."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evoengine.bandit import Bandit
from evoengine.events import Progress
from evoengine.gates.base import Gate
from evoengine.guidance import Guidance
from evoengine.islands import Islands
from evoengine.lessons import Lessons
from evoengine.mutators import Lineup
from evoengine.pacing import Pace, Window
from evoengine.randomness import Stream
from evoengine.rl.collecting import Collecting
from evoengine.rl.gathering import groups_of
from evoengine.rl.ladder import returns_of
from evoengine.rl.tally import Tally
from evoengine.steering import HUMAN, Steering
from evoengine.stores.base import CampaignRow, Store
from evoengine.types import (
    EVERY_ISLAND,
    GUIDANCE,
    SEED,
    Action,
    Brief,
    Cause,
    Content,
    Draft,
    Elite,
    Failed,
    Insertion,
    Record,
    Scored,
)

_FORMAT = 3
"""Of kept states; one of another format is not taken up, and the records are replayed instead."""
RECENT = 1000
"""How far back, in records, a draft looks for what was made of its parents."""
_SIBLINGS = 8
_REDRAWS = 4
"""How often another parent is looked for when two groups of a step would have the same."""
_HOLD = 16
"""Proposals of an island that see the same inspirations."""


_NO_PACE = Window(0)
_ANY_LENGTH = 2**31
"""Longer than any answer: how long one was does not tell how much its parent has left to gain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a record."""

    insertion: Insertion
    improved: bool
    """Whether it is the best so far."""


class _Stored(dict[int, tuple[Content, Scored]]):
    """Contents and scores by record number, read from the store each time that one is asked for."""

    def __init__(self, store: Store, row: CampaignRow) -> None:
        super().__init__()
        self._store, self._row = store, row

    def __missing__(self, number: int) -> tuple[Content, Scored]:
        return self._store.elite(self._row, number)

    def score(self, number: int) -> float | None:
        """The score of a record, if it has one."""
        return self._store.score(self._row, number)


class _Recent:
    """The latest children of each parent and of each guiding context, among the latest records."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self._made: dict[int, deque[Record]] = {}

    def add(self, record: Record) -> None:
        """Takes in the next record."""
        self._records.append(record)
        for key in _made_from(record):
            self._made.setdefault(key, deque(maxlen=_SIBLINGS)).append(record)
        if len(self._records) > RECENT:
            gone = self._records.popleft()
            for key in _made_from(gone):
                kept = self._made[key]
                if kept[0] is gone:
                    kept.popleft()
                if not kept:
                    del self._made[key]

    def of(self, number: int) -> tuple[Record, ...]:
        """The latest that was made from a record, or under it; the newest last."""
        return tuple(self._made.get(number, ()))


def _made_from(record: Record) -> list[int]:
    candidate = record.candidate
    return [*candidate.parents[:1], *(() if candidate.guidance is None else (candidate.guidance,))]


def _nothing(number: int) -> tuple[Content, Scored]:
    raise KeyError(number)


class Fold:
    """Everything that a campaign's decisions rest on, and the decisions.

    Args:
        islands: opened.
        bandit: opened.
        brief: what operators are told.
        seed: of the campaign.
        inspirations: how many other elites a draft shows.
        speaking: the operators that ask a language model, whose drafts carry guidance, lessons and siblings.
        guidance, lessons, gates: opened; where there are any.
        pace: when which proposals are drafted.
        collecting: what is drafted for training; None where weights are not trained.
        lineup: says what proposals are made from, where islands do not.
    """

    def __init__(
        self,
        *,
        islands: Islands,
        bandit: Bandit,
        brief: Brief,
        seed: int,
        inspirations: int,
        speaking: Collection[str] = (),
        guidance: Guidance | None = None,
        lessons: Lessons | None = None,
        gates: Mapping[str, Gate] | None = None,
        pace: Pace = _NO_PACE,
        collecting: Collecting | None = None,
        lineup: Lineup | None = None,
    ) -> None:
        self.islands = islands
        self.pace, self._collecting = pace, collecting
        self._tally = Tally()
        self.step: list[Record] = []
        """The records of the step that is under way or has just ended, where weights are trained."""
        self.best_before: float | None = None
        """The best score before that step."""
        self.bandit = bandit
        self.guidance, self.lessons, self.gates = guidance, lessons, gates or {}
        self._lineup = lineup
        self._speaking = speaking
        self._recent = _Recent() if speaking else None
        self.steering = Steering()
        self.recalled: Callable[[int], tuple[Content, Scored]] = _nothing
        """Gives the content and score of an earlier record, or raises `KeyError`."""
        self.seen: set[str] = set()
        """Digests of all contents recorded so far."""
        self.records = 0
        self.seeds = 0
        self._brief, self._seed, self._inspirations = brief, seed, inspirations
        self._stored: _Stored | None = None
        self._scores: array[float] = array("d")
        """Of the records that were taken in; of those of a kept state only the store knows them."""
        self._evaluations = self._tokens = self._stalled = 0
        self._money = 0.0
        self._best: float | None = None

    @property
    def progress(self) -> Progress:
        """Where the campaign stands."""
        return Progress(
            records=self.records,
            evaluations=self._evaluations,
            tokens=self._tokens,
            money=self._money,
            best=self._best,
            stalled=self._stalled,
        )

    @property
    def evaluations(self) -> int:
        """Judged calls so far, and one for each record that needed none."""
        return self._evaluations

    def take(self, record: Record) -> Taken:
        """Takes in the next record.

        Raises:
            ValueError: its number is not the next.
        """
        if record.number != self.records + 1:
            raise ValueError(f"expected record {self.records + 1}, got {record.number}")
        candidate, evaluation, cost = record.candidate, record.evaluation, record.cost
        score = evaluation.score if isinstance(evaluation, Scored) and candidate.island != GUIDANCE else None
        if candidate.operator == SEED:
            self.seeds += 1
        elif candidate.island != GUIDANCE and candidate.action is None:
            operator, _, arm = candidate.operator.partition(".")
            reward = self._reward(record, score)
            self.bandit.learn((operator, arm), reward, cost.calls)
            self._credit(record, operator, reward)
        insertion = self.islands.add(record)
        if record.number in self.islands.barred:
            score = None
        if candidate.action is not None:
            self._decided(record)
        if candidate.island == GUIDANCE and self.guidance is not None:
            self.guidance.add(record)
        if self._recent is not None:
            self._recent.add(record)
        if self._lineup is not None:
            self._lineup.take(record)
        for gate in self.gates.values():
            gate.take(record)
        best = self._best
        improved = score is not None and (best is None or score > best)
        if improved:
            self._best = score
        self._stalled = 0 if improved else self._stalled + 1
        self._scores.append(math.nan if score is None else score)
        if candidate.content is not None:
            self.seen.add(candidate.content.digest)
        self.records = record.number
        if self._collecting is not None:
            self._collect(record, self._collecting, best)
        self._evaluations += max(1, cost.calls)
        self._tokens += cost.tokens
        self._money += cost.money
        return Taken(insertion=insertion, improved=improved)

    def _decided(self, record: Record) -> None:
        """Takes in what a person decided."""
        self.steering.take(record, self.recalled)
        action = record.candidate.action
        if action is not None and action.barred:
            best = self.islands.champion
            self._best = None if best is None else best.scored.score

    def _collect(self, record: Record, collecting: Collecting, best: float | None) -> None:
        """Keeps the records of a step together; at its end it is noted what the children of each parent were worth."""
        steps = collecting.steps
        at = steps.step_of(record.number, self.seeds)
        if at == 0:
            return
        if record.number == steps.first(at, self.seeds):
            self.step.clear()
            self.best_before = best
        self.step.append(record)
        if record.number == steps.last(at, self.seeds):
            for group in groups_of(self.step, self.score):
                returns = returns_of(group, collecting.reward, collecting.training.ladder, _ANY_LENGTH)
                self._tally.add(group.parent, returns.rewards.tolist())

    def _credit(self, record: Record, operator: str, reward: float) -> None:
        """Gives guidance and lessons their share of what a proposal brought."""
        if operator not in self._speaking:
            return
        candidate = record.candidate
        if self.guidance is not None and candidate.guidance is not None:
            self.guidance.credit(candidate.guidance, reward)
        if self.lessons is not None:
            parent = self._score(candidate.parents[0]) if candidate.parents else math.nan
            self.lessons.take(record, None if math.isnan(parent) else parent, reward)

    def refusal(self, content: Content) -> Failed | None:
        """Why a content is not worth an evaluation, by the records so far."""
        if content.digest in self.seen:
            return Failed(cause=Cause.DUPLICATE)
        return next((why for gate in self.gates.values() if (why := gate.refusal(content)) is not None), None)

    def _reward(self, record: Record, score: float | None) -> float:
        """What a proposal brought, 0 to 1, in ranks, so that the scale of scores does not matter.

        1 for a new best of the island; else by how much of the island's elites the child passed its parent.
        """
        candidate = record.candidate
        if score is None or not candidate.parents or candidate.island == EVERY_ISLAND:
            return 0.0
        before = self._score(candidate.parents[0])
        if not score > before:
            return 0.0
        archive = self.islands.archives[candidate.island % self.islands.count]
        best = archive.best()
        if best is None or score > best.scored.score:
            return 1.0
        return archive.elites.share_below(score) - archive.elites.share_below(before)

    def score(self, number: int) -> float | None:
        """The score of a record, if it has one."""
        score = self._score(number)
        return None if math.isnan(score) else score

    def _score(self, number: int) -> float:
        """The score of a record; NaN if it has none."""
        place = number - 1 - (self.records - len(self._scores))
        if place >= 0:
            return self._scores[place]
        assert self._stored is not None
        score = self._stored.score(number)
        return math.nan if score is None else score

    @property
    def due(self) -> range:
        """The proposals that are drafted from the state of this moment."""
        return self.pace.due(self.records, self.seeds)

    def drafts(self, numbers: range) -> list[Draft]:
        """The drafts of proposals, as they follow from the state of this moment.

        Raises:
            ValueError: no island has an elite.
        """
        collecting = self._collecting
        if collecting is None:
            return [self.draft(number) for number in numbers]
        size = collecting.steps.size
        return [
            draft
            for start in range(numbers.start, numbers.stop, size)
            for draft in self._step(range(start, start + size), collecting)
        ]

    def _step(self, numbers: range, collecting: Collecting) -> list[Draft]:
        """The drafts of one step: groups of the same question, and single ones where no language model is asked."""
        training, steps = collecting.training, collecting.steps
        leaders = self._leaders(numbers[: training.groups])
        together = [one for one in leaders if self._asks_a_model(one) and one.island != GUIDANCE]
        spreads = [self._tally.of(one.parents[0].number) for one in together]
        single = len(leaders) - len(together) if together else 0
        least = min(collecting.smallest, training.group)
        sizes = iter(collecting.allocation.sizes(spreads, len(numbers) - single, least) if together else ())
        version = steps.version(steps.step_of(numbers.start, self.seeds))
        drafts: list[Draft] = []
        for leader in leaders:
            first = numbers.start + len(drafts)
            if not any(leader is one for one in together):
                asked = version if self._asks_a_model(leader) else None
                for number in range(first, first + (1 if together else training.group)):
                    rng = Stream(self._seed, number, "breeding")
                    drafts.append(replace(leader, number=number, rng=rng, version=asked))
                continue
            control = version > 0 and Stream(self._seed, first, "control").random() < training.control
            for member in range(next(sizes)):
                rng = Stream(self._seed, leader.number, "breeding")  # each its own, as a stream is used up
                drafts.append(
                    replace(
                        leader,
                        number=first + member,
                        rng=rng,
                        group=first,
                        member=member,
                        version=0 if control else version,
                        control=control,
                    )
                )
        return drafts

    def _asks_a_model(self, draft: Draft) -> bool:
        return draft.operator in self._speaking

    def _leaders(self, numbers: range) -> list[Draft]:
        """One draft for each group of a step, of different parents as far as some tries find them."""
        leaders: list[Draft] = []
        for number in numbers:
            draft = self.draft(number)
            for redraw in range(1, _REDRAWS + 1):
                if all(one.parents[0].number != draft.parents[0].number for one in leaders):
                    break
                draft = self.draft(number, redraw)
            leaders.append(draft)
        return leaders

    @property
    def brief(self) -> Brief:
        """What operators are told, with what people want beside it."""
        if not self.steering.done:
            return self._brief
        return replace(self._brief, notes=self.steering.told(self._brief))

    def by_hand(self, draft: Draft, action: Action) -> Draft:
        """The draft of a record that a person makes, in the place of another."""
        return Draft(
            number=draft.number,
            island=draft.number % self.islands.count,
            operator=HUMAN,
            arm=str(action.kind),
            parents=(),
            inspirations=(),
            brief=draft.brief,
            rng=draft.rng,
            action=action,
        )

    def draft(self, number: int, redraw: int = 0) -> Draft:
        """The draft of one proposal, as it follows from the state of this moment.

        Args:
            number: of the proposal.
            redraw: gives other parents, where those of 0 are not wanted.

        Raises:
            ValueError: no island has an elite.
        """
        place = number % self.islands.count
        archives = self.islands.archives
        if not len(archives[place]):  # its elites were lost to a reset of bounds or it never had one
            place = next((other for other, archive in enumerate(archives) if len(archive)), -1)
            if place < 0:
                raise ValueError("no island has an elite to breed from")
        if self.guidance is not None and not self.guidance.empty:
            turn = Stream(self._seed, number, "guidance turn")
            if turn.random() < self.guidance.rate:
                return self._guidance_draft(number, self.guidance)
        operator, arm = self.bandit.choose(Stream(self._seed, number, "operator"))
        if self._lineup is not None:
            selection = self._lineup.selection()
        else:
            purpose = f"selection {redraw}" if redraw else "selection"
            selection = self.islands.selectors[place].select(
                archives[place].elites, Stream(self._seed, number, purpose), self._inspirations
            )
            pinned = self.steering.parent(Stream(self._seed, number, "pinned")) if self.steering.done else None
            if pinned is not None:
                selection = replace(selection, parents=(pinned, *selection.parents[1:]))
        draft = Draft(
            number=number,
            island=place,
            operator=operator,
            arm=arm,
            parents=selection.parents,
            inspirations=selection.inspirations,
            brief=self.brief,
            rng=Stream(self._seed, number, "breeding"),
        )
        return self._accompanied(draft) if operator in self._speaking else draft

    def _accompanied(self, draft: Draft) -> Draft:
        """A draft for a language model, with all that may help it."""
        assert self._recent is not None
        first = draft.parents[0]
        if self._lineup is not None:
            return replace(draft, siblings=self._recent.of(first.number)) if self._lineup.remembers else draft
        draft = replace(draft, siblings=self._recent.of(first.number), inspirations=self._held(draft))
        if self.lessons is not None:
            shown, withheld = self.lessons.choose(first.content, Stream(self._seed, draft.number, "lessons"))
            draft = replace(draft, lessons=shown, withheld=withheld)
        if self.guidance is not None:
            draft = replace(draft, guidance=self.guidance.choose(Stream(self._seed, draft.number, "guidance")))
        return draft

    def _held(self, draft: Draft) -> tuple[Elite, ...]:
        """Inspirations that stay the same for some proposals of an island, as far as the archive does.

        Prompts then share more than their first message, and a server need not compute it again.
        """
        block = draft.number // (self.islands.count * _HOLD) * self.islands.count + draft.island
        place = draft.island
        chosen = self.islands.selectors[place].select(
            self.islands.archives[place].elites, Stream(self._seed, block, "inspirations"), self._inspirations + 1
        )
        parents = {parent.number for parent in draft.parents}
        offered = (*self.steering.pinned, *chosen.parents, *chosen.inspirations)
        others = {one.number: one for one in offered if one.number not in parents}
        return tuple(others.values())[: self._inspirations]

    def _guidance_draft(self, number: int, guidance: Guidance) -> Draft:
        """The draft of a new context, from one that did well, with what was made under it."""
        parent = guidance.choose(Stream(self._seed, number, "selection"))
        assert parent is not None
        assert self._recent is not None
        others = [elite for elite in guidance.elites() if elite.number != parent.number]
        return Draft(
            number=number,
            island=GUIDANCE,
            operator=guidance.operator,
            arm="",
            parents=(parent,),
            inspirations=tuple(others[: self._inspirations]),
            brief=self.brief,
            rng=Stream(self._seed, number, "breeding"),
            siblings=self._recent.of(parent.number),
        )

    def state(self) -> dict[str, Any]:
        """The state as JSON values; elites and scores by record number, to be looked up in the store."""
        return {
            "format": _FORMAT,
            "records": self.records,
            "seeds": self.seeds,
            "evaluations": self._evaluations,
            "tokens": self._tokens,
            "money": self._money,
            "best": self._best,
            "stalled": self._stalled,
            "islands": self.islands.state(),
            "bandit": self.bandit.state(),
            "guidance": None if self.guidance is None else self.guidance.state(),
            "lessons": None if self.lessons is None else self.lessons.state(),
            "gates": {name: gate.state() for name, gate in self.gates.items()},
            "tally": self._tally.state(),
            "best_before": self.best_before,
            "lineup": None if self._lineup is None else self._lineup.state(),
            "steering": self.steering.state(),
        }

    def resume(self, store: Store, row: CampaignRow, last: int) -> None:
        """Takes up the newest kept state from which all is drafted anew that is in flight after record `last`."""
        kept = store.load_state(row, last - self.pace.look_back)
        if kept is None:
            return
        number, state = kept
        if state.get("format") != _FORMAT:
            return
        self.records, self.seeds = state["records"], state["seeds"]
        self._evaluations, self._tokens, self._money = state["evaluations"], state["tokens"], state["money"]
        self._best, self._stalled = state["best"], state["stalled"]
        self._stored, self._scores = _Stored(store, row), array("d")
        self.islands.restore(state["islands"], self._stored)
        self.bandit.restore(state["bandit"])
        if self.guidance is not None:
            self.guidance.restore(state["guidance"], self._stored)
        if self.lessons is not None:
            self.lessons.restore(state["lessons"])
        for name, gate in self.gates.items():
            gate.restore(state["gates"][name])
        if self._lineup is not None:
            self._lineup.restore(state["lineup"], self._stored)
        self.steering.restore(state.get("steering"), self._stored)
        if self._recent is not None:
            for record in store.replay(row, after=max(0, number - RECENT), until=number):
                self._recent.add(record)
        if self._collecting is not None:
            self._tally.restore(state["tally"])
            self.best_before = state["best_before"]
            steps = self._collecting.steps
            start = steps.first(steps.step_of(number, self.seeds), self.seeds)
            self.step[:] = store.replay(row, after=start - 1, until=number)
        self.seen = store.digests(row, number)
