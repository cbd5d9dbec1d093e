"""A Hugging Face model in this process: for small machines, and where vLLM does not run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr

from evoengine.errors import GeneratorError, MissingExtra
from evoengine.generators._chat import together
from evoengine.generators._local import Local, Written, is_adapter
from evoengine.generators.presets import Sampling
from evoengine.types import Completion, Prompt

_T = TypeVar("_T")


@dataclass(eq=False, kw_only=True)
class _Row:
    """A completion as it grows."""

    asked: Written
    policy: str | None
    sampling: Sampling
    stops: list[str]
    room: int
    """How many tokens it may have."""
    numbers: random.Random
    done: asyncio.Future[Completion]
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


class Transformers(Local):
    """Runs a causal model of the transformers library, on a GPU where there is one.

    Prompts that wait are answered together, up to `batch` of the same policy; those that come later wait for the end
    of that batch. What a completion holds follows from its own prompt and seed: each has its own random numbers, and
    one is drawn for each token. Only rounding differs with the company a prompt is in, and may turn a close choice.

    Log-probabilities are those that vLLM reports by default: of the model itself, in float32.

    Attributes:
        device: as torch names it ("cuda:1", "cpu"); None for a GPU where there is one.
        batch: how many prompts are answered together at most.
        gather: seconds that a batch waits for company.
    """

    device: str | None = None
    batch: int = Field(default=16, ge=1)
    gather: float = Field(default=0.01, ge=0.0)

    _model: Any = PrivateAttr(default=None)
    _tokenizer: Any = PrivateAttr(default=None)
    _waiting: list[_Row] = PrivateAttr(default_factory=list)
    _came: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _serving: asyncio.Task[None] | None = PrivateAttr(default=None)
    _thread: ThreadPoolExecutor | None = PrivateAttr(default=None)
    """The only thread that touches the model."""
    _closing: bool = PrivateAttr(default=False)
    _change: asyncio.Lock = PrivateAttr(default_factory=asyncio.Lock)

    async def __aenter__(self) -> Transformers:
        if find_spec("torch") is None or find_spec("transformers") is None:
            raise MissingExtra("the transformers generator", "train")
        self._begin()
        self._waiting, self._closing = [], False
        self._came, self._change = asyncio.Event(), asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transformers")
        try:
            await self._in_thread(self._open)
        except Exception as error:  # foreign code: no such model, no memory
            self._thread.shutdown()
            if isinstance(error, GeneratorError | MissingExtra):
                raise
            raise GeneratorError(
                f"transformers could not load {self.model!r}: {type(error).__name__}: {error}"
            ) from error
        self._serving = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._closing = True
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        for row in self._waiting:
            row.done.cancel()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.shutdown)
        self._model = self._tokenizer = self._thread = self._serving = None

    async def load(self, policy: str, path: str) -> None:
        async with self._change:
            if self._model is None:
                raise _not_open()
            self._checked(policy, path)
            if not is_adapter(policy, path):
                await self._load_whole(policy, path)
                return
            oldest = await self._made_room()
            try:
                await self._in_thread(self._adapt, policy, path)
                if oldest is not None:
                    await self._in_thread(self._model.delete_adapter, oldest)
            except (OSError, ValueError, RuntimeError, KeyError) as error:
                raise GeneratorError(f"cannot load the policy {policy!r} from {path!r}: {error}") from error
            self._took_over(policy, path)

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        if self._model is None or self._closing:
            raise _not_open()
        async with self._answering(prompt) as policy:
            return await together([_result(row) for row in self._rows(prompt, n, policy)])

    def _rows(self, prompt: Prompt, n: int, policy: str | None) -> list[_Row]:
        """`n` answers to a prompt, which wait for the model from now on."""
        asked = self._written(self._tokenizer, prompt, self._longest)
        sampling = self._sampling(prompt, self._model.generation_config.to_dict())
        room = self._longest - len(asked.ids)
        rows = [
            _Row(
                asked=asked,
                policy=policy,
                sampling=sampling,
                stops=self._stops(prompt),
                room=min(room, prompt.max_tokens or self.max_tokens or room),
                numbers=random.Random(None if prompt.seed is None else prompt.seed + k),
                done=asyncio.get_running_loop().create_future(),
            )
            for k in range(n)
        ]
        self._waiting += rows
        self._came.set()
        return rows

    async def _load_whole(self, policy: str, path: str) -> None:
        try:
            told = await self._in_thread(self._whole_model, path)
            async with self._replaced(policy, path):
                await self._in_thread(self._replace, told)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise GeneratorError(f"cannot load the policy {policy!r} from {path!r}: {error}") from error

    async def _serve(self) -> None:
        """Answers what waits, batch by batch."""
        while True:
            await self._came.wait()
            await asyncio.sleep(self.gather)
            self._waiting = [row for row in self._waiting if not row.done.done()]
            if not self._waiting:
                self._came.clear()
                continue
            policy = self._waiting[0].policy
            batch = [row for row in self._waiting if row.policy == policy][: self.batch]
            self._waiting = [row for row in self._waiting if row not in batch]
            try:
                await self._in_thread(self._answer, batch, asyncio.get_running_loop())
            except Exception as error:  # foreign code: no memory, a driver's fault
                told = GeneratorError(
                    f"transformers failed with {self.model!r}: {type(error).__name__}: {error}. Where memory is "
                    f"short lower batch ({self.batch}) or max_model_len."
                )
                for row in batch:
                    if not row.done.done():
                        row.done.set_exception(told)
            except asyncio.CancelledError:
                for row in batch:
                    row.done.cancel()
                raise

    async def _in_thread(self, work: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    @property
    def _longest(self) -> int:
        own: int = self._model.config.get_text_config().max_position_embeddings
        return min(own, self.max_model_len or own, self.preset.context or own)

    # Below: in the model's thread.

    def _open(self) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer = AutoTokenizer.from_pretrained(self.model)
        self._model = AutoModelForCausalLM.from_pretrained(self.model, dtype=self.dtype).to(device).eval()
        for name, path in self.policies.items():
            self._adapt(name, path)

    def _adapt(self, policy: str, path: str) -> None:
        try:
            from peft import PeftModel
        except ImportError:
            raise MissingExtra("a LoRA adapter for the transformers generator", "train") from None
        if isinstance(self._model, PeftModel):
            self._model.load_adapter(path, adapter_name=policy)
        else:
            self._model = PeftModel.from_pretrained(self._model, path, adapter_name=policy)
        self._model.eval()

    def _whole_model(self, path: str) -> Any:
        """Another model, whose weights fit into the one that answers."""
        from transformers import AutoModelForCausalLM

        own = self._unadapted()
        model, told = AutoModelForCausalLM.from_pretrained(
            path, dtype=next(own.parameters()).dtype, output_loading_info=True
        )
        if missing := sorted(told["missing_keys"]):
            raise ValueError(f"it lacks {', '.join(missing)}")
        if type(model) is not type(own) or _shapes(model) != _shapes(own):
            raise ValueError(f"its weights have other names or shapes than those of {self.model!r}")
        return model

    def _replace(self, told: Any) -> None:
        """Puts a model's weights into the one that answers."""
        import torch

        if self._unadapted() is not self._model:
            self._model = self._model.unload()  # the adapters were made for other weights
        with torch.no_grad():
            for own, new in zip(self._model.parameters(), told.parameters(), strict=True):
                own.copy_(new)

    def _unadapted(self) -> Any:
        return self._model.get_base_model() if hasattr(self._model, "get_base_model") else self._model

    def _answer(self, batch: Sequence[_Row], loop: asyncio.AbstractEventLoop) -> None:
        """Writes all answers of a batch, token by token, and hands each over when it is whole."""
        import torch

        policy = batch[0].policy
        if policy is not None:
            self._model.set_adapter(policy)
        adapted = policy is not None or not hasattr(self._model, "disable_adapter")
        with torch.inference_mode(), nullcontext() if adapted else self._model.disable_adapter():
            self._write(list(batch), loop)

    def _write(self, rows: list[_Row], loop: asyncio.AbstractEventLoop) -> None:
        import torch
        from transformers import DynamicCache

        device, cache = self._model.device, DynamicCache(config=self._model.config)
        width = max(len(row.asked.ids) for row in rows)
        pads = [width - len(row.asked.ids) for row in rows]
        ids = torch.tensor([[0] * pad + row.asked.ids for pad, row in zip(pads, rows, strict=True)], device=device)
        mask = torch.tensor([[0] * pad + [1] * (width - pad) for pad in pads], device=device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        ends = self._ends()
        while rows:
            found = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            logits = found.logits[:, -1].float()
            tokens = [_drawn(row, of) for row, of in zip(rows, logits, strict=True)]
            whole = torch.log_softmax(logits, -1) if self.logprobs else None
            going = []
            for at, (row, token) in enumerate(zip(rows, tokens, strict=True)):
                row.ids.append(token)
                if whole is not None:
                    row.logprobs.append(float(whole[at, token]))
                if row.done.done() or self._closing:  # nobody waits for it any more
                    continue
                completion = self._ended(row, ends)
                if completion is None:
                    going.append(at)
                else:
                    loop.call_soon_threadsafe(_hand_over, row, completion)
            if len(going) < len(rows):
                rows = [rows[at] for at in going]
                chosen = torch.tensor(going, dtype=torch.long, device=device)
                if rows:
                    cache.batch_select_indices(chosen)
                mask, positions = mask[chosen], positions[chosen]
            ids = torch.tensor([[tokens[at]] for at in going], device=device)
            mask = torch.cat([mask, mask.new_ones(len(going), 1)], dim=-1)
            positions = positions[:, -1:] + 1

    def _ends(self) -> set[int]:
        told = self._model.generation_config.eos_token_id
        ends = {told} if isinstance(told, int) else set(told or ())
        return ends | ({self._tokenizer.eos_token_id} - {None})

    def _ended(self, row: _Row, ends: set[int]) -> Completion | None:
        """The completion, if its last token ended it."""
        text, finish = "", ""
        if row.ids[-1] in ends:
            text, finish = self._text(row.ids[:-1]), "stop"
        elif row.stops and any(stop in self._tail(row) for stop in row.stops):
            text, finish = self._text(row.ids), "stop"
            text = text[: min(at for at in map(text.find, row.stops) if at >= 0)]
        elif len(row.ids) >= row.room:
            text, finish = self._text(row.ids), "length"
        if not finish:
            return None
        return self._completion(
            text,
            row.asked,
            row.policy,
            token_ids=tuple(row.ids),
            logprobs=tuple(row.logprobs),
            tokens=len(row.ids),
            finish=finish,
        )

    def _tail(self, row: _Row) -> str:
        """The end of the text, long enough for every stop string: a character takes four tokens at most."""
        return self._text(row.ids[-4 * max(map(len, row.stops)) - 4 :])

    def _text(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=not self.preset.special)
        return text


def _shapes(model: Any) -> dict[str, Any]:
    """The shapes of a model's own weights, by the names that they have without adapters."""
    named = model.named_parameters()
    return {name.replace(".base_layer.", "."): one.shape for name, one in named if ".lora_" not in name}


def _drawn(row: _Row, logits: Any) -> int:
    """The next token, from the logits (V,): by the likeliest first, until the row's random number is used up."""
    import torch

    sampling = row.sampling
    if not sampling.temperature:
        return int(logits.argmax())
    share, tokens = torch.softmax(logits / sampling.temperature, -1).sort(descending=True, stable=True)
    kept = share >= (sampling.min_p or 0.0) * share[0]
    if sampling.top_k:
        kept[sampling.top_k :] = False
    share = share * kept
    before = share.cumsum(-1) - share
    share = share * (before < (1.0 if sampling.top_p is None else sampling.top_p) * share.sum())
    total = share.double().cumsum(-1)
    place = int(torch.searchsorted(total, row.numbers.random() * float(total[-1]), right=True))
    return int(tokens[min(place, int(share.count_nonzero()) - 1)])


def _hand_over(row: _Row, completion: Completion) -> None:
    if not row.done.done():
        row.done.set_result(completion)


async def _result(row: _Row) -> Completion:
    return await row.done


def _not_open() -> GeneratorError:
    return GeneratorError("the transformers generator is not open: use it as a context manager.")
