"""Trains a LoRA adapter by an evolution strategy: no gradient is computed, only answers are compared."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from evoengine.errors import TrainerError
from evoengine.rl._adapter import AdapterTrainer
from evoengine.rl.trainer import Batch

_LEAST_VARIANCE = 1e-5


class Eggroll(AdapterTrainer):
    """EGGROLL (HyperscaleES, 2025, arXiv:2511.16652) over the factors of a LoRA adapter.

    Member i of a population answers under the factors M + s_i E_i, with E_i = sigma / sqrt(k) U_i V_i^T of rank k from
    a standard normal, the same for members 2j and 2j + 1 and with opposite signs s_i. Its fitness is the mean advantage
    of its answers, less the population's mean and over its deviation. The factors move by

        learning_rate * sqrt(N) * mean_i(fitness_i s_i E_i)

    which is about as far as a member is from them, times the learning rate. The noise is never kept: it follows from
    `initial_seed` and the number of updates.

    Attributes:
        sigma: how far members are from the policy.
        noise_rank: k.
        learning_rate: see above.
    """

    population: ClassVar[bool] = True

    sigma: float = Field(default=1e-3, gt=0.0)
    noise_rank: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1.0, ge=0.0)

    def members(self, folder: Path, count: int) -> Mapping[int, Path]:
        self._is_open()
        before = {name: one.detach().clone() for name, one in self._weights().items()}
        found = {}
        try:
            for member in range(count):
                noise = self._noise(self._updates, member)
                self._put({name: one + noise[name] for name, one in before.items()})
                found[member] = folder / f"member-{member}"
                self._write(found[member])
        finally:
            self._put(before)
        return found

    def step(self, batch: Batch) -> dict[str, float]:
        self._is_open()
        import torch

        answers: dict[tuple[int, int], list[float]] = defaultdict(list)
        for one in batch.examples:
            answers[self._updates - one.staleness, one.member].append(one.advantage)
        fitness = {key: sum(values) / len(values) for key, values in sorted(answers.items())}
        counts = {
            "sequences": float(len(batch.examples)),
            "tokens": float(sum(len(one.exchange.token_ids) for one in batch.examples)),
            "members": float(len(fitness)),
        }
        mean = sum(fitness.values()) / max(1, len(fitness))
        variance = sum((one - mean) ** 2 for one in fitness.values()) / max(1, len(fitness))
        if not math.isfinite(variance):
            raise TrainerError(f"an advantage of update {batch.number} is not finite; nothing was changed.")
        if not variance:
            return {**counts, "dead": 1.0}
        scale = self._rate * self.learning_rate / math.sqrt(len(fitness))
        moves: dict[str, Any] = {name: torch.zeros_like(one) for name, one in self._weights().items()}
        for (update, member), value in fitness.items():
            share = scale * (value - mean) / math.sqrt(variance + _LEAST_VARIANCE)
            for name, noise in self._noise(update, member).items():
                moves[name] += share * noise
        norm = math.sqrt(sum(float((one.double() ** 2).sum()) for one in moves.values()))
        if not math.isfinite(norm):
            raise TrainerError(f"update {batch.number} would be of length {norm:g}; nothing was changed.")
        if norm:
            self._put({name: one.detach() + moves[name] for name, one in self._weights().items()})
        self._updates += 1
        self._since += 1
        facts = {"fitness_mean": mean, "fitness_deviation": math.sqrt(variance), "update_norm": norm}
        return {**counts, "dead": 0.0, **facts, "lr": self._rate * self.learning_rate}

    def _noise(self, update: int, member: int) -> dict[str, Any]:
        """What a member has more than the policy, by weight; the population is that for the update after so many."""
        import torch

        key = f"{self.initial_seed}/{update}/{member // 2}/eggroll"
        numbers = torch.Generator().manual_seed(int.from_bytes(blake2b(key.encode(), digest_size=7).digest(), "little"))
        size = (-1 if member % 2 else 1) * self.sigma / math.sqrt(self.noise_rank)
        found = {}
        for name, one in self._weights().items():
            rows, columns = one.shape
            left, right = (torch.randn(side, self.noise_rank, generator=numbers) for side in (rows, columns))
            found[name] = (size * left @ right.T).to(one.device)
        return found
