"""A Ray cluster as this process sees it: joining it, starting actors there, and telling why one is gone."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import platform
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from evoengine.errors import EvoengineError, ExecutorError, MissingExtra
from evoengine.shipping import portable

_log = logging.getLogger(__name__)
_VERSION: str = sys.modules["evoengine"].__version__  # importing it would import what lies above
_REACH_SECONDS = 5.0
_NEWS_SECONDS = 3.0
"""What the news of a node's end may take, once the end of an actor on it is known."""
_END_SECONDS = 5.0
_OWN_STORE = 128 * 2**20
"""Bytes of the object store where no cluster is found and one is started: only evaluations pass through it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What an actor asks the cluster for."""

    cpus: float = 1.0
    gpus: float = 0.0
    resources: Mapping[str, float] = field(default_factory=dict)
    runtime_env: Mapping[str, Any] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """As options of an actor."""
        given: dict[str, Any] = {
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "resources": dict(self.resources),
            "max_restarts": 0,  # whoever asks starts another, wherever there is room
            "max_task_retries": 0,
            "max_concurrency": 1000,
            "scheduling_strategy": "SPREAD",
        }
        return given | ({"runtime_env": dict(self.runtime_env)} if self.runtime_env else {})

    def __str__(self) -> str:
        wanted = {"CPU": self.cpus, "GPU": self.gpus, **self.resources}
        return ", ".join(f"{name}: {amount:g}" for name, amount in wanted.items() if amount) or "nothing"

    def fit(self, offered: Mapping[str, float]) -> int:
        """How many fit on a machine that offers so much."""
        wanted = {"CPU": self.cpus, "GPU": self.gpus, **self.resources}
        return min(
            (math.floor(offered.get(name, 0.0) / amount + 1e-9) for name, amount in wanted.items() if amount),
            default=0,
        )


class Lost(Exception):
    """An actor went away before it answered.

    Args:
        why: what Ray says.
        node: whether its whole machine went away, or cannot be reached; else only its process ended.
    """

    def __init__(self, why: str, *, node: bool) -> None:
        super().__init__(why)
        self.node = node


# -- this process's connection, of which Ray has one ------------------------------------------------------------------

_members = 0
_ours = False
_changing = threading.Lock()


def join(address: str | None, namespace: str | None) -> None:
    """Connects this process to a cluster, or starts one on this machine where there is none and none is named.

    Whoever joins leaves again (`leave`). A connection that there is already is used, whoever made it. May block for
    some seconds.

    Raises:
        MissingExtra: Ray is not installed.
        ExecutorError: the cluster cannot be reached, or is of other versions.
    """
    global _members, _ours
    try:
        import ray
    except ImportError:
        raise MissingExtra("running on a Ray cluster", "ray") from None
    with _changing:
        if not ray.is_initialized():
            found = _reachable(address)
            own: dict[str, Any] = {}
            if found is None:
                found = "local"
                own = {"object_store_memory": _OWN_STORE, "include_dashboard": False}
                os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would print, and report to Ray's makers
            # one of its warnings is about what workers without a GPU will see in a later version
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
            _quiet()
            try:
                ray.init(address=found, namespace=namespace, log_to_driver=False, logging_level=logging.CRITICAL, **own)
            except Exception as error:  # Ray raises what its parts do: RuntimeError, ConnectionError, ValueError ...
                raise ExecutorError(_refused(found, error)) from None
            _ours = True
        _members += 1


def leave() -> None:
    """Gives up the connection, if it was made by `join` and nobody else uses it. A cluster that it started ends."""
    global _members, _ours
    import ray

    with _changing:
        _members -= 1
        if _members == 0 and _ours:
            _ours = False
            ray.shutdown()


def _reachable(address: str | None) -> str | None:
    """The address of a cluster that answers; None where none is named or known.

    Ray itself tries for minutes, and ends the process then.
    """
    wanted = address or os.environ.get("RAY_ADDRESS") or None
    if wanted == "local":
        return None
    if wanted is not None and "://" in wanted:
        raise ExecutorError(
            f"the Ray address {wanted!r} is a client's: a campaign's process has to run on a machine of the cluster "
            f"(`ray job submit`, or a shell there), with the address 'auto' or HOST:PORT."
        )
    known = wanted
    if wanted in (None, "auto"):
        from ray._private.utils import read_ray_address  # no public way says it without trying for minutes

        known = read_ray_address() or None
    if known is not None:
        host, _, port = known.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS):
                return known
        except (OSError, ValueError, OverflowError):
            pass
    if wanted is None:
        return None
    place = f"at {wanted}" if wanted != "auto" else "on this machine" if known is None else f"at {known} (auto)"
    raise ExecutorError(
        f"no Ray cluster answers {place}: start one with `ray start --head` and give its HOST:PORT as the address "
        f"(or in RAY_ADDRESS), or leave the address out to have one started on this machine."
    )


def _refused(address: str, error: Exception) -> str:
    told = " ".join(str(error).split())
    return f"the Ray cluster at {address} cannot be joined: {told[:600]} ({_versions()} here)."


def _versions() -> str:
    import ray

    return f"Python {platform.python_version()}, ray {ray.__version__}, evoengine {_VERSION}"


def _quiet() -> None:
    """Keeps Ray from printing the deaths of its processes on stdout, which the results are printed on.

    They are logged by whoever notices. Where the flag is gone in some later Ray, it prints.
    """
    from ray._private import worker

    worker._worker_logs_enabled = False
    logging.getLogger("ray").setLevel(logging.CRITICAL)


# -- what it has ------------------------------------------------------------------------------------------------------


def room(needs: Needs) -> int:
    """How many actors the machines of the cluster hold, if nothing else ran there."""
    return sum(needs.fit(node["Resources"]) for node in _nodes())


def offered() -> str:
    """What the cluster has, for people."""
    shown = [_amounts(node["Resources"]) for node in _nodes()]
    return f"{len(shown)} machines: " + "; ".join(shown) if shown else "no machine"


def _amounts(resources: Mapping[str, float]) -> str:
    plain = {name: amount for name, amount in resources.items() if ":" not in name and "memory" not in name}
    return ", ".join(f"{name}: {amount:g}" for name, amount in sorted(plain.items())) or "nothing"


def _nodes() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


# -- actors -----------------------------------------------------------------------------------------------------------


class Actor:
    """An actor, as whoever started it sees it; it ends with this process at the latest.

    Its class has `async` methods that give `answered(...)`, among them `set_up(version, *args)`, which gives the node
    that it is on, `ping()` and `close()`.

    Args:
        kind: its class.
        needs: what it asks for.
    """

    def __init__(self, kind: type, needs: Needs) -> None:
        import ray

        self._handle = ray.remote(kind).options(**needs.options()).remote()
        self._node: str | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self.gone = False
        """Whether it cannot be asked any more."""

    async def start(self, *args: Any) -> None:
        """Waits until there is room for it, and sets it up.

        Raises:
            Lost: its machine or process ended meanwhile.
            ExecutorError: it cannot be set up on the machine that it came to.
        """
        try:
            self._node = await self.ask("set_up", _VERSION, *args)
        except _Unusable as error:
            raise ExecutorError(
                f"a machine of the cluster cannot run evaluations: {error}. Install the same versions there as here "
                f"({_versions()}), and see the executor's runtime_env."
            ) from None

    async def ask(self, method: str, *args: Any) -> Any:
        """What a method gives. Being cancelled cancels the method, too; wait for `settled` before asking again.

        Raises:
            Lost: it went away.
            EvoengineError: as the method raised it.
        """
        import ray
        from ray import exceptions

        ref = getattr(self._handle, method).remote(*args)
        waiting = asyncio.wrap_future(ref.future())
        try:
            well, result = await asyncio.shield(waiting)
        except asyncio.CancelledError:
            ray.cancel(ref)
            task = asyncio.get_running_loop().create_task(self._settle(waiting))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            raise
        except (exceptions.ObjectLostError, exceptions.NodeDiedError) as error:
            self.gone = True  # the answer was on a machine that went away
            raise Lost(_first_line(error), node=True) from None
        except exceptions.ActorDiedError as error:
            self.gone = True
            if error.actor_init_failed:
                raise _Unusable(_last_line(error)) from None
            raise Lost(_first_line(error), node=await self._node_died(error)) from None
        except exceptions.ActorUnavailableError as error:
            self.gone = True
            raise Lost(_first_line(error), node=await self._unreachable()) from None
        except exceptions.RayError as error:
            self.gone = True
            raise _Unusable(_last_line(error)) from None
        if not well:
            raise result
        return result

    @property
    def settling(self) -> bool:
        """Whether what was cancelled has not ended yet."""
        return bool(self._asking)

    async def settled(self) -> None:
        """Waits until what was cancelled has ended."""
        while self._asking:
            await asyncio.wait(self._asking)

    async def end(self) -> None:
        """Ends it, and what it runs."""
        import ray

        if not self.gone:
            self.gone = True
            with suppress(Exception):  # whatever is wrong with it, it is killed next
                if self._node is not None:
                    async with asyncio.timeout(_END_SECONDS):
                        await asyncio.wrap_future(self._handle.close.remote().future())
        with suppress(Exception):  # it may have ended by itself, and the cluster with it
            ray.kill(self._handle)

    async def _settle(self, waiting: asyncio.Future[Any]) -> None:
        from ray import exceptions

        try:
            await waiting
        except (exceptions.TaskCancelledError, asyncio.CancelledError):
            pass
        except exceptions.RayError:
            self.gone = True

    async def _node_died(self, error: Exception) -> bool:
        """Whether its machine went away, and not its process alone; the two are told in either order."""
        from ray.exceptions import RayError

        if "node has died" in str(error) or getattr(error, "preempted", False):
            return True
        end = asyncio.get_running_loop().time() + _NEWS_SECONDS
        while asyncio.get_running_loop().time() < end:
            try:
                if self._node is not None and self._node not in await asyncio.to_thread(_alive):
                    return True
            except RayError:  # the whole cluster is gone, or this process has left it
                return True
            await asyncio.sleep(0.25)
        return False

    async def _unreachable(self) -> bool:
        """Asked of one that does not answer: whether its machine is to blame. True also where nobody can tell.

        A process that ends alone is reported by its machine, so where no news comes the machine cannot send any.
        """
        from ray import exceptions

        try:
            async with asyncio.timeout(_NEWS_SECONDS):
                while True:
                    try:
                        await asyncio.wrap_future(self._handle.ping.remote().future())
                        return True  # it is back; whatever it was asked is repeated by another
                    except exceptions.ActorUnavailableError:
                        await asyncio.sleep(0.25)
        except TimeoutError:
            return True
        except exceptions.ActorDiedError as error:
            return await self._node_died(error)
        except exceptions.RayError:
            return True


class _Unusable(Exception):
    """A machine cannot do what it is asked."""


def _alive() -> set[str]:
    return {node["NodeID"] for node in _nodes()}


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "node" in line or "process has died" in line), lines[0] if lines else "")[
        :300
    ]


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]


# -- in the actor's process -------------------------------------------------------------------------------------------


def node_here(version: str) -> str:
    """The id of the machine that this actor is on.

    Raises:
        ExecutorError: the one who asks has another version of evoengine.
    """
    import ray

    if version != _VERSION:
        raise ExecutorError(
            f"the campaign has evoengine {version}, and the machine {socket.gethostname()} of its cluster has "
            f"{_VERSION}: install the same one on all of them."
        )
    node: str = ray.get_runtime_context().get_node_id()
    return node


async def answered(work: Any) -> tuple[bool, Any]:
    """What an actor's method gives: whether all is well, and the result or else the engine's error."""
    try:
        return True, await work
    except EvoengineError as error:
        return False, portable(error)
