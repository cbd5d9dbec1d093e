"""Test-time training beside the search: one update of the mutator's weights after each step of records."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from evoengine.checkpoints import Checkpoints, Kept, trail_of
from evoengine.errors import TrainerError
from evoengine.generators.base import Generator
from evoengine.pacing import Steps
from evoengine.probing import Probes
from evoengine.proposing import Proposal
from evoengine.randomness import Stream
from evoengine.rl.advantage import Advantage
from evoengine.rl.batching import Gathered, gathered
from evoengine.rl.collecting import Collecting
from evoengine.rl.gathering import AGAIN, UNVERIFIED, groups_of
from evoengine.rl.guard import Verdict, Watch
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Example, Trainer
from evoengine.stores.base import CampaignRow, Check, Store, Update
from evoengine.types import GUIDANCE, Cause, Content, Draft, Elite, Failed, Judgement, Record, Scored

_Result = TypeVar("_Result")
CHOSEN_BY = 16
"""The update at which the probes have been chosen at last."""
_SHARE = 3
"""One in so many elites is a probe at most: the others are there to be learnt from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step that has ended, and with it what an update needs.

    Attributes:
        number: of the update, from 1.
        records: of the step.
        score: of records, by their numbers.
        best: the best score before the step; None when there was none.
        elites: of the archives at the end of the step, best first; none after step `CHOSEN_BY`.
    """

    number: int
    records: Sequence[Record]
    score: Callable[[int], float | None]
    best: float | None
    elites: Sequence[Elite]


class Surroundings(Protocol):
    """What learning asks of the campaign that it belongs to."""

    @property
    def row(self) -> CampaignRow:
        """The campaign in the store."""

    async def judged_again(self, content: Content, stage: str | None) -> Judgement:
        """What a content is worth in a jail of its own, by the stages of selection or by one stage."""

    @property
    def held_out(self) -> Sequence[str]:
        """The stages that selection never sees."""

    @property
    def own_probes(self) -> bool:
        """Whether the problem has probes of its own."""

    async def probes(self, elites: Sequence[Elite]) -> Probes:
        """The problem's own probes, or these elites as such."""

    async def tried(self, draft: Draft, policy: str) -> Proposal:
        """A child outside the log, made under a policy, and judged."""

    def updated(self, update: Update) -> None:
        """Is told of each update."""


class Learning:
    """Makes the updates of a policy in their order, and says which policy a draft asks.

    The update after step u makes version u. It is begun as soon as the step has ended, and whoever asks version u
    waits for it; so what is sampled under which weights does not depend on how long an update takes.

    Args:
        collecting: what is collected, and what it is worth.
        advantage: estimates how much better a rollout is than its group.
        trainer: changes the weights.
        generator: samples under them, and is open whenever this is.
        store: keeps the updates.
        folder: of the checkpoints.
        seed: of the campaign.
        longest: tokens that an answer may have, where the prompt does not say.
        frozen: whether the weights stay as they are, with all else the same.
    """

    def __init__(
        self,
        *,
        collecting: Collecting,
        advantage: Advantage,
        trainer: Trainer,
        generator: Generator,
        store: Store,
        folder: Path,
        seed: int,
        longest: int,
        frozen: bool,
    ) -> None:
        self._collecting, self._advantage, self._trainer = collecting, advantage, trainer
        self._generator, self._store, self._folder, self._seed = generator, store, folder, seed
        self._longest = longest
        self.still = frozen or generator.recorded
        """Whether nothing is trained: frozen, or what a trained policy said is being replayed."""
        self._dues: dict[int, Due] = {}

    def begin(self, due: Due) -> None:
        """Takes in a step that has ended. Steps come in order; one that has come before is passed over."""
        self._dues.setdefault(due.number, due)
        if self._open:
            self._news.set()

    @property
    def steps(self) -> Steps:
        """When what is drafted, and learnt from."""
        return self._collecting.steps

    # -- as `Policies` -----------------------------------------------------------------------------------------------

    @property
    def first(self) -> str:
        """The name of the policy that the campaign began with."""
        return self._first

    async def asked(self, draft: Draft) -> str:
        """The name of the policy that a draft asks, as soon as it can answer.

        Raises:
            TrainerError, GeneratorError: it cannot be made, or not be loaded.
        """
        version = draft.version or 0
        if self.still or draft.control:
            return self._first
        while self._made < version:
            self._raise()
            self._changed.clear()
            await self._changed.wait()
        name = self._names[version]
        return _member(name, draft.member) if self._trainer.population and draft.group is not None else name

    # -- a run -------------------------------------------------------------------------------------------------------

    _open = False

    async def open(self, around: Surroundings, seeds: int) -> Self:
        """Loads the model and takes up the newest checkpoint; updates are made from now on.

        Raises:
            TrainerError: the model cannot be trained, or the checkpoints belong to something else.
            GeneratorError: a policy cannot be loaded.
        """
        self._around, self._first = around, self._generator.policy
        self._name = filed_as(around.row.name)
        self._names: dict[int, str] = {0: self._first}
        self._made = 0
        self._failure: Exception | None = None
        self._changed, self._news = asyncio.Event(), asyncio.Event()
        self._watch = Watch()
        self._probes: Probes | None = None
        self._previous: tuple[Example, ...] = ()
        if self.still:
            return self
        model = getattr(self._generator, "model", None)
        if not isinstance(model, str) or type(self._generator).load is Generator.load:
            raise TrainerError(
                f"the generator {type(self._generator).__name__} cannot take up trained weights; "
                f"take vllm, transformers or openai, or leave the trainer out."
            )
        self._checkpoints = Checkpoints(self._folder, self._identity(model))
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="trainer")
        self._open = True
        try:
            policies, initial = getattr(self._generator, "policies", {}), getattr(self._generator, "initial", None)
            await self._apart(self._trainer.open, model, policies.get(initial))
            await self._taken_up(seeds)
        except BaseException:
            await self.close()
            raise
        self._work = asyncio.create_task(self._working())
        return self

    async def finish(self, seconds: float | None) -> None:
        """Waits for the updates that are due, so many seconds at most: what is not made then a later run makes.

        Raises:
            TrainerError, GeneratorError: one of them failed.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_made(), None if seconds is None else max(seconds, 0.0))

    async def _all_made(self) -> None:
        while not self.still and any(number > self._made for number in self._dues):
            self._raise()
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Ends training; an update that is under way is given up, and made anew by a later run."""
        if not self._open:
            return
        self._open = False
        work = getattr(self, "_work", None)
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        self._threads.submit(self._trainer.close)
        await asyncio.to_thread(self._threads.shutdown)

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _apart(self, work: Callable[..., _Result], *given: Any) -> _Result:
        """Does heavy work in the trainer's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *given))

    def _identity(self, model: str) -> dict[str, Any]:
        row = self._around.row
        return {"campaign": row.name, "fingerprint": row.fingerprint, "seed": row.seed, "model": model,
                "trainer": self._trainer.identity()}  # fmt: skip

    async def _taken_up(self, seeds: int) -> None:
        """Takes up the newest checkpoint, if it belongs to the records that there are."""
        kept = self._checkpoints.newest()
        done = max(0, self._store.last(self._around.row) - seeds) // self.steps.size
        self._made = 0 if kept is None else kept.update
        missing = [number for number in range(self._made + 1, done + 1) if number not in self._dues]
        if missing:
            there = "none" if kept is None else f"the newest is of update {kept.update}"
            raise TrainerError(
                f"the campaign has made update {missing[-1]}, and its checkpoint is not in {self._folder} ({there}): "
                f"bring it back, or start under another --name."
            )
        self._dues = {number: due for number, due in self._dues.items() if number > self._made}
        if self._trainer.population and self._made <= self.steps.lag:
            self._names[0] = f"{self._name}-v0"
            await self._apart(self._trainer.members, self._folder / "v0" / "members", self._trainer.group)
            await self._members_loaded(self._names[0], self._folder / "v0")
        if kept is None:
            return
        self._refuse_strange(kept, seeds)
        state = kept.state
        self._watch = Watch(**state["watch"])
        self._names |= {int(version): name for version, name in state["names"].items() if version != "0"}
        self._previous = tuple(_example(one) for one in state["previous"])
        if state["probes"] is not None:
            elites = [Elite(number, *self._store.elite(self._around.row, number), ()) for number in state["probes"]]
            self._probes = await self._around.probes(elites)
        await self._apart(self._trainer.restore, kept.folder)
        for version in range(max(1, kept.update - self.steps.lag), kept.update + 1):
            one = self._checkpoints.read(version)
            await self._generator.load(self._names[version], str(one.policy))
            await self._members_loaded(self._names[version], one.folder)
        self._store.add_update(self._around.row, _update_of(kept))  # it may have ended between the two

    def _refuse_strange(self, kept: Kept, seeds: int) -> None:
        """Refuses a checkpoint that does not belong to the records in the store."""
        last, row = kept.state["record"], self._around.row
        records = list(self._store.replay(row, after=self.steps.first(kept.update, seeds) - 1, until=last))
        if trail_of(records) != kept.state["trail"]:
            raise TrainerError(
                f"the checkpoint {kept.folder} was made after record {last} of this campaign, and the store's records "
                f"up to there are others (it ends at record {self._store.last(row)}): bring back the store or the "
                f"checkpoint that belongs to it, or start under another --name."
            )

    # -- updates -----------------------------------------------------------------------------------------------------

    async def _working(self) -> None:
        try:
            while True:
                due = self._dues.get(self._made + 1)
                if due is None:
                    self._news.clear()
                    await self._news.wait()
                    continue
                await self._update(due)
                self._dues.pop(due.number)
                self._made = due.number
                self._changed.set()
        except Exception as error:  # whatever it is, whoever waits for the policy must hear of it
            self._failure = error
            self._changed.set()

    async def _update(self, due: Due) -> None:
        watch, guard = self._watch, self._trainer.guard
        facts: dict[str, float] = {}
        unverified = await self._unverified(due)
        groups = groups_of(due.records, due.score, unverified)
        if self._probes is None and guard.probes:
            facts |= await self._first_look(due)
        got = gathered(
            groups,
            training=self._trainer,
            reward=self._collecting.reward,
            advantage=self._advantage,
            longest=self._reach(due),
            version=due.number - 1,
            most_gain=watch.most_gain(guard),
            left_out=frozenset() if self._probes is None else self._probes.numbers,
        )
        facts |= got.facts | {"unverified": float(len(unverified))}
        facts |= {"best_score": max((score for score in [due.best, *_scores(due.records)] if score is not None),
                                    default=math.nan)}  # fmt: skip
        watch.gained(got.gains)
        began = time.perf_counter()
        facts |= await self._trained(due, got)
        facts["train_seconds"] = time.perf_counter() - began
        verdict = Verdict.KEEP
        if got.facts["rollouts"]:
            verdict = watch.trained(guard, got.facts["valid_rate"], got.facts["entropy"])
        name = await self._staged(due.number, "", facts)
        if verdict is Verdict.KEEP and self._probes is not None:
            verdict, seen = await self._looked_at(due.number, name, self._probes)
            facts |= seen
        if verdict is not Verdict.KEEP:
            await self._taken_back()
            name = await self._staged(due.number, f"-{verdict.value}", facts)
        facts |= {"rollbacks": float(watch.rolled_back), "resets": float(watch.reset)}
        self._names[due.number] = name
        kept = await self._apart(self._checkpoints.settle, due.number, self._state(due, name, facts))
        await self._members_loaded(name, kept.folder)
        self._checkpoints.prune(self._worth_keeping(due.number))
        update = _update_of(kept)
        self._store.add_update(self._around.row, update)
        self._around.updated(update)

    async def _looked_at(self, update: int, policy: str, probes: Probes) -> tuple[Verdict, dict[str, float]]:
        """What the probes say of a new policy: all they can at every so many updates, and what it tries at each."""
        watch, guard = self._watch, self._trainer.guard
        if update % guard.every == 0:
            look, seen = await probes.looked_at(policy, self._around.tried)
            return watch.looked(guard, update, look), seen
        if not guard.constraints:
            return Verdict.KEEP, {}
        forbidden, seen = await probes.constrained(update, policy, self._around.tried)
        return watch.constrained(guard, forbidden), seen

    async def _staged(self, update: int, mark: str, facts: dict[str, float]) -> str:
        """Writes the policy of now, and lets the generator answer under it; gives its name."""
        name = f"{self._name}-v{update}{mark}"

        def save(folder: Path) -> None:
            self._trainer.save(folder)
            if self._trainer.population:
                self._trainer.members(folder / "members", self._trainer.group)

        path = await self._apart(self._checkpoints.staged, update, name, save)
        began = time.perf_counter()
        await self._generator.load(name, str(path))
        facts["sync_seconds"] = time.perf_counter() - began
        return name

    async def _members_loaded(self, name: str, folder: Path) -> None:
        """Lets the generator answer under the policies of a population."""
        if self._trainer.population:
            for member in range(self._trainer.group):
                path = folder / "members" / f"member-{member}"
                await self._generator.load(_member(name, member), str(path))

    async def _trained(self, due: Due, got: Gathered) -> dict[str, float]:
        """One update of the weights, if there is something to learn and learning has not been given up."""
        watch, guard = self._watch, self._trainer.guard
        if not got.examples or watch.frozen(guard):
            return {"skipped": 1.0}
        seed = Stream(self._seed, due.number, "update").seed_for("batch")
        batch = Batch(number=due.number, examples=got.examples, longest=self._reach(due), seed=seed)
        facts = await self._apart(self._trainer.step, batch)
        weight = watch.weight(got.mean)
        if guard.reweigh:
            before, self._previous = self._previous, got.examples
            again = tuple(replace(one, advantage=weight * one.advantage, staleness=one.staleness + 1) for one in before)
            if weight and again:
                await self._apart(self._trainer.step, replace(batch, examples=again, seed=seed ^ 1))
            facts = facts | {"reweighed": weight}
        return facts | {"skipped": 0.0}

    def _reach(self, due: Due) -> int:
        told = [turn.prompt.max_tokens for record in due.records for turn in record.candidate.turns]
        sampled = [turn.completion.tokens for record in due.records for turn in record.candidate.turns]
        return max([one for one in told if one is not None], default=0) or self._longest or max(sampled, default=1)

    async def _unverified(self, due: Due) -> frozenset[int]:
        """The records that are better than all before them, and were not when they were judged again."""
        best, found = -math.inf if due.best is None else due.best, set()
        if not self._trainer.verify:
            return frozenset()
        row = self._around.row
        done = {(check.number, check.stage): check.evaluation for check in self._store.checks(row)}
        for record in due.records:
            candidate, evaluation = record.candidate, record.evaluation
            ranks = isinstance(evaluation, Scored) and candidate.island != GUIDANCE and candidate.content is not None
            if not ranks or evaluation.score <= best:  # type: ignore[union-attr]  # `ranks` says that it is scored
                continue
            assert candidate.content is not None
            holds = True
            for stage in (None, *self._around.held_out):
                key = (record.number, stage or AGAIN)
                if key not in done:
                    done[key] = (await self._around.judged_again(candidate.content, stage)).evaluation
                    self._store.add_check(row, Check(number=record.number, stage=key[1], evaluation=done[key]))
                again = done[key]
                holds = holds and isinstance(again, Scored) and (stage is not None or again.score > best)
            if holds:
                assert isinstance(evaluation, Scored)
                best = evaluation.score
            else:
                found.add(record.number)
                told = Failed(cause=Cause.REJECTED, feedback="its score did not hold when it was judged again")
                self._store.add_check(row, Check(number=record.number, stage=UNVERIFIED, evaluation=told))
        return frozenset(found)

    async def _first_look(self, due: Due) -> dict[str, float]:
        """Chooses the probes as soon as there are any, and looks at the policy that the campaign began with."""
        count = min(self._trainer.guard.probes, len(due.elites) // _SHARE)
        if not count and due.number < CHOSEN_BY and not self._around.own_probes:
            return {}
        chosen = Stream(self._seed, due.number, "probes").sample(due.elites, count)
        self._probes = await self._around.probes(chosen)
        if not self._probes.elites or not (self._trainer.adapts or due.number == 1):
            return {}  # nobody to ask, or the first policy is gone
        look, seen = await self._probes.looked_at(self._first, self._around.tried)
        self._watch.looked(self._trainer.guard, 0, look)
        return {f"first_{name}": value for name, value in seen.items()}

    async def _taken_back(self) -> None:
        """Puts the best policy in the place of the one that was trained, or the first one."""
        best = self._watch.best_update
        folder = self._checkpoints.read(best).folder if best else None
        await self._apart(self._trainer.revert, folder, self._watch.rate)

    def _state(self, due: Due, name: str, facts: dict[str, float]) -> dict[str, Any]:
        probes = None if self._probes is None else [elite.number for elite in self._probes.elites if elite.number > 0]
        return {
            "record": due.records[-1].number,
            "trail": trail_of(due.records),
            "policy": name,
            "names": {str(version): told for version, told in self._names.items()},
            "watch": self._watch.state(),
            "probes": probes,
            "previous": [_plain(one) for one in self._previous],
            "facts": {key: value if math.isfinite(value) else None for key, value in facts.items()},
        }

    def _worth_keeping(self, update: int) -> set[int]:
        recent = range(max(1, update - self.steps.lag - 1 - self._trainer.keep), update + 1)
        return {*recent, *([self._watch.best_update] if self._watch.best_update else [])}


def _update_of(kept: Kept) -> Update:
    state = kept.state
    return Update(number=kept.update, record=state["record"], policy=state["policy"], facts=state["facts"])


def filed_as(name: str) -> str:
    """A campaign's name as one of a folder, and of a policy: letters, digits, - and _, and no two the same."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return plain if plain == name else f"{plain}-{blake2b(name.encode(), digest_size=4).hexdigest()}"


def _scores(records: Sequence[Record]) -> list[float]:
    return [one.evaluation.score for one in records
            if isinstance(one.evaluation, Scored) and one.candidate.island != GUIDANCE]  # fmt: skip


def _member(name: str, member: int) -> str:
    return f"{name}-m{member}"


def _plain(example: Example) -> dict[str, Any]:
    one = example.exchange
    return {"prompt_ids": one.prompt_ids, "token_ids": one.token_ids, "logprobs": one.logprobs, "policy": one.policy,
            "cut": one.cut, "advantage": example.advantage, "staleness": example.staleness,
            "member": example.member}  # fmt: skip


def _example(told: dict[str, Any]) -> Example:
    exchange = Exchange(
        prompt_ids=tuple(told["prompt_ids"]),
        token_ids=tuple(told["token_ids"]),
        logprobs=tuple(told["logprobs"]),
        policy=told["policy"],
        cut=told["cut"],
    )
    return Example(
        exchange=exchange, advantage=told["advantage"], staleness=told["staleness"], member=told["member"]
    )  # fmt: skip
