"""What a person is told who lacks an optional dependency."""

from __future__ import annotations

import asyncio
import sys

import pytest

from evoengine.errors import MissingExtra
from evoengine.generators.base import Generator
from plugins.generators.transformers import Transformers
from plugins.generators.vllm import Vllm


@pytest.mark.parametrize(("generator", "extra"), [(Vllm(model="m"), "vllm"), (Transformers(model="m"), "train")])
def test_the_command_that_installs_it_is_told(
    generator: Generator, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[type(generator).__module__], "find_spec", lambda _: None)

    async def opened() -> None:
        async with generator:
            raise AssertionError("it opened")

    with pytest.raises(MissingExtra, match=rf"pip install 'evoengine\[{extra}\]'"):
        asyncio.run(opened())
