"""The openai generator against a real HTTP server that can fail in many ways."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign
from evoengine.errors import GeneratorError, NoAnswer, SettingError
from evoengine.generators import _endpoints
from evoengine.generators._endpoints import Endpoints, Pace
from evoengine.generators.openai import OpenAi
from evoengine.generators.scripted import Scripted
from evoengine.types import Completion, Prompt

pytestmark = pytest.mark.slow

KEY = "sk-very-secret-7"
ASK = Prompt(messages=({"role": "user", "content": "hello"},), temperature=0.5, max_tokens=7, stop=("x",), seed=40)


def answer(text: str = "hi", **more: Any) -> bytes:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more}
    return json.dumps(
        {"model": "m-1", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    ).encode()


Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def server(reply: Callable[[int, dict[str, Any]], Reply | None]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers request k as it is told; None closes the connection in the middle of an answer."""
    seen: list[dict[str, Any]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                seen.append({**request, "authorization": self.headers.get("authorization"), "path": self.path})
                count = len(seen)
            found = reply(count, request)
            if found is None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
                self.close_connection = True
                return
            status, headers, body = found
            with suppress(BrokenPipeError):  # whoever asked has lost patience
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/v1", seen
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_endpoints, "FIRST_REST", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def asked(generator: OpenAi, prompt: Prompt = ASK, n: int = 1) -> list[Completion]:
    async def ask() -> list[Completion]:
        async with generator:
            return await generator.sample(prompt, n)

    return asyncio.run(ask())


def test_a_prompt_is_sent_whole_and_the_answer_is_priced() -> None:
    with server(lambda _, __: (200, {}, answer())) as (url, seen):
        [one] = asked(OpenAi(model="m", urls=url, price_in=2.0, price_out=10.0, extra={"top_k": 5}))
    [request] = seen
    assert (request["path"], request["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert {name: request[name] for name in ("model", "temperature", "max_tokens", "stop", "seed", "top_k")} == {
        "model": "m", "temperature": 0.5, "max_tokens": 7, "stop": ["x"], "seed": 40, "top_k": 5,
    }  # fmt: skip
    assert (one.text, one.policy, one.prompt_tokens, one.tokens, one.finish) == ("hi", "m-1", 3, 2, "stop")
    assert one.money == pytest.approx((3 * 2 + 2 * 10) / 1e6)


def test_a_pattern_is_sent_to_servers_that_are_said_to_take_it() -> None:
    patterned = replace(ASK, pattern="yes|no")
    with server(lambda _, __: (200, {}, answer())) as (url, seen):
        asked(OpenAi(model="m", urls=url), patterned)
        asked(OpenAi(model="m", urls=url, structured=True), patterned)
        asked(OpenAi(model="m", urls=url, structured=True))
    assert [one.get("structured_outputs") for one in seen] == [None, {"regex": "yes|no"}, None]


def test_several_completions_have_seeds_of_their_own() -> None:
    with server(lambda _, request: (200, {}, answer(str(request["seed"])))) as (url, _):
        assert [one.text for one in asked(OpenAi(model="m", urls=url), n=3)] == ["40", "41", "42"]


def test_log_probabilities_and_token_ids_are_read() -> None:
    told = answer(logprobs={"content": [{"logprob": -0.5}, {"logprob": -1.25}]}, token_ids=[5, 6])
    with server(lambda _, __: (200, {}, told)) as (url, seen):
        [one] = asked(OpenAi(model="m", urls=url, logprobs=True))
    assert seen[0]["logprobs"] is True
    assert (one.logprobs, one.token_ids) == ((-0.5, -1.25), (5, 6))


@pytest.mark.slow
def test_what_a_server_thinks_is_kept_apart_from_its_answer() -> None:
    for told, expected in (
        ({"message": {"content": "yes", "reasoning_content": "hm"}}, ("yes", "hm")),
        ({"message": {"content": "yes", "reasoning": "hm"}}, ("yes", "hm")),
        ({"message": {"content": None, "reasoning": "hm"}}, ("", "hm")),
        ({"message": {"content": "<think>hm</think>\n\nyes"}}, ("yes", "hm")),
        ({"message": {"content": "hm</think>yes"}}, ("yes", "hm")),
        ({"message": {"content": "<think>hm"}}, ("", "hm")),
        ({"message": {"content": "if a < think: pass"}}, ("if a < think: pass", "")),
    ):
        with server(lambda _, __, told=told: (200, {}, answer(**told))) as (url, _):  # type: ignore[misc]
            [one] = asked(OpenAi(model="m", urls=url))
        assert (one.text, one.thinking) == expected


def test_a_model_that_begins_inside_its_thinking_has_no_answer_when_it_is_cut_off() -> None:
    with server(lambda _, __: (200, {}, answer("hm, let me"))) as (url, _):
        [one] = asked(OpenAi(model="deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", urls=url))
    assert (one.text, one.thinking) == ("", "hm, let me")


def test_what_is_not_set_follows_from_the_models_name() -> None:
    system = Prompt(messages=({"role": "system", "content": "S"}, {"role": "user", "content": "Q"}))
    with server(lambda _, __: (200, {}, answer())) as (url, seen):
        asked(OpenAi(model="Qwen/Qwen3-8B", urls=url), system)
        asked(OpenAi(model="Qwen/Qwen3-8B", urls=url, thinking=False, top_p=0.5, top_k=7, min_p=0.1), system)
        asked(OpenAi(model="deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", urls=url), system)
        asked(OpenAi(model="m", urls=url, stop=("END",)), system)
    qwen, plain, r1, other = seen
    assert (qwen["temperature"], qwen["top_p"]) == (0.6, 0.95)
    assert {"top_k", "min_p", "chat_template_kwargs", "stop"}.isdisjoint(qwen)  # not every server knows them
    assert (plain["temperature"], plain["top_p"], plain["top_k"], plain["min_p"]) == (0.7, 0.5, 7, 0.1)
    assert plain["chat_template_kwargs"] == {"enable_thinking": False}
    assert r1["messages"] == [{"role": "user", "content": "S\n\nQ"}]
    assert (other["messages"], other["stop"]) == (list(system.messages), ["END"])
    assert {"temperature", "top_p"}.isdisjoint(other)


def test_a_policy_is_asked_as_the_model_of_that_name() -> None:
    with server(lambda _, __: (200, {}, answer())) as (url, seen):
        asked(OpenAi(model="m", urls=url), Prompt(messages=ASK.messages, policy="tuned"))
    assert seen[0]["model"] == "tuned"


def test_the_prefix_cache_of_a_server_is_told() -> None:
    told = json.loads(answer())
    told["usage"]["prompt_tokens_details"] = {"cached_tokens": 2}
    with server(lambda _, __: (200, {}, json.dumps(told).encode())) as (url, _):
        assert asked(OpenAi(model="m", urls=url))[0].cached_tokens == 2
    with server(lambda _, __: (200, {}, answer())) as (url, _):
        assert asked(OpenAi(model="m", urls=url))[0].cached_tokens == 0


def test_a_policy_is_loaded_on_every_server() -> None:
    async def loaded(*urls: str) -> str:
        async with OpenAi(model="m", urls=urls) as generator:
            await generator.load("tuned", "/weights")
            return generator.policy

    with (
        server(lambda _, __: (200, {}, b"ok")) as (one, first),
        server(lambda _, __: (200, {}, b"ok")) as (other, second),
        server(lambda _, __: (404, {}, b"what?")) as (stranger, _),
    ):
        assert asyncio.run(loaded(one, other)) == "tuned"
        for [request] in (first, second):
            assert (request["path"], request["lora_name"]) == ("/v1/load_lora_adapter", "tuned")
            assert request["lora_path"] == "/weights"
        with pytest.raises(GeneratorError, match=r"does not load the policy 'tuned' .*404: what\?"):
            asyncio.run(loaded(stranger))


def test_a_generator_that_cannot_load_says_so() -> None:
    with pytest.raises(GeneratorError, match="Scripted cannot load the policy 'tuned'"):
        asyncio.run(Scripted().load("tuned", "/weights"))


@pytest.mark.parametrize(
    "bad",
    [
        (500, {}, b"oops"),
        (503, {}, b""),
        (429, {"retry-after": "0.02"}, b"slow down"),
        (429, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, b""),
        (200, {}, b"<html>not json</html>"),
        (200, {}, b'{"choices": []}'),
        (200, {}, b'{"choices": [{"message": {"content": 5}}]}'),
        (200, {}, answer(token_ids=["x"])),
        (200, {}, answer(logprobs={"content": [{"logprob": float("-inf")}]})),
        (200, {}, b"[" * 100_000),
        (200, {}, b"\xff\xfe"),
        None,
    ],
    ids=str,
)  # fmt: skip
def test_what_fails_in_passing_is_asked_again(bad: Reply | None) -> None:
    with server(lambda count, _: bad if count <= 2 else (200, {}, answer())) as (url, seen):
        assert asked(OpenAi(model="m", urls=url, timeout=5.0))[0].text == "hi"
    assert len(seen) == 3


def test_a_slow_server_is_left_for_another() -> None:
    def slow(_: int, __: object) -> Reply:
        time.sleep(1.5)
        return 200, {}, answer("slow")

    with server(slow) as (one, _), server(lambda _, __: (200, {}, answer("quick"))) as (other, _):
        assert asked(OpenAi(model="m", urls=[one, other], timeout=0.3))[0].text == "quick"


def test_a_server_that_is_gone_costs_one_try_and_its_return_is_noticed() -> None:
    with server(lambda _, __: (200, {}, answer())) as (gone, _):
        pass
    with server(lambda _, __: (200, {}, answer())) as (url, seen):
        assert [one.text for one in asked(OpenAi(model="m", urls=[gone, url]), n=20)] == ["hi"] * 20
        assert len(seen) == 20


def test_patience_ends_with_the_last_word_of_the_server_and_never_the_key() -> None:
    with (
        server(lambda _, __: (500, {}, f"key {KEY} was\nbad".encode())) as (url, seen),
        pytest.raises(NoAnswer, match=r"500: key \*\*\* was bad") as caught,
    ):
        asked(OpenAi(model="m", urls=url, patience=0.3))
    assert len(seen) > 2
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_only_a_person_can_mend_stops_at_once(status: int) -> None:
    with (
        server(lambda _, __: (status, {}, b"no such model")) as (url, seen),
        pytest.raises(GeneratorError, match="no such model") as caught,
    ):
        asked(OpenAi(model="m", urls=url))
    assert not isinstance(caught.value, NoAnswer)
    assert len(seen) == 1


def test_a_prompt_that_is_refused_costs_only_itself() -> None:
    with server(lambda _, __: (400, {}, b"too long")) as (url, seen), pytest.raises(NoAnswer, match="too long"):
        asked(OpenAi(model="m", urls=url))
    assert len(seen) == 1


def test_a_redirect_does_not_carry_the_key_away() -> None:
    with (
        server(lambda _, __: (200, {}, answer("stolen"))) as (elsewhere, theirs),
        server(lambda _, __: (307, {"location": f"{elsewhere}/chat/completions"}, b"")) as (url, _),
        pytest.raises(NoAnswer, match="307"),
    ):
        asked(OpenAi(model="m", urls=url))
    assert theirs == []


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    flying, most = [0], [0]
    lock = threading.Lock()

    def reply(_: int, __: object) -> Reply:
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        time.sleep(0.02)
        with lock:
            flying[0] -= 1
        return 200, {}, answer()

    with server(reply) as (url, _):
        asked(OpenAi(model="m", urls=url, concurrency=3), n=12)
    assert most[0] <= 3


def test_a_cancelled_request_is_given_up() -> None:
    async def cancelled(url: str) -> None:
        async with OpenAi(model="m", urls=url) as generator:
            task = asyncio.create_task(generator.sample(ASK))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert all(endpoint.waiting == 0 for endpoint in generator._endpoints.all)

    def slow(_: int, __: object) -> Reply:
        time.sleep(0.6)
        return 200, {}, answer()

    with server(slow) as (url, _):
        asyncio.run(cancelled(url))


def test_requests_are_paced() -> None:
    now = [100.0]
    pace = Pace(60.0, lambda: now[0])
    assert [pace.wait() for _ in range(3)] == [0.0, 1.0, 2.0]
    now[0] = 110.0
    assert [pace.wait(), pace.wait()] == [0.0, 1.0]
    assert [Pace(None, lambda: now[0]).wait() for _ in range(3)] == [0.0] * 3


def test_a_resting_server_is_asked_when_all_others_rest_longer() -> None:
    now = [0.0]
    both = Endpoints(["a", "b"], lambda: now[0])
    first, _ = both.choose()
    first.failed(now[0], 5.0)
    second, wait = both.choose()
    assert (second.url, wait) == ("b", 0.0)
    second.failed(now[0], 9.0)
    assert (both.choose()[0].url, both.choose()[1]) == ("a", 5.0)
    for _ in range(30):
        second.failed(now[0])
    assert second.resting_until == _endpoints.LONGEST_REST
    second.succeeded()
    assert both.choose() == (second, 0.0)


@pytest.mark.parametrize("urls", [[], "ftp://x", "http://user:pass@host/v1", ["http://ok/v1", "nonsense"]])
def test_urls_that_cannot_be_used_are_refused(urls: Any) -> None:
    with pytest.raises(SettingError):
        OpenAi(model="m", urls=urls)


def test_the_key_is_in_no_store_no_log_and_no_sandbox(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where a candidate prints its environment, and a server fails now and then."""
    spying = "import os\ndef numbers():\n    raise ValueError(dict(os.environ))\n"
    fine = "def numbers():\n    return [0.3, 0.4, 0.5]\n"
    told = [(200, {}, answer(f"```python\n{text}```")) for text in (spying, fine)] + [(500, {}, f"bad {KEY}".encode())]
    with server(lambda number, _: told[number % 3]) as (url, seen), caplog.at_level("DEBUG"):
        generator = OpenAi(model="m", urls=url, patience=0.2)
        with Campaign("peak", store=f"{folder}/keys.db", operators=["rewrite"], generator=generator) as campaign:
            campaign.run(evaluations=24)
    assert all(one["authorization"] == f"Bearer {KEY}" for one in seen)
    kept = b"".join(path.read_bytes() for path in folder.glob("keys.db*"))
    assert b"ValueError" in kept
    assert KEY.encode() not in kept
    assert KEY not in caplog.text
