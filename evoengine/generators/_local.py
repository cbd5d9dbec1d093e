"""What the generators have in common that hold the model themselves."""

from __future__ import annotations

import asyncio
from abc import ABC
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine.errors import GeneratorError, NoAnswer
from evoengine.generators._chat import answer_of, ids_of, written
from evoengine.generators._weights import Weights
from evoengine.generators.base import Generator
from evoengine.generators.presets import Preset, Sampling, preset_of
from evoengine.types import Completion, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A prompt in the model's own terms."""

    ids: list[int]
    """(T,)"""
    inside: bool | None
    """Whether the answer begins inside the model's thinking; None for models that may leave the opening mark out."""


class Local(Generator, ABC):
    """A model in this process or in one that it starts.

    What is not set follows from the model's name (`evoengine.generators.presets`), and else from the
    `generation_config.json` that comes with the model.

    Attributes:
        model: its name on the Hugging Face hub, or its folder.
        policies: LoRA adapters by name, each the folder that peft's `save_pretrained` wrote.
        initial: which of the policies answers at first; None for the model itself, whose policy is its name.
        dtype: "auto" for that of the model's file, or "float32", "bfloat16", "float16".
        max_model_len: the longest prompt and answer together, in tokens; None for the longest that the model and the
            memory allow.
        temperature, top_p, top_k, min_p, max_tokens, stop: of the sampler, where the prompt does not say.
            A `top_k` of 0 is none. `max_tokens` None is as many as fit.
        thinking: whether the model thinks before it answers, where it can be told; None for what it does by itself.
        template: further variables for the chat template.
        keep: how many of the policies that are loaded during the run can be asked; each further one takes the place
            of the oldest, once that has answered what it was asked.
        logprobs: whether completions carry the prompt's token ids, and the log-probabilities of their own tokens:
            those of the model itself, at temperature 1 and before top-p and the like, in float32.
    """

    model: str
    policies: Mapping[str, str] = Field(default_factory=dict)
    initial: str | None = None
    dtype: str = "auto"
    max_model_len: int | None = Field(default=None, ge=2)
    temperature: float | None = Field(default=None, ge=0.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    top_k: int | None = Field(default=None, ge=0)
    min_p: float | None = Field(default=None, ge=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: Sequence[str] = ()
    thinking: bool | None = None
    template: Mapping[str, Any] = Field(default_factory=dict)
    keep: int = Field(default=2, ge=2)
    logprobs: bool = False

    _adapters: dict[str, str] = PrivateAttr(default_factory=dict)
    """Folder by name, of all that can answer now."""
    _current: str | None = PrivateAttr(default=None)
    _known: set[str] = PrivateAttr(default_factory=set)
    """Every name that ever had weights."""
    _loaded: list[str] = PrivateAttr(default_factory=list)
    """Policies that were loaded during the run, the oldest first."""
    _weights: Weights = PrivateAttr(default_factory=Weights)

    def model_post_init(self, context: Any, /) -> None:
        if self.model in self.policies:
            raise ValueError(f"a policy must not be called like the model, {self.model!r}")
        if self.initial is not None and self.initial not in self.policies:
            raise ValueError(f"initial is {self.initial!r}; policies are: {', '.join(self.policies) or 'none'}")
        super().model_post_init(context)

    @cached_property
    def preset(self) -> Preset:
        """What is known of the model by its name."""
        return preset_of(self.model)

    @property
    def policy(self) -> str:
        return self._current or self._own

    @property
    def _own(self) -> str:
        """The name of the weights that answer without an adapter."""
        return self._weights.policy or self.model

    def _begin(self) -> None:
        """Goes back to the policies of the settings."""
        for name, path in self.policies.items():
            if not is_adapter(name, path):
                raise GeneratorError(
                    f"policy {name!r}: {path!r} holds a whole model, and no LoRA adapter; give it as the model."
                )
        self._adapters, self._current = dict(self.policies), self.initial
        self._known, self._loaded, self._weights = {self.model, *self.policies}, [], Weights()

    def _checked(self, policy: str, path: str) -> None:
        """Refuses a policy that cannot be loaded."""
        if policy in self._known:
            raise GeneratorError(f"policy {policy!r} has been loaded before; give every set of weights its own name.")
        is_adapter(policy, path)

    async def _made_room(self) -> str | None:
        """The policy that has to go before another is loaded; nobody asks it any more. None where there is room."""
        if len(self._loaded) < self.keep:
            return None
        oldest = self._loaded.pop(0)
        del self._adapters[oldest]
        while self._weights.asking[oldest]:
            await asyncio.sleep(0.01)
        return oldest

    def _took_over(self, policy: str, path: str) -> None:
        """Notes that a policy has been loaded and answers from now on."""
        self._known.add(policy)
        self._loaded.append(policy)
        self._adapters[policy], self._current = path, policy

    @asynccontextmanager
    async def _replaced(self, policy: str, path: str) -> AsyncIterator[None]:
        """While other weights take the place of the model's own.

        Afterwards the policies of before cannot be asked any more; adapters were made for other weights than these.
        """
        async with self._weights.replaced(policy, path):
            yield
            self._adapters, self._loaded, self._current = {}, [], None
            self._known.add(policy)

    @asynccontextmanager
    async def _answering(self, prompt: Prompt) -> AsyncIterator[str | None]:
        """While a prompt is answered: gives the adapter that it asks for, None for the model itself."""
        await self._weights.ready()
        policy = self._asked(prompt)
        with self._weights.answering(policy):
            yield policy

    def _asked(self, prompt: Prompt) -> str | None:
        """The adapter that a prompt asks for; None for the model itself."""
        if prompt.policy is None:
            return self._current
        if prompt.policy == self._own:
            return None
        if prompt.policy in self._adapters:
            return prompt.policy
        there = ", ".join([self._own, *self._adapters])
        replaced = self._weights.policy is not None and prompt.policy in self._known
        way_out = f"Its weights were replaced by {self._own!r}" if replaced else "Load it first"
        raise GeneratorError(f"a prompt asks for the policy {prompt.policy!r}; there are: {there}. {way_out}.")

    def _written(self, tokenizer: Any, prompt: Prompt, longest: int) -> Written:
        variables = {**self.preset.template(self.thinking), **self.template}
        try:
            text = written(tokenizer, prompt.messages, variables, self.preset.system)
        except Exception as error:  # the template is the model's: foreign code on what an operator wrote
            raise NoAnswer(f"the model's chat template refuses the prompt: {type(error).__name__}: {error}") from error
        ids = ids_of(tokenizer, text)
        if len(ids) >= longest:
            raise NoAnswer(
                f"the prompt has {len(ids)} tokens, and the model takes {longest} with the answer: "
                f"shorten the prompt, or raise max_model_len."
            )
        opened = text.rstrip().endswith(self.preset.marks[0])
        return Written(ids=ids, inside=True if opened else None if self.preset.special else False)

    def _sampling(self, prompt: Prompt, default: Mapping[str, Any]) -> Sampling:
        """How this prompt is sampled, nothing left open.

        Args:
            prompt: wins over all.
            default: settings that come with the model.
        """
        told = Sampling(
            temperature=self.temperature if prompt.temperature is None else prompt.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
        )
        own = Sampling(**{name: default.get(name) for name in ("temperature", "top_p", "top_k", "min_p")})
        last = Sampling(temperature=1.0, top_p=1.0, top_k=0, min_p=0.0)
        return told.over(self.preset.sampling(self.thinking)).over(own).over(last)

    def _stops(self, prompt: Prompt) -> list[str]:
        return list(dict.fromkeys([*(prompt.stop or self.stop), *self.preset.stop]))

    def _completion(self, text: str, asked: Written, policy: str | None, **rest: Any) -> Completion:
        told = answer_of(text, self.preset.marks, asked.inside)
        return Completion(
            text=told.text,
            thinking=told.thinking,
            policy=policy or self._own,
            prompt_tokens=len(asked.ids),
            prompt_ids=tuple(asked.ids) if self.logprobs else (),
            **rest,
        )


def is_adapter(name: str, path: str) -> bool:
    """Whether a policy is a LoRA adapter, and not a whole model.

    Raises:
        GeneratorError: it is neither.
    """
    if (Path(path) / "adapter_config.json").is_file():
        return True
    if (Path(path) / "config.json").is_file():
        return False
    raise GeneratorError(
        f"policy {name!r}: there is no LoRA adapter (adapter_config.json) and no model (config.json) in {path!r}."
    )


def rank_of(path: str) -> int:
    """The rank of a LoRA adapter."""
    import json

    told: int = json.loads((Path(path) / "adapter_config.json").read_text(encoding="utf-8"))["r"]
    return told
