"""A generator in an actor of a Ray cluster (`plugins/generators/ray.py`)."""

from __future__ import annotations

import pickle
import sys
from contextlib import suppress
from typing import Any

from evoengine.cluster import answered, node_here
from evoengine.errors import EvoengineError
from evoengine.generators.base import Generator
from evoengine.shipping import Finder, Shipment, Unpacked, move
from evoengine.types import Prompt


class Replica:
    """The actor: holds a generator, with the plugins that it needs."""

    def __init__(self) -> None:
        self._generator: Generator | None = None
        self._unpacked: Unpacked | None = None

    async def set_up(self, version: str, data: bytes) -> tuple[bool, Any]:
        """Opens the generator; the node that it is on."""
        return await answered(self._set_up(version, data))

    async def _set_up(self, version: str, data: bytes) -> str:
        node = node_here(version)
        shipment: Shipment = pickle.loads(data)
        self._unpacked = Unpacked(shipment)
        sys.meta_path.append(Finder(dict(self._unpacked.plugins)))
        move(self._unpacked.moved)
        generator: Generator = pickle.loads(shipment.pickled)
        await generator.__aenter__()
        self._generator = generator
        return node

    async def policy(self) -> tuple[bool, Any]:
        """The generator's policy."""
        return True, self._held().policy

    async def sample(self, prompt: Prompt, n: int) -> tuple[bool, Any]:
        """As `Generator.sample`."""
        return await answered(self._held().sample(prompt, n))

    async def ping(self) -> tuple[bool, Any]:
        """Says that it is there."""
        return True, None

    async def close(self) -> tuple[bool, Any]:
        """Closes the generator."""
        if self._generator is not None:
            with suppress(EvoengineError):
                await self._generator.__aexit__(None, None, None)
        if self._unpacked is not None:
            self._unpacked.remove()
        return True, None

    def _held(self) -> Generator:
        assert self._generator is not None
        return self._generator
