"""Trains a LoRA adapter by the policy's gradient."""

from __future__ import annotations

from pydantic import Field

from evoengine.plugins import build
from evoengine.rl._adapter import AdapterTrainer
from evoengine.rl._several import SeveralDevices
from evoengine.rl.loss import Loss


class Lora(AdapterTrainer, SeveralDevices):
    """AdamW on a LoRA adapter, whose base stays frozen and is the reference of the KL term.

    Rank, alpha, learning rate and betas are by default those of TTT-Discover (2026, arXiv:2601.16175).
    """

    learning_rate: float = Field(default=4e-5, ge=0.0)

    def _built(self) -> Loss:
        found: Loss = build("losses", self.loss)
        return found
