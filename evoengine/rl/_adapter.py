"""A LoRA adapter over a frozen model: what `lora` and `eggroll` have in common."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine.errors import TrainerError
from evoengine.rl._torch import TorchTrainer, computed_in, seeded


class AdapterTrainer(TorchTrainer, ABC):
    """Trains a LoRA adapter (Hu et al. 2021, arXiv:2106.09685) in float32; the model itself stays as it is.

    Attributes:
        rank: of the adapter; the generator needs room for it.
        alpha: what the adapter adds is multiplied by alpha / rank.
        targets: the linear layers that are adapted, by the ends of their names; "all-linear" for all but the last.
        initial_seed: of the random numbers that a new adapter begins with.
    """

    rank: int = Field(default=32, ge=1)
    alpha: float = Field(default=32.0, gt=0.0)
    targets: str | Sequence[str] = "all-linear"
    initial_seed: int = Field(default=0, ge=0)

    _begun: dict[str, Any] = PrivateAttr(default_factory=dict)
    """The adapter that the campaign began with, in the machine's memory."""

    def _modules(self) -> tuple[str, ...]:
        return ("peft",)

    def _make(self, model: str, initial: str | None) -> None:
        from peft import LoraConfig, PeftModel, get_peft_model
        from transformers import AutoModelForCausalLM

        base = AutoModelForCausalLM.from_pretrained(model, dtype=computed_in(self.dtype, model))
        if initial is None:
            targets = self.targets if isinstance(self.targets, str) else list(self.targets)
            config = LoraConfig(r=self.rank, lora_alpha=self.alpha, target_modules=targets, task_type="CAUSAL_LM")
            with seeded(self.initial_seed):
                self._model = get_peft_model(base, config)
        else:
            self._model = PeftModel.from_pretrained(base, initial, is_trainable=True)
            told = self._model.active_peft_config
            if (told.r, told.lora_alpha) != (self.rank, self.alpha):
                raise TrainerError(
                    f"the adapter in {initial!r} has rank {told.r} and alpha {told.lora_alpha:g}; the trainer's "
                    f"settings are rank {self.rank} and alpha {self.alpha:g}. Set them alike."
                )
        self._begun = {name: one.detach().to("cpu", copy=True) for name, one in self._weights().items()}

    def close(self) -> None:
        super().close()
        self._begun = {}

    def _plain(self) -> Any:
        return self._model.get_base_model()

    def _first(self) -> Mapping[str, Any]:
        return self._begun

    def _write(self, folder: Path) -> None:
        weights = self._gathered(self._weights())
        if self._writes():
            self._model.save_pretrained(folder, state_dict=weights)
            _put_in_order(folder / "adapter_config.json")

    @contextmanager
    def _referring(self) -> Iterator[Any]:
        with self._model.disable_adapter():
            yield self._plain()


def _put_in_order(path: Path) -> None:
    """Sorts lists of names, which peft writes in another order in every process: a policy's files tell its identity."""
    told = json.loads(path.read_text(encoding="utf-8"))
    for name, value in told.items():
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            told[name] = sorted(value)
    path.write_text(json.dumps(told, indent=2, sort_keys=True), encoding="utf-8")
