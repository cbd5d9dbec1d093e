"""A campaign's log in a store, the state that follows from it, and the drafts that follow from that."""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from evoengine.assembly import fingerprint_of
from evoengine.deciding import Decisions, Drafts
from evoengine.events import Committed, Event, Progress, Watcher
from evoengine.fold import Fold
from evoengine.learning import CHOSEN_BY, Due, Learning
from evoengine.parts import Parts
from evoengine.proposing import Proposal
from evoengine.stores.base import CampaignRow, Store
from evoengine.types import SEED, Cause, Content, Elite, Failed, Judgement, Record

_log = logging.getLogger(__name__)


class Log:
    """What has happened, in the store and folded; opened by the first look at `fold`.

    Args:
        parts: of the campaign.
        store: keeps the records; opened when it is first needed.
        name: of the campaign.
        learning: is handed each step of records that has ended; None where weights are not trained.
        watchers: are told of every event.
        lasted: seconds since the run began.
        snapshot_every: records between kept states.
    """

    def __init__(
        self,
        parts: Parts,
        store: Store,
        *,
        name: str,
        learning: Learning | None,
        watchers: Sequence[Watcher],
        lasted: Callable[[], float],
        snapshot_every: int,
    ) -> None:
        self._parts, self._store, self._name, self._learning = parts, store, name, learning
        self.watchers = list(watchers)
        self.row: CampaignRow | None = None
        """The campaign in the store; None before its first record."""
        self.drafts: Drafts = deque()
        """Those that are not begun, each with the progress that it was drafted from."""
        self._lasted, self._snapshot_every = lasted, snapshot_every
        self._fold: Fold | None = None
        self._held = ExitStack()
        self._decisions = Decisions(store)
        self._heeding = False

    @property
    def fold(self) -> Fold:
        """The state, replayed from the store when it is first needed."""
        if self._fold is not None:
            return self._fold
        self._store.open()
        row = self._store.campaign(self._name)
        if row is not None:
            self._parts.refuse_another(self._name, row)
        self._fold = self._parts.fold()
        self._fold.recalled = lambda number: self._store.elite(self.stored_row(), number)
        self.row = row
        if row is not None:
            self._replay(row, self._fold)
        return self._fold

    def _replay(self, row: CampaignRow, fold: Fold) -> None:
        last = self._store.last(row)
        watchers, self.watchers = self.watchers, []  # what is replayed is no news
        collects = gc.isenabled()
        gc.disable()  # of all that a million records make nothing is garbage, and looking takes as long as opening
        try:
            fold.resume(self._store, row, last)
            for record in self._store.replay(row, after=fold.records):
                self._take(record, drafting_after=last)
        finally:
            self.watchers = watchers
            if collects:
                gc.enable()

    def forget(self) -> None:
        """Lets go of the state and of all drafts; the next look reads them anew."""
        self._fold, self.row = None, None
        self.drafts.clear()
        self._decisions.forget()

    def stored_row(self) -> CampaignRow:
        """The campaign's row; it is made with the first record, so that a failed start leaves nothing behind."""
        if self.row is None:
            problem = self._parts.problem
            self.row = self._store.create(
                name=self._name,
                problem=problem.name,
                fingerprint=fingerprint_of(problem),
                seed=self._parts.seed,
                settings={**self._parts.identity(), "about": self._parts.about()},
            )
            self._held.enter_context(self._store.writer(self.row))
        return self.row

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the right to write. What another process wrote since this one looked is read first."""
        fold = self.fold
        with self._held:
            if self.row is not None:
                self._held.enter_context(self._store.writer(self.row))
                if self._store.last(self.row) != fold.records:
                    self.forget()
                    self.fold  # noqa: B018  # a look reads it
            yield

    @contextmanager
    def heeding(self) -> Iterator[None]:
        """Lets what people decide take the places of drafts that are not begun, as long as it lasts."""
        self._heeding = True
        self._decisions.forget()
        self._heed(self.drafts)
        try:
            yield
        finally:
            self._heeding = False
            if any(draft.action is not None for draft, _ in self.drafts):
                self.forget()  # a loop of one's own is asked for nothing that a person decided

    def in_step(self) -> None:
        """Makes drafts anew that `ask` has handed out or `tell` has overtaken: a run follows from the log alone."""
        if not self.drafts or self.drafts[0][0].number != self.fold.records + 1:
            self.forget()
            self.fold  # noqa: B018  # a look reads it

    # -- records ---------------------------------------------------------------------------------------------------

    def proposed(self, proposals: Sequence[Proposal]) -> list[Record]:
        """The next records. What the log refuses is refused, whenever that was noticed."""
        fold = self.fold
        records: list[Record] = []
        fresh: set[str] = set()
        for number, proposal in enumerate(proposals, start=fold.records + 1):
            evaluation, cost, content = proposal.evaluation, proposal.cost, proposal.candidate.content
            tier = proposal.tier
            if content is not None and proposal.candidate.operator != SEED:
                refused = Failed(cause=Cause.DUPLICATE) if content.digest in fresh else fold.refusal(content)
                fresh.add(content.digest)
                spared = isinstance(evaluation, Failed) and evaluation.cause is Cause.NO_CHANGE
                if refused is not None and not spared:
                    # the evaluation is not counted: a slower worker would have been spared it
                    evaluation, tier = refused, ""
                    cost = replace(cost, calls=cost.trials)
            records.append(
                Record(number=number, candidate=proposal.candidate, evaluation=evaluation, cost=cost, tier=tier)
            )
        return records

    def record(self, proposals: Sequence[Proposal]) -> None:
        """Commits finished proposals: all at once, or one by one where the next depends on what came before it."""
        if self._parts.gates or any(one.candidate.action is not None for one in proposals):
            for proposal in proposals:
                settled = self._decisions.settled(self.stored_row(), self.fold, proposal)
                self.commit(self.proposed([settled]))
        else:
            self.commit(self.proposed(proposals))

    def commit(self, records: Sequence[Record]) -> None:
        """Stores records, then takes them in and drafts what depends on them."""
        if not records:
            return
        self._store.append(self.stored_row(), records)
        for record in records:
            self._take(record)

    def _take(self, record: Record, drafting_after: int = 0) -> None:
        fold = self.fold
        taken = fold.take(record)
        if self.watchers:
            self.tell(
                Committed(record=record, insertion=taken.insertion, improved=taken.improved, progress=self.progress)
            )
        if record.number < len(self._parts.seeds):
            return
        due = fold.due
        if due and due[-1] > drafting_after:
            progress = fold.progress
            new = deque((draft, progress) for draft in fold.drafts(due) if draft.number > drafting_after)
            self._heed(new)
            self.drafts += new
        if due and self._learning is not None:
            self._learn_from(fold, self._learning)
        if record.number % self._snapshot_every == 0 and not drafting_after:
            self.snapshot()

    def _heed(self, drafts: Drafts) -> None:
        if self._heeding and self.row is not None:
            self._decisions.placed(self.row, self.fold, drafts)

    def _learn_from(self, fold: Fold, learning: Learning) -> None:
        """Hands on a step of records that has ended."""
        number = learning.steps.step_of(fold.records, fold.seeds)
        if number == 0:
            return
        learning.begin(
            Due(
                number=number,
                records=tuple(fold.step),
                score=fold.score,
                best=fold.best_before,
                elites=tuple(self.elites()) if number <= CHOSEN_BY else (),
            )
        )

    def snapshot(self) -> None:
        """Keeps the state of now, to shorten replays."""
        fold = self.fold
        if self.row is not None and fold.records > len(self._parts.seeds):
            self._store.save_state(self.row, fold.records, fold.state())

    # -- looking ---------------------------------------------------------------------------------------------------

    @property
    def progress(self) -> Progress:
        """Where the campaign stands."""
        return replace(self.fold.progress, seconds=self._lasted())

    def elites(self) -> list[Elite]:
        """The elites of all islands, each record once, best first."""
        found = {elite.number: elite for archive in self.fold.islands.archives for elite in archive}
        return sorted(found.values(), key=lambda elite: (-elite.scored.score, elite.number))

    def looked_up(self, numbers: Sequence[int]) -> Mapping[int, Record]:
        """The records of these numbers."""
        return self._store.records(self.stored_row(), numbers)

    def recalled(self, content: Content) -> Judgement | None:
        """What the store knows of a content; not where it depends on the moment or a model."""
        problem = self._parts.problem
        if self.row is None or problem.repeats > 1 or problem.converses:
            return None
        return self._store.recall(self.row.fingerprint, content.digest)

    def tell(self, event: Event) -> None:
        """Tells the watchers."""
        for watcher in list(self.watchers):
            try:
                watcher(event)
            except Exception:  # foreign code that only looks on: hours of work do not end with it
                _log.exception("a watcher failed and is told no more")
                self.watchers.remove(watcher)
