"""When a model's weights may be replaced, and what becomes of whoever asks meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from evoengine.errors import GeneratorError
from evoengine.generators._weights import Weights


def test_weights_are_replaced_when_the_last_prompt_is_answered_and_not_before() -> None:
    async def work() -> list[str]:
        weights, seen = Weights(), []

        async def replace() -> None:
            async with weights.replaced("new", "folder"):
                seen.append("replaced")

        with weights.answering(None), weights.answering("adapter"):
            replacing = asyncio.create_task(replace())
            await asyncio.sleep(0.05)
            seen.append("answered")
        await replacing
        return [*seen, str(weights.policy)]

    assert asyncio.run(work()) == ["answered", "replaced", "new"]


def test_whoever_asks_while_weights_are_replaced_waits_for_the_new_ones() -> None:
    async def work() -> list[str]:
        weights, seen = Weights(), []

        async def ask() -> None:
            await weights.ready()
            seen.append(f"asked {weights.policy}")

        async with weights.replaced("new", "folder"):
            asking = asyncio.create_task(ask())
            await asyncio.sleep(0.05)
            seen.append("replaced")
        await asking
        return seen

    assert asyncio.run(work()) == ["replaced", "asked new"]


@pytest.mark.parametrize("failure", [OSError("half a file"), asyncio.CancelledError()])
def test_after_weights_could_not_be_replaced_nobody_is_answered_and_nothing_else_is_loaded(
    failure: BaseException,
) -> None:
    async def work() -> None:
        weights = Weights()
        with pytest.raises(type(failure)):
            async with weights.replaced("new", "folder"):
                raise failure
        for _ in range(2):
            with pytest.raises(GeneratorError, match="'new' could not be loaded from 'folder', and which weights"):
                await weights.ready()
        with pytest.raises(GeneratorError, match="could not be loaded"):
            async with weights.replaced("other", "elsewhere"):
                pass
        assert weights.policy is None

    asyncio.run(work())
