"""A trainer that tells which share of its numbers each of its processes holds."""

from __future__ import annotations

from evoengine.rl.trainer import Batch
from plugins.trainers.full import Full


class Counting(Full):
    def step(self, batch: Batch) -> dict[str, float]:
        from torch.distributed.tensor import DTensor

        facts = super().step(batch)
        if self._mesh is None:
            return facts
        tensors = [*self._model.parameters(), *self._frozen.parameters()]
        tensors += [one for of in self._optimizer.state.values() for one in of.values() if one.dim()]
        held = sum(one.to_local().numel() if isinstance(one, DTensor) else one.numel() for one in tensors)
        return {**facts, "held": held / sum(one.numel() for one in tensors)}
