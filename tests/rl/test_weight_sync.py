"""What trainers learn arrives in real vLLM and in transformers: log-probabilities on both sides are the same."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from evoengine.errors import GeneratorError
from evoengine.generators._local import Local
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Example
from evoengine.types import Completion, Prompt
from plugins.generators.transformers import Transformers
from plugins.generators.vllm import Vllm
from plugins.trainers.full import Full
from plugins.trainers.lora import Lora
from tests.models import CONTEXT, Reference, Tiny, needs, tiny

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]

T = TypeVar("T")
PLAIN = str(Path(__file__).parent / "plain.py")
LONG = " ".join(f"word{number}" for number in range(60))
"""Longer than a block of the CPU's prefix cache."""


def prompt(text: str, **settings: Any) -> Prompt:
    given = {"max_tokens": 12, "temperature": 1.0, "seed": 1}
    return Prompt(messages=({"role": "user", "content": text},), **{**given, **settings})


class Running:
    """An opened generator, and the loop that it lives in."""

    def __init__(self, runner: asyncio.Runner, generator: Local) -> None:
        self._runner, self.generator = runner, generator

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(120):
                return await work

        return self._runner.run(bounded())

    def one(self, text: str, **settings: Any) -> Completion:
        [completion] = self.run(self.generator.sample(prompt(text, **settings)))
        return completion

    def load(self, policy: str, path: Path | str) -> None:
        self.run(self.generator.load(policy, str(path)))


def running(generator: Local) -> Iterator[Running]:
    with asyncio.Runner() as runner:
        runner.run(generator.__aenter__())
        try:
            yield Running(runner, generator)
        finally:
            runner.run(generator.__aexit__(None, None, None))


def vllm(made: Tiny, **settings: Any) -> Vllm:
    needs("vllm")
    given = {"dtype": "float32", "max_model_len": CONTEXT, "kv_cache_memory_bytes": 64_000_000, "logprobs": True}
    return Vllm(model=made.model, **{**given, **settings})


@pytest.fixture(scope="module")
def made() -> Tiny:
    needs("torch", "transformers", "peft")
    return tiny()


@pytest.fixture(scope="module")
def served(made: Tiny) -> Iterator[Running]:
    Reference(made)  # leaves torch one thread, as the engine needs the other
    yield from running(vllm(made, max_lora_rank=8))


@pytest.fixture(scope="module")
def tied() -> Iterator[Running]:
    yield from running(vllm(tiny(tied=True), max_lora_rank=8))


@pytest.fixture
def local(made: Tiny) -> Iterator[Running]:
    yield from running(Transformers(model=made.model, dtype="float32", device="cpu", logprobs=True))


def exchange(one: Completion) -> Exchange:
    return Exchange(prompt_ids=one.prompt_ids, token_ids=one.token_ids, logprobs=one.logprobs, policy=one.policy)


def trained(trainer: Lora | Full, some: list[Completion], number: int, folder: Path) -> Path:
    """One update, and the folder of the policy that it gave."""
    examples = [Example(exchange=exchange(one), advantage=(-1.0) ** at) for at, one in enumerate(some)]
    facts = trainer.step(Batch(number=number, examples=examples, longest=12, seed=number))
    assert facts["gap_max"] < 1e-3
    trainer.save(folder / str(number))
    return folder / str(number) / "policy"


def lora(made: Tiny) -> Lora:
    trainer = Lora(loss=PLAIN, learning_rate=0.02, rank=8, alpha=16, device="cpu")
    trainer.open(made.model, None)
    return trainer


def full(made: Tiny) -> Full:
    trainer = Full(loss=PLAIN, learning_rate=0.005, device="cpu")
    trainer.open(made.model, None)
    return trainer


def in_step(on: Running, trainer: Lora | Full, folder: Path, prefix: str, updates: int = 3) -> None:
    """Trains and loads, and compares both sides after each update, with what the prefix cache holds of before."""
    texts = [f"{LONG} {end}" for end in ("one", "two", "three", "four")]
    some = [on.one(text) for text in texts]
    for number in range(1, updates + 1):
        path = trained(trainer, some, number, folder)
        before = trainer.logprobs([exchange(one) for one in some])
        assert (
            max(
                abs(a - b)
                for row, one in zip(before, some, strict=True)
                for a, b in zip(row, one.logprobs, strict=True)
            )
            > 0.05
        )
        on.load(f"{prefix}-{number}", path)
        some = [on.one(text) for text in texts]
        for one, expected in zip(some, trainer.logprobs([exchange(one) for one in some]), strict=True):
            assert one.policy == on.generator.policy == f"{prefix}-{number}"
            assert one.logprobs == pytest.approx(expected, abs=1e-3)
            assert len(one.prompt_ids) == one.prompt_tokens > 128


# in this order on the shared engine: what replaces its weights ends its adapters


@pytest.mark.slow
def test_an_adapter_in_vllm_answers_as_the_trainer_says(served: Running, made: Tiny, tmp_path: Path) -> None:
    in_step(served, lora(made), tmp_path, "adapter")
    assert served.one(LONG).cached_tokens >= 128  # the prefix cache is at work, and holds nothing of another policy


@pytest.mark.slow
def test_an_adapter_that_has_to_go_answers_first_what_it_was_asked(served: Running, made: Tiny) -> None:
    generator = served.generator

    async def work() -> tuple[list[Completion], bool]:
        await generator.load("old", made.adapters["upper"])
        asked = asyncio.create_task(generator.sample(prompt("on", max_tokens=700, temperature=0.0), n=2))
        while not generator._weights.asking["old"]:
            await asyncio.sleep(0.001)
        await generator.load("newer", made.adapters["lower"])
        early = not asked.done()
        await generator.load("newest", made.adapters["upper"])  # there is room for two
        return await asked, early

    answers, early = served.run(work())
    assert early
    assert [(one.policy, one.finish, one.tokens) for one in answers] == [("old", "length", 700)] * 2
    with pytest.raises(GeneratorError, match="'old'; there are"):
        served.one("x", policy="old")


@pytest.mark.slow
def test_whole_weights_in_vllm_answer_as_the_trainer_says(served: Running, made: Tiny, tmp_path: Path) -> None:
    served.load("whole-0", made.model)
    in_step(served, full(made), tmp_path, "whole")
    for gone in ("newest", "whole-0", "whole-2", made.model):
        with pytest.raises(GeneratorError, match=rf"'{gone}'; there are: whole-3. Its weights were replaced"):
            served.one("x", policy=gone)
    assert served.one("x", policy="whole-3").policy == "whole-3"


@pytest.mark.slow
def test_an_adapter_may_stand_on_whole_weights_that_were_loaded(served: Running, made: Tiny, tmp_path: Path) -> None:
    served.load("base-again", made.model)
    in_step(served, lora(made), tmp_path, "upon", updates=1)


@pytest.mark.slow
def test_whole_weights_wait_for_what_is_being_answered_and_whoever_asks_meanwhile_waits_for_them(
    served: Running, made: Tiny, tmp_path: Path
) -> None:
    generator, trainer = served.generator, full(made)
    served.load("before", made.model)
    path = trained(trainer, [served.one("a"), served.one("b")], 1, tmp_path)
    asked = prompt("on", max_tokens=700, temperature=0.0)
    alone = served.one("on", max_tokens=700, temperature=0.0)

    async def work() -> tuple[list[Completion], list[Completion], bool]:
        first = asyncio.create_task(generator.sample(asked))
        while not generator._weights.asking[None]:
            await asyncio.sleep(0.001)
        loading = asyncio.create_task(generator.load("after", str(path)))
        await asyncio.sleep(0.02)
        second = asyncio.create_task(generator.sample(prompt("a")))
        named = asyncio.create_task(generator.sample(prompt("a", policy="before")))
        early = not first.done()
        await loading
        assert first.done()
        with pytest.raises(GeneratorError, match=r"'before'.*replaced by 'after'"):
            await named
        return await first, await second, early

    [first], [second], early = served.run(work())
    assert early
    assert (first.policy, first.token_ids) == ("before", alone.token_ids)
    assert second.policy == "after"
    assert second.logprobs == pytest.approx(trainer.logprobs([exchange(second)])[0], abs=1e-3)


@pytest.mark.slow
def test_an_engine_that_is_started_again_has_the_weights_that_were_loaded(
    served: Running, made: Tiny, tmp_path: Path
) -> None:
    trainer, generator = full(made), served.generator
    assert isinstance(generator, Vllm)
    served.load("fresh", made.model)
    served.load("learnt", trained(trainer, [served.one("a"), served.one("b")], 1, tmp_path))
    for process in generator._processes:
        os.kill(process.pid, signal.SIGKILL)
    one = served.one("a")
    assert one.policy == "learnt"
    assert one.logprobs == pytest.approx(trainer.logprobs([exchange(one)])[0], abs=1e-3)


@pytest.mark.slow
def test_whole_weights_that_cannot_be_loaded_end_all_answers(served: Running, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"no LoRA adapter .* and no model"):
        served.load("nothing", tmp_path)
    assert served.one("a").tokens
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(GeneratorError, match="cannot load the policy 'empty'"):
        served.load("empty", tmp_path)
    with pytest.raises(GeneratorError, match="which weights the model has now is not known"):
        served.one("a")


@pytest.mark.slow
def test_whole_weights_of_a_model_whose_ends_share_them(tied: Running, tmp_path: Path) -> None:
    in_step(tied, full(tiny(tied=True)), tmp_path, "tied", updates=2)


def test_transformers_answers_as_the_trainers_say(local: Running, made: Tiny, tmp_path: Path) -> None:
    in_step(local, lora(made), tmp_path / "lora", "adapter", updates=2)
    local.load("begin", made.model)
    in_step(local, full(made), tmp_path / "full", "whole", updates=2)
    for gone in ("adapter-2", "begin", "whole-1", made.model):
        with pytest.raises(GeneratorError, match=rf"'{gone}'; there are: whole-2. Its weights were replaced"):
            local.one("x", policy=gone)
    local.load("base", made.model)
    in_step(local, lora(made), tmp_path / "upon", "upon", updates=1)


def test_transformers_refuses_another_model_and_goes_on(local: Running, made: Tiny, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM

    before = local.one("a")
    config = Qwen3Config(vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, head_dim=16,
                         num_attention_heads=2, num_key_value_heads=1)  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(tmp_path / "other")
    with pytest.raises(GeneratorError, match="other names or shapes"):
        local.load("other", tmp_path / "other")
    model = AutoModelForCausalLM.from_pretrained(made.model)
    kept = {name: one for name, one in model.state_dict().items() if "layers.1" not in name}
    model.save_pretrained(tmp_path / "part", state_dict=kept)
    with pytest.raises(GeneratorError, match=r"it lacks model\.layers\.1"):
        local.load("part", tmp_path / "part")
    assert local.one("a") == before


def test_transformers_finishes_what_it_answers_before_its_weights_are_replaced(
    local: Running, made: Tiny, tmp_path: Path
) -> None:
    generator, trainer = local.generator, full(made)
    path = trained(trainer, [local.one("a"), local.one("b")], 1, tmp_path)
    alone = local.one("on", max_tokens=100)

    async def work() -> tuple[list[Completion], list[Completion]]:
        first = asyncio.create_task(generator.sample(prompt("on", max_tokens=100)))
        await asyncio.sleep(0.05)
        loading = asyncio.create_task(generator.load("after", str(path)))
        await asyncio.sleep(0)
        await loading
        return await first, await generator.sample(prompt("a"))

    [first], [second] = local.run(work())
    assert (first.policy, first.token_ids) == (made.model, alone.token_ids)
    assert second.policy == "after"
    assert second.logprobs == pytest.approx(trainer.logprobs([exchange(second)])[0], abs=1e-3)
