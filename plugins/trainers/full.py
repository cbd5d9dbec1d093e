"""Trains all weights of a model by the policy's gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from evoengine.errors import TrainerError
from evoengine.plugins import build
from evoengine.rl._gradient import GradientTrainer
from evoengine.rl._torch import computed_in
from evoengine.rl.loss import Loss


class Full(GradientTrainer):
    """AdamW on all weights.

    They are held in float32, as steps of 1e-6 are lost in bfloat16, and computed with in `dtype`: with their gradient
    and the optimizer's state they take 16 bytes each, and 4 more where the loss asks for the frozen base. The policy is
    written in `dtype`.
    """

    _name: str = PrivateAttr(default="")
    _type: Any = PrivateAttr(default=None)
    _frozen: Any = PrivateAttr(default=None)

    def _built(self) -> Loss:
        found: Loss = build("losses", self.loss)
        return found

    def _make(self, model: str, initial: str | None, device: Any) -> None:
        if initial is not None:
            raise TrainerError(
                f"all weights cannot be trained from the adapter {initial!r}: leave the generator's initial policy "
                f"out, or take the trainer lora."
            )
        self._name, self._type = model, computed_in(self.dtype, model)
        self._model = _loaded(model).to(device)
        self._model.requires_grad_(True)
        assert self._surrogate is not None
        if self._surrogate.needs_reference:
            self._frozen = deepcopy(self._model).eval().requires_grad_(False)

    def close(self) -> None:
        super().close()
        self._frozen = None

    def _plain(self) -> Any:
        return self._model

    def _first(self) -> Mapping[str, Any]:
        return dict(_loaded(self._name).named_parameters())

    def _write(self, folder: Path) -> None:
        cast: dict[int, Any] = {}  # by address, so that weights that are one stay one
        told = {}
        for name, one in self._model.state_dict().items():
            if one.data_ptr() not in cast:
                cast[one.data_ptr()] = one.to(self._type) if one.is_floating_point() else one
            told[name] = cast[one.data_ptr()]
        self._model.save_pretrained(folder, state_dict=told)

    def _computing(self) -> AbstractContextManager[Any]:
        import torch

        if self._type == torch.float32:
            return nullcontext()
        found: AbstractContextManager[Any] = torch.autocast(self._model.device.type, dtype=self._type)
        return found

    @contextmanager
    def _referring(self) -> Iterator[Any]:
        yield self._frozen


def _loaded(model: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
