"""The vllm generator with the real engine in this process; references are transformers and peft by themselves."""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from evoengine.errors import GeneratorError, NoAnswer, SettingError
from evoengine.types import Completion, Prompt
from plugins.generators.vllm import Vllm
from tests.models import CONTEXT, Reference, Tiny, needs, tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

T = TypeVar("T")
LONG = " ".join(f"word{number}" for number in range(60))


def prompt(text: str, **settings: Any) -> Prompt:
    return Prompt(messages=({"role": "user", "content": text},), **{"max_tokens": 24, **settings})


def generator(made: Tiny, **settings: Any) -> Vllm:
    needs("vllm")
    given = {
        "model": made.model,
        "dtype": "float32",
        "max_model_len": CONTEXT,
        "kv_cache_memory_bytes": 64_000_000,
        "logprobs": True,
    }
    return Vllm(**{**given, **settings})


class Running:
    """An opened generator, and the loop it lives in."""

    def __init__(self, runner: asyncio.Runner, vllm: Vllm) -> None:
        self._runner, self.vllm = runner, vllm

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(90):
                return await work

        return self._runner.run(bounded())

    def ask(self, asked: Prompt, n: int = 1) -> list[Completion]:
        return self.run(self.vllm.sample(asked, n))

    def one(self, asked: Prompt) -> Completion:
        [completion] = self.ask(asked)
        return completion


@pytest.fixture(scope="module")
def made() -> Tiny:
    return tiny()


@pytest.fixture(scope="module")
def reference(made: Tiny) -> Reference:
    return Reference(made)


@pytest.fixture(scope="module")
def running(made: Tiny) -> Iterator[Running]:
    vllm = generator(made, policies=made.adapters, max_lora_rank=8)
    state, names = random.getstate(), ("OMP_NUM_THREADS", "VLLM_LOGGING_STREAM")
    before = [os.environ.get(name) for name in names]
    with asyncio.Runner() as runner:
        runner.run(vllm.__aenter__())
        assert [os.environ.get(name) for name in names] == before
        assert random.getstate() == state
        try:
            yield Running(runner, vllm)
        finally:
            runner.run(vllm.__aexit__(None, None, None))


def test_it_says_how_many_cores_its_threads_keep_busy(made: Tiny, running: Running) -> None:
    threads = os.environ.get("OMP_NUM_THREADS") or max(1, len(os.sched_getaffinity(0)) - 1)
    assert running.vllm.cores == int(threads)
    assert generator(made).cores == 0


def test_completion_k_of_several_is_that_of_seed_plus_k(running: Running) -> None:
    several = running.ask(prompt("hello", seed=7, temperature=1.0), n=5)
    alone = [running.one(prompt("hello", seed=7 + k, temperature=1.0)) for k in range(5)]
    assert [one.token_ids for one in several] == [one.token_ids for one in alone]
    assert len({one.token_ids for one in several}) == 5


def test_more_seeded_prompts_than_one_step_has_room_for_are_all_answered(running: Running) -> None:
    """A prompt that is computed in two pieces, and has a seed, ends vLLM's engine on a CPU."""
    asked = [prompt(f"{number} {LONG}", seed=number, max_tokens=2) for number in range(60)]

    async def all_at_once() -> list[list[Completion]]:
        return await asyncio.gather(*(running.vllm.sample(one) for one in asked))

    answers = running.run(all_at_once())
    assert [len(answer) for answer in answers] == [1] * 60


def test_an_answer_is_held_to_a_pattern_where_there_is_one(running: Running) -> None:
    pattern = r"(YES|NO): [a-z]{3,9}"
    answers = running.ask(prompt("Is it?", pattern=pattern, seed=1, max_tokens=32), 4)
    assert all(re.fullmatch(pattern, answer.text) for answer in answers)
    assert not re.fullmatch(pattern, running.one(prompt("Is it?", seed=1, max_tokens=32)).text)


def test_many_prompts_at_once_get_what_each_gets_alone(running: Running) -> None:
    prompts = [prompt(f"question {k}", seed=k, temperature=0.8, max_tokens=8 + k) for k in range(24)]

    async def all_at_once() -> list[Completion]:
        return [one for [one] in await asyncio.gather(*map(running.vllm.sample, prompts))]

    together = running.run(all_at_once())
    assert [one.token_ids for one in together] == [running.one(asked).token_ids for asked in prompts]
    assert [one.tokens for one in together] == [len(one.token_ids) for one in together]


def test_log_probabilities_are_those_of_transformers(running: Running, reference: Reference) -> None:
    for temperature in (0.0, 0.7, 1.5):
        for seed in range(3):
            found = running.one(prompt("log it", seed=seed, temperature=temperature))
            expected = reference.logprobs("log it", list(found.token_ids))
            assert found.logprobs == pytest.approx(expected, abs=1e-3)
            assert len(found.logprobs) == found.tokens > 1


def test_adapters_and_base_in_one_batch_give_each_what_peft_gives(running: Running, reference: Reference) -> None:
    policies = [None, "upper", "lower", running.vllm.model] * 4
    texts = [f"mixed {number}" for number in range(len(policies))]

    async def mixed() -> list[Completion]:
        asked = [prompt(text, policy=policy, temperature=0.0) for text, policy in zip(texts, policies, strict=True)]
        return [one for [one] in await asyncio.gather(*map(running.vllm.sample, asked))]

    found = running.run(mixed())
    for text, policy, one in zip(texts, policies, found, strict=True):
        adapter = policy if policy in ("upper", "lower") else None
        assert list(one.token_ids) == reference.greedy(text, 24, adapter)
        assert one.logprobs == pytest.approx(reference.logprobs(text, list(one.token_ids), adapter), abs=1e-3)
        assert one.policy == (policy or running.vllm.model)
    assert reference.greedy("mixed 0", 24) != reference.greedy("mixed 0", 24, "upper")


def test_beginnings_in_common_come_from_the_prefix_cache(running: Running) -> None:
    first, second = (running.one(prompt(f"{LONG} {end}")) for end in ("one", "two"))
    assert first.cached_tokens < second.cached_tokens < second.prompt_tokens
    assert second.cached_tokens >= 128  # a block of the CPU's cache


def test_a_policy_does_not_use_what_another_computed(running: Running, reference: Reference) -> None:
    text = f"again {LONG}"
    for policy in (None, "upper", None, "lower", "upper"):
        found = running.one(prompt(text, policy=policy, temperature=0.0))
        assert list(found.token_ids) == reference.greedy(text, 24, policy)


def test_a_cancelled_prompt_is_aborted_in_the_engine(running: Running) -> None:
    engine = running.vllm._engine

    async def pause() -> None:
        await engine.pause_generation(mode="keep", clear_cache=False)

    async def works() -> bool:
        await engine.resume_generation()
        found: bool = await engine.engine_core.call_utility_async("has_work")  # asked in the engine's own process
        return found

    async def cancelled() -> None:
        task = asyncio.create_task(running.vllm.sample(prompt("on", max_tokens=900, temperature=0.0), n=4))
        while engine.get_num_unfinished_requests() < 4:
            await asyncio.sleep(0.001)
        await pause()
        assert await works()  # there is much to do yet
        await pause()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine.get_num_unfinished_requests() == 0
        assert not await works()

    running.run(cancelled())
    assert not running.vllm._weights.asking.total()
    assert running.one(prompt("after", max_tokens=4)).tokens <= 4


def test_a_prompt_that_is_too_long_costs_only_itself(running: Running) -> None:
    with pytest.raises(NoAnswer, match=rf"has \d+ tokens, and the model takes {CONTEXT}"):
        running.ask(prompt("long " * CONTEXT))
    assert running.one(prompt("short")).text


def test_what_vllm_refuses_is_told(running: Running) -> None:
    with pytest.raises(NoAnswer, match="temperature"):
        running.ask(prompt("x", temperature=-1.0))


def test_stop_strings_and_lengths_end_an_answer(running: Running) -> None:
    whole = running.one(prompt("stop", seed=1, temperature=1.0))
    assert (whole.finish, whole.tokens) == ("length", 24)
    stop = whole.text[5:8]
    cut = running.one(prompt("stop", seed=1, temperature=1.0, stop=(stop,)))
    assert (cut.text, cut.finish) == (whole.text[: whole.text.index(stop)], "stop")


def test_a_policy_that_nobody_loaded_is_a_fault_of_the_set_up(running: Running) -> None:
    with pytest.raises(GeneratorError, match=r"'other'; there are: .*, upper, lower") as caught:
        running.ask(prompt("x", policy="other"))
    assert not isinstance(caught.value, NoAnswer)


def test_a_loaded_policy_answers_from_then_on_and_the_oldest_makes_room(
    running: Running, made: Tiny, reference: Reference
) -> None:
    vllm = running.vllm
    for step, adapter in enumerate(("upper", "lower", "upper")):
        running.run(vllm.load(f"step-{step}", made.adapters[adapter]))
        found = running.one(prompt("train", temperature=0.0))
        assert (vllm.policy, found.policy) == (f"step-{step}", f"step-{step}")
        assert list(found.token_ids) == reference.greedy("train", 24, adapter)
    # as many adapters as there is room for, and the base, in one batch
    answers = {vllm.model: None, "upper": "upper", "lower": "lower", "step-1": "lower", "step-2": "upper"}

    async def mixed() -> list[Completion]:
        asked = [prompt("train", temperature=0.0, policy=policy) for policy in answers]
        return [one for [one] in await asyncio.gather(*map(vllm.sample, asked))]

    for (policy, adapter), one in zip(answers.items(), running.run(mixed()), strict=True):
        assert (one.policy, list(one.token_ids)) == (policy, reference.greedy("train", 24, adapter))
    with pytest.raises(GeneratorError, match="'step-0'"):
        running.ask(prompt("train", policy="step-0"))
    with pytest.raises(GeneratorError, match="loaded before"):
        running.run(vllm.load("step-0", made.adapters["upper"]))
    with pytest.raises(GeneratorError, match=r"no LoRA adapter .* in '/nowhere'"):
        running.run(vllm.load("step-9", "/nowhere"))


def test_thinking_is_kept_apart(made: Tiny, running: Running) -> None:
    thinking = running.vllm.model_copy(update={"thinking": True})
    [cut] = running.run(thinking.sample(prompt("think", seed=0)))
    assert (cut.text, cut.finish) == ("", "length")
    assert cut.thinking


def test_interrupts_from_the_terminal_do_not_reach_the_engine(running: Running) -> None:
    processes = running.vllm._processes
    assert processes
    for process in processes:
        os.kill(process.pid, signal.SIGINT)
    assert running.one(prompt("go on", max_tokens=200)).tokens
    assert all(process.is_alive() for process in processes)


def test_a_dead_engine_is_started_again_once_and_answers_as_before(running: Running) -> None:
    vllm = running.vllm
    asked = prompt("persist", seed=5, temperature=1.0, max_tokens=300)
    before = running.ask(asked, n=3)

    async def killed() -> list[Completion]:
        task = asyncio.create_task(vllm.sample(asked, n=3))
        while vllm._engine.get_num_unfinished_requests() < 3:
            await asyncio.sleep(0.001)
        _kill(vllm)
        return await task

    assert [one.token_ids for one in running.run(killed())] == [one.token_ids for one in before]
    adapted = running.one(prompt("persist", policy="upper", temperature=0.0))
    assert adapted.policy == "upper"
    _kill(vllm)
    with pytest.raises(
        GeneratorError, match=r"ended by SIGKILL.*2 times in this run.*start the same run again"
    ) as told:
        running.ask(asked)
    assert not isinstance(told.value, NoAnswer)


@pytest.fixture(scope="module")
def narrow(made: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that answers one prompt at a time, of a model in a folder of its own that asks for greedy answers."""
    model = tmp_path_factory.mktemp("narrow") / "model"
    shutil.copytree(made.model, model)
    (model / "generation_config.json").write_text('{"do_sample": true, "temperature": 0.0}')
    vllm = generator(made, model=str(model), engine={"max_num_seqs": 1})
    with asyncio.Runner() as runner:
        runner.run(vllm.__aenter__())
        try:
            yield Running(runner, vllm)
        finally:
            runner.run(vllm.__aexit__(None, None, None))


def test_of_prompts_that_wait_the_one_of_the_lowest_order_is_answered_first(narrow: Running) -> None:
    ended: list[int] = []

    async def asked(order: int) -> None:
        await narrow.vllm.sample(prompt(f"question {order}", order=order, max_tokens=60, pattern="[a-z ]{60,}"))
        ended.append(order)

    async def all_at_once() -> None:
        engaged = asyncio.create_task(narrow.vllm.sample(prompt("first", max_tokens=200, pattern="[a-z ]{200,}")))
        while narrow.vllm._engine.get_num_unfinished_requests() < 1:
            await asyncio.sleep(0.001)
        await asyncio.gather(engaged, *map(asked, (7, 3, 9, 5)))

    narrow.run(all_at_once())
    assert ended == [3, 5, 7, 9]


def test_settings_that_come_with_the_model_are_those_of_the_start(narrow: Running) -> None:
    before = narrow.one(prompt("hello"))
    config = Path(narrow.vllm.model) / "generation_config.json"
    config.write_text('{"do_sample": true, "temperature": 2.0}')
    assert [narrow.one(prompt("hello")).token_ids for _ in range(3)] == [before.token_ids] * 3


def _kill(vllm: Vllm) -> None:
    for process in vllm._processes:
        os.kill(process.pid, signal.SIGKILL)


def test_a_model_that_is_not_there_is_told(tmp_path: Any) -> None:
    needs("vllm")

    async def opened() -> None:
        async with Vllm(model=str(tmp_path / "none")):
            raise AssertionError("it opened")

    with pytest.raises(GeneratorError, match="could not start"):
        asyncio.run(opened())


def test_a_generator_that_is_not_open_says_so(made: Tiny) -> None:
    with pytest.raises(GeneratorError, match="not open"):
        asyncio.run(generator(made).sample(prompt("x")))


def test_settings_that_make_no_sense_are_refused(made: Tiny) -> None:
    with pytest.raises(SettingError, match="initial"):
        generator(made, initial="none")
    with pytest.raises(SettingError, match="called like the model"):
        generator(made, policies={made.model: made.adapters["upper"]})
    with pytest.raises(SettingError, match="tensor_parallel_size"):
        generator(made, tensor_parallel_sizes=2)
