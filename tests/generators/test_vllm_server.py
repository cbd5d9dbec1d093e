"""The openai generator with a real vLLM server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import GeneratorError, NoAnswer
from evoengine.generators import _endpoints
from evoengine.generators.openai import OpenAi
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Example
from evoengine.types import Completion, Prompt
from plugins.trainers.full import Full
from tests.models import CONTEXT, Reference, Tiny, needs, tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SECONDS_TO_START = 120
LONG = " ".join(f"word{number}" for number in range(60))


class Server:
    """A process that serves the tiny model and its adapters; it can be killed and started again on its port."""

    def __init__(self, made: Tiny, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._made, self._log = made, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns at once."""
        adapters = [f"{name}={path}" for name, path in self._made.adapters.items()]
        command = [
            *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", self._made.model, "--served-model-name", "tiny", "--dtype", "float32"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--max-model-len", str(CONTEXT)),
            *("--enforce-eager", "--kv-cache-memory-bytes", "64000000", "--enable-prompt-tokens-details"),
            # one slot more than there will be adapters: see plugins/generators/vllm.py
            *("--worker-extension-cls", "evoengine.generators._reloading.Reloading"),
            *("--enable-lora", "--max-loras", "4", "--max-lora-rank", "8", "--lora-modules", *adapters),
        ]
        environment = {
            "OMP_NUM_THREADS": "1",
            "TORCHDYNAMO_DISABLE": "1",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
            "VLLM_SERVER_DEV_MODE": "1",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it serves."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text(errors="replace")[-3000:]
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                return
            time.sleep(0.2)
        pytest.fail(f"no server after {SECONDS_TO_START} s: {self._log.read_text(errors='replace')[-3000:]}")

    def kill(self) -> None:
        """As when the machine goes down: nothing is said good-bye to."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@pytest.fixture(scope="module")
def made() -> Tiny:
    needs("vllm", "httpx")
    return tiny()


@pytest.fixture(scope="module")
def reference(made: Tiny) -> Reference:
    return Reference(made)


@pytest.fixture(scope="module")
def server(made: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(made, tmp_path_factory.mktemp("server") / "log")
    try:
        one.start()
        one.wait()
        yield one
    finally:
        one.kill()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_endpoints, "LONGEST_REST", 0.5)


def prompt(text: str, **settings: Any) -> Prompt:
    return Prompt(messages=({"role": "user", "content": text},), **{"max_tokens": 24, **settings})


def generator(server: Server, **settings: Any) -> OpenAi:
    given = {"model": "tiny", "urls": server.url, "logprobs": True, "token_ids": True}
    return OpenAi(**{**given, **settings})


def asked(opened: OpenAi, *prompts: Prompt, n: int = 1) -> list[Completion]:
    async def run() -> list[Completion]:
        async with asyncio.timeout(200), opened:
            found = await asyncio.gather(*(opened.sample(one, n) for one in prompts))
            return [one for several in found for one in several]

    return asyncio.run(run())


def test_completion_k_of_several_is_that_of_seed_plus_k(server: Server) -> None:
    several = asked(generator(server), prompt("hello", seed=7, temperature=1.0), n=5)
    alone = asked(generator(server), *(prompt("hello", seed=7 + k, temperature=1.0) for k in range(5)))
    assert [one.token_ids for one in several] == [one.token_ids for one in alone]
    assert len({one.token_ids for one in several}) == 5


def test_log_probabilities_are_those_of_transformers(server: Server, reference: Reference) -> None:
    for one in asked(generator(server), *(prompt("log it", seed=seed, temperature=1.0) for seed in range(4))):
        assert one.logprobs == pytest.approx(reference.logprobs("log it", list(one.token_ids)), abs=1e-3)
        assert (one.tokens, list(one.prompt_ids)) == (len(one.token_ids), reference.ids("log it"))
        assert one.prompt_tokens == len(one.prompt_ids)


def test_adapters_and_base_in_one_batch_give_each_what_peft_gives(server: Server, reference: Reference) -> None:
    policies = [None, "upper", "lower"] * 4
    texts = [f"mixed {number}" for number in range(len(policies))]
    found = asked(
        generator(server),
        *(prompt(text, policy=policy, temperature=0.0) for text, policy in zip(texts, policies, strict=True)),
    )
    for text, policy, one in zip(texts, policies, found, strict=True):
        assert list(one.token_ids) == reference.greedy(text, 24, policy)
        assert one.policy == (policy or "tiny")


def test_a_loaded_policy_answers_from_then_on(server: Server, made: Tiny, reference: Reference) -> None:
    async def run() -> None:
        async with generator(server) as opened:
            await opened.load("trained", made.adapters["lower"])
            [one] = await opened.sample(prompt("train", temperature=0.0))
            assert (opened.policy, one.policy) == ("trained", "trained")
            assert list(one.token_ids) == reference.greedy("train", 24, "lower")
            with pytest.raises(GeneratorError, match="loaded before"):
                await opened.load("trained", made.adapters["upper"])
            with pytest.raises(GeneratorError, match="does not load the policy 'other'"):
                await opened.load("other", "/nowhere")
            assert opened.policy == "trained"

    asyncio.run(run())


def test_whole_weights_answer_from_then_on_and_nothing_of_the_old_ones_does(
    server: Server, made: Tiny, tmp_path: Path
) -> None:
    trainer = Full(loss=str(Path(__file__).parents[1] / "rl" / "plain.py"), learning_rate=0.005, device="cpu")
    trainer.open(made.model, None)
    question = prompt(LONG, seed=1, temperature=1.0)

    def exchange(one: Completion) -> Exchange:
        return Exchange(prompt_ids=one.prompt_ids, token_ids=one.token_ids, logprobs=one.logprobs, policy=one.policy)

    def gap(one: Completion) -> float:
        [expected] = trainer.logprobs([exchange(one)])
        return max(abs(a - b) for a, b in zip(one.logprobs, expected, strict=True))

    async def run() -> None:
        async with generator(server) as opened:
            for number in (1, 2):
                [one] = await opened.sample(question)
                assert gap(one) < 1e-3
                example = Example(exchange=exchange(one), advantage=1.0)
                trainer.step(Batch(number=number, examples=[example], longest=24, seed=number))
                assert gap(one) > 0.05
                trainer.save(tmp_path / str(number))
                long = asyncio.create_task(opened.sample(prompt("on", max_tokens=300, temperature=0.0)))
                await asyncio.sleep(0.1)
                before = opened.policy
                await opened.load(f"whole-{number}", str(tmp_path / str(number) / "policy"))
                assert (await long)[0].policy == before
                [one] = await opened.sample(question)
                assert (one.policy, opened.policy) == (f"whole-{number}",) * 2
                assert gap(one) < 1e-3
            for gone in ("tiny", "whole-1"):
                with pytest.raises(GeneratorError, match=f"'{gone}', whose weights 'whole-2' took the place of"):
                    await opened.sample(prompt("x", policy=gone))
            (tmp_path / "config.json").write_text("{}")
            with pytest.raises(GeneratorError, match="does not load the policy 'empty'"):
                await opened.load("empty", str(tmp_path))
            with pytest.raises(GeneratorError, match="which weights the model has now is not known"):
                await opened.sample(question)
        async with generator(server) as opened:  # as the server began, for who comes next
            await opened.load("base", made.model)

    asyncio.run(asyncio.wait_for(run(), timeout=120))


def test_an_answer_is_held_to_a_pattern_where_there_is_one(server: Server) -> None:
    pattern = r"(YES|NO): [a-z]{3,9}"
    question = prompt("Is it?", pattern=pattern, seed=1, max_tokens=32)
    [one] = asked(generator(server, structured=True), question)
    assert re.fullmatch(pattern, one.text)
    [free] = asked(generator(server), question)
    assert not re.fullmatch(pattern, free.text)


def test_beginnings_in_common_come_from_the_prefix_cache(server: Server) -> None:
    [first] = asked(generator(server), prompt(f"{LONG} one"))
    [second] = asked(generator(server), prompt(f"{LONG} two"))
    assert first.cached_tokens < second.cached_tokens < second.prompt_tokens


def test_a_prompt_that_is_too_long_costs_only_itself(server: Server) -> None:
    with pytest.raises(NoAnswer, match=f"status 400.*{CONTEXT}"):
        asked(generator(server), prompt("long " * CONTEXT))


def test_a_model_or_policy_that_is_not_there_stops_the_run(server: Server) -> None:
    for opened, question in (
        (generator(server, model="other"), prompt("x")),
        (generator(server), prompt("x", policy="other")),
    ):
        with pytest.raises(GeneratorError, match="404") as caught:
            asked(opened, question)
        assert not isinstance(caught.value, NoAnswer)


def test_thinking_is_asked_for_through_the_chat_template(server: Server) -> None:
    [one] = asked(generator(server, thinking=True), prompt("think", temperature=0.0))
    [other] = asked(generator(server, thinking=False), prompt("think", temperature=0.0))
    assert one.prompt_tokens > other.prompt_tokens


def test_a_cancelled_prompt_is_aborted_in_the_server(server: Server) -> None:
    question = prompt("on", max_tokens=900, temperature=0.0)
    whole = sum(one.tokens for one in asked(generator(server), question, n=8))
    before = _metric(server, "vllm:generation_tokens_total")

    async def run() -> None:
        async with generator(server) as opened:
            task = asyncio.create_task(opened.sample(question, n=8))
            while _metric(server, "vllm:num_requests_running") < 8:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while _metric(server, "vllm:num_requests_running"):
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), timeout=60))
    assert _metric(server, "vllm:generation_tokens_total") - before < whole


def _metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as told:
        lines = told.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name + "{"))


def test_old_policies_are_unloaded_and_a_later_run_can_load_them_again(server: Server, made: Tiny) -> None:
    # one of the last, as adapters beyond the server's slots spoil what it says without one (plugins/generators/vllm.py)
    async def run() -> None:
        for _ in range(2):  # the second time the server knows the names from the first
            async with generator(server) as opened:
                for name in ("round-1", "round-2", "round-3"):
                    await opened.load(name, made.adapters["lower"])
                with pytest.raises(GeneratorError, match="'round-1', whose weights 'round-3' took the place of"):
                    await opened.sample(prompt("who", policy="round-1"))
                [one] = await opened.sample(prompt("who", policy="round-2", temperature=0.0))
                assert one.policy == "round-2"
            with urllib.request.urlopen(f"{server.url}/models", timeout=30) as answer:
                served = {model["id"] for model in json.loads(answer.read())["data"]}
            assert "round-1" not in served
            assert {"round-2", "round-3"} <= served

    asyncio.run(run())


def test_what_a_dead_server_was_asked_is_answered_by_the_next_one_on_its_port(server: Server) -> None:
    question = prompt("persist", seed=5, temperature=1.0, max_tokens=600)
    before = asked(generator(server), question, n=3)

    async def run() -> list[Completion]:
        async with asyncio.timeout(200), generator(server) as opened:
            task = asyncio.create_task(opened.sample(question, n=3))
            await asyncio.sleep(0.2)
            assert not task.done()
            server.kill()
            server.start()
            try:
                return await task
            finally:
                await asyncio.to_thread(server.wait)

    assert [one.token_ids for one in asyncio.run(run())] == [one.token_ids for one in before]


def test_a_server_that_stays_away_costs_the_prompt_after_a_while(server: Server) -> None:
    server.kill()
    with pytest.raises(NoAnswer, match=r"no server answered for 2 s; the last word was: .*ConnectError"):
        asked(generator(server, patience=2.0), prompt("x"))
