"""Trains all weights of a model by the policy's gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from pathlib import Path
from shutil import copyfile
from typing import Any

from pydantic import PrivateAttr

from evoengine.errors import TrainerError
from evoengine.plugins import build
from evoengine.rl._several import SeveralDevices
from evoengine.rl._torch import computed_in
from evoengine.rl.loss import Loss

_TOKENIZERS = (
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "chat_template*"),
    *("vocab.*", "merges.txt", "spiece.model", "sentencepiece*.model", "*.tiktoken"),
)
"""Names of the files that a tokenizer consists of."""


class Full(SeveralDevices):
    """AdamW on all weights.

    They are held in float32, as steps of 1e-6 are lost in bfloat16, and computed with in `dtype`: with their gradient
    and the optimizer's state they take 16 bytes each, and the frozen base 4 more, unless `measure_kl` is false and the
    loss does not ask for it. The policy is written in `dtype`, with the tokenizer's files.
    """

    _name: str = PrivateAttr(default="")
    _type: Any = PrivateAttr(default=None)
    _frozen: Any = PrivateAttr(default=None)

    def _built(self) -> Loss:
        found: Loss = build("losses", self.loss)
        return found

    def _make(self, model: str, initial: str | None) -> None:
        if initial is not None:
            raise TrainerError(
                f"all weights cannot be trained from the adapter {initial!r}: leave the generator's initial policy "
                f"out, or take the trainer lora."
            )
        self._name, self._type = model, computed_in(self.dtype, model)
        self._model = _loaded(model)
        self._model.requires_grad_(True)
        assert self._surrogate is not None
        if self._surrogate.needs_reference or self.measure_kl:
            self._frozen = deepcopy(self._model).eval().requires_grad_(False)

    def close(self) -> None:
        super().close()
        self._frozen = None

    def _plain(self) -> Any:
        return self._model

    def _models(self) -> Sequence[Any]:
        return (self._model,) if self._frozen is None else (self._model, self._frozen)

    def _first(self) -> Mapping[str, Any]:
        return dict(_loaded(self._name).named_parameters())

    def _write(self, folder: Path) -> None:
        every = self._model.state_dict(keep_vars=True)
        names = {id(one): name for name, one in every.items()}  # weights that are one stay one
        once = {name: every[name].detach() for name in names.values()}
        cast = self._gathered({
            name: one.to(self._type) if one.is_floating_point() else one for name, one in once.items()
        })  # fmt: skip
        if self._writes():
            self._model.save_pretrained(folder, state_dict={name: cast[names[id(one)]] for name, one in every.items()})
            _copy_tokenizer(self._name, folder)

    def _computing(self) -> AbstractContextManager[Any]:
        import torch

        if self._type == torch.float32:
            return nullcontext()
        # its cache would keep all that is gathered of a divided model, layer by layer
        found: AbstractContextManager[Any] = torch.autocast(
            self._model.device.type, dtype=self._type, cache_enabled=self._mesh is None
        )
        return found

    @contextmanager
    def _referring(self) -> Iterator[Any]:
        yield self._frozen


def _copy_tokenizer(model: str, folder: Path) -> None:
    """Puts the tokenizer's files beside a policy, as far as they lie beside the model, so that it can be served alone.

    Of a model of the hub, that is what has been downloaded of it.
    """
    from transformers.utils import cached_file

    beside = Path(cached_file(model, "config.json")).parent
    for path in (one for pattern in _TOKENIZERS for one in sorted(beside.glob(pattern))):
        if path.is_file() and not (folder / path.name).exists():
            copyfile(path, folder / path.name)


def _loaded(model: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
