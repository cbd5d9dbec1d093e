"""What the trainers have in common that hold a model of transformers: opening it, keeping it, taking it up again."""

from __future__ import annotations

import json
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from evoengine.errors import MissingExtra, TrainerError
from evoengine.rl._scoring import check_head, deterministic, likelihood, packed
from evoengine.rl._shards import divided, portioned, shard, undivided
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Trainer

logger = logging.getLogger(__name__)

_FORMAT = 1
_SAMPLED = 1024
"""Numbers of each weight by which a model is told from another."""
_OF_THE_MACHINE = frozenset({"device", "devices"})
"""Settings that may be others when a state is taken up."""


class TorchTrainer(Trainer, ABC):
    """A causal language model of the transformers library, some of whose weights are trained.

    The same batches give the same weights to the bit on one machine, with the same number of torch's threads.

    Attributes:
        dtype: what the model computes in: "auto" for the type of the model's file (bfloat16 in the place of float16,
            whose range is too small for gradients), "float32" or "bfloat16". The weights that are trained, and all
            log-probabilities, are float32.
        device: as torch names it ("cuda:1", "cpu"); None for a GPU where there is one.
        micro_tokens: how many tokens go through the model at once at most, padding included.
    """

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: str | None = None
    micro_tokens: int = Field(default=16384, ge=1)

    _model: Any = PrivateAttr(default=None)
    _mark: str = PrivateAttr(default="")
    """Tells the model that the campaign began with from others."""
    _rate: float = PrivateAttr(default=1.0)
    """By which the learning rate is multiplied, since a revert."""
    _updates: int = PrivateAttr(default=0)
    """That changed the weights, since `open`."""
    _since: int = PrivateAttr(default=0)
    """The same since the optimizer was begun."""
    _mesh: Any = PrivateAttr(default=None)
    """The processes that the weights are divided among, of torch's; None where they are not."""

    def open(self, model: str, initial: str | None) -> None:
        self._prepare()
        device = self._placed_on()
        if device.type == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may vary its results
        try:
            self._make(model, initial)
            self._mark = _mark_of(self._plain())
            for one in self._models():
                one.eval()  # no dropout: the policy that is trained is the one that samples
                if self._mesh is None:
                    one.to(device)
                else:
                    shard(one, self._mesh)
        except TrainerError:
            self.close()
            raise
        except Exception as error:  # foreign code: no such model, no memory, a broken adapter
            self.close()
            raise TrainerError(f"cannot load {model!r} to train it: {type(error).__name__}: {error}") from error
        with self._computing():
            check_head(self._plain())
        self._updates, self._since, self._rate = 0, 0, 1.0
        self._begin()

    def close(self) -> None:
        self._model = None

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file

        self._is_open()
        tensors = {f"weights.{name}": tensor for name, tensor in self._weights().items()} | self._state()
        found = {name: one.contiguous() for name, one in self._gathered(tensors).items()}
        self._write(folder / "policy")  # nothing is gathered after this: who cannot write must keep nobody waiting
        if not self._writes():
            return
        save_file(found, _state_in(folder))
        (folder / "trainer.json").write_text(json.dumps(self._about()), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        told, tensors = self._read(folder)
        for name, wanted in self._about().items():
            if name in ("updates", "since", "rate"):
                continue
            if told.get(name) != wanted:
                raise TrainerError(f"cannot take up {str(folder)!r}: {_difference(name, told.get(name), wanted)}")
        try:
            self._put(_below("weights.", tensors))
            self._take(tensors)
            self._updates, self._since, self._rate = int(told["updates"]), int(told["since"]), float(told["rate"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise TrainerError(f"cannot take up {str(folder)!r}: it is damaged ({error}).") from error

    def revert(self, folder: Path | None, rate: float) -> None:
        self._is_open()
        if folder is None:
            self._put(self._first())
        else:
            told, tensors = self._read(folder)
            if told.get("model") != self._mark:
                raise TrainerError(f"cannot go back to {str(folder)!r}: {_difference('model', None, None)}")
            self._put(_below("weights.", tensors))
        self._rate, self._since = rate, 0
        self._begin()

    def logprobs(self, exchanges: Sequence[Exchange]) -> list[list[float]]:
        self._is_open()
        import torch

        found: dict[int, list[float]] = {}
        with torch.no_grad(), deterministic(), self._computing():
            for some in self._portion([_length(one) for one in exchanges]):
                if not some:
                    likelihood(self._plain(), [min(exchanges, key=_length)])  # the others wait for their weights
                    continue
                rows = likelihood(self._plain(), [exchanges[at] for at in some]).logprobs.tolist()
                for at, row in zip(some, rows, strict=True):
                    found[at] = row[: len(exchanges[at].token_ids)]
        every = {at: row for part in self._heard(found) for at, row in part.items()}
        return [every[at] for at in range(len(exchanges))]

    @abstractmethod
    def _make(self, model: str, initial: str | None) -> None:
        """Sets `_model`, on the CPU, with what is to be trained asking for gradients."""

    @abstractmethod
    def _plain(self) -> Any:
        """The model as transformers knows it."""

    @abstractmethod
    def _first(self) -> Mapping[str, Any]:
        """The weights by name that the campaign began with."""

    @abstractmethod
    def _write(self, folder: Path) -> None:
        """Writes the policy."""

    def _modules(self) -> tuple[str, ...]:
        """What is needed beside torch and transformers."""
        return ()

    def _models(self) -> Sequence[Any]:
        """All that has to be on the device, as transformers knows it."""
        return (self._plain(),)

    def _prepare(self) -> None:
        """Sees to it that all is there that `open` needs beside the model."""
        for module in ("torch", "transformers", *self._modules()):
            if find_spec(module) is None:
                raise MissingExtra(f"the trainer {type(self).__name__.lower()}", "train")

    def _placed_on(self) -> Any:
        """The device of the settings."""
        import torch

        return torch.device(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))

    def _portion(self, lengths: Sequence[int]) -> list[list[int]]:
        """The micro-batches of sequences that this process sees to; empty ones are there to keep up with the others."""
        if self._mesh is None:
            return packed(lengths, self.micro_tokens)
        return portioned(lengths, self.micro_tokens, self._mesh.size())[self._mesh.get_rank()]

    def _heard(self, said: Any) -> list[Any]:
        """What each of the processes says, in their order."""
        if self._mesh is None:
            return [said]
        import torch.distributed as together

        found = [None] * self._mesh.size()
        together.all_gather_object(found, said)
        return found

    def _writes(self) -> bool:
        """Whether it is this process that writes files."""
        return self._mesh is None or self._mesh.get_rank() == 0

    def _gathered(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """The whole of each tensor, in the machine's memory; empty where this process does not write."""
        found = {}
        for name, one in tensors.items():
            full = undivided(one)
            if self._writes():
                found[name] = full.cpu()
        return found

    def _computing(self) -> AbstractContextManager[Any]:
        """In which the model is called."""
        return nullcontext()

    def _begin(self) -> None:
        """Begins anew with the optimizer."""

    def _state(self) -> dict[str, Any]:
        """What there is beside the weights, tensors by name."""
        return {}

    def _take(self, state: Mapping[str, Any]) -> None:
        """Takes up what `_state` gave."""

    def _weights(self) -> dict[str, Any]:
        """What is trained, by name."""
        return {name: one for name, one in self._model.named_parameters() if one.requires_grad}

    def _put(self, weights: Mapping[str, Any]) -> None:
        """Puts numbers into the weights, all or none."""
        import torch

        own = self._weights()
        if own.keys() != weights.keys() or any(own[name].shape != one.shape for name, one in weights.items()):
            raise ValueError("its weights have other names or shapes than the model's")
        with torch.no_grad():
            for name, one in weights.items():
                own[name].copy_(divided(one, own[name]))

    def _read(self, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        self._is_open()
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            told = json.loads((folder / "trainer.json").read_text(encoding="utf-8"))
            return dict(told), load_file(_state_in(folder))
        except (OSError, ValueError, TypeError, SafetensorError) as error:
            raise TrainerError(f"cannot read the trainer's state in {str(folder)!r}: {error}") from error

    def _about(self) -> dict[str, Any]:
        settings = {name: one for name, one in self.settings().items() if name not in _OF_THE_MACHINE}
        return {
            "format": _FORMAT,
            "trainer": type(self).__name__,
            "model": self._mark,
            "settings": settings,
            "updates": self._updates,
            "since": self._since,
            "rate": self._rate,
        }

    def _is_open(self) -> None:
        if self._model is None:
            raise TrainerError(f"the trainer {type(self).__name__.lower()} is not open: call open() first.")


def check_examples(model: Any, exchanges: Sequence[Exchange]) -> None:
    """Refuses what cannot be learnt from.

    Raises:
        TrainerError: an exchange lacks ids or log-probabilities, or has ids that the model does not know.
    """
    import math

    most = model.get_input_embeddings().weight.shape[0]
    for one in exchanges:
        if not one.prompt_ids or not one.token_ids or len(one.logprobs) != len(one.token_ids):
            raise TrainerError(
                f"an answer of {one.policy!r} cannot be learnt from: it has {len(one.prompt_ids)} prompt ids, "
                f"{len(one.token_ids)} token ids and {len(one.logprobs)} log-probabilities. Set the generator's "
                f"logprobs (and token_ids, for a server)."
            )
        if not all(map(math.isfinite, one.logprobs)):
            raise TrainerError(f"an answer of {one.policy!r} has a log-probability that is not finite.")
        if not all(0 <= token < most for token in (*one.prompt_ids, *one.token_ids)):
            raise TrainerError(
                f"an answer of {one.policy!r} has a token id beyond the model's {most}: the model that samples and the "
                f"one that is trained must be the same."
            )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of torch's that follow from a seed, on the CPU; the global ones go on as if nothing had been."""
    import torch

    before = torch.random.get_rng_state()
    torch.random.default_generator.manual_seed(seed)  # torch.manual_seed would reseed every GPU too
    try:
        yield
    finally:
        torch.random.set_rng_state(before)


def computed_in(dtype: str, model: str) -> Any:
    """The torch type that a model computes in."""
    import torch
    from transformers import AutoConfig

    if dtype != "auto":
        return getattr(torch, dtype)
    told = AutoConfig.from_pretrained(model).get_text_config().dtype or torch.float32
    return torch.bfloat16 if told == torch.float16 else told


def _length(exchange: Exchange) -> int:
    return len(exchange.prompt_ids) + len(exchange.token_ids)


def _state_in(folder: Path) -> Path:
    return folder / "state.safetensors"


def _below(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def _mark_of(model: Any) -> str:
    """A digest of the weights' names, shapes and some of their numbers, evenly spread; without adapters."""
    import torch

    digest = blake2b(type(model).__name__.encode(), digest_size=16)
    own = {name.replace(".base_layer.", "."): one for name, one in model.named_parameters() if ".lora_" not in name}
    for name, one in sorted(own.items()):
        flat = one.detach().reshape(-1)
        some = flat[:: max(1, flat.numel() // _SAMPLED)].to("cpu").float().contiguous()
        digest.update(f"{name} {tuple(one.shape)}".encode())
        digest.update(some.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _difference(name: str, told: Any, wanted: Any) -> str:
    match name:
        case "settings":
            told = told if isinstance(told, dict) else {}
            names = sorted(one for one in {*told, *wanted} if told.get(one) != wanted.get(one))
            each = "; ".join(f"{one} {told.get(one)!r}, now {wanted.get(one)!r}" for one in names)
            return f"it was made with other settings ({each}). Take those again, or begin a new campaign."
        case "model":
            return "it was made with another model. Take that again, or begin a new campaign."
        case _:
            return f"its {name} is {told!r}, and not {wanted!r}."
