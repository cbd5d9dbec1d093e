"""Evaluation on the machines of a Ray cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine import cluster
from evoengine.cluster import Actor, Lost, Needs, answered
from evoengine.errors import EvoengineError, ExecutorError, SettingError
from evoengine.executors._lane import Setup, pickled
from evoengine.executors._lanes import DIED_TWICE, STEADY, Lane, unanswered
from evoengine.executors.base import Executor, Trial, gpus_of
from evoengine.shipping import Shipment, Unpacked
from evoengine.types import Answer, Content, Judgement, Probe, Trials

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0
"""Between looks at the cluster."""


class Ray(Executor):
    """Evaluates in workers on the machines of a Ray cluster. Results do not depend on their number or places.

    A worker is an actor with one lane, as `local` has them, and so with a jail of its own; it evaluates one candidate
    at a time, and no more are ever under way than there are workers. Machines need Python, ray and evoengine of the
    same versions; plugin files are sent along, up to 64 MiB.

    An evaluation whose machine goes away is run again on another, any number of times, and counted once. One that
    ends its own worker process is run once more and is then `UNJUDGED`, as everywhere. The campaign's process stays
    the only writer.

    Attributes:
        workers: how many at most; None for as many as the machines of the cluster hold, more when machines join. With
            a number, workers that find no room stay asked for, so that an autoscaler adds machines.
        address: "auto" or HOST:PORT of the cluster; "local" for one that is started for this run; None for what
            RAY_ADDRESS says, or a cluster that runs on this machine, or else "local".
        cpus, gpus, resources: what each worker asks for; `gpus` follows from the problem where it is None.
        runtime_env: Ray's, for the workers. The values of its `env_vars` are not stored with the campaign.
        namespace: Ray's.
        patience: seconds to wait, while no worker is there, until the run stops.
    """

    workers: int | None = Field(default=None, ge=1)
    address: str | None = None
    cpus: float = Field(default=1.0, ge=0.0)
    gpus: float | None = Field(default=None, ge=0.0)
    resources: Mapping[str, float] = Field(default_factory=dict)
    runtime_env: Mapping[str, Any] = Field(default_factory=dict)
    namespace: str | None = None
    patience: float = Field(default=600.0, gt=0.0)

    _shipment: bytes = PrivateAttr(default=b"")
    _needs: Needs = PrivateAttr(default_factory=Needs)
    _pool: _Pool | None = PrivateAttr(default=None)

    def settings(self) -> dict[str, Any]:
        shown = super().settings()
        shown["runtime_env"] = {key: value for key, value in shown["runtime_env"].items() if key != "env_vars"}
        return shown

    def prepare(self, evaluator: Any) -> None:
        import cloudpickle

        harness = getattr(getattr(evaluator, "problem", None), "harness", None)
        folders = () if harness is None else harness.readable
        self._shipment = pickle.dumps(Shipment.of(cloudpickle.dumps(evaluator), folders))
        self._needs = Needs(
            cpus=self.cpus,
            gpus=gpus_of(evaluator) if self.gpus is None else self.gpus,
            resources=self.resources,
            runtime_env=self.runtime_env,
        )
        if self.workers is None and not (self._needs.cpus or self._needs.gpus or any(self.resources.values())):
            raise SettingError("workers of the executor ray ask for nothing, so that any number fits: say how many.")

    async def __aenter__(self) -> Ray:
        if not self._shipment:
            raise ExecutorError("the executor holds no evaluator yet: call prepare() before it is used")
        await asyncio.to_thread(cluster.join, self.address, self.namespace)
        try:
            self._pool = _Pool(self._shipment, self._needs, self.workers, self.patience)
            await self._pool.open()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        pool, self._pool = self._pool, None
        try:
            if pool is not None:
                await pool.close()
        finally:
            await asyncio.to_thread(cluster.leave)

    async def evaluate(self, content: Content, *, above: float | None = None, stage: str | None = None) -> Judgement:
        pool, deaths = self._open(), 0
        while True:
            async with pool.worker() as worker:
                try:
                    found: Judgement = await worker.ask("evaluate", content, above, stage)
                    return found
                except Lost as lost:
                    deaths += pool.deaths(lost)
            if deaths == 2:
                return Judgement(evaluation=DIED_TWICE, calls=1)

    def reserve(self) -> AbstractAsyncContextManager[Trial]:
        return self._reserve()

    @asynccontextmanager
    async def _reserve(self) -> AsyncIterator[Trial]:
        trial = _RayTrial(self._open())
        try:
            yield trial
        finally:
            await trial.end()

    def _open(self) -> _Pool:
        if self._pool is None:
            raise ExecutorError("the executor is not open: use it within `async with`")
        return self._pool


class _RayTrial:
    """A conversation with one worker, which goes on with another where that one goes away.

    What a worker keeps from one request to the next saves time and changes no answer.
    """

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._held: AbstractAsyncContextManager[Actor] | None = None
        self._worker: Actor | None = None

    async def answer(self, request: Trials | Probe) -> Answer:
        deaths = 0
        while True:
            worker = await self._taken()
            try:
                found: Answer = await worker.ask("answer", request)
                return found
            except Lost as lost:
                await self._let_go()
                deaths += self._pool.deaths(lost)
            if deaths == 2:
                return unanswered(request, DIED_TWICE)

    async def end(self) -> None:
        """Lets the worker go."""
        if self._worker is not None and not self._worker.gone:
            await self._worker.settled()
            with suppress(Lost):
                await self._worker.ask("end_trials")
        await self._let_go()

    async def _taken(self) -> Actor:
        if self._worker is None:
            held = self._pool.worker()
            self._worker = await held.__aenter__()
            self._held = held
        return self._worker

    async def _let_go(self) -> None:
        held, self._held, self._worker = self._held, None, None
        if held is not None:
            await held.__aexit__(None, None, None)


class _Pool:
    """Workers: each is started again, wherever there is room, when it goes away."""

    def __init__(self, shipment: bytes, needs: Needs, most: int | None, patience: float) -> None:
        self._needs, self._most, self._patience = needs, most, patience
        self._data = shipment
        self._shipped: Any = None
        self._free: asyncio.LifoQueue[Actor] = asyncio.LifoQueue()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._actors: set[Actor] = set()
        self._there: set[Actor] = set()
        self._lost: dict[Actor, asyncio.Event] = {}
        self._asking = 0
        self._closed = False

    async def open(self) -> None:
        """Asks for the workers, and waits for the first.

        Raises:
            ExecutorError: none comes within `patience`, or they cannot be set up.
        """
        import ray

        self._shipped = ray.put(self._data)
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._watch()))
        async with self.worker():
            pass

    async def close(self) -> None:
        """Ends all workers."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(actor.end() for actor in self._actors))
        if self._failed.done() and not self._failed.cancelled():
            self._failed.exception()  # it was raised, or nobody asked

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Actor]:
        """A worker that is free, for oneself.

        Raises:
            ExecutorError: there is none for long, or workers cannot be set up.
        """
        self._asking += 1
        try:
            actor = await self._next()
        finally:
            self._asking -= 1
        try:
            yield actor
        finally:
            loop = asyncio.get_running_loop()
            if actor.settling:
                self._tasks.append(loop.create_task(self._return_settled(actor)))
            else:
                self._return(actor)

    def deaths(self, lost: Lost) -> int:
        """1 for a loss that the judge may have brought about, and 0 for others; it is logged.

        Raises:
            ExecutorError: the worker was ended because the executor was closed.
        """
        if self._closed:
            raise ExecutorError("the executor was closed before the evaluation ended") from lost
        if lost.node:
            _log.warning("a machine of the cluster went away; what it was evaluating is run again (%s)", lost)
            return 0
        _log.warning("a worker of the cluster died during an evaluation; trying once more (%s)", lost)
        return 1

    async def _next(self) -> Actor:
        getting: asyncio.Future[Actor] = asyncio.ensure_future(self._free.get())
        either: set[asyncio.Future[Any]] = {getting, self._failed}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if getting.done() and not getting.cancelled():
                self._free.put_nowait(getting.result())
            getting.cancel()
            raise
        if self._failed.done():
            getting.cancel()
            self._failed.result()
        return getting.result()

    async def _return_settled(self, actor: Actor) -> None:
        await actor.settled()
        self._return(actor)

    def _return(self, actor: Actor) -> None:
        if actor.gone:
            self._there.discard(actor)
            if actor in self._lost:
                self._lost[actor].set()
        else:
            self._free.put_nowait(actor)

    async def _keep(self) -> None:
        """Sees to it that there is one worker, until the executor is closed."""
        while True:
            actor = Actor(_Worker, self._needs)
            self._actors.add(actor)
            self._lost[actor] = asyncio.Event()
            try:
                await actor.start(self._shipped, _steady(self._needs.runtime_env))
                self._there.add(actor)
                self._free.put_nowait(actor)
                await self._lost[actor].wait()
            except Lost as lost:
                _log.warning("a worker went away before it was ready; starting another (%s)", lost)
                await asyncio.sleep(_LOOK_SECONDS)
            except EvoengineError as error:
                self._fail(error)
                return
            await actor.end()
            self._actors.discard(actor)
            del self._lost[actor]

    async def _watch(self) -> None:
        """Adds workers when machines join, and gives up when there is none for long."""
        loop = asyncio.get_running_loop()
        kept, since = 0, loop.time()
        while True:
            wanted = self._most
            if wanted is None:
                wanted = await asyncio.to_thread(cluster.room, self._needs)
            for _ in range(kept, wanted):
                self._tasks.append(loop.create_task(self._keep()))
            kept = max(kept, wanted)
            if self._there or not self._asking:
                since = loop.time()
            elif loop.time() - since > self._patience:
                has = await asyncio.to_thread(cluster.offered)
                self._fail(
                    ExecutorError(
                        f"no worker came for {self._patience:g} s: each asks for {self._needs}, and the cluster has "
                        f"{has}. Add a machine that has as much free, or ask for less (executor.cpus, .gpus, "
                        f".resources), or wait longer (.patience)."
                    )
                )
                return
            await asyncio.sleep(min(_LOOK_SECONDS, self._patience / 4))

    def _fail(self, error: EvoengineError) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)


def _steady(runtime_env: Mapping[str, Any]) -> dict[str, str]:
    """What every lane has in its environment, wherever it is: what a lane of this machine would have."""
    given = {**os.environ, **(runtime_env.get("env_vars") or {})}
    return {name: given.get(name, usual) for name, usual in STEADY.items()}


class _Worker:
    """The actor: a lane on its machine, with the plugins that were sent along."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._lane: Lane | None = None
        self._unpacked: Unpacked | None = None

    async def set_up(self, version: str, data: bytes, environment: dict[str, str]) -> tuple[bool, Any]:
        return await answered(self._set_up(version, data, environment))

    async def _set_up(self, version: str, data: bytes, environment: dict[str, str]) -> str:
        node = cluster.node_here(version)
        shipment: Shipment = pickle.loads(data)
        self._unpacked = Unpacked(shipment)
        setup = Setup(
            path=None,
            plugins=self._unpacked.plugins,
            evaluator=shipment.pickled,
            moved=tuple(self._unpacked.moved.items()),
        )
        self._lane = Lane(pickled(setup), environment=environment)
        await self._lane.start()
        return node

    async def evaluate(self, content: Content, above: float | None, stage: str | None) -> tuple[bool, Any]:
        lane = self._held()
        async with self._turn:
            return await answered(lane.evaluate(content, above=above, stage=stage))

    async def answer(self, request: Trials | Probe) -> tuple[bool, Any]:
        lane = self._held()
        async with self._turn:
            return await answered(lane.answer(request))

    async def end_trials(self) -> tuple[bool, Any]:
        lane = self._held()
        async with self._turn:
            return await answered(lane.end_trials())

    async def ping(self) -> tuple[bool, Any]:
        return True, None

    async def close(self) -> tuple[bool, Any]:
        if self._lane is not None:
            self._lane.retire()
            await asyncio.to_thread(self._lane.wait)
        if self._unpacked is not None:
            self._unpacked.remove()
        return True, None

    def _held(self) -> Lane:
        assert self._lane is not None
        return self._lane
