"""Any server that speaks OpenAI's chat completions: `vllm serve`, SGLang, llama.cpp, hosted ones."""

from __future__ import annotations

import asyncio
import math
import os
import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PrivateAttr, field_validator

from evoengine.errors import GeneratorError, MissingExtra, NoAnswer
from evoengine.generators._chat import answer_of, folded, together
from evoengine.generators._endpoints import Endpoint, Endpoints, Pace
from evoengine.generators._reloading import EXTENSION, METHOD
from evoengine.generators._weights import Weights
from evoengine.generators.base import Generator
from evoengine.generators.presets import Preset, Sampling, preset_of
from evoengine.types import JSON, Completion, Prompt

if TYPE_CHECKING:
    import httpx

_TOLD_CHARS = 300
_LARGEST_ANSWER = 64 * 2**20
_PASSING = frozenset({408, 409, 425, 429, *range(500, 600)})
"""HTTP statuses after which the same request may succeed."""
_FOR_A_PERSON = frozenset({401, 402, 403, 404, 405})


class OpenAi(Generator):
    """Asks one or several servers of the same model, and waits for them when they are slow, busy or gone.

    What fails in passing (connections, time-outs, 429, 5xx, garbled answers) is tried again, on another server if
    there is one, each resting longer from failure to failure or as long as it asks for. After `patience` seconds
    without an answer a prompt is given up, which costs a record. A refusal that no repetition can mend (wrong key, no
    such model) stops the run and loses nothing.

    What is not set follows from the model's name (`evoengine.generators.presets`) as far as every server knows it:
    temperature, top-p and stop strings. What a server thinks aloud, by itself or in a field of its own, is kept apart
    from the answer.

    A prompt's policy is asked as the model of that name, as vLLM serves its LoRA adapters. `load` needs vLLM servers
    that see the same folders: for adapters they are started with `VLLM_ALLOW_RUNTIME_LORA_UPDATING=1` and
    `--enable-lora`, for whole models with `VLLM_SERVER_DEV_MODE=1` and `--worker-extension-cls
    evoengine.generators._reloading.Reloading` (which needs this package beside vLLM). A server that had other weights
    put into it keeps them when the campaign ends, and goes back to its own when it is started again: nobody else may
    ask it then, and the campaign loads its policy again when it is resumed.

    Attributes:
        model: its name on the server.
        urls: of the servers, up to and including `/v1`.
        key_variable: the environment variable that holds the key. The key itself is never stored or shown.
        temperature, top_p, max_tokens, stop: of the sampler, where the prompt does not say.
        top_k, min_p: of the sampler too, for servers that know them.
        structured: whether the servers are vLLM, which holds an answer to a prompt's pattern; others may refuse to.
        thinking: whether the model thinks before it answers, for servers that pass `chat_template_kwargs` on; None
            for what it does by itself.
        concurrency: requests in flight at most, over all servers.
        requests_per_minute: a bound on how fast requests are sent; None for none.
        timeout: seconds until one request counts as failed.
        patience: seconds until a prompt is given up.
        price_in, price_out: US dollars for a million tokens.
        logprobs: whether to ask for log-probabilities of the sampled tokens.
        token_ids: whether to ask for the ids of the tokens that were read and sampled, which training needs and vLLM
            knows of.
        keep: how many of the policies that are loaded during the run can be asked; each further one takes the place
            of the oldest, which the servers unload once it has answered what it was asked.
        extra: further fields of the request, as the server knows them
            (`{"chat_template_kwargs": {"enable_thinking": false}}`).
    """

    model: str
    urls: Sequence[str] = ("http://127.0.0.1:8000/v1",)
    key_variable: str = "OPENAI_API_KEY"
    temperature: float | None = Field(default=None, ge=0.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: Sequence[str] = ()
    top_k: int | None = Field(default=None, ge=0)
    min_p: float | None = Field(default=None, ge=0.0, le=1.0)
    structured: bool = False
    thinking: bool | None = None
    concurrency: int = Field(default=64, ge=1)
    requests_per_minute: float | None = Field(default=None, gt=0.0)
    timeout: float = Field(default=300.0, gt=0.0)
    patience: float = Field(default=1800.0, gt=0.0)
    price_in: float = Field(default=0.0, ge=0.0)
    price_out: float = Field(default=0.0, ge=0.0)
    logprobs: bool = False
    token_ids: bool = False
    keep: int = Field(default=2, ge=2)
    extra: Mapping[str, Any] = Field(default_factory=dict)

    _current: str | None = PrivateAttr(default=None)
    _loaded: set[str] = PrivateAttr(default_factory=set)
    """Every name that ever had weights."""
    _served: list[str] = PrivateAttr(default_factory=list)
    """Adapters that were loaded and not unloaded since, the oldest first."""
    _gone: frozenset[str] = PrivateAttr(default=frozenset())
    """Policies that cannot be asked any more."""
    _weights: Weights = PrivateAttr(default_factory=Weights)

    @field_validator("urls", mode="before")
    @classmethod
    def _listed(cls, urls: object) -> object:
        return (urls,) if isinstance(urls, str) else urls

    @field_validator("urls")
    @classmethod
    def _usable(cls, urls: Sequence[str]) -> Sequence[str]:
        if not urls or not all(url.startswith(("http://", "https://")) for url in urls):
            raise ValueError("expected one or several URLs that start with http:// or https://")
        if any("@" in url.partition("//")[2].partition("/")[0] for url in urls):
            raise ValueError("a URL must not hold a key or password; put it into the environment")
        return tuple(url.rstrip("/") for url in urls)

    @cached_property
    def _endpoints(self) -> Endpoints:
        return Endpoints(self.urls)

    @cached_property
    def _pace(self) -> Pace:
        return Pace(self.requests_per_minute)

    @cached_property
    def _open(self) -> list[tuple[httpx.AsyncClient, asyncio.Semaphore]]:
        return []

    @cached_property
    def preset(self) -> Preset:
        """What is known of the model by its name."""
        return preset_of(self.model)

    @property
    def policy(self) -> str:
        return self._current or self._weights.policy or self.model

    async def __aenter__(self) -> OpenAi:
        try:
            import httpx
        except ImportError:
            raise MissingExtra("the openai generator", "openai") from None
        key = os.environ.get(self.key_variable)
        client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(self.timeout, connect=min(30.0, self.timeout)),
            limits=httpx.Limits(max_connections=self.concurrency, max_keepalive_connections=self.concurrency),
            follow_redirects=False,  # a key must not travel to where a server points
        )
        self._open[:] = [(client, asyncio.Semaphore(self.concurrency))]
        self._current, self._loaded, self._served = None, {self.model}, []
        self._gone, self._weights = frozenset(), Weights()
        return self

    async def __aexit__(self, *exc: object) -> None:
        while self._open:
            await self._open.pop()[0].aclose()

    def most_money(self, tokens: int) -> float:
        return tokens * max(self.price_in, self.price_out) / 1e6

    async def load(self, policy: str, path: str) -> None:
        if not self._open:
            raise _not_open()
        if policy in self._loaded:
            raise GeneratorError(f"policy {policy!r} has been loaded before; give every set of weights its own name.")
        if (Path(path) / "config.json").is_file():
            await self._load_whole(policy, path)
            return
        told = {"lora_name": policy, "lora_path": path}
        for endpoint in self._endpoints.all:
            said = await self._told(f"{endpoint.url}/load_lora_adapter", told)
            if isinstance(said, str) and "already" in said:  # by an earlier run of this campaign, on the same server
                await self._told(f"{endpoint.url}/unload_lora_adapter", {"lora_name": policy})
                said = await self._told(f"{endpoint.url}/load_lora_adapter", told)
            if isinstance(said, str):
                raise GeneratorError(
                    f"{endpoint.url} does not load the policy {policy!r} from {path!r} ({said}). "
                    f"It has to be vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1."
                )
        self._loaded.add(policy)
        self._served.append(policy)
        self._current = policy
        while len(self._served) > self.keep:
            oldest = self._served.pop(0)
            self._gone |= {oldest}
            for endpoint in self._endpoints.all:
                await self._told(f"{endpoint.url}/unload_lora_adapter", {"lora_name": oldest})

    async def _load_whole(self, policy: str, path: str) -> None:
        """Puts other weights into all servers, one after the other, while they answer nobody."""
        steps: list[tuple[str, dict[str, Any]]] = [
            ("/pause?mode=wait&clear_cache=false", {}),
            ("/collective_rpc", {"method": METHOD, "args": [str(Path(path).resolve())]}),
            ("/reset_prefix_cache", {}),
            ("/resume", {}),
        ]
        async with self._weights.replaced(policy, path):
            for endpoint in self._endpoints.all:
                for step, told in steps:
                    said = await self._told(endpoint.url.removesuffix("/v1") + step, told)
                    if isinstance(said, str) or said.get("success") is False:
                        raise GeneratorError(
                            f"{endpoint.url} does not load the policy {policy!r} from {path!r} ({step}: {said}). It "
                            f"has to be vLLM with VLLM_SERVER_DEV_MODE=1 and --worker-extension-cls {EXTENSION}."
                        )
            self._gone, self._current, self._served = frozenset(self._loaded), None, []
            self._loaded.add(policy)

    async def _told(self, url: str, request: dict[str, Any]) -> dict[str, Any] | str:
        """What a server says to a command, if anything; or else why it was not obeyed."""
        import json

        import httpx

        client, _ = self._open[0]
        try:
            async with asyncio.timeout(self.timeout):
                status, _, body = await self._fetched(client, url, request)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, ValueError) as error:
            return f"no answer: {type(error).__name__} {self._clean(str(error))}".rstrip()
        if status != httpx.codes.OK:
            return f"{status}: {self._clean(body.decode('utf-8', 'replace'))}"
        try:
            found = json.loads(body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        if not self._open:
            raise _not_open()
        await self._weights.ready()
        policy = prompt.policy or self.policy
        if policy in self._gone:
            raise GeneratorError(
                f"a prompt asks for the policy {policy!r}, whose weights {self.policy!r} took the place of; "
                f"raise keep, if it should be there for longer."
            )
        seeds = [None if prompt.seed is None else prompt.seed + k for k in range(n)]
        with self._weights.answering(policy):
            return await together([self._one(self._request(prompt, seed)) for seed in seeds])

    def _request(self, prompt: Prompt, seed: int | None) -> dict[str, Any]:
        preset = self.preset
        told = Sampling(
            temperature=self.temperature if prompt.temperature is None else prompt.temperature, top_p=self.top_p
        ).over(preset.sampling(self.thinking))
        wanted = {
            "temperature": told.temperature,
            "top_p": told.top_p,
            "top_k": self.top_k,
            "min_p": self.min_p,
            "chat_template_kwargs": preset.template(self.thinking) or None,
            "max_tokens": self.max_tokens if prompt.max_tokens is None else prompt.max_tokens,
            "stop": list(dict.fromkeys([*(prompt.stop or self.stop), *preset.stop])) or None,
            "seed": seed,
            "logprobs": self.logprobs or None,
            "return_token_ids": self.token_ids or None,
            "structured_outputs": {"regex": prompt.pattern} if self.structured and prompt.pattern else None,
        }
        policy = prompt.policy or self.policy
        return {
            "model": self.model if policy == self._weights.policy else policy,
            "messages": [dict(message) for message in prompt.messages] if preset.system else folded(prompt.messages),
            **{name: value for name, value in wanted.items() if value is not None},
            **self.extra,
        }

    async def _one(self, request: dict[str, Any]) -> Completion:
        client, turns = self._open[0]
        async with turns:
            await asyncio.sleep(self._pace.wait())
            given_up = self._endpoints.now + self.patience
            told = ""
            while True:
                endpoint, rest = self._endpoints.choose()
                if rest and self._endpoints.now + rest >= given_up:
                    raise NoAnswer(f"no server answered for {self.patience:g} s; the last word was: {told}")
                # spread, so that all who waited do not come back at once
                await asyncio.sleep(rest * random.uniform(1.0, 1.25) if rest else 0.0)
                endpoint.waiting += 1
                try:
                    found = await self._asked(client, endpoint, request)
                finally:
                    endpoint.waiting -= 1
                if isinstance(found, Completion):
                    endpoint.succeeded()
                    return found
                told = found

    async def _asked(self, client: httpx.AsyncClient, endpoint: Endpoint, request: dict[str, Any]) -> Completion | str:
        """The completion, or what failed in passing."""
        import httpx

        try:
            async with asyncio.timeout(self.timeout):
                response = await self._fetched(client, f"{endpoint.url}/chat/completions", request)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, ValueError) as error:
            endpoint.failed(self._endpoints.now)
            return f"{endpoint.url}: {type(error).__name__} {self._clean(str(error))}".rstrip()
        status, headers, body = response
        if status == httpx.codes.OK:
            try:
                return self._read(body)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
                endpoint.failed(self._endpoints.now)
                return f"{endpoint.url} sent no completion: {type(error).__name__} {self._clean(str(error))}"
        said = self._clean(body.decode("utf-8", "replace"))
        if status in _PASSING:
            endpoint.failed(self._endpoints.now, _retry_after(headers.get("retry-after")))
            return f"{endpoint.url} answered {status}: {said}"
        if status in _FOR_A_PERSON:
            raise GeneratorError(
                f"{endpoint.url} refuses model {self.model!r} with status {status}: {said}. Check the URL, the model's "
                f"name and the key in ${self.key_variable}; then start the same run again, it goes on where it stopped."
            )
        raise NoAnswer(f"{endpoint.url} refused the prompt with status {status}: {said}")

    async def _fetched(
        self, client: httpx.AsyncClient, url: str, request: dict[str, Any]
    ) -> tuple[int, Mapping[str, str], bytes]:
        body = bytearray()
        async with client.stream("POST", url, json=request) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise ValueError(f"the answer is longer than {_LARGEST_ANSWER >> 20} MiB")
            return response.status_code, response.headers, bytes(body)

    def _read(self, body: bytes) -> Completion:
        import json

        answer = json.loads(body)
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        message = choice["message"]
        text = _text(message["content"])
        apart = _text(message.get("reasoning_content") or message.get("reasoning"))
        if not apart:  # the server leaves it in the text, if there is any
            inside = True if self.preset.begins_inside(self.thinking) else None
            text, apart = answer_of(text, self.preset.marks, inside)
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        asked, sampled = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        ids = choice.get("token_ids") or ()
        answered = str(answer.get("model") or self.model)
        return Completion(
            text=text,
            thinking=apart,
            token_ids=tuple(_count(one) for one in ids),
            logprobs=tuple(_logprobs(choice.get("logprobs"))),
            policy=(answered == self.model and self._weights.policy) or answered,
            prompt_ids=tuple(_count(one) for one in answer.get("prompt_token_ids") or ()),
            prompt_tokens=asked,
            cached_tokens=_count(cached),
            tokens=sampled,
            money=(asked * self.price_in + sampled * self.price_out) / 1e6,
            finish=str(choice.get("finish_reason") or ""),
        )

    def _clean(self, text: str) -> str:
        """What a server said, short, on one line, and without the key if it should repeat that."""
        key = os.environ.get(self.key_variable)
        if key:
            text = text.replace(key, "***")
        return " ".join(text.split())[:_TOLD_CHARS]


def _retry_after(told: str | None) -> float | None:
    """Seconds, where the server asked for some."""
    try:
        seconds = float(told) if told is not None else None
    except ValueError:  # a date
        return None
    return seconds if seconds is None or math.isfinite(seconds) else None


def _text(value: JSON) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("the content is no text")
    return value.encode("utf-8", "replace").decode()


def _not_open() -> GeneratorError:
    return GeneratorError("the openai generator is not open: use it as a context manager.")


def _count(value: JSON) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 40:
        raise TypeError(f"expected a count, got {value!r}")
    return value


def _logprobs(told: Any) -> list[float]:
    found = [float(one["logprob"]) for one in (told or {}).get("content") or ()]
    if not all(map(math.isfinite, found)):
        raise ValueError("a log-probability is not finite")
    return found
