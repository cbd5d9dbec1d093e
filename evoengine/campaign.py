"""A campaign: the one place where the parts meet."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from evoengine.archives.base import Archive
from evoengine.assembly import (
    Given,
    store_of,
)
from evoengine.bandit import Bandit
from evoengine.beside import Beside
from evoengine.breeding import first_prompt
from evoengine.errors import CampaignError, EvoengineError, ProblemError, SettingError, StoreError
from evoengine.events import Halting, Progress, Started, Stopped, Updated, Watcher
from evoengine.executors.base import Executor
from evoengine.gates.base import Gate
from evoengine.generators.base import Generator
from evoengine.guidance import Guidance
from evoengine.islands import Islands
from evoengine.lessons import Lessons
from evoengine.log import Log
from evoengine.loops import in_fresh_loop
from evoengine.markup import table_of
from evoengine.mutators import EVOLVE
from evoengine.operators.base import Operator
from evoengine.parts import Parts
from evoengine.pictures import Picture, picture_of, required
from evoengine.pipeline import Pipeline
from evoengine.problem import Problem
from evoengine.proposing import Proposal, Proposer, refuse_misfit
from evoengine.rl.trainer import Trainer
from evoengine.sandboxes.base import Sandbox
from evoengine.selectors.base import Selector
from evoengine.spending import Spending
from evoengine.steering import refuse_nonsense
from evoengine.stopping import Reached, Stop, limits
from evoengine.stores.base import Check, Store, Update
from evoengine.types import (
    EVERY_ISLAND,
    GUIDANCE,
    SEED,
    Action,
    Candidate,
    Content,
    Cost,
    Draft,
    Elite,
    Evaluation,
    Failed,
    Judgement,
    Prompt,
    Record,
    Scored,
    spent_on,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_log = logging.getLogger(__name__)
_NOTE_SECONDS = 5.0
"""Between notes of how long a run has lasted."""
_AHEAD = 100
"""Drafts that are looked at for one that asks a language model."""
_PATIENCE = 5.0
"""Seconds that work in flight is given at least when a run's time is over."""


class Campaign:
    """Evolves one problem's programs and keeps all that happened in a store.

    Making one is cheap; the store is opened by the first method that needs it, and workers live only while
    a run goes on. The same name in the same store goes on where it stopped.

    Args:
        problem: a `Problem`, a name or path, or `{"use": name, setting: value}`.
        name: of the campaign in the store; the problem's name when left out.
        store: a `Store` or its URL.
        seed: decides every random choice.
        islands: how many, or settings of `Islands`.
        archive, selector: what each island is given.
        operators: the ways to make a child; by default those that need no language model, or, with a generator,
            those that ask it.
        bandit: who chooses among the operators' arms.
        executor, workers: where evaluations run, and on how many workers (default: the cores).
        sandbox: where candidates run.
        generator: the language model that answers operators' prompts; a `Generator`, its name, or name and settings.
        task_model: the language model that contexts are judged by, for problems that converse; by default the
            generator.
        gates: what a child must pass before it is evaluated; by default those of `MODEL_GATES` with a generator,
            and none without. Copies are refused in any case.
        guidance: settings of the contexts that guide a language model; True (the default with a generator), or
            False for none.
        lessons: settings of the memory of what changes brought; True (the default with a generator), or False.
        trainer: updates the generator's weights while the campaign runs; by default nobody does.
        mutator: what makes proposals: "evolve", or a baseline of `evoengine.mutators.MUTATORS` to compare it with.
        window: how far proposals run ahead of committed records: proposal k sees the state after record
            k - window. It bounds the work in flight, and changes the result, unlike `workers`.
        inspirations: how many other elites an operator is shown.
        watchers: are told of every event.
        snapshot_every: records between kept states that shorten the replay at a resume.
        evaluator: replaces the one made from problem and sandbox (trusted; for measuring and tests).

    Raises:
        PluginError: a part cannot be found.
        SettingError: a setting is wrong.
    """

    def __init__(
        self,
        problem: Problem | Given,
        *,
        name: str | None = None,
        store: Store | str = "sqlite:///evo.db",
        seed: int = 0,
        islands: Islands | int | Mapping[str, Any] = 4,
        archive: Archive | Given = "grid",
        selector: Selector | Given = "softmax",
        operators: Sequence[Operator | Given] | None = None,
        bandit: Bandit | Mapping[str, Any] | None = None,
        executor: Executor | Given = "local",
        workers: int | None = None,
        sandbox: Sandbox | Given = "jail",
        generator: Generator | Given | None = None,
        task_model: Generator | Given | None = None,
        gates: Sequence[Gate | Given] | None = None,
        guidance: Guidance | Mapping[str, Any] | bool | None = None,
        lessons: Lessons | Mapping[str, Any] | bool | None = None,
        trainer: Trainer | Given | None = None,
        mutator: str = EVOLVE,
        window: int = 16,
        inspirations: int = 2,
        watchers: Sequence[Watcher] = (),
        snapshot_every: int = 5000,
        evaluator: Any = None,
    ) -> None:
        _whole("window", window, 1)
        _whole("inspirations", inspirations, 0)
        _whole("snapshot_every", snapshot_every, 1)
        _whole("seed", seed, -(2**63), 2**63 - 1)
        self._parts = Parts(
            problem,
            seed=seed,
            window=window,
            inspirations=inspirations,
            islands=islands,
            archive=archive,
            selector=selector,
            operators=operators,
            bandit=bandit,
            executor=executor,
            workers=workers,
            sandbox=sandbox,
            generator=generator,
            task_model=task_model,
            gates=gates,
            guidance=guidance,
            lessons=lessons,
            evaluator=evaluator,
            trainer=trainer,
            mutator=mutator,
        )
        self.problem = self._parts.problem
        self.name = name or self.problem.name
        self.store: Store = store_of(store)
        self.seed = seed
        self.window = window
        self._executor = self._parts.executor
        self._halt: str | None = None
        self._learning = self._parts.learning(self.store, self.name)
        self._began = self._noted = 0.0
        self._log = Log(
            self._parts,
            self.store,
            name=self.name,
            learning=self._learning,
            watchers=watchers,
            lasted=self._lasted,
            snapshot_every=snapshot_every,
        )

    # -- running ---------------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        evaluations: int | None = None,
        seconds: float | None = None,
        tokens: int | None = None,
        money: float | None = None,
        until_score: float | None = None,
        stop: Stop | None = None,
    ) -> str:
        """Runs until a condition holds, in a script or a notebook, and gives the reason.

        Ctrl-C finishes what is in flight and keeps it; a second one stops at once. Either can be resumed.

        Args:
            evaluations: judged calls in all (earlier runs of this campaign included), and one for each
                record that needed none. No proposal is begun once they are spent; the last one may go over.
            seconds: wall time of this run. What is in flight then is given a twentieth of it (at least 5 s)
                to be finished, and is else given up, to be done anew by a later run.
            tokens: what language models may read and write in all. As with evaluations, no proposal is begun once
                they are spent, and what was begun is finished and kept.
            money: what language models may cost in all, US dollars.
            until_score: the problem's own value to reach.
            stop: any other condition; the run ends when any one holds.

        Raises:
            CampaignError, ProblemError, StoreError, SandboxError, ExecutorError: as each says.
        """
        run = self.arun(
            evaluations=evaluations, seconds=seconds, tokens=tokens, money=money, until_score=until_score, stop=stop
        )
        return in_fresh_loop(run, self._interrupted)

    async def arun(
        self,
        *,
        evaluations: int | None = None,
        seconds: float | None = None,
        tokens: int | None = None,
        money: float | None = None,
        until_score: float | None = None,
        stop: Stop | None = None,
    ) -> str:
        """As `run`, for async code."""
        condition = limits(stop, evaluations=evaluations, seconds=seconds, tokens=tokens, money=money)
        if until_score is not None:
            condition |= Reached(self.problem.signed(until_score), until_score)
        self._began, self._noted, self._halt = time.monotonic(), 0.0, None
        with self._log.writing():
            fold = self._log.fold
            self._log.tell(Started(campaign=self.name, resumed=fold.records))
            async with self._executor, self._parts.models():
                await self._plant()
                self._log.in_step()
                async with self._trained():
                    reason = await self._worked(condition, seconds)
        self._log.tell(Stopped(reason=reason, progress=self.progress))
        return reason

    async def _worked(self, condition: Stop, seconds: float | None) -> str:
        """One run, from the first draft to the last record; gives the reason for its end."""
        run = self.store.begin_run(self._log.stored_row())
        spending = Spending(
            price=self._parts.price,
            dearest=self._parts.dearest(),
            now=lambda: self._log.fold.progress,
            lasted=self._lasted,
        )
        pipeline = Pipeline(
            drafts=self._log.drafts,
            propose=self._proposer().propose,
            commit=lambda proposals: self._commit(proposals, run),
            halted=lambda draft, at: self._halt or spending.halts(condition, at, draft),
            waits=lambda draft, at, flight: spending.waits(condition, at, draft, flight),
            deadline=None if seconds is None else self._left(seconds),
        )
        try:
            with self._log.heeding():
                reason = await pipeline.run()
            if pipeline.gave_up:
                self._log.forget()
            elif self._learning is not None:
                await self._learning.finish(None if seconds is None else self._left(seconds))
            await self._check_champion()
            self._log.snapshot()
        except BaseException as error:
            self._log.forget()  # what was asked and not committed will be drafted anew
            with suppress(StoreError):  # the error itself says more
                self.store.note_run(run, self._lasted(), type(error).__name__)
            raise
        self.store.note_run(run, self._lasted(), reason)
        return reason

    def _commit(self, proposals: Sequence[Proposal], run: int) -> None:
        """Records finished proposals, and now and then, for runs that are killed, how long this one has lasted."""
        self._log.record(proposals)
        if self._lasted() > self._noted + _NOTE_SECONDS:
            self._noted = self._lasted()
            self.store.note_run(run, self._noted)

    def halt(self, reason: str = "interrupted") -> None:
        """Asks a run to finish what is in flight and end. May be called from another thread."""
        self._halt = reason

    def _interrupted(self) -> None:
        """What Ctrl-C does, in the thread of the run."""
        if self._halt is None:
            self.halt()
            self._log.tell(Halting(reason="interrupted"))

    def _left(self, seconds: float) -> float:
        """Seconds until work in flight is given up in a run of so many."""
        return seconds + max(_PATIENCE, seconds / 20) - self._lasted()

    def _lasted(self) -> float:
        """Seconds since this run began."""
        return time.monotonic() - self._began if self._began else 0.0

    async def _plant(self) -> None:
        """Evaluates and records the seeds that are not recorded yet."""
        fold = self._log.fold
        seeds = self._parts.seeds
        if fold.records >= len(seeds):
            return
        # above everything: where evaluations are noisy, the first champion is believed no sooner than later ones
        own = self.problem.seeds()
        evaluate = self._parts.judges.evaluate
        judged = await asyncio.gather(*(evaluate(content, above=-math.inf) for content in own))
        if not any(isinstance(one.evaluation, Scored) for one in judged):
            [first, *_] = judged
            assert isinstance(first.evaluation, Failed)
            *_, last = first.evaluation.feedback.strip().splitlines() or ["no further word"]
            raise ProblemError(
                f"no seed of problem {self.problem.name!r} scores: {first.evaluation.cause}: {last}. "
                f"Nothing was recorded; mend the seed or the judge, and see `evoengine check`."
            )
        planted = [(EVERY_ISLAND, content, one) for content, one in zip(own, judged, strict=True)]
        if self._parts.guidance is not None:
            told = self._parts.guidance.appraised
            planted += [(GUIDANCE, one, Judgement(evaluation=told(one))) for one in self._parts.guidance.seeds()]
        records = [
            _seed(number, island, content, one) for number, (island, content, one) in enumerate(planted, start=1)
        ]
        self._log.commit(records[fold.records :])

    def _proposer(self) -> Proposer:
        return Proposer(
            operators=self._parts.operators,
            gates=list(self._log.fold.gates.values()),
            executor=self._executor,
            evaluate=self._parts.judges.evaluate,
            generator=self._parts.generator,
            known=lambda: self._log.fold,
            records=self._log.looked_up,
            recalled=self._log.recalled,
            appraised=(self._parts.guidance or Guidance()).appraised,
            policies=self._learning,
        )

    @asynccontextmanager
    async def _trained(self) -> AsyncIterator[None]:
        """Training, where there is any, from its newest checkpoint on."""
        if self._learning is None:
            yield
            return
        with self._parts.curves(self.name) as curves:

            def note(update: Update) -> None:
                curves(update)
                self._log.tell(Updated(number=update.number, record=update.record, facts=update.facts))

            await self._learning.open(
                Beside(self._parts, self._log.stored_row, self._log.looked_up, note), len(self._parts.seeds)
            )
            self._parts.judges.policy = self._learning.first
            try:
                yield
            finally:
                await self._learning.close()

    # -- one's own loop --------------------------------------------------------------------------------------------

    def ask(self) -> Draft:
        """The next draft, for a loop of one's own; evaluates and records the seeds first if need be.

        Raises:
            CampaignError: `window` drafts are out; tell one first.
        """
        self._ensure_seeds()
        if not self._log.drafts:
            ahead = self._log.fold.pace.ahead
            raise CampaignError(f"{ahead} drafts (the window) are out already; tell() one of them first.")
        return self._log.drafts.popleft()[0]

    def prompt(self) -> tuple[Draft, Prompt | None]:
        """The next draft that a language model would be asked about, with its first prompt; nothing is sent.

        The prompt is None where the draft's operator asks for something else first, or for nothing.
        """
        self._ensure_seeds()
        fold = self._log.fold
        for ahead in range(1, _AHEAD + 1):
            draft = fold.draft(fold.records + ahead)
            if self._parts.operators[draft.operator].speaks:
                return draft, first_prompt(self._parts.operators[draft.operator], draft, self._log.looked_up)
        return draft, None

    def _ensure_seeds(self) -> None:
        async def seeded() -> None:
            with self._log.writing():
                async with self._executor, self._parts.models():
                    await self._plant()

        if self._log.fold.records < len(self._parts.seeds):
            in_fresh_loop(seeded(), self.halt)

    def tell(self, candidate: Candidate, evaluation: Evaluation, cost: Cost | None = None) -> Record:
        """Records a candidate of one's own loop, with its evaluation, as the next record; seeds go first.

        Raises:
            CampaignError: the candidate names a parent that is not recorded, has a score but no content, or lacks
                a feature of the problem. Nothing was recorded.
        """
        self._ensure_seeds()
        proposal = Proposal(candidate=candidate, evaluation=evaluation, cost=cost or Cost(calls=1))
        with self._log.writing():
            refuse_misfit(candidate, evaluation, last=self._log.fold.records, features=self.problem.features)
            [record] = self._log.proposed([proposal])
            self._log.commit([record])
        return record

    def decide(self, action: Action) -> int:
        """Has the campaign make a record of what a person decided as soon as it runs; gives its place in the queue.

        Another process may be running it, and takes notice within moments.

        Raises:
            CampaignError: the campaign has no records yet, or the decision makes no sense.
        """
        fold = self._log.fold
        if self._log.row is None:
            raise CampaignError(f"campaign {self.name!r} has no records yet; run it first.")
        refuse_nonsense(action, max(fold.records, self.store.last(self._log.row)))
        return self.store.decide(self._log.row, action)

    def judge(self, content: Content, stage: str | None = None) -> Judgement:
        """The evaluation of a content, without recording it."""

        async def judged() -> Judgement:
            async with self._executor, self._parts.models():
                return await self._parts.judges.evaluate(content, stage=stage)

        return in_fresh_loop(judged(), self.halt)

    # -- looking ---------------------------------------------------------------------------------------------------

    @property
    def watchers(self) -> list[Watcher]:
        """They are told of every event; one that fails is told no more."""
        return self._log.watchers

    @watchers.setter
    def watchers(self, watchers: Sequence[Watcher]) -> None:
        self._log.watchers = list(watchers)

    @property
    def progress(self) -> Progress:
        """Where the campaign stands."""
        return self._log.progress

    def best(self) -> Elite | None:
        """The best candidate so far."""
        return self._log.fold.islands.champion

    def elites(self) -> list[Elite]:
        """The elites of all islands, each record once, best first."""
        return self._log.elites()

    @property
    def islands(self) -> Islands:
        """The islands."""
        return self._log.fold.islands

    def digest(self) -> str:
        """A hash of every island's cells, contents and scores."""
        return self._log.fold.islands.digest()

    def picture(self, number: int | None = None) -> Picture:
        """What the problem draws of a record, or of the best one; a notebook shows it.

        Raises:
            CampaignError: there is no such record or no picture of it; says why.
        """
        best = self.best()
        if number is None and best is None:
            raise CampaignError(f"campaign {self.name!r} has no scored record yet, and nothing to draw.")
        if number is None:
            assert best is not None
            number = best.number
        record = None if self._log.row is None else self._log.looked_up([number]).get(number)
        if record is None:
            raise CampaignError(f"campaign {self.name!r} has no record {number}; its last is {self._log.fold.records}.")
        scored = record.evaluation
        found = picture_of(self.problem, scored.outputs) if isinstance(scored, Scored) else None
        return required(found, f"record {number}")

    def checks(self) -> list[Check]:
        """Examinations on stages that selection never saw."""
        self._log.fold  # noqa: B018  # a look reads it
        return [] if self._log.row is None else self.store.checks(self._log.row)

    def frame(self, *, code: bool = False) -> DataFrame:
        """A data frame with a row for each record, as `evoengine.analysis.frame` gives it.

        Raises:
            MissingExtra: pandas is not installed.
            CampaignError: nothing is recorded yet.
        """
        from evoengine.analysis import frame

        return frame(self, code=code)

    def plot(self, what: Literal["history", "archive", "lineage"] = "history", **settings: Any) -> Axes:
        """A plot of the campaign, by `plot_history`, `plot_archive` or `plot_lineage` of `evoengine.analysis`.

        Args:
            what: to draw.
            settings: as that function takes them, `ax` among them.

        Raises:
            MissingExtra: matplotlib is not installed.
            CampaignError: nothing is recorded yet.
        """
        from evoengine.analysis import plot_archive, plot_history, plot_lineage

        drawn: dict[str, Callable[..., Axes]] = {
            "history": plot_history,
            "archive": plot_archive,
            "lineage": plot_lineage,
        }
        if what not in drawn:
            raise SettingError(f"a campaign is plotted as one of {', '.join(drawn)}; got {what!r}.")
        return drawn[what](self, **settings)

    def _repr_html_(self) -> str:
        """A table for notebooks: where the campaign stands, and how to go on. Looking at one makes no store."""
        rows: dict[str, Any] = {"problem": self.problem.name, "store": self.store.url}
        start = "campaign.run(evaluations=100)"
        try:
            self.store.open(create=False)
            fold = self._log.fold
        except EvoengineError as error:
            return table_of(
                {**rows, "records": "none that can be read", "because": str(error), "start it": start},
                caption=f"campaign {self.name}",
            )
        best, known, archives = fold.islands.champion, self.problem.best_known, fold.islands.archives
        found = None if best is None else f"{self.problem.signed(best.scored.score):.10g} (record {best.number})"
        spent = fold.progress.evaluations
        rows |= {
            "best": found,
            "best known": None if known is None else known.value,
            "records": fold.records,
            "evaluations": spent,
            "elites": f"{sum(map(len, archives))} on {len(archives)} islands",
            "coverage": f"{sum(one.coverage for one in archives) / len(archives):.1%}",
            "go on": f"campaign.run(evaluations={spent + 100})" if fold.records else start,
            "look": "campaign.best(), campaign.frame(), campaign.plot()",
            "in a terminal": f"evoengine view {quote(self.store.url)}",
        }
        return table_of(rows, caption=f"campaign {self.name}")

    def close(self) -> None:
        """Closes the store."""
        self._log.forget()
        self.store.close()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- parts -----------------------------------------------------------------------------------------------------

    def identity(self) -> dict[str, Any]:
        """All settings that the result depends on, as JSON values."""
        return self._parts.identity()

    async def _check_champion(self) -> None:
        """Examines the best candidate on the stages that selection never saw."""
        champion = self.best()
        if champion is None or self._log.row is None:
            return
        done = {(check.number, check.stage) for check in self.store.checks(self._log.row)}
        for stage in self.problem.stages:
            if stage.held_out and (champion.number, stage.name) not in done:
                judgement = await self._parts.judges.evaluate(champion.content, stage=stage.name)
                self.store.add_check(
                    self._log.row, Check(number=champion.number, stage=stage.name, evaluation=judgement.evaluation)
                )


def _seed(number: int, island: int, content: Content, judged: Judgement) -> Record:
    """The record of a seed."""
    tokens, money = spent_on(judged.turns)
    return Record(
        number=number,
        candidate=Candidate(content=content, island=island, operator=SEED, turns=judged.turns),
        evaluation=judged.evaluation,
        cost=Cost(calls=judged.calls, tokens=tokens, money=money, seconds=judged.seconds),
        tier=judged.tier,
    )


def _whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """Refuses what is no whole number in this range."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        upto = "" if most is None else f" to {most}"
        raise SettingError(f"setting {name!r} takes a whole number from {least}{upto}, got {value!r}.")
