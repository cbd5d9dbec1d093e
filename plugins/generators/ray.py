"""A generator on the machines of a Ray cluster."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine import cluster
from evoengine.cluster import Actor, Lost, Needs
from evoengine.errors import EvoengineError, ExecutorError, GeneratorError, NoAnswer
from evoengine.generators._replica import Replica
from evoengine.generators.base import Generator
from evoengine.plugins import build, name_of
from evoengine.shipping import Shipment
from evoengine.types import Completion, Prompt

_log = logging.getLogger(__name__)
_AGAIN_SECONDS = 2.0


class Ray(Generator):
    """Runs another generator in actors of a Ray cluster, on machines that have what it needs; asks them in turn.

    A replica that goes away is started again, wherever there is room, and what it was asked is asked of another. A
    prompt without an answer for `patience` seconds, or one that ends the process of two replicas, is given up, which
    costs a record. It cannot be trained: what trains has to stand beside its model.

    Attributes:
        of: the generator: its name, or `{"use": name, setting: value}`. Plugin files are sent along.
        replicas: how many.
        address: "auto" or HOST:PORT of the cluster; "local" for one that is started for this run; None for what
            RAY_ADDRESS says, or a cluster that runs on this machine, or else "local".
        cpus, gpus, resources: what each replica asks for.
        runtime_env: Ray's, for the replicas. The values of its `env_vars` are not stored with the campaign.
        namespace: Ray's.
        patience: seconds until a prompt is given up, and for the first replica to be there.
    """

    of: Any
    replicas: int = Field(default=1, ge=1)
    address: str | None = None
    cpus: float = Field(default=1.0, ge=0.0)
    gpus: float = Field(default=0.0, ge=0.0)
    resources: Mapping[str, float] = Field(default_factory=dict)
    runtime_env: Mapping[str, Any] = Field(default_factory=dict)
    namespace: str | None = None
    patience: float = Field(default=1800.0, gt=0.0)

    _slots: list[asyncio.Task[None]] = PrivateAttr(default_factory=list)
    _actors: list[Actor] = PrivateAttr(default_factory=list)
    """Those that have been started and have not ended."""
    _ready: list[Actor] = PrivateAttr(default_factory=list)
    _turn: int = PrivateAttr(default=0)
    _news: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _lost: dict[Actor, asyncio.Event] = PrivateAttr(default_factory=dict)
    _failure: EvoengineError | None = PrivateAttr(default=None)
    _policy: str | None = PrivateAttr(default=None)

    @cached_property
    def _inner(self) -> Generator:
        inner: Generator = build("generators", self.of)
        return inner

    def settings(self) -> dict[str, Any]:
        shown = self.model_dump(mode="json", exclude={"of", "runtime_env"})
        shown["runtime_env"] = {key: value for key, value in self.runtime_env.items() if key != "env_vars"}
        return {**shown, "of": {"use": name_of("generators", self._inner), **self._inner.settings()}}

    @property
    def policy(self) -> str:
        return self._inner.policy if self._policy is None else self._policy

    def most_money(self, tokens: int) -> float:
        return self._inner.most_money(tokens)

    async def __aenter__(self) -> Ray:
        import cloudpickle

        shipment = pickle.dumps(Shipment.of(cloudpickle.dumps(self._inner)))
        try:
            await asyncio.to_thread(cluster.join, self.address, self.namespace)
        except ExecutorError as error:
            raise GeneratorError(str(error)) from None
        try:
            self._news, self._lost, self._failure = asyncio.Event(), {}, None
            loop = asyncio.get_running_loop()
            self._slots = [loop.create_task(self._keep(shipment)) for _ in range(self.replicas)]
            self._policy = await self._first()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        slots, self._slots = self._slots, []
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)
        actors, self._actors, self._ready = self._actors, [], []
        await asyncio.gather(*(actor.end() for actor in actors))
        await asyncio.to_thread(cluster.leave)

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        loop = asyncio.get_running_loop()
        end, deaths = loop.time() + self.patience, 0
        while deaths < 2:
            replica = await self._next(end)
            if replica is None:
                raise NoAnswer(f"no replica of the generator answered within {self.patience:g} s")
            try:
                found: list[Completion] = await replica.ask("sample", prompt, n)
                return found
            except Lost as lost:
                deaths += not lost.node
                _log.warning("a replica of the generator went away; another is asked (%s)", lost)
                self._drop(replica)
        raise NoAnswer("the prompt ended the process of two replicas of the generator")

    async def _first(self) -> str:
        """The policy of the first replica that is there.

        Raises:
            GeneratorError: there is none, for want of room or another reason.
        """
        end = asyncio.get_running_loop().time() + self.patience
        while (replica := await self._next(end)) is not None:
            try:
                policy: str = await replica.ask("policy")
                return policy
            except Lost:
                self._drop(replica)
        needs, has = self._needs, await asyncio.to_thread(cluster.offered)
        raise GeneratorError(
            f"no replica of the generator is there after {self.patience:g} s: each asks for {needs}, and the cluster "
            f"has {has}. Add a machine that has as much free, or ask for less (generator.cpus, .gpus, .resources)."
        )

    async def _next(self, end: float) -> Actor | None:
        """The replica whose turn it is, as soon as there is one; None at the end of the time."""
        while not self._ready:
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            try:
                async with asyncio.timeout_at(end):
                    await self._news.wait()
            except TimeoutError:
                return None
        self._turn += 1
        return self._ready[self._turn % len(self._ready)]

    def _drop(self, replica: Actor) -> None:
        if replica in self._ready:
            self._ready.remove(replica)
        if replica in self._lost:
            self._lost[replica].set()

    @property
    def _needs(self) -> Needs:
        return Needs(cpus=self.cpus, gpus=self.gpus, resources=self.resources, runtime_env=self.runtime_env)

    async def _keep(self, shipment: bytes) -> None:
        """Sees to it that there is one replica."""
        while True:
            actor = Actor(Replica, self._needs)
            self._actors.append(actor)
            lost = self._lost[actor] = asyncio.Event()
            try:
                await actor.start(shipment)
                self._ready.append(actor)
                self._news.set()
                await lost.wait()
            except Lost as error:
                _log.warning("a replica of the generator went away before it was ready (%s)", error)
                await asyncio.sleep(_AGAIN_SECONDS)
            except EvoengineError as error:
                self._failure = GeneratorError(str(error)) if isinstance(error, ExecutorError) else error
                self._news.set()
                return
            await actor.end()
            self._actors.remove(actor)
            del self._lost[actor]
