"""A model's own weights, which those of a trained model may take the place of."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from evoengine.errors import GeneratorError


@dataclass(kw_only=True)
class Weights:
    """Sees to it that weights are replaced while nobody is being answered, so that each answer is of one policy.

    Attributes:
        policy: whose weights stand in the place of the model's own, if any do.
        asking: prompts that are being answered, by adapter; None for the model without one.
    """

    policy: str | None = None
    asking: Counter[str | None] = field(default_factory=Counter)
    _replacing: bool = False
    _spoilt: str = ""

    async def ready(self) -> None:
        """Returns when nothing is being replaced; `answering` has to be entered at once.

        Raises:
            GeneratorError: which weights there are is not known, as replacing them failed.
        """
        while self._replacing:
            await asyncio.sleep(0.01)
        if self._spoilt:
            raise GeneratorError(self._spoilt)

    @contextmanager
    def answering(self, adapter: str | None) -> Iterator[None]:
        """While a prompt is answered."""
        self.asking[adapter] += 1
        try:
            yield
        finally:
            self.asking[adapter] -= 1

    @asynccontextmanager
    async def replaced(self, policy: str, path: str) -> AsyncIterator[None]:
        """While others take their place: waits until nobody is being answered, and lets nobody in.

        Where that fails, or is cancelled, nobody is answered any more.
        """
        await self.ready()
        self._replacing = True
        try:
            while self.asking.total():
                await asyncio.sleep(0.01)
            self._spoilt = (
                f"the policy {policy!r} could not be loaded from {path!r}, and which weights the model has now is not "
                f"known. Start the same run again (and a server before it); it goes on where it stopped."
            )
            yield
            self._spoilt, self.policy = "", policy
        finally:
            self._replacing = False
